package memnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

var (
	hostA = netip.MustParseAddr("10.0.0.1")
	hostB = netip.MustParseAddr("10.0.0.2")
)

var _ net.PacketConn = (*PacketConn)(nil)
var _ net.Conn = (*Conn)(nil)

func two(t *testing.T, n *Network) (a, b *PacketConn) {
	t.Helper()
	a, err := n.Host(hostA).ListenPacket(netip.AddrPort{})
	if err != nil {
		t.Fatal(err)
	}
	b, err = n.Host(hostB).ListenPacket(netip.MustParseAddrPort("0.0.0.0:5060"))
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

// drain reads what has arrived until nothing comes for a second.
func drain(c *PacketConn) (got []string, at []time.Duration) {
	start := time.Now()
	b := make([]byte, 2000)
	for {
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		n, _, err := c.ReadFromUDPAddrPort(b)
		if err != nil {
			return got, at
		}
		got = append(got, string(b[:n]))
		at = append(at, time.Since(start))
	}
}

func TestDatagrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		a, b := two(t, n)
		n.SetLink(hostA, hostB, Link{Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond})
		for i := range 50 {
			if _, err := a.WriteToUDPAddrPort(fmt.Append(nil, i), b.local); err != nil {
				t.Fatal(err)
			}
		}
		got, at := drain(b)
		if len(got) != 50 {
			t.Fatalf("%d of 50 arrived", len(got))
		}
		for i := range got {
			if got[i] != fmt.Sprint(i) || at[i] < 20*time.Millisecond || at[i] > 25*time.Millisecond {
				t.Fatalf("%d. is %s after %v", i, got[i], at[i])
			}
		}
		if _, err := b.WriteTo([]byte("back"), a.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 2)
		if count, from, err := a.ReadFrom(buf); err != nil || count != 2 || from.String() != "10.0.0.2:5060" {
			t.Fatal(count, from, err)
		}
		n.Close()
		if _, _, err := a.ReadFrom(buf); !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
		if open := n.Open(); len(open) > 0 {
			t.Fatal(open)
		}
	})
}

func TestTreatment(t *testing.T) {
	play := func(l Link) (fates map[Fate]int, got []string) {
		synctest.Test(t, func(t *testing.T) {
			n := New(7)
			defer n.Close()
			n.SetDefault(l)
			fates = map[Fate]int{}
			n.Tap(func(p Packet) { fates[p.Fate]++ })
			a, b := two(t, n)
			for i := range 1000 {
				_, _ = a.WriteToUDPAddrPort(fmt.Append(nil, i), b.local)
			}
			got, _ = drain(b)
		})
		return
	}
	fates, got := play(Link{Loss: 0.2})
	if lost := fates[Lost]; lost < 150 || lost > 250 || len(got) != 1000-lost {
		t.Fatal(fates, len(got))
	}
	if again, twice := play(Link{Loss: 0.2}); again[Lost] != fates[Lost] || fmt.Sprint(twice) != fmt.Sprint(got) {
		t.Fatal("the same seed gave another run")
	}
	fates, got = play(Link{Duplicate: 0.1})
	if fates[Duplicated] < 60 || len(got) != 1000+fates[Duplicated] {
		t.Fatal(fates, len(got))
	}
	_, got = play(Link{Delay: time.Millisecond, Reorder: 0.1})
	overtaken := 0
	for i := range got {
		if got[i] != fmt.Sprint(i) {
			overtaken++
		}
	}
	if len(got) != 1000 || overtaken == 0 {
		t.Fatal(len(got), overtaken)
	}
}

