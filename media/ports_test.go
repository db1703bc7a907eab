package media

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

func TestPortsRest(t *testing.T) {
	virtual(t, Options{MinPort: 30001, MaxPort: 30003}, func(l *lab) { // one pair: 30002 and 30003
		s := l.stream()
		if s.LocalRTP() != netip.AddrPortFrom(pbxAddr, 30002) || s.LocalRTCP() != netip.AddrPortFrom(pbxAddr, 30003) {
			t.Fatalf("%v, %v", s.LocalRTP(), s.LocalRTCP())
		}
		if _, err := l.engine.Open(StreamOptions{}); err != ErrNoPorts {
			t.Fatalf("in use: %v", err)
		}
		alice := l.phone(aliceAddr, s)
		s.Agree(terms(alice, ulaw))
		s.Close()
		s.Close()
		if _, err := l.engine.Open(StreamOptions{}); err != ErrNoPorts {
			t.Fatalf("resting: %v", err)
		}
		if st := l.engine.Stats(); st.PortsResting != 1 || st.PortsFree != 0 || st.PortsInUse != 0 || st.Exhausted != 2 || st.Closed != 1 {
			t.Errorf("%+v", st)
		}
		alice.say(0, frame(0))
		alice.nothing()
		pause(499 * time.Millisecond)
		if _, err := l.engine.Open(StreamOptions{}); err != ErrNoPorts {
			t.Fatalf("resting: %v", err)
		}
		pause(time.Millisecond)
		s = l.stream()
		defer s.Close()
		if st := s.Stats(); st.PacketsIn+st.Dropped != 0 {
			t.Errorf("the next stream has got a late packet: %+v", st)
		}
		if st := l.engine.Stats(); st.Dropped[Late] != 1 || st.PortsInUse != 1 || st.Sockets != 2 {
			t.Errorf("%+v", st)
		}
	})
}

func TestPortsOfOthersAreSkipped(t *testing.T) {
	virtual(t, Options{MinPort: 30000, MaxPort: 30005}, func(l *lab) {
		var others []PacketConn
		for _, p := range []uint16{30000, 30003} { // an RTP and an RTCP port
			c, err := l.net.ListenPacket(netip.AddrPortFrom(pbxAddr, p))
			if err != nil {
				t.Fatal(err)
			}
			others = append(others, c)
		}
		s := l.stream()
		if p := s.LocalRTP().Port(); p != 30004 {
			t.Errorf("port %d", p)
		}
		if _, err := l.engine.Open(StreamOptions{}); !errors.Is(err, ErrNoPorts) {
			t.Fatal(err)
		}
		if st := l.engine.Stats(); st.PortsTaken != 2 {
			t.Errorf("%+v", st)
		}
		for _, c := range others {
			c.Close()
		}
		if _, err := l.engine.Open(StreamOptions{}); !errors.Is(err, ErrNoPorts) {
			t.Fatal("tried again at once:", err)
		}
		pause(30 * time.Second)
		l.stream().Close()
		s.Close()
	})
}

func TestPortsWithoutFiles(t *testing.T) {
	virtual(t, Options{MinPort: 30000, MaxPort: 30099}, func(l *lab) {
		good := l.engine.listen
		l.engine.listen = func(netip.AddrPort) (PacketConn, error) { return nil, syscall.EMFILE }
		if _, err := l.engine.Open(StreamOptions{}); !errors.Is(err, ErrNoPorts) || !errors.Is(err, syscall.EMFILE) {
			t.Error(err)
		}
		l.engine.listen = good
		l.stream().Close()
		if st := l.engine.Stats(); st.PortsTaken != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestSocketsAreBounded(t *testing.T) {
	virtual(t, Options{MinPort: 30000, MaxPort: 30099, MaxSockets: 6}, func(l *lab) {
		var streams []*Stream
		for range 3 {
			streams = append(streams, l.stream())
		}
		if st := l.engine.Stats(); st.PortsFree != 0 || st.Sockets != 6 {
			t.Errorf("%+v", st)
		}
		if _, err := l.engine.Open(StreamOptions{}); !errors.Is(err, ErrNoPorts) {
			t.Error(err)
		}
		if l.engine.Leaks() == nil {
			t.Error("open streams are not reported")
		}
		for _, s := range streams {
			s.Close()
		}
		pause(time.Second)
		for range 100 {
			l.stream().Close()
			pause(time.Second)
		}
		if st := l.engine.Stats(); st.Sockets != 6 || st.PortsFree != 3 {
			t.Errorf("%+v", st)
		}
	})
}

func TestAdvertise(t *testing.T) {
	external := netip.MustParseAddr("198.51.100.1")
	inside := netip.MustParseAddr("10.0.0.1")
	listen := func(netip.AddrPort) (PacketConn, error) { return inMemory(netip.AddrPort{}) }
	e, err := New(Options{
		Bind: []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Loopback()}, Listen: listen,
		Advertise: []netip.Addr{external},
		AdvertiseFor: func(remote netip.Addr) netip.Addr {
			if remote.IsPrivate() {
				return inside
			}
			return netip.Addr{}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for remote, want := range map[string]netip.Addr{"203.0.113.1": external, "10.1.2.3": inside, "::ffff:10.1.2.3": inside, "2001:db8::1": netip.IPv6Loopback()} {
		s, err := e.Open(StreamOptions{Remote: netip.MustParseAddr(remote)})
		if err != nil {
			t.Fatal(err)
		}
		if a := s.LocalRTP().Addr(); a != want {
			t.Errorf("%s is told %v, want %v", remote, a, want)
		}
		s.Close()
	}
}

func TestBadOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"reversed":    {MinPort: 3000, MaxPort: 2000},
		"no pair":     {MinPort: 3001, MaxPort: 3002},
		"half":        {MinPort: 3000},
		"same family": {Bind: []netip.Addr{pbxAddr, aliceAddr}},
		"advertise":   {Bind: []netip.Addr{pbxAddr}, Advertise: []netip.Addr{netip.IPv6Loopback()}},
		"unspecified": {Advertise: []netip.Addr{netip.IPv4Unspecified()}},
		"multicast":   {Bind: []netip.Addr{netip.MustParseAddr("224.0.0.1")}},
		"DSCP":        {DSCP: 64},
		"invalid":     {Bind: []netip.Addr{{}}},
	} {
		if e, err := New(o); err == nil {
			e.Close()
			t.Errorf("%s: accepted", name)
		}
	}
	e, err := New(Options{Bind: []netip.Addr{loopback}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Open(StreamOptions{Remote: netip.IPv6Loopback()}); err != ErrFamily {
		t.Error(err)
	}
	e.Close()
	if _, err := e.Open(StreamOptions{}); err != ErrClosed {
		t.Error(err)
	}
}

// Real sockets: a port that another program has is skipped, and those of a closed stream are used again.
func TestRealPorts(t *testing.T) {
	other, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 30402)))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	e := benchEngine(t, Options{MinPort: 30400, MaxPort: 30407, Rest: -1})
	for range 20 {
		s := must(t, e)
		if s.LocalRTP().Port() == 30402 {
			t.Error("port of another program")
		}
		s.Close()
	}
	if n := e.Stats().Sockets; n != 2 {
		t.Errorf("%d sockets", n)
	}
	var streams []*Stream
	for range 3 {
		streams = append(streams, must(t, e))
	}
	if _, err := e.Open(StreamOptions{}); !errors.Is(err, ErrNoPorts) {
		t.Error(err)
	}
	for _, s := range streams {
		s.Close()
	}
	if err := e.Leaks(); err != nil {
		t.Error(err)
	}
}
