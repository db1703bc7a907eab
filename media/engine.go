package media

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Engine owns the ports, the sockets and the goroutines that read them. All methods may be called from any goroutine.
type Engine struct {
	log     *slog.Logger
	start   time.Time
	rest    int64
	timeout int64
	listen  func(netip.AddrPort) (PacketConn, error)
	dscp    int

	virtual      bool // the network is not the host's
	advertiseFor func(netip.Addr) netip.Addr
	routes       routes
	local        map[netip.Addr]bool // addresses of the host, as of New

	ports    ports
	wheel    wheel
	player   player
	clocks   clocks
	topology sync.Mutex // who hears whom; held before any stream's lock, never with one
	poller   *poller    // nil if listen is set
	counters counters   // of what no loop of the poller counts

	opened, closed, timedOut, panics atomic.Uint64

	done    chan struct{}
	once    sync.Once
	running sync.WaitGroup
}

// New starts an engine. No port is bound before a stream needs it. An error says which option is wrong.
func New(o Options) (*Engine, error) {
	e := &Engine{
		log:          o.Log,
		start:        time.Now(),
		rest:         int64(o.Rest),
		timeout:      int64(max(o.Timeout, 0)),
		listen:       o.Listen,
		virtual:      o.Listen != nil,
		dscp:         o.DSCP,
		advertiseFor: o.AdvertiseFor,
		done:         make(chan struct{}),
	}
	if e.log == nil {
		e.log = slog.Default()
	}
	switch {
	case o.Rest == 0:
		e.rest = int64(DefaultRest)
	case o.Rest < 0:
		e.rest = 0
	}
	if o.DSCP == 0 {
		e.dscp = 46
	} else if o.DSCP > 63 {
		return nil, fmt.Errorf("media: DSCP %d is not between 0 and 63", o.DSCP)
	}
	e.wheel.init()
	e.player.wake = make(chan struct{}, 1)
	if err := e.setRange(o); err != nil {
		return nil, err
	}
	e.local = localAddrs()
	if e.listen == nil {
		loops := o.Loops
		if loops <= 0 {
			loops = runtime.GOMAXPROCS(0)
		}
		var err error
		if e.poller, err = newPoller(e, loops, o.busy); err != nil {
			return nil, fmt.Errorf("media: %w", err)
		}
	}
	e.running.Add(2)
	go e.keepTime()
	go e.play()
	e.startClocks(runtime.GOMAXPROCS(0))
	return e, nil
}

// setRange checks the addresses and the range, and makes the families.
func (e *Engine) setRange(o Options) error {
	low, high := o.MinPort, o.MaxPort
	if low == 0 && high == 0 {
		low, high = 20000, 29999
	}
	if low < 2 || high <= low {
		return fmt.Errorf("media: bad RTP port range %d-%d", low, high)
	}
	low += low % 2 // even
	if high-low < 1 {
		return fmt.Errorf("media: no pair of an even and an odd port in %d-%d", o.MinPort, o.MaxPort)
	}
	bind := o.Bind
	if len(bind) == 0 {
		bind = []netip.Addr{netip.IPv4Unspecified()}
		if e.virtual || hasIPv6() {
			bind = append(bind, netip.IPv6Unspecified())
		}
	}
	limit := o.MaxSockets
	if limit <= 0 {
		limit = fileLimit() / 5 * 4
	}
	e.ports.limit = limit
	for i, a := range bind {
		a = a.Unmap()
		if !a.IsValid() || a.IsMulticast() {
			return fmt.Errorf("media: cannot bind to %v", a)
		}
		if e.family(a) != nil {
			return fmt.Errorf("media: address %v: there is another one of the same family", bind[i])
		}
		f := newFamily(a, low, high, limit-limit/8*(len(bind)-1))
		if !a.IsUnspecified() {
			f.advertise = a
		}
		e.ports.families = append(e.ports.families, f)
	}
	for _, a := range o.Advertise {
		a = a.Unmap()
		if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() {
			return fmt.Errorf("media: cannot advertise %v", a)
		}
		f := e.family(a)
		if f == nil {
			return fmt.Errorf("media: cannot advertise %v: not bound to an address of this family", a)
		}
		f.advertise = a
	}
	return nil
}

