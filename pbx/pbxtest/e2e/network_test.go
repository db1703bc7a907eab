package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
	"ringback/pbx/pbxtest/real"
)

// IPv6 phones call each other and IPv4 phones, signalling and sound.
func TestCallIPv6(t *testing.T) {
	v4, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	v6 := netip.AddrPortFrom(netip.IPv6Loopback(), v4.Port())
	own(t, func(s *scene, _ func()) {
		s.x.sip = v4
		six := func(c *pbxtest.Config) {
			c.Server, c.Domain, c.Local = v6, v6.String(), netip.IPv6Loopback()
		}
		for _, transport := range []string{"udp", "tcp"} {
			s.transport = transport
			four, a, b := s.phone(), s.phone(six), s.phone(six)
			for _, pair := range [][2]*pbxtest.Phone{{a, b}, {four, a}, {a, four}} {
				caller, callee := s.up(pair[0], pair[1])
				s.talk(caller, callee)
				s.must(caller.Hold(s.ctx))
				s.must(caller.Resume(s.ctx))
				s.talk(caller, callee)
				s.over(callee, caller)
			}
		}
	}, "--sip-listen", v4.String()+","+v6.String())
}

// Four ports are one call; the next is told when to come again, and is taken once they have rested.
func TestOutOfPorts(t *testing.T) {
	ports := real.Port(t).Port() // nobody else's, as are the three above
	own(t, func(s *scene, _ func()) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		caller, callee := s.up(alice, bob)
		l, err := carol.Call(s.ctx, bob.User())
		s.must(err)
		m, err := l.Failed(s.ctx)
		if m = s.status(m, err, 503); m.Get("Retry-After") == "" {
			s.Error("the 503 has no Retry-After")
		}
		s.talk(caller, callee)
		s.over(caller, callee)
		bob.OnCall(pbxtest.AutoAnswer(0))
		s.eventually("there are ports again", func() bool {
			l, err := carol.Call(s.ctx, bob.User())
			s.must(err)
			if l.Answered(s.ctx) != nil {
				return false
			}
			s.must(l.Hangup(s.ctx))
			return true
		})
	}, "--rtp-ports", fmt.Sprintf("%d-%d", ports, ports+3))
}

// A call ends for both when one phone has fallen silent for rtp.timeout.
func TestRTPTimeout(t *testing.T) {
	own(t, func(s *scene, _ func()) {
		patient := func(c *pbxtest.Config) { c.Patience = 20 * time.Second }
		caller, callee := s.up(s.phone(patient), s.phone(patient, func(c *pbxtest.Config) { c.NoAudio = true }))
		s.must(caller.Ended(s.ctx))
		s.must(callee.Ended(s.ctx))
		if r := caller.Bye().Get("Reason"); !strings.Contains(r, "RTP timeout") {
			s.Errorf("Reason is %q", r)
		}
	}, "--set", "rtp.timeout=5s")
}

// An INVITE that is longer than 1300 bytes reaches a phone the way it has registered, fragmented over UDP.
func TestLargeInvite(t *testing.T) {
	play(t, func(s *scene) {
		var names []string
		for i := range 20 {
			names = append(names, fmt.Sprintf("X-%s-%d", strings.Repeat("LONG", 20), i))
		}
		names = append(names, "PCMU", "telephone-event")
		alice, bob := s.phone(codecs(names...)), s.phone()
		caller, callee := s.up(alice, bob)
		m, err := bob.Expect(s.ctx, "INVITE")
		s.must(err)
		if n := len(m.Bytes()); n < 1500 {
			s.Errorf("the INVITE has %d bytes only", n)
		}
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

// A fifth of all datagrams is lost both ways, and every call comes about and ends.
func TestLossyNetwork(t *testing.T) {
	t.Parallel()
	playOn(t, shared, "udp", func(s *scene) {
		s.allow("rport is") // that of the network, as with a NAT
		var lost atomic.Int64
		lossy := func(c *pbxtest.Config) {
			near, far := dropper(s, c.Server, &lost)
			c.Server, c.Domain, c.ViaHost, c.Patience = near, near.String(), far.String(), 31*time.Second
		}
		alice, bob := s.phone(lossy), s.phone(lossy)
		bob.OnCall(pbxtest.AutoAnswer(0))
		for range 6 {
			caller, err := alice.Call(s.ctx, bob.User())
			s.must(err)
			s.must(caller.Answered(s.ctx))
			callee, err := bob.LastLeg(s.ctx)
			s.must(err)
			s.must(caller.Hangup(s.ctx))
			s.must(callee.Ended(s.ctx))
		}
		s.must(alice.Unregister(s.ctx))
		s.must(bob.Unregister(s.ctx))
		if lost.Load() == 0 {
			s.Error("nothing was lost")
		}
	})
}

// dropper passes on datagrams between a phone, which sends to near, and the exchange, which sees far; but not all.
func dropper(s *scene, exchange netip.AddrPort, dropped *atomic.Int64) (near, far netip.AddrPort) {
	s.Helper()
	var conns [2]*net.UDPConn
	for i := range conns {
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		s.must(err)
		s.Cleanup(func() { _ = c.Close() })
		conns[i] = c
	}
	var mu sync.Mutex
	var phone netip.AddrPort
	dice := rand.New(rand.NewPCG(1, 2))
	for i, c := range conns {
		go func() {
			b := make([]byte, 65536)
			for {
				n, from, err := c.ReadFromUDPAddrPort(b)
				if err != nil {
					return
				}
				mu.Lock()
				to := exchange
				if i == 0 {
					phone = from
				} else {
					to = phone
				}
				lost := dice.IntN(5) == 0
				mu.Unlock()
				if lost {
					dropped.Add(1)
				} else if to.IsValid() {
					_, _ = conns[1-i].WriteToUDPAddrPort(b[:n], to)
				}
			}
		}()
	}
	return conns[0].LocalAddr().(*net.UDPAddr).AddrPort(), conns[1].LocalAddr().(*net.UDPAddr).AddrPort()
}
