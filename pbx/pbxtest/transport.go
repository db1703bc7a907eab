package pbxtest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"ringback/pbx/pbxtest/memnet"
)

// PacketConn is what a phone needs of a datagram socket: *net.UDPConn and *memnet.PacketConn have it.
type PacketConn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	LocalAddr() net.Addr
	Close() error
}

// Network opens a phone's sockets.
type Network interface {
	ListenPacket(local netip.AddrPort) (PacketConn, error)
	Listen(local netip.AddrPort) (net.Listener, error)
	Dial(ctx context.Context, local, remote netip.AddrPort) (net.Conn, error)
}

// Sockets is the operating system's network.
var Sockets Network = sockets{}

type sockets struct{}

func (sockets) ListenPacket(local netip.AddrPort) (PacketConn, error) {
	return net.ListenUDP("udp", net.UDPAddrFromAddrPort(local))
}

func (sockets) Listen(local netip.AddrPort) (net.Listener, error) {
	return net.ListenTCP("tcp", net.TCPAddrFromAddrPort(local))
}

func (sockets) Dial(ctx context.Context, local, remote netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(local)}
	return d.DialContext(ctx, "tcp", remote.String())
}

// Memory is a host of an in-memory network.
func Memory(h *memnet.Host) Network { return memory{h} }

type memory struct{ *memnet.Host }

func (m memory) ListenPacket(local netip.AddrPort) (PacketConn, error) {
	return m.Host.ListenPacket(local)
}

// stream is a TCP or TLS connection of a phone.
type stream struct {
	net.Conn
	remote netip.AddrPort
}

func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.UDPAddr:
		return netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), uint16(a.Port))
	case *net.TCPAddr:
		return netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), uint16(a.Port))
	}
	return netip.AddrPort{}
}

// open makes the phone's sockets.
func (p *Phone) open() error {
	local := netip.AddrPortFrom(p.c.Local, p.c.Port)
	if p.c.Transport == "udp" {
		c, err := p.c.Network.ListenPacket(local)
		if err != nil {
			return err
		}
		p.udp, p.local = c, addrPort(c.LocalAddr())
		p.spawn(p.readDatagrams)
		return nil
	}
	l, err := p.c.Network.Listen(local) // requests may come by a connection of the server's own
	if err != nil {
		return err
	}
	p.listener, p.local = l, addrPort(l.Addr())
	p.out = make(chan packet, 1024)
	p.spawn(p.writeStreams)
	p.spawn(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if p.c.TLS != nil {
				c = tls.Server(c, p.c.TLS)
			}
			p.adopt(&stream{c, addrPort(c.RemoteAddr())})
		}
	})
	return nil
}

// adopt reads from a stream until it ends.
func (p *Phone) adopt(s *stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = s.Close()
		return
	}
	p.streams[s] = true
	p.addrs = append(p.addrs, addrPort(s.LocalAddr()))
	p.spawn(func() {
		p.readStream(s)
		p.mu.Lock()
		delete(p.streams, s)
		if p.server == s {
			p.server = nil
		}
		p.wake()
		p.mu.Unlock()
		_ = s.Close()
	})
}