func (e *Engine) family(a netip.Addr) *family {
	for _, f := range e.ports.families {
		if f.bind.Is4() == a.Unmap().Is4() {
			return f
		}
	}
	return nil
}

// now is the time since the engine's start in nanoseconds.
func (e *Engine) now() int64 { return int64(time.Since(e.start)) }

// Open takes a pair of ports for a stream. It hears nothing before its first Agree.
// It fails at once with ErrNoPorts, ErrFamily or ErrClosed.
func (e *Engine) Open(o StreamOptions) (*Stream, error) {
	f := e.ports.families[0]
	if o.Remote.IsValid() {
		if f = e.family(o.Remote); f == nil {
			return nil, ErrFamily
		}
	}
	s := &Stream{engine: e, remote: o.Remote, onTimeout: o.OnTimeout}
	s.tx.start()
	p, err := e.ports.take(e, f, s, e.now())
	if err != nil {
		return nil, err
	}
	e.opened.Add(1)
	s.socket = p.rtp
	a := e.advertised(f, o.Remote)
	s.rtp, s.rtcp = netip.AddrPortFrom(a, p.port), netip.AddrPortFrom(a, p.port+1)
	p.rtp.owner.Store(s)
	p.rtcp.owner.Store(s)
	return s, nil
}

// bind opens the two sockets of a pair, or neither.
func (e *Engine) bind(p *pair) error {
	rtp, err := e.open(netip.AddrPortFrom(p.family.bind, p.port), false)
	if err != nil {
		return err
	}
	rtcp, err := e.open(netip.AddrPortFrom(p.family.bind, p.port+1), true)
	if err != nil {
		rtp.close()
		return err
	}
	if err := e.read(rtp, rtcp); err != nil {
		rtp.close()
		rtcp.close()
		return err
	}
	p.rtp, p.rtcp = rtp, rtcp
	return nil
}

// usable is an address that the stream may send to, zero if that cannot be.
func (e *Engine) usable(s *Stream, to netip.AddrPort) netip.AddrPort {
	a := to.Addr().Unmap().WithZone("")
	f := s.pair.family
	if to.Port() == 0 || !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a.Is4() != f.bind.Is4() ||
		a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a, to.Port())
}

// own says whether an address that the stream sends to, or gets a packet from, is a port of the engine itself.
func (e *Engine) own(s *Stream, at netip.AddrPort) bool {
	f, a := s.pair.family, at.Addr()
	return (a == f.bind || a == f.advertise || f.bind.IsUnspecified() && (a.IsLoopback() || e.local[a])) && e.ports.ours(f, at.Port())
}

// Stats may be read at any time.
func (e *Engine) Stats() EngineStats {
	st := EngineStats{
		Opened:   e.opened.Load(),
		Closed:   e.closed.Load(),
		TimedOut: e.timedOut.Load(),
		Panics:   e.panics.Load(),
	}
	e.ports.count(&st, e.now())
	e.counters.add(&st)
	e.clocks.count(&st)
	if e.poller != nil {
		e.poller.count(&st)
	}
	return st
}

// Leaks lists the streams that are still open; nil when there is none. For the end of tests.
func (e *Engine) Leaks() error {
	var errs []error
	for _, s := range e.ports.open() {
		errs = append(errs, fmt.Errorf("media: the stream on port %d is open", s.pair.port))
	}
	return errors.Join(errs...)
}

// Close closes all streams and sockets and waits for the engine's goroutines. It must not be called from OnTimeout.
func (e *Engine) Close() error {
	e.once.Do(func() {
		e.ports.shut()
		e.clocks.close()
		for _, s := range e.ports.open() {
			s.Close()
		}
		close(e.done)
		if e.poller != nil {
			e.poller.stop()
		}
		e.ports.closeSockets()
		e.running.Wait()
	})
	return nil
}

// survive keeps a panic from ending the process: one packet is lost.
func (e *Engine) survive(where string) {
	if p := recover(); p != nil {
		e.panics.Add(1)
		e.log.Error("media: panic", "where", where, "panic", p, "stack", string(debug.Stack()))
	}
}

func localAddrs() map[netip.Addr]bool {
	local := make(map[netip.Addr]bool)
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				local[ip.Unmap()] = true
			}
		}
	}
	return local
}

func hasIPv6() bool {
	c, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback})
	if err != nil {
		return false
	}
	c.Close()
	return true
}
