package media

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// packetSize is the longest datagram that is taken; longer ones are cut short and dropped.
const packetSize = 2048

// socket is one UDP socket of a pair. It belongs to the engine; owner is the stream that has it at present.
type socket struct {
	owner atomic.Pointer[Stream]
	rtcp  bool
	conn  PacketConn // nil: fd
	fd    int
}

// target is an address to send to, prepared for the system call.
type target struct {
	addr netip.AddrPort
	raw  rawAddr
}

func (t *target) set(a netip.AddrPort) {
	if t.addr != a {
		t.addr = a
		t.raw.set(a)
	}
}

func (t *target) isZero() bool { return !t.addr.IsValid() }

// send never blocks on real sockets. It must be called by the owner, with its lock: a closed stream sends nothing.
func (s *socket) send(b []byte, to *target) bool {
	if s.conn == nil {
		return sendTo(s.fd, b, &to.raw)
	}
	_, err := s.conn.WriteToUDPAddrPort(b, to.addr)
	return err == nil
}

func (s *socket) close() {
	if s.conn == nil {
		closeFD(s.fd)
		return
	}
	s.conn.Close()
}

// dispatch gives a datagram to the owner that the socket had before it was read.
func (s *socket) dispatch(owner *Stream, b []byte, from netip.AddrPort, now int64, h *header, c *counters) {
	switch {
	case owner == nil:
		c.drop(Late)
	case len(b) >= packetSize:
		c.drop(Malformed)
	default:
		owner.arrived(b, s.rtcp, from, now, h, c)
	}
}

// open binds a socket.
func (e *Engine) open(at netip.AddrPort, rtcp bool) (*socket, error) {
	if e.listen != nil {
		c, err := e.listen(at)
		if err != nil {
			return nil, err
		}
		return &socket{conn: c, fd: -1, rtcp: rtcp}, nil
	}
	return e.poller.open(at, rtcp, e.dscp)
}

// read has the sockets of a pair read from now on.
func (e *Engine) read(rtp, rtcp *socket) error {
	if e.listen == nil {
		return e.poller.add(rtp, rtcp)
	}
	e.running.Add(2)
	go e.readConn(rtp)
	go e.readConn(rtcp)
	return nil
}

// readConn reads a socket that is not the system's, or where the system has no epoll, until it is closed.
func (e *Engine) readConn(s *socket) {
	defer e.running.Done()
	buf, h := make([]byte, packetSize), new(header)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		switch {
		case err == nil:
			e.handle(s, h, buf[:n], netip.AddrPortFrom(from.Addr().Unmap().WithZone(""), from.Port()))
		case errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF):
			return
		default:
			select { // such as an ICMP error; a socket that has nothing but errors must not spin
			case <-e.done:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
}

func (e *Engine) handle(s *socket, h *header, b []byte, from netip.AddrPort) {
	defer e.survive("packet")
	s.dispatch(s.owner.Load(), b, from, e.now(), h, &e.counters)
}

// counters are written by one goroutine each where there is a poller, so they cost no more than an uncontended addition.
type counters struct {
	packetsIn, bytesIn, packetsOut, reportsIn, reportsOut atomic.Uint64
	dropped                                               [Reasons]atomic.Uint64
	_                                                     [64]byte // the next loop's are on another cache line
}

func (c *counters) in(size int) {
	c.packetsIn.Add(1)
	c.bytesIn.Add(uint64(size))
}

func (c *counters) out()          { c.packetsOut.Add(1) }
func (c *counters) drop(r Reason) { c.dropped[r].Add(1) }

func (c *counters) add(st *EngineStats) {
	st.PacketsIn += c.packetsIn.Load()
	st.BytesIn += c.bytesIn.Load()
	st.PacketsOut += c.packetsOut.Load()
	st.ReportsIn += c.reportsIn.Load()
	st.ReportsOut += c.reportsOut.Load()
	for i := range c.dropped {
		st.Dropped[i] += c.dropped[i].Load()
	}
}
