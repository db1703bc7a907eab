package media

import (
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
)

// loopback is a loopback address that no other program has, where the system has more than one: what else runs on this
// machine, tests of other packages among it, neither takes a port of these tests nor is sent anything by them.
var loopback = func() netip.Addr {
	if runtime.GOOS != "linux" {
		return netip.MustParseAddr("127.0.0.1")
	}
	pid := os.Getpid()
	return netip.AddrFrom4([4]byte{127, byte(77 + pid>>16&0x3f), byte(pid >> 8), byte(pid)})
}()

// sink is a network that swallows what is sent, and never delivers.
type sink struct {
	done chan struct{}
	sent atomic.Int64
}

func (s *sink) ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error) {
	<-s.done
	return 0, netip.AddrPort{}, net.ErrClosed
}
func (s *sink) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	s.sent.Add(1)
	return len(b), nil
}
func (s *sink) Close() error { close(s.done); return nil }

func benchEngine(tb testing.TB, o Options) *Engine {
	tb.Helper()
	o.Bind = []netip.Addr{loopback}
	o.Log = slog.New(slog.DiscardHandler)
	if o.MinPort == 0 {
		o.MinPort, o.MaxPort = 11000, 19999
	}
	e, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { e.Close() })
	return e
}

func inMemory(netip.AddrPort) (PacketConn, error) { return &sink{done: make(chan struct{})}, nil }

// agreed is an agreement with a phone on loopback.
func agreed(port uint16, f ...Format) Agreement {
	return Agreement{Remote: netip.AddrPortFrom(loopback, port), RemoteRTCP: netip.AddrPortFrom(loopback, port+1), Send: true, Recv: true, Formats: f}
}

func must(tb testing.TB, e *Engine) *Stream {
	tb.Helper()
	s, err := e.Open(StreamOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// The relay without the kernel: what our own code costs a packet.
func benchmarkRelay(b *testing.B, says, out Format) {
	e := benchEngine(b, Options{Listen: inMemory})
	sa, sb := must(b, e), must(b, e)
	from := netip.AddrPortFrom(loopback, 1000)
	sa.Agree(agreed(1000, says))
	sb.Agree(agreed(2000, out))
	if err := sa.Connect(sb); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	in := packet(says.RecvPT, 0, 0, 1, nil)
	speech := newCoder(says).encode(sounds()["speech"])
	buf := make([]byte, len(in)+160)
	i, h := uint32(0), new(header)
	for b.Loop() {
		copy(buf, in)
		copy(buf[len(in):], speech[i%500*160:])
		buf[2], buf[3] = byte(i>>8), byte(i)
		buf[5], buf[6], buf[7] = byte(i*160>>16), byte(i*160>>8), byte(i*160)
		i++
		sa.arrived(buf, false, from, e.now(), h, &e.counters)
	}
	if n := sb.Stats().PacketsOut; n != uint64(i) {
		b.Fatalf("%d of %d packets came through", n, i)
	}
}

func BenchmarkRelay(b *testing.B) { benchmarkRelay(b, ulaw, ulaw) }

func BenchmarkTranscode(b *testing.B) {
	for _, c := range [][2]Format{{ulaw, alaw}, {wide, ulaw}, {wide, alaw}, {ulaw, wide}, {alaw, wide}} {
		b.Run(c[0].Name+" to "+c[1].Name, func(b *testing.B) { benchmarkRelay(b, c[0], c[1]) })
	}
}

// Loopback: two phones' sockets through the poller, one packet at a time. Includes what the phones' own calls cost.
func BenchmarkRelaySockets(b *testing.B) {
	e := benchEngine(b, Options{})
	sa, sb := must(b, e), must(b, e)
	alice, bob := listenUDP(b, loopback), listenUDP(b, loopback)
	sa.Agree(agreed(port(alice), ulaw))
	sb.Agree(agreed(port(bob), ulaw))
	if err := sa.Connect(sb); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	p, buf := packet(0, 0, 0, 1, make([]byte, 160)), make([]byte, 1500)
	i := uint16(0)
	for b.Loop() {
		p[2], p[3] = byte(i>>8), byte(i)
		i++
		alice.WriteToUDPAddrPort(p, sa.LocalRTP())
		if _, _, err := bob.ReadFromUDPAddrPort(buf); err != nil {
			b.Fatal(err)
		}
	}
}

// What a call without sound costs in the steady state: sockets are there already.
func BenchmarkOpenClose(b *testing.B) {
	e := benchEngine(b, Options{Rest: -1})
	must(b, e).Close()
	b.ReportAllocs()
	for b.Loop() {
		must(b, e).Close()
	}
}

// A whole call's media: two streams opened, agreed, connected and closed.
func BenchmarkCall(b *testing.B) {
	e := benchEngine(b, Options{Rest: -1})
	one := agreed(1000, ulaw, alaw, event)
	other := agreed(2000, ulaw, event)
	b.ReportAllocs()
	for b.Loop() {
		sa, sb := must(b, e), must(b, e)
		sa.Agree(one)
		sb.Agree(other)
		if err := sa.Connect(sb); err != nil {
			b.Fatal(err)
		}
		sa.Close()
		sb.Close()
	}
}

func BenchmarkConnect(b *testing.B) {
	e := benchEngine(b, Options{Listen: inMemory})
	sa, sb := must(b, e), must(b, e)
	sa.Agree(agreed(1000, ulaw, alaw, event))
	sb.Agree(agreed(2000, ulaw, event))
	b.ReportAllocs()
	for b.Loop() {
		if err := sa.Connect(sb); err != nil {
			b.Fatal(err)
		}
		sa.Disconnect()
	}
}

// listenUDP opens a phone's socket. The port above it, where RTCP is sent to, is the phone's too.
func listenUDP(tb testing.TB, host netip.Addr) *net.UDPConn {
	tb.Helper()
	for range 1000 {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { c.Close() })
		if port(c)%2 != 0 {
			continue
		}
		control, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, port(c)+1)))
		if err != nil {
			continue
		}
		tb.Cleanup(func() { control.Close() })
		return c
	}
	tb.Fatal("no pair of ports")
	return nil
}

func port(c *net.UDPConn) uint16 { return c.LocalAddr().(*net.UDPAddr).AddrPort().Port() }
