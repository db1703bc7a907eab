// Package mail tells the owners of mailboxes of new messages, by SMTP (RFC 5321).
//
// A Mailer owns one goroutine, which asks for messages that have not been sent and sends them one after the other, each over a
// connection of its own. Nobody waits for it. What is to be sent is a mark on the row of each message, so after a restart it goes on
// where it was; a message that the server had just taken as the process was killed is sent twice, with the same Message-ID.
package mail

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	netmail "net/mail"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"ringback/pbx"
)

// How the connection to the server is protected. Its certificate is verified; where it cannot be, nothing is sent.
const (
	STARTTLS = "starttls" // RFC 3207; a server that cannot do it gets nothing
	TLS      = "tls"      // from the first byte, RFC 8314 §3.3
	None     = "none"     // not; a password is then sent only to a server on the same machine
)

// Messages are what waits to be sent. Package pbx/archive implements it.
type Messages interface {
	// Unmailed are the messages that have not been sent, and not been marked either; the oldest first.
	Unmailed(ctx context.Context) ([]pbx.VoiceMessage, error)
	// MarkMailed says that there is nothing to send any more. It is no error if there is no such message.
	MarkMailed(ctx context.Context, id string) error
	// OpenMessage is the sound of a message as a WAV file, how many bytes, and when it was written; pbx.ErrNoSuchSound.
	OpenMessage(mailbox, id string) (io.ReadSeekCloser, int64, time.Time, error)
	// Remove deletes a message; pbx.ErrNoSuchSound.
	Remove(ctx context.Context, mailbox, id string) error
}

// Options are what a Mailer needs of the rest.
type Options struct {
	Server   string // "host:port"; "": nothing is sent, and messages are marked as if they had been, so that nobody gets old ones later
	TLS      string // STARTTLS, TLS or None; "": TLS at port 465, None at this machine, STARTTLS elsewhere
	User     string // "": the server asks for none
	Password string
	From     string         // address of the sender, and of whoever hears of a mail that cannot be delivered
	Name     string         // shown with it; "": "Voicemail"
	Zone     *time.Location // that people read the time in; nil: UTC
	Roots    *x509.CertPool // that certificates are verified by; nil: those of the system
	Log      *slog.Logger
	Messages Messages
	Mailbox  func(number string) *pbx.Mailbox // from memory; nil if there is none of that number
}

// Stats are counts for metrics. Waiting is how many messages wait for the next attempt.
type Stats struct {
	Sent, Failed uint64
	Waiting      int
}

// Mailer sends what mailboxes get. Its methods may be called from any goroutine.
type Mailer struct {
	o    Options
	host string
	port int
	log  *slog.Logger
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	kick chan struct{}

	// Of the goroutine.
	waiting map[string]*waiting // what was tried before, by ID of the message
	down    retry               // the server, or the way to it
	why     error               // it is

	sent, failed atomic.Uint64
	left         atomic.Int64

	once sync.Once
	stop context.CancelFunc
	done chan struct{}
}

// New checks what is set; Start begins. An error is a sentence about a setting.
func New(o Options) (*Mailer, error) {
	m := &Mailer{o: o, log: o.Log, kick: make(chan struct{}, 1), waiting: make(map[string]*waiting), done: make(chan struct{})}
	m.dial = new(net.Dialer).DialContext
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if m.o.Zone == nil {
		m.o.Zone = time.UTC
	}
	if m.o.Name == "" {
		m.o.Name = "Voicemail"
	}
	if o.Server == "" {
		return m, nil
	}
	host, port, err := net.SplitHostPort(o.Server)
	if err != nil || host == "" {
		return nil, fmt.Errorf("the mail server must be a host with a port, such as smtp.example.com:587, not %q", o.Server)
	}
	m.host = host
	if m.port, err = strconv.Atoi(port); err != nil || m.port < 1 || m.port > 65535 {
		return nil, fmt.Errorf("%q is not a port of a mail server", port)
	}
	if a, err := netmail.ParseAddress(o.From); err != nil || a.Address != o.From {
		return nil, fmt.Errorf("mail has to be from an address such as pbx@example.com, not %q", o.From)
	}
	switch m.o.TLS {
	case "":
		m.o.TLS = STARTTLS
		if m.port == 465 {
			m.o.TLS = TLS
		} else if loopback(host) {
			m.o.TLS = None
		}
	case STARTTLS, TLS, None:
	default:
		return nil, fmt.Errorf("TLS of mail is %q, %q or %q, not %q", STARTTLS, TLS, None, o.TLS)
	}
	if m.o.TLS == None && o.User != "" && !loopback(host) {
		return nil, fmt.Errorf("a password is not sent to %s without TLS", host)
	}
	return m, nil
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Start begins to send, with what was left from before. Call it once.
func (m *Mailer) Start() {
	ctx, stop := context.WithCancel(context.Background())
	m.stop = stop
	go func() {
		defer close(m.done)
		m.run(ctx)
	}()
}

// Close ends the sending and waits for its end; what is not sent stays for the next Start of another Mailer.
func (m *Mailer) Close() {
	m.once.Do(func() {
		if m.stop == nil { // it was never started
			return
		}
		m.stop()
		<-m.done
	})
}

// Changed says that a mailbox may have a new message. It never blocks.
func (m *Mailer) Changed(string) {
	select {
	case m.kick <- struct{}{}:
	default: // it will look anyway
	}
}

// Stats are read at any time.
func (m *Mailer) Stats() Stats {
	return Stats{m.sent.Load(), m.failed.Load(), int(m.left.Load())}
}
