package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/textproto"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"ringback/pbx"
)

// Bounds of a connection. RFC 5321 §4.5.3.2 gives a server 5 minutes for most commands and 10 for the end of the data: who waits for
// less sends twice what the server is still busy with.
const (
	dialTime    = time.Minute
	commandTime = 5 * time.Minute
	endTime     = 10 * time.Minute
	letterTime  = time.Hour
	quitTime    = 5 * time.Second
	maxReplies  = 256 << 10 // bytes of all replies of a connection
)

// maxSound is how many bytes a WAV file may have that is attached: 26 minutes of telephone sound. In base64 it is a third more, and
// few servers take more than that.
const maxSound = 25_000_000

// failure is why a message was not sent.
type failure struct {
	err    error
	server bool // it is the server, the way to it, or our account there: no message will do better for now
	final  bool // it is this message, and for good
}

var errDefect = errors.New("a defect of the PBX; the log has its place")

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// send gives a message to the server, over a connection of its own, and reports whether with its sound. Errors: *failure,
// pbx.ErrNoSuchSound.
func (m *Mailer) send(ctx context.Context, v pbx.VoiceMessage, box *pbx.Mailbox) (attached bool, err error) {
	defer func() {
		if p := recover(); p != nil { // what a server says must not end more than its mail
			m.log.Error("panic while an e-mail was sent", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			attached, err = false, &failure{err: errDefect}
		}
	}()
	file, size, _, err := m.o.Messages.OpenMessage(v.Mailbox, v.ID) // also where it is not attached: it may have been deleted
	if err != nil {
		if !errors.Is(err, pbx.ErrNoSuchSound) {
			err = &failure{err: err}
		}
		return false, err
	}
	defer file.Close()
	l := &letter{from: netmail.Address{Name: m.o.Name, Address: m.o.From}, to: netmail.Address{Address: box.Email},
		id: "voicemail." + v.ID + "@" + m.o.From[strings.LastIndexByte(m.o.From, '@')+1:], date: time.Now().In(m.o.Zone), v: v, box: box}

	ctx, cancel := context.WithTimeout(ctx, letterTime)
	defer cancel()
	conn, client, err := m.connect(ctx, l)
	if err != nil {
		return false, &failure{err: err, server: true}
	}
	defer conn.Close() // at once: the library would end a mail properly that was cut short
	defer context.AfterFunc(ctx, func() { conn.Close() })()

	if box.Attach {
		if l.tooLarge = size > maxSound || size > room(client); !l.tooLarge {
			l.sound, l.size = file, size
		}
	}
	if err := client.Mail(address(l.from)); err != nil { // nothing was said of the message yet
		return false, &failure{err: m.said(err), server: true}
	}
	if err := client.Rcpt(address(l.to)); err != nil {
		return false, m.judged(err)
	}
	w, err := client.Data()
	if err != nil {
		return false, m.judged(err)
	}
	if err := l.write(w); err != nil {
		return false, m.judged(err)
	}
	conn.patience = endTime
	if err := w.Close(); err != nil {
		return false, m.judged(err)
	}
	conn.patience = quitTime
	client.Quit() // its answer does not matter any more
	return l.sound != nil, nil
}

// room is how large a sound may be by what the server says of mails (RFC 1870); 4 kB are for the text.
func room(c *smtp.Client) int64 {
	if _, parameter := c.Extension("SIZE"); parameter != "" {
		if n, err := strconv.ParseInt(parameter, 10, 64); err == nil && n > 0 {
			return (n - 4096) / (lineBytes/3*4 + 2) * lineBytes
		}
	}
	return maxSound
}

// judged is what an error about a message means: a 5xx is for good. A connection that breaks in the middle counts for this message alone,
// so that no message can keep others from being sent.
func (m *Mailer) judged(err error) error {
	var f *failure
	if errors.As(err, &f) {
		return err
	}
	var reply *textproto.Error
	return &failure{err: m.said(err), final: errors.As(err, &reply) && reply.Code >= 500}
}

// said is an error for the log: bounded, and without the password, wherever a server may repeat it.
func (m *Mailer) said(err error) error {
	text, prefix := err.Error(), ""
	var reply *textproto.Error
	if errors.As(err, &reply) {
		text, prefix = fmt.Sprint(reply.Code, " ", reply.Msg), "the mail server says: "
	}
	if m.o.Password != "" {
		text = strings.ReplaceAll(text, m.o.Password, "***")
	}
	return errors.New(prefix + short(text))
}

// address is how an address is written in commands.
func address(a netmail.Address) string { return (&netmail.Address{Address: a.Address}).String() }

// connect gets the server ready to take a mail.
func (m *Mailer) connect(ctx context.Context, l *letter) (*connection, *smtp.Client, error) {
	dialling, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	raw, err := m.dial(dialling, "tcp", m.o.Server)
	if err != nil {
		return nil, nil, err
	}
	conn := &connection{Conn: raw, patience: commandTime}
	client, err := m.greet(ctx, conn, l)
	if err != nil {
		raw.Close()
		return nil, nil, err
	}
	return conn, client, nil
}

func (m *Mailer) greet(ctx context.Context, conn *connection, l *letter) (*smtp.Client, error) {
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	secure := &tls.Config{ServerName: m.host, RootCAs: m.o.Roots, MinVersion: tls.VersionTLS12}
	var ready net.Conn = conn
	policy := gomail.NoTLS
	switch m.o.TLS {
	case TLS:
		t := tls.Client(conn, secure)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		ready = t
	case STARTTLS:
		policy = gomail.TLSMandatory
	}
	options := []gomail.Option{
		gomail.WithPort(m.port), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(secure), gomail.WithHELO(helo(conn.LocalAddr())),
		gomail.WithTimeout(letterTime), gomail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) { return ready, nil }),
	}
	if isASCII(l.from.Address) && isASCII(l.to.Address) {
		options = append(options, gomail.WithoutSMTPUTF8()) // RFC 6531 §3.4: only where it is needed, or the mail does not get everywhere
	}
	if m.o.User != "" {
		plain, login := gomail.SMTPAuthPlain, gomail.SMTPAuthLogin
		if m.o.TLS == None { // the server is on this machine
			plain, login = gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc
		}
		options = append(options, gomail.WithUsername(m.o.User), gomail.WithPassword(m.o.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, plain, login, gomail.SMTPAuthCramMD5))
	}
	c, err := gomail.NewClient(m.host, options...)
	if err != nil {
		return nil, err
	}
	client, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return nil, m.said(err)
	}
	return client, nil
}

