package wire

import (
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// ListenPackets opens n sockets on one address; the kernel spreads the sources over them (SO_REUSEPORT), and keeps each
// source on one.
func (o OS) ListenPackets(local netip.AddrPort, n int) (conns []PacketConn, err error) {
	share := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if e := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) }); e != nil {
			return e
		}
		return err
	}}
	for range n {
		c, err := o.packet(share, local)
		if err != nil {
			for _, c := range conns {
				c.Close()
			}
			return nil, err
		}
		conns = append(conns, c)
		local = c.LocalAddr().(*net.UDPAddr).AddrPort()
	}
	return conns, nil
}