func TestPartitionAndFilter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		defer n.Close()
		var fates []Fate
		n.Tap(func(p Packet) { fates = append(fates, p.Fate) })
		a, b := two(t, n)
		n.Partition(hostA, hostB, true)
		_, _ = a.WriteToUDPAddrPort([]byte("cut"), b.local)
		n.Partition(hostA, hostB, false)
		n.Filter(func(p Packet) bool { return !bytes.Equal(p.Data, []byte("bad")) })
		_, _ = a.WriteToUDPAddrPort([]byte("bad"), b.local)
		_, _ = a.WriteToUDPAddrPort([]byte("good"), b.local)
		_, _ = a.WriteToUDPAddrPort([]byte("nobody"), netip.MustParseAddrPort("10.0.0.9:1"))
		if got, _ := drain(b); fmt.Sprint(got) != "[good]" {
			t.Fatal(got)
		}
		if fmt.Sprint(fates) != "[cut filtered sent unreachable]" {
			t.Fatal(fates)
		}
	})
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		defer n.Close()
		a, b := two(t, n)
		for range 2 * packetQueue {
			_, _ = a.WriteToUDPAddrPort([]byte("flood"), b.local)
		}
		if got, _ := drain(b); len(got) != packetQueue {
			t.Fatal(len(got))
		}
	})
}

func connect(t *testing.T, n *Network) (near, far net.Conn) {
	t.Helper()
	l, err := n.Listen(netip.AddrPortFrom(hostB, 5060))
	if err != nil {
		t.Fatal(err)
	}
	near, err = n.Host(hostA).Dial(t.Context(), netip.AddrPort{}, netip.AddrPortFrom(hostB, 5060))
	if err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	return near, far
}

func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		n.SetDefault(Link{Delay: 10 * time.Millisecond, Jitter: 10 * time.Millisecond, Loss: 0.5})
		start := time.Now()
		near, far := connect(t, n)
		if rtt := time.Since(start); rtt < 20*time.Millisecond || rtt > 40*time.Millisecond {
			t.Fatal(rtt)
		}
		sent := bytes.Repeat([]byte("0123456789"), 100_000) // more than the window
		go func() {
			for b := sent; len(b) > 0; b = b[min(len(b), 3001):] {
				_, _ = near.Write(b[:min(len(b), 3001)])
			}
			_ = near.Close()
		}()
		got, err := io.ReadAll(far)
		if err != nil || !bytes.Equal(got, sent) {
			t.Fatal(len(got), err)
		}
		_ = far.SetReadDeadline(time.Now())
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if _, err := far.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Fatal(err)
		}
		_ = far.Close()
		if open := n.Open(); len(open) > 0 {
			t.Fatal(open)
		}
	})
}

func TestStreamReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		near, far := connect(t, n)
		failed := make(chan error)
		go func() {
			_, err := far.Read(make([]byte, 1))
			failed <- err
		}()
		synctest.Wait()
		n.ResetHost(hostA)
		if err := <-failed; !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
		if _, err := far.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
		_ = far.Close()
		if _, err := n.Dial(t.Context(), netip.AddrPortFrom(hostA, 0), netip.AddrPortFrom(hostB, 5060)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatal(err)
		}
	})
}

func TestStreamThroughPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		near, far := connect(t, n)
		n.Partition(hostA, hostB, true)
		_, _ = near.Write([]byte("one "))
		_, _ = near.Write([]byte("two"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := n.Dial(ctx, netip.AddrPortFrom(hostA, 0), netip.AddrPortFrom(hostB, 5060)); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		_ = far.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		n.Partition(hostA, hostB, false)
		_ = far.SetReadDeadline(time.Time{})
		_ = near.Close()
		if got, err := io.ReadAll(far); err != nil || string(got) != "one two" {
			t.Fatal(string(got), err)
		}
		_ = far.Close()
		if open := n.Open(); len(open) > 0 {
			t.Fatal(open)
		}
	})
}

func BenchmarkDatagram(b *testing.B) {
	n := New(1)
	defer n.Close()
	x, _ := n.ListenPacket(netip.AddrPortFrom(hostA, 1))
	y, _ := n.ListenPacket(netip.AddrPortFrom(hostB, 1))
	msg, buf := make([]byte, 500), make([]byte, 2000)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = x.WriteToUDPAddrPort(msg, y.local)
		_, _, _ = y.ReadFromUDPAddrPort(buf)
	}
}
