package wire

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"

	"ringback/pbx/pbxtest/memnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// host makes a memnet host a Network.
type host struct{ *memnet.Host }

func (h host) ListenPacket(a netip.AddrPort) (PacketConn, error) { return h.Host.ListenPacket(a) }

var (
	pbxAddr   = netip.MustParseAddrPort("192.0.2.1:5060")
	pbxTLS    = netip.MustParseAddrPort("192.0.2.1:5061")
	phoneAddr = netip.MustParseAddrPort("192.0.2.7:5060")
)

// rig is an open Transport at pbxAddr in a bubble; what it receives is written down.
type rig struct {
	t   *testing.T
	net *memnet.Network
	tr  *Transport

	mu     sync.Mutex
	got    []string
	from   []Hop
	closed []Hop
	on     func(sip.Message, Hop)
}

func bubble(t *testing.T, o Options, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, net: memnet.New(1)}
		o.Network = host{r.net.Host(pbxAddr.Addr())}
		o.UDP, o.TCP = []netip.AddrPort{pbxAddr}, []netip.AddrPort{pbxAddr}
		o.Log = slog.New(slog.DiscardHandler)
		o.Closed = func(h Hop) {
			r.mu.Lock()
			r.closed = append(r.closed, h)
			r.mu.Unlock()
		}
		r.tr = New(o)
		if err := r.tr.Open(r.receive); err != nil {
			t.Fatal(err)
		}
		f(t, r)
		if err := r.tr.Close(); err != nil {
			t.Error(err)
		}
		if s := r.tr.Stats(); s.TCP.Conns != 0 || s.TLS.Conns != 0 {
			t.Errorf("%d and %d connections are left", s.TCP.Conns, s.TLS.Conns)
		}
		r.net.Close()
	})
}

func (r *rig) receive(m sip.Message, from Hop) {
	r.mu.Lock()
	r.got = append(r.got, m.CallID().Value())
	r.from = append(r.from, from)
	r.mu.Unlock()
	if r.on != nil {
		r.on(m, from)
	}
}

func (r *rig) hop(i int) Hop {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.from[i]
}

func (r *rig) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// ended are the connections that Closed was told of.
func (r *rig) ended() []Hop {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.closed)
}

func (r *rig) want(ids ...string) {
	r.t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if strings.Join(r.got, " ") != strings.Join(ids, " ") {
		r.t.Errorf("received %v, want %v", r.got, ids)
	}
}

