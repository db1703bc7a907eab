package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/pbxtest/memnet"
)

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

// A message whose end never comes is answered when the sender has shut down its side, or when its time is over.
func TestTCPUnfinished(t *testing.T) {
	whole := string(withID("1"))
	bare := strings.TrimSuffix(whole, "\r\n")
	for _, c := range []struct {
		name  string
		b     string
		reply []string // beginnings of what comes back
	}{
		{"no empty line", bare, []string{"SIP/2.0 400 Bad Request (end of headers)\r\n"}},
		{"ends within a header", bare[:len(bare)-5], []string{"SIP/2.0 400 "}},
		{"only LF", strings.ReplaceAll(whole, "\r\n", "\n"), []string{"SIP/2.0 400 "}},
		{"the body is cut", string(withID("1", "!Content-Length: 5")) + "bod", []string{"SIP/2.0 400 "}},
		{"after a whole message that is malformed", string(message("OPTIONS sip:a b SIP/2.0")) + bare, []string{"SIP/2.0 400 ", "SIP/2.0 400 "}},
		{"a response", "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK1\r\n", nil},
		{"an ACK", strings.ReplaceAll(bare, "OPTIONS", "ACK"), nil},
		{"nobody to answer to", "OPTIONS sip:b@x SIP/2.0\r\n", nil},
		{"nothing", "", nil},
	} {
		for _, half := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, half-closed %v", c.name, half), func(t *testing.T) {
				bubble(t, Options{}, func(t *testing.T, r *rig) {
					conn := r.dial("192.0.2.7:0")
					conn.Write([]byte(c.b))
					start, limit := time.Now(), 35*time.Second
					if half {
						if err := conn.(*memnet.Conn).CloseWrite(); err != nil {
							t.Fatal(err)
						}
						limit = time.Second
					}
					got, err := read(conn, time.Minute)
					if !errors.Is(err, io.EOF) || time.Since(start) > limit {
						t.Errorf("ended with %v after %v", err, time.Since(start))
					}
					if strings.Count(got, "SIP/2.0 400 ") != len(c.reply) {
						t.Errorf("answered %q", got)
					}
					for _, want := range c.reply {
						if !strings.Contains(got, want) {
							t.Errorf("answered %q, want %q", got, want)
						}
					}
				})
			})
		}
	}
}

// What was answered before the sender shut down its side still leaves.
func TestTCPHalfClosed(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.on = func(_ sip.Message, from Hop) {
			if err := r.tr.Send(from, []byte("answer")); err != nil {
				t.Error(err)
			}
		}
		conn := r.dial("192.0.2.7:0")
		conn.Write(withID("1"))
		_ = conn.(*memnet.Conn).CloseWrite()
		if got, err := read(conn, time.Minute); got != "answer" || !errors.Is(err, io.EOF) {
			t.Errorf("%q, %v", got, err)
		}
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
