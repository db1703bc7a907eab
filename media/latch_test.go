package media

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func TestLatch(t *testing.T) {
	phone := at("10.0.0.5:4000")
	nat := netip.MustParseAddr("198.51.100.7")
	type step struct {
		after  time.Duration
		from   string
		ok     bool
		peer   string
		locked bool
	}
	for name, steps := range map[string][]step{
		"the signalled address locks at once": {
			{0, "10.0.0.5:4000", true, "10.0.0.5:4000", true},
			{0, "10.0.0.5:4001", false, "10.0.0.5:4000", true},
			{0, "198.51.100.7:4000", false, "10.0.0.5:4000", true},
		},
		"behind NAT": {
			{time.Minute, "198.51.100.7:61000", true, "198.51.100.7:61000", false},
			{20 * time.Millisecond, "198.51.100.7:61001", false, "198.51.100.7:61000", false},
			{time.Second, "198.51.100.7:61000", true, "198.51.100.7:61000", true},
			{0, "10.0.0.5:4000", false, "198.51.100.7:61000", true},
		},
		"another port of the signalled address": {
			{0, "10.0.0.5:5000", true, "10.0.0.5:5000", false},
			{2 * time.Second, "10.0.0.5:5000", true, "10.0.0.5:5000", true},
		},
		"the signalled address wins within a second": {
			{0, "198.51.100.7:61000", true, "198.51.100.7:61000", false},
			{900 * time.Millisecond, "10.0.0.5:4000", true, "10.0.0.5:4000", true},
			{0, "198.51.100.7:61000", false, "10.0.0.5:4000", true},
		},
		"a stranger is never heard": {
			{0, "203.0.113.66:4000", false, "10.0.0.5:4000", false},
			{time.Hour, "203.0.113.66:4000", false, "10.0.0.5:4000", false},
			{0, "10.0.0.5:4000", true, "10.0.0.5:4000", true},
			{0, "203.0.113.66:4000", false, "10.0.0.5:4000", true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var l latch
			l.open(phone, nat)
			now := int64(0)
			for i, s := range steps {
				now += int64(s.after)
				before := l.peer
				ok, moved := l.accept(at(s.from), now)
				if ok != s.ok || l.peer != at(s.peer) || l.locked != s.locked || moved != (l.peer != before) {
					t.Fatalf("step %d: ok %v, moved %v, %+v", i, ok, moved, l)
				}
			}
		})
	}
}

func TestLatchOpensAgain(t *testing.T) {
	nat := netip.MustParseAddr("198.51.100.7")
	phone, outside := at("10.0.0.5:4000"), at("198.51.100.7:61000")
	var l latch
	l.open(phone, nat)
	l.accept(outside, 0)
	l.accept(outside, 2e9)
	if !l.locked {
		t.Fatal("not locked")
	}
	l.open(netip.AddrPort{}, nat) // hold by 0.0.0.0
	if l.peer.IsValid() {
		t.Errorf("held, and sends to %v", l.peer)
	}
	if ok, _ := l.accept(outside, 2e9); !ok {
		t.Error("held, and what was locked is not heard")
	}
	l.open(phone, nat) // the same addresses: what was learned is good, and locks at once
	if l.peer != outside {
		t.Errorf("sends to %v", l.peer)
	}
	if ok, _ := l.accept(outside, 3e9); !ok || !l.locked {
		t.Errorf("%+v", l)
	}
	l.open(phone, nat)
	moved := at("198.51.100.7:62000") // the NAT has chosen another port meanwhile
	l.accept(moved, 4e9)
	l.accept(moved, 6e9)
	if !l.locked || l.peer != moved {
		t.Errorf("%+v", l)
	}
	other := at("10.0.0.6:4000")
	l.open(other, nat)
	if l.peer != other || l.locked {
		t.Errorf("%+v", l)
	}
	if ok, _ := l.accept(phone, 7e9); ok {
		t.Error("the former address is still heard")
	}
}

// RTP bleed: nobody can take over or inject sound from elsewhere (SECURITY.md row 6).
func TestStrangersHearAndSayNothing(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		sa, sb := l.stream(), l.stream()
		defer sa.Close()
		defer sb.Close()
		alice, bob, mallory := l.phone(aliceAddr, sa), l.phone(bobAddr, sb), l.phone(thief, sa)
		sa.Agree(terms(alice, ulaw))
		sb.Agree(terms(bob, ulaw))
		if err := sa.Connect(sb); err != nil {
			t.Fatal(err)
		}
		try := func(when string) {
			t.Helper()
			t.Log(when)
			for range 10 {
				mallory.say(0, frame(66))
				bob.nothing()
				bob.say(0, frame(1))
				mallory.nothing()
				alice.one()
			}
		}
		try("before alice has said a word")
		alice.say(0, frame(0))
		bob.one()
		try("after")
		mallory.ssrc, mallory.seq, mallory.ts = alice.ssrc, alice.seq, alice.ts
		try("with the right numbers")
		alice.say(0, frame(0))
		bob.one()
		st := sa.Stats()
		if st.Dropped != 30 || st.PacketsIn != 2 || st.LostIn != 0 {
			t.Errorf("%+v", st)
		}
		if n := l.engine.Stats().Dropped[Source]; n != 30 {
			t.Errorf("%d dropped by source", n)
		}
	})
}