func (r *rig) udp() net.PacketConn {
	c, err := r.net.ListenPacket(phoneAddr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	return c
}

func (r *rig) dial(from string) net.Conn {
	c, err := r.net.Dial(context.Background(), netip.MustParseAddrPort(from), pbxAddr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	synctest.Wait()
	return c
}

// read gives what has come until d has passed.
func read(c interface {
	io.Reader
	SetReadDeadline(time.Time) error
}, d time.Duration) (string, error) {
	_ = c.SetReadDeadline(time.Now().Add(d))
	var all []byte
	buf := make([]byte, 1<<16)
	for {
		n, err := c.Read(buf)
		all = append(all, buf[:n]...)
		if err != nil {
			return string(all), err
		}
	}
}

func readPacket(t *testing.T, c net.PacketConn) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	buf := make([]byte, 1<<16)
	n, _, err := c.ReadFrom(buf)
	if err != nil {
		return ""
	}
	return string(buf[:n])
}

func withID(id string, more ...string) []byte {
	return message(options, append([]string{"!Call-ID: " + id}, more...)...)
}

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

func TestTCP(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		conn := r.dial("192.0.2.7:40000")
		whole := append(withID("1"), withID("2", "!Content-Length: 5")...)
		whole = append(whole, "body!"...)
		for _, c := range whole { // a byte a segment
			conn.Write([]byte{c})
		}
		conn.Write([]byte("\r\n\r\n"))           // ping
		conn.Write(append(crlf, withID("3")...)) // a CRLF before the start line
		r.want("1", "2", "3")
		hop := r.hop(0)
		if hop.Transport != "tcp" || hop.Remote.String() != "192.0.2.7:40000" || hop.Local != pbxAddr || hop.Conn == 0 || r.hop(2) != hop {
			t.Errorf("from %v", hop)
		}
		for _, to := range []Hop{hop, {Transport: "tcp", Remote: hop.Remote}, {Transport: "tcp", Remote: phoneAddr, Conn: hop.Conn}} {
			if err := r.tr.Send(to, []byte("answer ")); err != nil {
				t.Error(err)
			}
		}
		if got, _ := read(conn, time.Second); got != "\r\nanswer answer answer " {
			t.Errorf("the phone got %q", got)
		}
		conn.Close()
		synctest.Wait()
		if len(r.ended()) != 1 || r.ended()[0] != hop {
			t.Errorf("closed %v", r.ended())
		}
		s := r.tr.Stats().TCP
		if s.In != 3 || s.Out != 3 || s.Accepted != 1 || s.Dialled != 0 || s.Keepalives != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestTCPMalformed(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		for name, c := range map[string]struct {
			b      []byte
			reply  string
			closed bool
		}{
			"goes on":         {message("OPTIONS sip:a b SIP/2.0"), "SIP/2.0 400 ", false},
			"ncl":             {message(options, "!Content-Length: -999"), "SIP/2.0 400 ", true},
			"wraps":           {message(options, "!Content-Length: 4294967328"), "SIP/2.0 400 ", true},
			"two that differ": {message(options, "l: 1"), "SIP/2.0 400 ", true},
			"none":            {message(options, "!Content-Length"), "SIP/2.0 400 ", true},
			"not SIP":         {[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "", true},
			"endless":         {append([]byte(options+"\r\nVia: SIP/2.0/TCP x\r\n"), strings.Repeat("X-Y: 1\r\n", 5000)...), "SIP/2.0 400 ", true},
		} {
			conn := r.dial("192.0.2.7:0")
			conn.Write(c.b)
			got, err := read(conn, 100*time.Millisecond)
			if !strings.HasPrefix(got, c.reply) || c.reply == "" && got != "" {
				t.Errorf("%s: answered %q", name, got)
			}
			if !c.closed && !isTimeout(err) {
				t.Errorf("%s: %v", name, err)
			}
			if c.closed {
				if _, err = read(conn, 3*time.Second); !errors.Is(err, io.EOF) {
					t.Errorf("%s: not closed: %v", name, err)
				}
			}
			conn.Close()
		}
		r.want()
	})
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func TestTCPTimeouts(t *testing.T) {
	for _, c := range []struct {
		name  string
		first string
		then  string // every second
		ends  time.Duration
	}{
		{"never says anything", "", "", 30 * time.Second},
		{"never finishes a message", "OPTIONS", "", 10 * time.Second},
		{"sends a header a second", "OPTIONS sip:a SIP/2.0\r\n", "X: 1\r\n", 10 * time.Second},
		{"only CRLF", "\r\n", "", 30 * time.Second},
		{"one message, then half of one", string(withID("1")) + "OPT", "I", 10 * time.Second},
		{"one message, then silence", string(withID("1")), "", 2 * time.Hour},
		{"pings", "\r\n\r\n", "", 2 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, Options{}, func(t *testing.T, r *rig) {
				conn := r.dial("192.0.2.7:0")
				start := time.Now()
				conn.Write([]byte(c.first))
				for range 60 {
					if c.then == "" || time.Since(start) > c.ends {
						break
					}
					time.Sleep(time.Second)
					conn.Write([]byte(c.then))
				}
				_, err := read(conn, 3*time.Hour)
				if took := time.Since(start); isTimeout(err) || took < c.ends || took > c.ends+2*time.Second {
					t.Errorf("ended after %v (%v), want %v", took, err, c.ends)
				}
				if n := r.tr.Stats().TCP.TimedOut; n != 1 {
					t.Errorf("%d timed out", n)
				}
			})
		})
	}
}

