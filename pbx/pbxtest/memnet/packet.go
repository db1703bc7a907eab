package memnet

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	packetQueue = 2048  // datagrams that wait in a socket
	maxDatagram = 65507 // bytes, as UDP over IPv4 has it
)

type datagram struct {
	from netip.AddrPort
	data *[]byte
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// PacketConn is a datagram socket. It has the methods of *net.UDPConn that servers use, and is a net.PacketConn.
type PacketConn struct {
	net      *Network
	local    netip.AddrPort
	queue    chan datagram
	done     chan struct{}
	once     sync.Once
	deadline deadline
}

// ListenPacket opens a datagram socket; port 0 means any free one.
func (n *Network) ListenPacket(local netip.AddrPort) (*PacketConn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, net.ErrClosed
	}
	local, err := n.port(local, func(p netip.AddrPort) bool { return n.packets[p] != nil })
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "udp", Addr: net.UDPAddrFromAddrPort(local), Err: err}
	}
	c := &PacketConn{net: n, local: local, queue: make(chan datagram, packetQueue), done: make(chan struct{}), deadline: newDeadline()}
	n.packets[local] = c
	return c, nil
}

// WriteToUDPAddrPort sends a datagram. As with UDP, nobody says whether it arrives.
func (c *PacketConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-c.done:
		return 0, c.error("write", net.ErrClosed)
	default:
	}
	if len(b) > maxDatagram {
		return 0, c.error("write", os.NewSyscallError("sendto", syscall.EMSGSIZE))
	}
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	if !to.IsValid() || to.Port() == 0 {
		return 0, c.error("write", os.NewSyscallError("sendto", syscall.EINVAL))
	}
	c.net.send(c.local, to, b)
	return len(b), nil
}

// send decides the fate of a datagram.
func (n *Network) send(from, to netip.AddrPort, b []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	p := Packet{Time: now, Transport: "udp", From: from, To: to, Data: b}
	k := n.link(from.Addr(), to.Addr())
	switch {
	case n.filter != nil && !n.filter(p):
		n.tap(p, Filtered)
		return
	case k.cut:
		n.tap(p, Cut)
		return
	case k.Loss > 0 && n.rng.Float64() < k.Loss:
		n.tap(p, Lost)
		return
	case n.packets[to] == nil:
		n.tap(p, Unreachable)
		return
	}
	copies := 1
	if k.Duplicate > 0 && n.rng.Float64() < k.Duplicate {
		copies = 2
	}
	for i := range copies {
		due := n.due(k, now)
		if k.Reorder > 0 && n.rng.Float64() < k.Reorder {
			due = due.Add(2*k.Delay + k.Jitter + 5*time.Millisecond)
		}
		data := buffers.Get().(*[]byte)
		*data = append((*data)[:0], b...)
		n.tap(p, [...]Fate{Sent, Duplicated}[i])
		n.at(now, due, func() { n.deliver(from, to, data) })
	}
}

// deliver needs n.mu.
func (n *Network) deliver(from, to netip.AddrPort, data *[]byte) {
	if c := n.packets[to]; c != nil {
		select {
		case c.queue <- datagram{from, data}:
			return
		default:
		}
	}
	buffers.Put(data)
}

// ReadFromUDPAddrPort waits for a datagram. What does not fit into b is cut off, as the kernel does it.
func (c *PacketConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case <-c.done:
		return 0, netip.AddrPort{}, c.error("read", net.ErrClosed)
	case <-c.deadline.wait():
		return 0, netip.AddrPort{}, c.error("read", os.ErrDeadlineExceeded)
	default:
	}
	select {
	case d := <-c.queue:
		count := copy(b, *d.data)
		buffers.Put(d.data)
		return count, d.from, nil
	case <-c.done:
		return 0, netip.AddrPort{}, c.error("read", net.ErrClosed)
	case <-c.deadline.wait():
		return 0, netip.AddrPort{}, c.error("read", os.ErrDeadlineExceeded)
	}
}

// ReadFrom is ReadFromUDPAddrPort as net.PacketConn has it.
func (c *PacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	count, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		return count, nil, err
	}
	return count, net.UDPAddrFromAddrPort(from), nil
}

// WriteTo is WriteToUDPAddrPort as net.PacketConn has it. The address must be a *net.UDPAddr.
func (c *PacketConn) WriteTo(b []byte, to net.Addr) (int, error) {
	a, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, c.error("write", os.NewSyscallError("sendto", syscall.EINVAL))
	}
	return c.WriteToUDPAddrPort(b, a.AddrPort())
}

// LocalAddr is a *net.UDPAddr.
func (c *PacketConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.local) }

// SetReadDeadline ends waiting reads at t; zero means never.
func (c *PacketConn) SetReadDeadline(t time.Time) error { c.deadline.set(t); return nil }

// SetWriteDeadline does nothing: writes do not wait.
func (c *PacketConn) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline is SetReadDeadline.
func (c *PacketConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// Close ends the socket and reads that wait. Datagrams under way to it are lost.
func (c *PacketConn) Close() error {
	err := c.error("close", net.ErrClosed)
	c.once.Do(func() {
		c.net.mu.Lock()
		delete(c.net.packets, c.local)
		c.net.mu.Unlock()
		close(c.done)
		c.deadline.set(time.Time{})
		err = nil
	})
	return err
}

func (c *PacketConn) error(op string, err error) error {
	return &net.OpError{Op: op, Net: "udp", Source: c.LocalAddr(), Err: err}
}