func TestBehindNAT(t *testing.T) {
	for name, hint := range map[string]struct{ open, agreed netip.Addr }{
		"agreed": {netip.Addr{}, natAddr}, "opened": {natAddr, netip.Addr{}}, "moved": {aliceAddr, natAddr},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, Options{}, func(l *lab) {
				sa, err := l.engine.Open(StreamOptions{Remote: hint.open})
				if err != nil {
					t.Fatal(err)
				}
				sb := l.stream()
				defer sa.Close()
				defer sb.Close()
				alice, bob := l.phone(natAddr, sa), l.phone(bobAddr, sb)
				alices := l.control(alice, sa)
				a := terms(alice, ulaw)
				a.Remote = at("10.0.0.5:4000")
				a.RemoteRTCP = at("10.0.0.5:4001")
				a.Source = hint.agreed
				sa.Agree(a)
				sb.Agree(terms(bob, ulaw))
				if err := sa.Connect(sb); err != nil {
					t.Fatal(err)
				}
				bob.say(0, frame(0))
				alice.nothing()
				alice.say(0, frame(0))
				bob.one()
				bob.say(0, frame(0))
				alice.one()
				pause(10 * time.Second)
				alices.nothing() // reports go to what was signalled until hers have come
				rr, _ := (&rtcp.ReceiverReport{SSRC: alice.ssrc}).Marshal()
				alices.send(rr)
				pause(10 * time.Second)
				if len(alices.reports()) == 0 {
					t.Error("no report comes through the NAT")
				}
			})
		})
	}
}

// Two streams that send to each other and back would never stop.
func TestOwnPortsDoNotGoRound(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		sa, sb := l.stream(), l.stream()
		defer sa.Close()
		defer sb.Close()
		for _, x := range [][2]*Stream{{sa, sb}, {sb, sa}} {
			x[0].Agree(Agreement{Remote: x[1].LocalRTP(), RemoteRTCP: x[1].LocalRTCP(), Send: true, Recv: true, Formats: []Format{ulaw}})
			x[0].Echo()
		}
		ball := packet(0, 1, 1, 1, frame(0))
		sa.arrived(ball, false, sb.LocalRTP(), l.engine.now(), new(header), &l.engine.counters)
		pause(time.Second)
		if st := l.engine.Stats(); st.PacketsOut != 0 {
			t.Errorf("%+v", st)
		}
		for _, bad := range []string{"0.0.0.0:4000", "224.0.0.1:4000", "255.255.255.255:4000", "10.0.0.1:0", "[2001:db8::1]:4000"} {
			if got := l.engine.usable(sa, at(bad)); got.IsValid() {
				t.Errorf("%s is usable", bad)
			}
		}
		if got := l.engine.usable(sa, at("[::ffff:10.0.0.1]:4000")); got != at("10.0.0.1:4000") {
			t.Errorf("mapped address: %v", got)
		}
	})
}

// Neither do they where the port was not open yet when it was signalled, or was found by symmetric RTP only.
func TestOwnPortsOpenedLater(t *testing.T) {
	for name, guess := range map[string]uint16{"the right port": 0, "another port": 2} {
		t.Run(name, func(t *testing.T) {
			virtual(t, Options{MinPort: 20000, MaxPort: 20003}, func(l *lab) {
				sa := l.stream()
				defer sa.Close()
				next := netip.AddrPortFrom(pbxAddr, 40002-sa.LocalRTP().Port()+guess)
				sa.Agree(Agreement{Remote: next, Send: true, Recv: true, Formats: []Format{ulaw}})
				sa.Echo()
				sb := l.stream()
				defer sb.Close()
				sb.Agree(Agreement{Remote: netip.AddrPortFrom(pbxAddr, 9), Send: true, Recv: true, Formats: []Format{ulaw}})
				sb.Echo()
				sa.arrived(packet(0, 1, 1, 1, frame(0)), false, sb.LocalRTP(), l.engine.now(), new(header), &l.engine.counters)
				sb.arrived(packet(0, 1, 1, 1, frame(0)), false, sa.LocalRTP(), l.engine.now(), new(header), &l.engine.counters)
				pause(time.Second)
				if st := l.engine.Stats(); st.PacketsOut > 2 {
					t.Errorf("%+v", st)
				}
			})
		})
	}
}

// RFC 3725 §4.1: a controller's two calls, described to each other, let their phones hear each other.
func TestThirdPartyControl(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		sa, ka, kb, sb := l.stream(), l.stream(), l.stream(), l.stream()
		for _, s := range []*Stream{sa, ka, kb, sb} {
			defer s.Close()
		}
		alice, bob := l.phone(aliceAddr, sa), l.phone(bobAddr, sb)
		sa.Agree(terms(alice, ulaw))
		sb.Agree(terms(bob, ulaw))
		for _, x := range [][2]*Stream{{ka, kb}, {kb, ka}} {
			x[0].Agree(Agreement{Remote: x[1].LocalRTP(), RemoteRTCP: x[1].LocalRTCP(), Source: thief, Send: true, Recv: true, Formats: []Format{ulaw}})
		}
		if err := errors.Join(sa.Connect(ka), kb.Connect(sb)); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			alice.say(0, frame(byte(i)))
			bob.one()
			bob.say(0, frame(byte(i)))
			alice.one()
		}
	})
}