// A TLS connection that does not shake hands is closed; one that does is framed like TCP.
func TestTLSHandshake(t *testing.T) {
	cert, pool := certificate(t)
	bubble(t, Options{TLS: []netip.AddrPort{pbxTLS}, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}, func(t *testing.T, r *rig) {
		dial := func() net.Conn {
			c, err := r.net.Dial(context.Background(), netip.MustParseAddrPort("192.0.2.7:0"), pbxTLS)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		silent, start := dial(), time.Now()
		defer silent.Close()
		if _, err := read(silent, time.Minute); isTimeout(err) || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		noise := dial()
		defer noise.Close()
		noise.Write(withID("plain text"))
		if _, err := read(noise, time.Minute); isTimeout(err) {
			t.Error("plain text was not refused")
		}
		c := tls.Client(dial(), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
		defer c.Close()
		c.Write(withID("1"))
		r.want("1")
		if s := r.tr.Stats().TLS; s.Handshakes != 2 || s.In != 1 || r.hop(0).Transport != "tls" {
			t.Errorf("%+v", s)
		}
	})
}

func TestConnectionLimits(t *testing.T) {
	phone := netip.MustParseAddr("192.0.2.8")
	o := Options{MaxConns: 6, MaxConnsPerIP: 3, Exempt: func(a netip.Addr) bool { return a == phone }}
	bubble(t, o, func(t *testing.T, r *rig) {
		alive := func(c net.Conn) bool {
			_, err := read(c, time.Millisecond)
			return isTimeout(err)
		}
		registered := r.dial("192.0.2.8:0")
		registered.Write(withID("phone"))
		time.Sleep(time.Minute / 4)
		user := r.dial("192.0.2.9:0")
		user.Write(withID("user"))
		time.Sleep(time.Second)
		var attack []net.Conn
		for range 5 { // an address has 3: its own oldest give way
			attack = append(attack, r.dial("192.0.2.66:0"))
			time.Sleep(time.Second)
		}
		if alive(attack[0]) || alive(attack[1]) || !alive(attack[2]) || !alive(attack[4]) {
			t.Error("not the oldest of the address gave way")
		}
		for i := range 8 { // many addresses: who never said anything gives way before who did
			r.dial(fmt.Sprintf("192.0.2.%d:0", 100+i))
			time.Sleep(time.Second)
		}
		if !alive(registered) || !alive(user) {
			t.Error("a connection that is used gave way to idle ones")
		}
		if s := r.tr.Stats().TCP; s.Conns != 6 || s.Evicted != 2+7 {
			t.Errorf("%d connections, %d evicted", s.Conns, s.Evicted)
		}
		if n := len(r.ended()); n != 9 {
			t.Errorf("told of %d that ended", n)
		}
	})
}

func TestDialReused(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.net.SetDefault(memnet.Link{Delay: 100 * time.Millisecond})
		ln, err := r.net.Listen(phoneAddr)
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		to := Hop{Transport: "tcp", Remote: phoneAddr}
		for i := range 3 { // the first dials; all wait for it, in order
			if err := r.tr.Send(to, fmt.Appendf(nil, "%d ", i)); err != nil {
				t.Error(err)
			}
		}
		conn, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if got, _ := read(conn, time.Second); got != "0 1 2 " {
			t.Errorf("the phone got %q", got)
		}
		conn.Write(withID("back"))
		time.Sleep(time.Second)
		r.want("back")
		if s := r.tr.Stats().TCP; s.Dialled != 1 || s.Conns != 1 {
			t.Errorf("%+v", s)
		}
		if err := r.tr.Send(r.hop(0), []byte("3")); err != nil {
			t.Error(err)
		}
		if got, _ := read(conn, time.Second); got != "3" {
			t.Errorf("the phone got %q", got)
		}
	})
}

func TestDialFails(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		if err := r.tr.Send(Hop{Transport: "tcp", Remote: phoneAddr}, []byte("x")); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
		if len(r.ended()) != 1 || r.ended()[0].Remote != phoneAddr || r.tr.Stats().TCP.DialErrors != 1 {
			t.Errorf("closed %v", r.ended())
		}
	})
}

// A far end that does not read blocks only its own connection, and not for long.
func TestWriteQueueIsBounded(t *testing.T) {
	bubble(t, Options{WriteQueue: 10}, func(t *testing.T, r *rig) {
		conn := r.dial("192.0.2.7:0")
		conn.Write(withID("1"))
		r.want("1")
		big := make([]byte, 60<<10)
		var err error
		for range 100 {
			if err = r.tr.Send(r.hop(0), big); err != nil {
				break
			}
			synctest.Wait()
		}
		if !errors.Is(err, ErrQueueFull) {
			t.Errorf("Send: %v", err)
		}
		time.Sleep(11 * time.Second)
		if len(r.ended()) != 1 || r.tr.Stats().TCP.QueueFull != 1 {
			t.Errorf("closed %v after the write time-out", r.ended())
		}
	})
}

