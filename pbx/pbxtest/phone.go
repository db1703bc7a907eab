package pbxtest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

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

	subs        []*Subscription
	unsolicited []*Notification // not fetched by Unsolicited
	lamp        *Summary        // newest
	onNotify    func(*Notification) Reply
}

// NewPhone opens the phone's sockets. Close ends it.
func NewPhone(c Config) (*Phone, error) {
	if err := c.complete(); err != nil {
		return nil, err
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
