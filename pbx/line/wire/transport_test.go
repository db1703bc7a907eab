package wire

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
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