// What was queued before Close still leaves.
func TestCloseDrains(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		conn := r.dial("192.0.2.7:0")
		conn.Write(withID("1"))
		r.want("1")
		_ = r.tr.Send(r.hop(0), []byte("bye"))
		r.tr.Close()
		if got, err := read(conn, time.Second); got != "bye" || !errors.Is(err, io.EOF) {
			t.Errorf("%q, %v", got, err)
		}
		if err := r.tr.Send(Hop{Transport: "tcp", Remote: phoneAddr}, []byte("x")); !errors.Is(err, ErrConn) {
			t.Errorf("Send after Close: %v", err)
		}
		r.tr = New(Options{}) // bubble closes this one
	})
}

func TestOpenAllOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		defer n.Close()
		taken, err := n.Listen(pbxAddr)
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		tr := New(Options{Network: host{n.Host(pbxAddr.Addr())}, UDP: []netip.AddrPort{pbxAddr}, TCP: []netip.AddrPort{pbxAddr}})
		if err := tr.Open(func(sip.Message, Hop) {}); err == nil || !strings.Contains(err.Error(), "tcp 192.0.2.1:5060") {
			t.Errorf("Open: %v", err)
		}
		if open := n.Open(); len(open) != 1 {
			t.Errorf("left open: %v", open)
		}
		tr = New(Options{Network: host{n.Host(pbxAddr.Addr())}, TLS: []netip.AddrPort{pbxTLS}})
		if err := tr.Open(func(sip.Message, Hop) {}); err == nil || !strings.Contains(err.Error(), "no certificate") {
			t.Errorf("Open: %v", err)
		}
	})
}

// TestOS: the real sockets, on loopback: UDP with several readers, TCP and TLS, IPv4 and IPv6.
func TestOS(t *testing.T) {
	cert, pool := certificate(t)
	for _, ip := range []string{"127.0.0.1", "::1"} {
		t.Run(ip, func(t *testing.T) {
			any := []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr(ip), 0)}
			if probe, err := (OS{}).Listen(any[0]); err != nil {
				t.Skip(err)
			} else {
				probe.Close()
			}
			open := func(o Options) (*Transport, chan Hop) {
				got := make(chan Hop, 100)
				tr := New(o)
				if err := tr.Open(func(_ sip.Message, from Hop) { got <- from }); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { tr.Close() })
				return tr, got
			}
			server, got := open(Options{UDP: any, TCP: any, TLS: any, Readers: 3, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}})
			client, back := open(Options{UDP: any, TLSClient: &tls.Config{RootCAs: pool}})
			for _, transport := range []string{"udp", "tcp", "tls"} {
				locals := server.Locals(transport)
				if len(locals) != 1 || locals[0].Port() == 0 {
					t.Fatalf("%s: %v", transport, locals)
				}
				if err := client.Send(Hop{Transport: transport, Remote: locals[0]}, withID("1")); err != nil {
					t.Fatal(err)
				}
				from := <-got
				if from.Transport != transport || from.Remote.Addr() != any[0].Addr() || from.Local != locals[0] {
					t.Errorf("%s: %v", transport, from)
				}
				if err := server.Send(from, withID("2")); err != nil {
					t.Fatal(err)
				}
				if from := <-back; from.Transport != transport || from.Remote != locals[0] {
					t.Errorf("%s: back from %v", transport, from)
				}
			}
		})
	}
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{ // valid in a bubble, too, where it is 2000
		SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(30 * 365 * 24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.ParseIP("127.0.0.1"), net.ParseIP("::1")},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func BenchmarkUDPReceive(b *testing.B) {
	tr := New(Options{PerSource: 1e9, Burst: 1e9})
	tr.receive = func(sip.Message, Hop) {}
	b.ReportAllocs()
	for b.Loop() {
		tr.datagram(invite, fromUDP)
	}
}
