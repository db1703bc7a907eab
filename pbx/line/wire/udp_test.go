package wire

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
)

func TestUDP(t *testing.T) {
	var traced atomic.Int32
	o := Options{Trace: func(Direction, Hop, []byte) { traced.Add(1) }}
	bubble(t, o, func(t *testing.T, r *rig) {
		phone := r.udp()
		to := net.UDPAddrFromAddrPort(pbxAddr)
		for i := range 5 {
			phone.WriteTo(append(withID(fmt.Sprint(i)), "beyond Content-Length"...), to)
		}
		r.want("0", "1", "2", "3", "4")
		if want := (Hop{Transport: "udp", Remote: phoneAddr, Local: pbxAddr}); r.hop(0) != want {
			t.Errorf("from %v, want %v", r.hop(0), want)
		}
		if err := r.tr.Send(r.hop(0), []byte("answer")); err != nil {
			t.Error(err)
		}
		if got := readPacket(t, phone); got != "answer" {
			t.Errorf("the phone got %q", got)
		}
		mapped := Hop{Transport: "udp", Remote: netip.AddrPortFrom(netip.AddrFrom16(phoneAddr.Addr().As16()), 5060)}
		if err := r.tr.Send(mapped, []byte("mapped")); err != nil || readPacket(t, phone) != "mapped" {
			t.Errorf("::ffff:192.0.2.7: %v", err)
		}
		if err := r.tr.Send(Hop{Transport: "udp", Remote: netip.MustParseAddrPort("[2001:db8::1]:5060")}, []byte("x")); !errors.Is(err, ErrNoSocket) {
			t.Errorf("IPv6 without a socket: %v", err)
		}
		if err := r.tr.Send(Hop{Transport: "sctp", Remote: phoneAddr}, nil); !errors.Is(err, ErrNoSocket) {
			t.Errorf("SCTP: %v", err)
		}
		if s := r.tr.Stats().UDP; s.In != 5 || s.Out != 2 || s.SendErrors != 1 {
			t.Errorf("%+v", s)
		}
		if n := traced.Load(); n != 7 {
			t.Errorf("traced %d", n)
		}
	})
}

func TestUDPKeepaliveAndMalformed(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		phone := r.udp()
		to := net.UDPAddrFromAddrPort(pbxAddr)
		phone.WriteTo([]byte("\r\n\r\n"), to)
		if got := readPacket(t, phone); got != "\r\n" {
			t.Errorf("ping answered with %q", got)
		}
		for _, quiet := range []string{"\r\n", "\x00", "\x00\x01\x00\x00\x21\x12\xa4\x42............", "SIP/2.0 999 X\r\n\r\n", "hello"} {
			phone.WriteTo([]byte(quiet), to)
		}
		if got := readPacket(t, phone); got != "" {
			t.Errorf("answered with %q", got)
		}
		phone.WriteTo(message("OPTIONS sip:a b SIP/2.0"), to) // rport: to where it came from, not to the Via's 5061
		if got := readPacket(t, phone); !strings.HasPrefix(got, "SIP/2.0 400 ") {
			t.Errorf("answered with %q", got)
		}
		r.want()
		if s := r.tr.Stats().UDP; s.Malformed != 3 || s.Keepalives != 4 || s.In != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestUDPLimit(t *testing.T) {
	registered := netip.MustParseAddr("192.0.2.8")
	bubble(t, Options{PerSource: 10, Burst: 5, Exempt: func(a netip.Addr) bool { return a == registered }}, func(t *testing.T, r *rig) {
		count := func(c net.PacketConn, n int) int {
			before := r.count()
			for range n {
				c.WriteTo(withID("x"), net.UDPAddrFromAddrPort(pbxAddr))
			}
			synctest.Wait()
			return r.count() - before
		}
		stranger := r.udp()
		if n := count(stranger, 20); n != 5 {
			t.Errorf("%d at once", n)
		}
		time.Sleep(300 * time.Millisecond)
		if n := count(stranger, 20); n != 3 {
			t.Errorf("%d after 300 ms at 10 a second", n)
		}
		phone, err := r.net.ListenPacket(netip.AddrPortFrom(registered, 5060))
		if err != nil {
			t.Fatal(err)
		}
		defer phone.Close()
		if n := count(phone, 20); n != 20 {
			t.Errorf("%d of a registered source", n)
		}
		if s := r.tr.Stats().UDP; s.Limited != 32 {
			t.Errorf("%d limited", s.Limited)
		}
	})
}

func TestLimiterForgetsTheQuiet(t *testing.T) {
	l := newLimiter(1, 2)
	now := time.Now()
	mine := netip.MustParseAddr("2001:db8::1")
	l.allow(mine, now)
	l.allow(netip.MustParseAddr("2001:db8::2"), now) // the same /64
	if l.allow(mine, now) {
		t.Error("a /64 is one source")
	}
	a := netip.MustParseAddr("10.0.0.0")
	for range 100_000 { // the table does not grow: it is an array
		a = a.Next()
		if !l.allow(a, now.Add(time.Second)) {
			t.Fatal("a new source is limited")
		}
	}
}

func TestPanic(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.on = func(m sip.Message, _ Hop) {
			if m.CallID().Value() == "bad" {
				panic("oops")
			}
		}
		phone, conn := r.udp(), r.dial("192.0.2.9:0")
		for _, id := range []string{"1", "bad", "2"} {
			phone.WriteTo(withID(id), net.UDPAddrFromAddrPort(pbxAddr))
		}
		r.want("1", "bad", "2")
		conn.Write(append(append(withID("3"), withID("bad")...), withID("4")...))
		r.want("1", "bad", "2", "3", "bad", "4")
		if n := r.tr.Stats().Panics; n != 2 {
			t.Errorf("%d panics counted", n)
		}
	})
}
