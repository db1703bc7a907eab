package pbxtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Config is what a phone is set up with.
type Config struct {
	Name     string         // its column in the ladder; default: User
	User     string         // its number
	Password string         // for digest
	AuthUser string         // default: User
	Domain   string         // host part of its address of record; default: the server's address
	Server   netip.AddrPort // the PBX, or another phone
	Network  Network        // default: Sockets
	Local    netip.Addr     // default: 127.0.0.1
	Port     uint16         // for SIP; 0 means any free one

	Transport string      // "udp" (default), "tcp" or "tls"
	TLS       *tls.Config // for "tls"

	Algorithms []string // of digest, of those the phone knows: SHA-256, MD5 (default: both)
	Codecs     []string // in the order it prefers; default: PCMU, PCMA, telephone-event
	EventPT    uint8    // payload type of telephone-event; default 101
	Rel100     bool     // offers 100rel (RFC 3262)
	NoReuse    bool     // does not use a nonce twice
	OneCodec   bool     // answers offers with one codec only (and telephone-event)
	NoAudio    bool     // opens no RTP sockets: SDP names a port where nobody listens
	ViaHost    string   // host:port shown in Via and Contact instead of the true one, as behind NAT
	Instance   string   // +sip.instance of its Contact (RFC 5626), such as urn:uuid:…
	Headers    []Header // added to each request out of a dialog

	T1       time.Duration // default 500 ms (RFC 3261 table 4)
	Patience time.Duration // how long it waits where a context has no deadline; default 5 s
}

// Phone is a desk phone. Its methods may be called from any goroutine. Those that wait take a context; where it has
// no deadline, they wait Config.Patience.
//
// It answers by itself, as phones do: requests in its dialogs, OPTIONS, MESSAGE, NOTIFY; what to do with calls says
// OnCall, or else whoever calls Incoming. Manual turns that off for a method.
type Phone struct {
	c        Config
	udp      PacketConn
	listener net.Listener
	local    netip.AddrPort
	out      chan packet
	ctx      context.Context
	cancel   context.CancelFunc
	work     sync.WaitGroup

	mu         sync.Mutex
	changed    chan struct{} // closed and renewed whenever something has happened
	closed     bool
	streams    map[*stream]bool
	server     *stream          // the stream to the server
	addrs      []netip.AddrPort // of its streams, for the ladder
	pinging    bool
	lastErr    error
	timers     map[*time.Timer]struct{}
	inbox      []*Message // everything that came, in order
	trace      []Event
	complaints []string
	manual     map[string]bool
	onCall     Behaviour
	clients    map[string]*Transaction // by branch and method
	servers    map[string]*served      // by branch, sent-by and method
	legs       []*CallLeg
	fresh      []*CallLeg // incoming, not fetched by Incoming
	challenge  *Challenge // newest, for requests to come
	regCallID  string
	regCSeq    uint32
	granted    int // seconds of the newest registration
	repeats    int // retransmitted requests that came
}

// NewPhone opens the phone's sockets. Close ends it.
func NewPhone(c Config) (*Phone, error) {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	def(&c.Name, c.User)
	def(&c.AuthUser, c.User)
	def(&c.Transport, "udp")
	def(&c.Domain, c.Server.String())
	if c.Network == nil {
		c.Network = Sockets
	}
	if !c.Local.IsValid() {
		c.Local = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if m, ok := c.Network.(memory); ok {
		c.Local = m.Addr()
	}
	if c.Algorithms == nil {
		c.Algorithms = []string{"SHA-256", "MD5"}
	}
	if c.Codecs == nil {
		c.Codecs = []string{"PCMU", "PCMA", "telephone-event"}
	}
	if c.EventPT == 0 {
		c.EventPT = 101
	}
	if c.T1 == 0 {
		c.T1 = 500 * time.Millisecond
	}
	if c.Patience == 0 {
		c.Patience = 5 * time.Second
	}
	if c.Transport != "udp" && c.Transport != "tcp" && c.Transport != "tls" {
		return nil, fmt.Errorf("unknown transport %q", c.Transport)
	}
	p := &Phone{c: c, changed: make(chan struct{}), manual: make(map[string]bool), timers: make(map[*time.Timer]struct{}),
		streams: make(map[*stream]bool), clients: make(map[string]*Transaction), servers: make(map[string]*served), regCallID: token()}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if err := p.open(); err != nil {
		p.cancel()
		return nil, err
	}
	return p, nil
}

// Name is the phone's column in the ladder.
func (p *Phone) Name() string { return p.c.Name }

// User is the phone's number.
func (p *Phone) User() string { return p.c.User }

// Addr is where the phone listens for SIP.
func (p *Phone) Addr() netip.AddrPort { return p.local }

// AOR is the phone's address of record.
func (p *Phone) AOR() string { return p.URI(p.c.User) }

// URI is that of a number at the phone's domain.
func (p *Phone) URI(number string) string {
	if strings.Contains(number, ":") {
		return number
	}
	return "sip:" + number + "@" + p.c.Domain
}

// SetServer is for phones that call each other directly, made before the other's address is known.
func (p *Phone) SetServer(a netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.c.Server = a
	if p.c.Domain == "" || p.c.Domain == "invalid AddrPort" {
		p.c.Domain = a.String()
	}
}

func (p *Phone) sentBy() string {
	if p.c.ViaHost != "" {
		return p.c.ViaHost
	}
	return p.local.String()
}

// ContactURI is where the phone wants its requests.
func (p *Phone) ContactURI() string {
	uri := "sip:" + p.c.User + "@" + p.sentBy()
	if p.c.Transport != "udp" {
		uri += ";transport=" + p.c.Transport
	}
	return uri
}

func (p *Phone) contact() string {
	c := "<" + p.ContactURI() + ">"
	if p.c.Instance != "" {
		c += `;+sip.instance="<` + p.c.Instance + `>"`
	}
	return c
}

// Manual makes the phone leave requests of these methods to the test: see Expect and Respond.
func (p *Phone) Manual(methods ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range methods {
		p.manual[m] = true
	}
}

// Automatic undoes Manual.
func (p *Phone) Automatic(methods ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range methods {
		delete(p.manual, m)
	}
}

func (p *Phone) spawn(f func()) { p.work.Go(f) }

func (p *Phone) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// wake tells all that wait to look again. It needs p.mu.
func (p *Phone) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// after calls f with p.mu held, unless the phone is closed by then. It needs p.mu.
func (p *Phone) after(d time.Duration, f func()) *time.Timer {
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.timers, t)
		if !p.closed {
			f()
		}
	})
	p.timers[t] = struct{}{}
	return t
}

