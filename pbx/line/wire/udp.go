package wire

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"time"
)

type socket struct {
	PacketConn
	local  netip.AddrPort
	shares bool // the address with an earlier one (SO_REUSEPORT)
}

// readUDP reads one socket until it is closed. The buffer is used again for every datagram.
func (t *Transport) readUDP(s *socket) {
	buf := make([]byte, 1<<16)
	var p pace
	for {
		p.before()
		n, source, err := s.ReadFromUDPAddrPort(buf)
		p.after()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			t.udp.readErrors.Add(1)
			time.Sleep(5 * time.Millisecond) // an error that stays must not become a loop
			continue
		}
		t.datagram(buf[:n], Hop{Transport: "udp", Remote: unmap(source), Local: s.local})
	}
}

func (t *Transport) datagram(b []byte, from Hop) {
	if !t.allow(from.Remote.Addr()) {
		t.udp.limited.Add(1)
		return
	}
	t.trace(In, from, b)
	if len(b) <= 4 || b[0] < 4 { // keep-alives of all kinds, STUN among them; a message is neither
		t.udp.keepalives.Add(1)
		if bytes.Equal(b, crlf2) {
			_ = t.writeUDP(from, crlf)
		}
		return
	}
	if bad := t.take(b, from, &t.udp); bad != nil && bad.Reply != nil {
		_ = t.sendUDP(bad.To, bad.Reply)
	}
}

func (t *Transport) sendUDP(to Hop, b []byte) error {
	err := t.writeUDP(to, b)
	if err == nil {
		t.udp.out.Add(1)
	}
	return err
}

func (t *Transport) writeUDP(to Hop, b []byte) error {
	to.Remote = unmap(to.Remote)
	s := t.socket(to)
	if s == nil || to.Remote.Port() == 0 {
		t.udp.sendErrors.Add(1)
		return ErrNoSocket
	}
	t.trace(Out, to, b)
	if _, err := s.WriteToUDPAddrPort(b, to.Remote); err != nil {
		t.udp.sendErrors.Add(1)
		return err
	}
	return nil
}

// socket is the one with the hop's Local, or the first of the family.
func (t *Transport) socket(to Hop) *socket {
	var first *socket
	for _, s := range t.sockets {
		if s.local.Addr().Is4() != to.Remote.Addr().Is4() {
			continue
		}
		if s.local == to.Local {
			return s
		}
		if first == nil {
			first = s
		}
	}
	return first
}
