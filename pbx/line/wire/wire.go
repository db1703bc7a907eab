// Package wire brings SIP messages in and out: sockets, stream framing, the checks that a message must pass before
// anything is allocated for it, and limits per source. Above it there are only parsed messages and Hops.
package wire

import (
	"context"
	"net"
	"net/netip"

	"github.com/emiago/sipgo/sip"
)

// Hop says where a message came from, or where one shall go. It is a value and comparable.
type Hop struct {
	Transport string         // "udp", "tcp", "tls"
	Remote    netip.AddrPort // the other end, as seen on the socket
	Local     netip.AddrPort // the listener (UDP: the socket to send from); zero: chosen by Transport and family
	Conn      uint64         // the stream connection it came by, 0 for UDP. Sending: used if it still lives, else one to Remote is reused or dialled
}

// Reliable reports whether the transport retransmits by itself (RFC 3261 §17).
func (h Hop) Reliable() bool { return h.Transport != "udp" }

// Receiver is given every message that passed the checks, in the order of arrival per source. It must not block.
// It owns m; the bytes m was parsed from are not referenced by it.
type Receiver func(m sip.Message, from Hop)

// Sender sends one serialised message. Datagrams leave at once; stream messages are queued in order. b is not kept.
// An error says that it certainly did not leave; for streams a later failure is told by OnClosed of the connection.
type Sender interface {
	Send(to Hop, b []byte) error
}

// Network opens sockets: the operating system's, or an in-memory one in virtual time (pbx/pbxtest/memnet).
type Network interface {
	ListenPacket(local netip.AddrPort) (PacketConn, error)
	Listen(local netip.AddrPort) (net.Listener, error)
	Dial(ctx context.Context, local, remote netip.AddrPort) (net.Conn, error)
}

// PacketConn is the part of *net.UDPConn that is used.
type PacketConn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	LocalAddr() net.Addr
	Close() error
}
