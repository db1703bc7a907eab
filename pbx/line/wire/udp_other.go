//go:build !linux

package wire

import "net"

func packetConn(c *net.UDPConn) PacketConn { return c }
