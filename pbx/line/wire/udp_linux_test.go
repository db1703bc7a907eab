package wire

import (
	"errors"
	"net"
	"net/netip"
	"testing"
)

func loopback4(t testing.TB) *udp4 {
	c, err := OS{}.ListenPacket(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	u, ok := c.(*udp4)
	if !ok {
		t.Fatalf("a socket over IPv4 is a %T", c)
	}
	return u
}

// The system's own path and ours understand each other, the empty and the largest datagram included.
func TestUDP4(t *testing.T) {
	ours := loopback4(t)
	other, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	at, to := ours.LocalAddr().(*net.UDPAddr).AddrPort(), other.LocalAddr().(*net.UDPAddr).AddrPort()
	buf := make([]byte, 1<<16)
	for _, size := range []int{0, 1, 1400, 65507} {
		message := make([]byte, size)
		for i := range message {
			message[i] = byte(i * 7)
		}
		if n, err := ours.WriteToUDPAddrPort(message, to); n != size || err != nil {
			t.Fatalf("%d bytes: %d, %v", size, n, err)
		}
		n, from, err := other.ReadFromUDPAddrPort(buf)
		if err != nil || from != at || string(buf[:n]) != string(message) {
			t.Fatalf("%d bytes: %d from %v, %v", size, n, from, err)
		}
		if _, err := other.WriteToUDPAddrPort(message, at); err != nil {
			t.Fatal(err)
		}
		n, from, err = ours.ReadFromUDPAddrPort(buf)
		if err != nil || from != to || string(buf[:n]) != string(message) {
			t.Fatalf("%d bytes: %d from %v, %v", size, n, from, err)
		}
	}
	if _, err := ours.WriteToUDPAddrPort(make([]byte, 65508), to); err == nil {
		t.Error("a datagram that is too long was sent")
	}
	if _, err := ours.WriteToUDPAddrPort(nil, netip.MustParseAddrPort("[::1]:5060")); err == nil {
		t.Error("sent to IPv6")
	}
	ended := make(chan error)
	go func() {
		_, _, err := ours.ReadFromUDPAddrPort(buf)
		ended <- err
	}()
	ours.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading from a closed socket: %v", err)
	}
	if _, err := ours.WriteToUDPAddrPort(nil, to); !errors.Is(err, net.ErrClosed) {
		t.Errorf("writing to a closed socket: %v", err)
	}
}

func BenchmarkUDP4(b *testing.B) {
	u := loopback4(b)
	defer u.Close()
	to := u.LocalAddr().(*net.UDPAddr).AddrPort()
	message, buf := make([]byte, 500), make([]byte, 1<<16)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := u.WriteToUDPAddrPort(message, to); err != nil {
			b.Fatal(err)
		}
		if _, _, err := u.ReadFromUDPAddrPort(buf); err != nil {
			b.Fatal(err)
		}
	}
}