// ErrClosed is what waits end with when the phone is closed.
var ErrClosed = errors.New("the phone is closed")

// await waits until ready, which is called with p.mu held.
func (p *Phone) await(ctx context.Context, what string, ready func() bool) error {
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.c.Patience)
		defer cancel()
	}
	start := time.Now()
	for {
		p.mu.Lock()
		if ready() {
			p.mu.Unlock()
			return nil
		}
		closed, changed := p.closed, p.changed
		p.mu.Unlock()
		if closed {
			return fmt.Errorf("%s waits for %s: %w", p.c.Name, what, ErrClosed)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s waited %v for %s in vain (%w); it got: %s", p.c.Name, time.Since(start).Round(time.Millisecond), what, ctx.Err(), p.tail())
		}
	}
}

// tail is the newest of what came.
func (p *Phone) tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, m := range p.inbox[max(0, len(p.inbox)-8):] {
		all = append(all, m.String())
	}
	s := strings.Join(all, ", ")
	if s == "" {
		s = "nothing"
	}
	if p.lastErr != nil {
		s += fmt.Sprintf(" (last transport error: %v)", p.lastErr)
	}
	return s
}

func (p *Phone) complain(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.complainLocked(format, args...)
}

func (p *Phone) complainLocked(format string, args ...any) {
	if len(p.complaints) < 1000 {
		p.complaints = append(p.complaints, p.c.Name+": "+fmt.Sprintf(format, args...))
	}
}

// Complaints is everything in the received messages and packets that a picky phone would not accept. Tests assert
// that there is nothing.
func (p *Phone) Complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.complaints...)
}

// Repeats counts the retransmitted requests that came.
func (p *Phone) Repeats() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.repeats
}

// Received are all messages that came, oldest first. They are not to be changed.
func (p *Phone) Received() []*Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*Message(nil), p.inbox...)
}

// Expect waits for a message that no other Expect has fetched: "INVITE", "200 REGISTER", "18x INVITE" or "4xx".
// Messages that the phone answers by itself can be expected, too. It must satisfy all of more.
func (p *Phone) Expect(ctx context.Context, what string, more ...func(*Message) bool) (*Message, error) {
	var found *Message
	err := p.await(ctx, what, func() bool {
	next:
		for _, m := range p.inbox {
			if m.seen || !matches(m, what) {
				continue
			}
			for _, ok := range more {
				if !ok(m) {
					continue next
				}
			}
			m.seen, found = true, m
			return true
		}
		return false
	})
	return found, err
}

// ExpectNone fails if such a message comes within d, or has come and was not fetched.
func (p *Phone) ExpectNone(ctx context.Context, d time.Duration, what string) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	if m, err := p.Expect(ctx, what); err == nil {
		return fmt.Errorf("%s got %s, and should not:\n%s", p.c.Name, m, m.Raw())
	}
	return nil
}

func matches(m *Message, what string) bool {
	first, method, both := strings.Cut(what, " ")
	if len(first) != 3 || strings.Trim(first, "0123456789x") != "" {
		return m.Status == 0 && m.Method == first
	}
	if m.Status == 0 {
		return false
	}
	have := fmt.Sprint(m.Status)
	for i := range 3 {
		if first[i] != 'x' && first[i] != have[i] {
			return false
		}
	}
	if _, cseq := m.CSeq(); both && cseq != method {
		return false
	}
	return true
}

// Forget drops everything received so far from what Expect looks at.
func (p *Phone) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.inbox {
		m.seen = true
	}
}

// Close ends the phone and all it runs, and says what was left over: calls that were not hung up.
// It sends nothing: the PBX sees a phone that has vanished.
func (p *Phone) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	var left []string
	legs := append([]*CallLeg(nil), p.legs...)
	for _, l := range legs {
		if !l.over() {
			left = append(left, fmt.Sprintf("%s of call %s", l.stateLocked(), l.CallID))
		}
	}
	for t := range p.timers {
		t.Stop()
	}
	p.wake()
	for s := range p.streams {
		_ = s.Close()
	}
	p.mu.Unlock()
	p.cancel()
	for _, l := range legs {
		l.closeAudio()
	}
	if p.udp != nil {
		_ = p.udp.Close()
	}
	if p.listener != nil {
		_ = p.listener.Close()
	}
	p.work.Wait()
	if left != nil {
		return fmt.Errorf("%s was closed with calls left over: %s", p.c.Name, strings.Join(left, "; "))
	}
	return nil
}

// Count is how often such a message came, as Expect names them.
func (p *Phone) Count(what string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, m := range p.inbox {
		if matches(m, what) {
			n++
		}
	}
	return n
}
