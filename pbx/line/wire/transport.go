package wire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// What Send gives when a message certainly did not leave, besides the socket's own errors.
var (
	ErrNoSocket  = errors.New("no socket of this transport and address family")
	ErrQueueFull = errors.New("too many messages wait for the connection")
	ErrConn      = errors.New("the connection is closed")
)

// Transport is all sockets of one SIP element. It is a Sender. Send, Stats and Locals may be called from any goroutine
// between Open and Close.
type Transport struct {
	o       Options
	log     *slog.Logger
	receive Receiver
	limit   *limiter

	udp, tcp, tls traffic
	panics        atomic.Uint64

	sockets   []*socket   // fixed by Open
	listeners []*listener // fixed by Open
	readers   sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	nextID  uint64
	conns   map[uint64]*conn
	remotes map[endpoint]*conn
	perIP   map[netip.Addr]int
}

// New makes a Transport that is not open yet.
func New(o Options) *Transport {
	if o.Network == nil {
		o.Network = OS{}
	}
	o.Readers = cmp.Or(max(o.Readers, 0), 1)
	o.PerSource = cmp.Or(o.PerSource, 2000)
	o.Burst = cmp.Or(o.Burst, 4000)
	o.MaxConns = cmp.Or(o.MaxConns, 4096)
	o.MaxConnsPerIP = cmp.Or(o.MaxConnsPerIP, 128)
	o.HeaderTimeout = cmp.Or(o.HeaderTimeout, 10*time.Second)
	o.FirstTimeout = cmp.Or(o.FirstTimeout, 30*time.Second)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, 2*time.Hour)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, 10*time.Second)
	o.WriteQueue = cmp.Or(o.WriteQueue, 256)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 5*time.Second)
	return &Transport{
		o: o, log: cmp.Or(o.Log, slog.Default()), limit: newLimiter(o.PerSource, o.Burst),
		conns: map[uint64]*conn{}, remotes: map[endpoint]*conn{}, perIP: map[netip.Addr]int{},
	}
}

// shared is what a Network may also be: able to open several sockets on one address.
type shared interface {
	ListenPackets(local netip.AddrPort, n int) ([]PacketConn, error)
}

// Open binds every address of the options, all or none, and hands what arrives to r: on the socket's reader goroutine,
// or the connection's, so in the order of arrival per source. A panic in r is counted and logged, and the reader goes on.
func (t *Transport) Open(r Receiver) (err error) {
	t.receive = r
	defer func() {
		if err != nil {
			t.Close()
		}
	}()
	for _, a := range t.o.UDP {
		conns, err := t.listenUDP(a)
		if err != nil {
			return fmt.Errorf("udp %v: %w", a, err)
		}
		for i, c := range conns {
			t.sockets = append(t.sockets, &socket{PacketConn: c, local: addrPort(c.LocalAddr()), shares: i > 0})
		}
	}
	for _, l := range []struct {
		transport string
		at        []netip.AddrPort
	}{{"tcp", t.o.TCP}, {"tls", t.o.TLS}} {
		for _, a := range l.at {
			if l.transport == "tls" && t.o.TLSConfig == nil {
				return fmt.Errorf("tls %v: no certificate", a)
			}
			ln, err := t.o.Network.Listen(a)
			if err != nil {
				return fmt.Errorf("%s %v: %w", l.transport, a, err)
			}
			t.listeners = append(t.listeners, &listener{ln, l.transport, addrPort(ln.Addr())})
		}
	}
	for _, s := range t.sockets {
		t.readers.Go(func() { t.readUDP(s) })
	}
	for _, l := range t.listeners {
		t.readers.Go(func() { t.accept(l) })
	}
	return nil
}

func (t *Transport) listenUDP(a netip.AddrPort) ([]PacketConn, error) {
	if n, ok := t.o.Network.(shared); ok && t.o.Readers > 1 {
		return n.ListenPackets(a, t.o.Readers)
	}
	c, err := t.o.Network.ListenPacket(a)
	return []PacketConn{c}, err
}

// Locals are the bound addresses of "udp", "tcp" or "tls", in the order of the options.
func (t *Transport) Locals(transport string) (at []netip.AddrPort) {
	if transport == "udp" {
		for _, s := range t.sockets {
			if !s.shares {
				at = append(at, s.local)
			}
		}
	}
	for _, l := range t.listeners {
		if l.transport == transport {
			at = append(at, l.local)
		}
	}
	return at
}

// Send is Sender. A stream without a living connection is dialled in the background.
func (t *Transport) Send(to Hop, b []byte) error {
	switch to.Transport {
	case "udp":
		return t.sendUDP(to, b)
	case "tcp", "tls":
		return t.sendStream(to, b)
	}
	return fmt.Errorf("transport %q: %w", to.Transport, ErrNoSocket)
}

// Close closes every socket and returns when all goroutines have ended. What is queued on streams still leaves, if it
// does so within a second. Closed is still told of every connection. It must not be called from a callback.
func (t *Transport) Close() error {
	t.mu.Lock()
	t.closed = true
	conns := make([]*conn, 0, len(t.conns))
	for _, c := range t.conns {
		conns = append(conns, c)
	}
	t.mu.Unlock()
	var errs []error
	for _, s := range t.sockets {
		errs = append(errs, s.Close())
	}
	for _, l := range t.listeners {
		errs = append(errs, l.Close())
	}
	for _, c := range conns {
		c.finish()
	}
	t.readers.Wait()
	return errors.Join(errs...)
}

// take handles the one message in b. It says whether the stream it came by has to end, after reply if there is one.
func (t *Transport) take(b []byte, from Hop, count *traffic) (bad *Malformed) {
	defer func() {
		if p := recover(); p != nil {
			t.panics.Add(1)
			t.log.Error("panic while handling a message", "panic", p, "from", from.Remote, "transport", from.Transport, "stack", string(debug.Stack()))
		}
	}()
	var m sip.Message
	if m, bad = Parse(b, from); bad != nil {
		count.malformed.Add(1)
		t.log.Debug("malformed message", "what", bad.What, "from", from.Remote, "transport", from.Transport)
		return bad
	}
	count.in.Add(1)
	t.receive(m, from)
	return nil
}

func (t *Transport) trace(d Direction, hop Hop, b []byte) {
	if t.o.Trace != nil {
		t.o.Trace(d, hop, b)
	}
}

// allow says whether source may send one more message now.
func (t *Transport) allow(source netip.Addr) bool {
	return t.limit.allow(source, time.Now()) || t.o.Exempt != nil && t.o.Exempt(source)
}

func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.UDPAddr:
		return unmap(a.AddrPort())
	case *net.TCPAddr:
		return unmap(a.AddrPort())
	}
	p, _ := netip.ParseAddrPort(a.String())
	return unmap(p)
}

// dial connects and, for TLS, shakes hands.
func (t *Transport) dial(ctx context.Context, to Hop) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.o.ConnectTimeout)
	defer cancel()
	nc, err := t.o.Network.Dial(ctx, netip.AddrPortFrom(to.Local.Addr(), 0), to.Remote)
	if err != nil || to.Transport != "tls" {
		return nc, err
	}
	return handshakeClient(ctx, nc, t.o.TLSClient, to.Remote)
}