func (p *Phone) readDatagrams() {
	b := make([]byte, 65536)
	for {
		n, from, err := p.udp.ReadFromUDPAddrPort(b)
		if err != nil {
			if p.isClosed() {
				return
			}
			continue // ICMP errors of earlier datagrams
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if len(bytes.Trim(b[:n], "\r\n\x00")) == 0 {
			continue // keep-alive
		}
		p.arrived(append([]byte(nil), b[:n]...), from, "udp", nil)
	}
}

// readStream cuts a stream into messages by Content-Length (RFC 3261 §18.3) and answers pings (RFC 5626 §3.5.1).
func (p *Phone) readStream(s *stream) {
	r := bufio.NewReaderSize(s, 65536)
	blank := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			blank++
			p.mu.Lock()
			if blank == 2 && !p.pinging {
				_, _ = s.Write([]byte("\r\n"))
				blank = 0
			} else if p.pinging {
				p.pinging, blank = false, 0
				p.wake()
			}
			p.mu.Unlock()
			continue
		}
		blank = 0
		head := append([]byte(nil), line...)
		length, counted := 0, false
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			head = append(head, line...)
			if len(head) > 65536 {
				p.complain("a message's headers are longer than 64 KiB")
				return
			}
			if len(bytes.TrimRight(line, "\r\n")) == 0 {
				break
			}
			if k, v, _ := strings.Cut(string(line), ":"); strings.EqualFold(longName(strings.TrimSpace(k)), "Content-Length") {
				if length, err = strconv.Atoi(strings.TrimSpace(v)); err != nil || length < 0 || length > 1<<20 {
					p.complain("bad Content-Length %q", v)
					return
				}
				counted = true
			}
		}
		if !counted {
			p.complain("a message over %s has no Content-Length (RFC 3261 §18.3): %.40q", p.c.Transport, head)
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		p.arrived(append(head, body...), s.remote, p.c.Transport, s)
	}
}

// connect returns the connection to the server, and dials if there is none.
func (p *Phone) connect(ctx context.Context) (*stream, error) {
	p.mu.Lock()
	s := p.server
	p.mu.Unlock()
	if s != nil {
		return s, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, err := p.c.Network.Dial(ctx, netip.AddrPortFrom(p.c.Local, 0), p.c.Server)
	if err != nil {
		return nil, err
	}
	if p.c.TLS != nil {
		t := tls.Client(c, p.c.TLS)
		if err := t.HandshakeContext(ctx); err != nil {
			_ = c.Close()
			return nil, err
		}
		c = t
	}
	s = &stream{c, p.c.Server}
	p.mu.Lock()
	p.server = s
	p.mu.Unlock()
	p.adopt(s)
	return s, nil
}

// Drop closes the phone's connection to the server, as a NAT that forgets it. The phone dials again when it sends.
func (p *Phone) Drop() {
	p.mu.Lock()
	s := p.server
	p.server = nil
	p.mu.Unlock()
	if s != nil {
		_ = s.Close()
	}
}

// Ping sends the double CRLF of RFC 5626 §3.5.1 and waits for the pong. Streams only.
func (p *Phone) Ping(ctx context.Context) error {
	s, err := p.connect(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.pinging = true
	p.mu.Unlock()
	if _, err := s.Write([]byte("\r\n\r\n")); err != nil {
		return err
	}
	return p.await(ctx, "the pong", func() bool { return !p.pinging })
}

// SendRaw sends any bytes to the server.
func (p *Phone) SendRaw(b []byte) error {
	if p.udp != nil {
		_, err := p.udp.WriteToUDPAddrPort(b, p.c.Server)
		return err
	}
	s, err := p.connect(p.ctx)
	if err != nil {
		return err
	}
	_, err = s.Write(b)
	return err
}

// packet is what waits to be sent.
type packet struct {
	b  []byte
	to netip.AddrPort
	by *stream // the stream it answers to; nil: the one to the server
}

// transmit sends at once over UDP; over streams the phone's writer sends, in order. It needs p.mu.
func (p *Phone) transmit(b []byte, to netip.AddrPort, by *stream) {
	if p.udp != nil {
		if _, err := p.udp.WriteToUDPAddrPort(b, to); err != nil {
			p.lastErr = err
		}
		return
	}
	select {
	case p.out <- packet{b, to, by}:
	default:
		p.lastErr = fmt.Errorf("%s has too much to send", p.c.Name)
	}
}

// writeStreams is the writer of a phone on streams.
func (p *Phone) writeStreams() {
	for {
		select {
		case <-p.ctx.Done():
			return
		case o := <-p.out:
			s, err := o.by, error(nil)
			if s == nil {
				s, err = p.connect(p.ctx)
			}
			if err == nil {
				_ = s.SetWriteDeadline(time.Now().Add(10 * time.Second))
				_, err = s.Write(o.b)
			}
			if err != nil {
				p.mu.Lock()
				p.lastErr = err
				p.wake()
				p.mu.Unlock()
			}
		}
	}
}
