package line

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// Record-Route becomes the route set; it goes back in the 200.
func TestNotifyFollowsTheRouteSet(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.subscribe("message-summary", "1000", 600, "Record-Route: <sip:192.0.2.10:5060;lr;a=1>", "Record-Route: <sip:198.51.100.7;lr>")
		res := c.granted(600)
		if got := headerLines(res, "Record-Route"); len(got) != 2 || got[0] != "<sip:192.0.2.10:5060;lr;a=1>" {
			t.Errorf("Record-Route: %q", got)
		}
		n := c.notified("active;expires=600")
		if got := headerLines(n, "Route"); len(got) != 2 || got[0] != "<sip:192.0.2.10:5060;lr;a=1>" || got[1] != "<sip:198.51.100.7;lr>" {
			t.Errorf("Route: %q", got)
		}
	})
}

// A refresh has the phone found where it is now: its Contact, and where it is heard from.
func TestRefreshMovesTheTarget(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.watching(600)
		c.contact = "<sip:1000@192.0.2.10:5060;line=2>"
		c.subscribe("message-summary", 600)
		c.granted(600)
		if n := c.notified("active;expires=600"); !strings.HasPrefix(n, "NOTIFY sip:1000@192.0.2.10:5060;line=2 ") {
			t.Errorf("got\n%s", n)
		}
		// Behind a NAT: the Contact is an address that cannot be reached, and the port changes.
		c.contact = "<sip:1000@10.0.0.7:5062>"
		c.p = s.phoneAt("1000", "192.0.2.10:7777")
		c.subscribe("message-summary", 600)
		c.granted(600)
		if n := c.notified("active;expires=600"); !strings.HasPrefix(n, "NOTIFY sip:1000@10.0.0.7:5062 ") {
			t.Errorf("got\n%s", n)
		}
		a.silent()
	})
}

// Over a stream NOTIFY goes by the phone's connection, and by its new one when it has registered again.
func TestNotifyOverANewConnection(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.tcp("1000", "192.0.2.10")
		to := s.bind(a)
		s.reg.mu.Lock()
		e := s.reg.bindings[to.ID]
		e.hop.Conn = 1 // it has registered by the connection that it subscribes by, the first one
		s.reg.bindings[to.ID] = e
		s.reg.mu.Unlock()
		c := a.subscribe("message-summary", "1000", 600)
		c.granted(600)
		c.notified("active;expires=600")
		_ = a.stream.Close()
		time.Sleep(10 * time.Second)
		stream, err := s.net.Dial(context.Background(), netip.MustParseAddrPort("192.0.2.10:40001"), netip.MustParseAddrPort(pbxAddr+":5060"))
		if err != nil {
			t.Fatal(err)
		}
		a.stream = stream
		go a.readStream(stream)
		a.send("OPTIONS sip:pbx.test SIP/2.0\nVia: SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bKo\nMax-Forwards: 70\nFrom: <sip:1000@pbx.test>;tag=o\nTo: <sip:pbx.test>\nCall-ID: o\nCSeq: 1 OPTIONS\n\n")
		a.expect("SIP/2.0 200")
		s.reg.mu.Lock()
		e.hop.Remote, e.hop.Conn, e.b.Updated = stream.LocalAddr().(*net.TCPAddr).AddrPort(), 2, time.Now()
		s.reg.bindings[to.ID] = e
		s.reg.mu.Unlock()
		s.messages(b, "1000", 7)
		if n := c.notified("active;expires=590"); !strings.Contains(n, "Voice-Message: 7/0") {
			t.Errorf("got\n%s", n)
		}
	})
}

// A phone that refreshes by a new connection is told there, whatever connection it registered by before.
func TestNotifyGoesByTheConnectionOfTheRefresh(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.tcp("1000", "192.0.2.10")
		to := s.bind(a)
		s.reg.mu.Lock()
		e := s.reg.bindings[to.ID]
		e.hop.Conn, e.b.Updated = 1, time.Now()
		s.reg.bindings[to.ID] = e
		s.reg.mu.Unlock()
		time.Sleep(time.Second)
		c := a.watching(600)
		_ = a.stream.Close()
		time.Sleep(10 * time.Second)
		stream, err := s.net.Dial(context.Background(), netip.MustParseAddrPort("192.0.2.10:40001"), netip.MustParseAddrPort(pbxAddr+":5060"))
		if err != nil {
			t.Fatal(err)
		}
		a.stream = stream
		go a.readStream(stream)
		c.subscribe("message-summary", 600)
		c.granted(600)
		c.notified("active;expires=600")
		time.Sleep(10 * time.Second)
		s.messages(b, "1000", 7)
		c.notified("active;expires=590")
	})
}

// Behind a NAT whose port has changed the phone is where it has registered since.
func TestNotifyGoesWhereThePhoneHasRegisteredSince(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		to := s.bind(a)
		c := a.subscribe("message-summary", "1000", 600)
		c.contact = "<sip:1000@10.0.0.7:5062>"
		c.granted(600)
		c.notified("active;expires=600")
		c.subscribe("message-summary", 600) // from now on with a Contact that cannot be reached
		c.granted(600)
		c.notified("active;expires=600")
		time.Sleep(10 * time.Second)
		moved := s.phoneAt("1000", "192.0.2.10:7777")
		s.reg.mu.Lock()
		e := s.reg.bindings[to.ID]
		e.hop.Remote, e.b.Updated = moved.addr, time.Now()
		s.reg.bindings[to.ID] = e
		s.reg.mu.Unlock()
		s.messages(b, "1000", 7)
		c.p = moved
		c.notified("active;expires=590")
		a.silent()
	})
}