// helo is how we call ourselves: by our address, as RFC 5321 §4.1.4 has it for who may have no name.
func helo(local net.Addr) string {
	if a, ok := local.(*net.TCPAddr); ok {
		if ip := a.IP.To4(); ip != nil {
			return "[" + ip.String() + "]"
		}
		return "[IPv6:" + a.IP.String() + "]"
	}
	return "localhost"
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// connection is one to a server that must go on: each read and write has its own time, and replies have a bound.
type connection struct {
	net.Conn
	patience time.Duration
	read     int
}

var errTalkative = errors.New("the mail server says more than it should")

func (c *connection) Read(p []byte) (int, error) {
	c.Conn.SetReadDeadline(time.Now().Add(c.patience))
	n, err := c.Conn.Read(p)
	if c.read += n; c.read > maxReplies && err == nil {
		err = errTalkative
	}
	return n, err
}

func (c *connection) Write(p []byte) (int, error) {
	c.Conn.SetWriteDeadline(time.Now().Add(c.patience))
	return c.Conn.Write(p)
}

// SetDeadline does nothing: the library would have one for the whole connection. Nor do the other two.
func (*connection) SetDeadline(time.Time) error      { return nil }
func (*connection) SetReadDeadline(time.Time) error  { return nil }
func (*connection) SetWriteDeadline(time.Time) error { return nil }
