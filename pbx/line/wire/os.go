package wire

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// OS is the operating system's network. IPv4 and IPv6 sockets are separate: an IPv6 one takes no IPv4.
type OS struct {
	Buffer int // bytes of a UDP socket's receive and send buffers, as far as the system permits [4 MiB]
}

func (o OS) buffer() int {
	if o.Buffer > 0 {
		return o.Buffer
	}
	return 4 << 20
}

func family(network string, a netip.Addr) string {
	if a.Unmap().Is4() {
		return network + "4"
	}
	return network + "6"
}

// ListenPacket is Network.
func (o OS) ListenPacket(local netip.AddrPort) (PacketConn, error) {
	return o.packet(net.ListenConfig{}, local)
}

func (o OS) packet(lc net.ListenConfig, local netip.AddrPort) (PacketConn, error) {
	c, err := lc.ListenPacket(context.Background(), family("udp", local.Addr()), unmap(local).String())
	if err != nil {
		return nil, err
	}
	udp := c.(*net.UDPConn)
	_ = udp.SetReadBuffer(o.buffer()) // capped by the system; a small buffer is no reason not to start
	_ = udp.SetWriteBuffer(o.buffer())
	return packetConn(udp), nil
}

// Listen is Network.
func (o OS) Listen(local netip.AddrPort) (net.Listener, error) {
	return net.ListenTCP(family("tcp", local.Addr()), net.TCPAddrFromAddrPort(unmap(local)))
}

// Dial is Network. local may be zero; its port is not used.
func (o OS) Dial(ctx context.Context, local, remote netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{KeepAlive: 60 * time.Second}
	if a := local.Addr(); a.IsValid() && !a.IsUnspecified() {
		d.LocalAddr = &net.TCPAddr{IP: a.AsSlice(), Zone: a.Zone()}
	}
	return d.DialContext(ctx, family("tcp", remote.Addr()), unmap(remote).String())
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
