package memnet

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	backlog = 128       // connections that wait for Accept
	window  = 256 << 10 // bytes of one direction that are under way or unread; a writer waits beyond
)

// Listener accepts streams.
type Listener struct {
	net   *Network
	local netip.AddrPort
	queue chan *Conn
	done  chan struct{}
	once  sync.Once
}

// Listen opens a stream listener; port 0 means any free one.
func (n *Network) Listen(local netip.AddrPort) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, net.ErrClosed
	}
	local, err := n.port(local, func(p netip.AddrPort) bool { return n.listeners[p] != nil })
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: net.TCPAddrFromAddrPort(local), Err: err}
	}
	l := &Listener{net: n, local: local, queue: make(chan *Conn, backlog), done: make(chan struct{})}
	n.listeners[local] = l
	return l, nil
}

// Accept waits for a connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed}
	case c := <-l.queue:
		return c, nil
	}
}

// Addr is a *net.TCPAddr.
func (l *Listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.local) }

// Close ends the listener; connections that were not accepted are reset.
func (l *Listener) Close() error {
	err := error(&net.OpError{Op: "close", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed})
	l.once.Do(func() {
		l.net.mu.Lock()
		delete(l.net.listeners, l.local)
		l.net.mu.Unlock()
		close(l.done)
		for {
			select {
			case c := <-l.queue:
				c.Reset()
				continue
			default:
			}
			break
		}
		err = nil
	})
	return err
}

// Dial connects to a listener, which takes a round trip. Where nobody listens it is refused; through a partition it
// waits for the partition's end or that of ctx.
func (n *Network) Dial(ctx context.Context, local, remote netip.AddrPort) (net.Conn, error) {
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Source: net.TCPAddrFromAddrPort(local), Addr: net.TCPAddrFromAddrPort(remote), Err: err}
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return fail(net.ErrClosed)
	}
	local, err := n.port(local, func(p netip.AddrPort) bool {
		for c := range n.conns {
			if c.local == p && c.remote == remote {
				return true
			}
		}
		return n.listeners[p] != nil && local.Port() == 0
	})
	if err != nil {
		n.mu.Unlock()
		return fail(err)
	}
	there, back := newHalf(), newHalf()
	near := &Conn{net: n, local: local, remote: remote, in: back, out: there, rd: newDeadline(), wr: newDeadline()}
	far := &Conn{net: n, local: remote, remote: local, in: there, out: back, rd: newDeadline(), wr: newDeadline()}
	result := make(chan error, 1)
	n.segment(local, remote, func() {
		l := n.listeners[remote]
		var refused error = os.NewSyscallError("connect", syscall.ECONNREFUSED)
		if l != nil {
			n.conns[far] = struct{}{}
			select {
			case l.queue <- far:
				refused = nil
			default:
				delete(n.conns, far)
			}
		}
		n.segment(remote, local, func() {
			if refused == nil && !near.closed {
				n.conns[near] = struct{}{}
			}
			result <- refused
		})
	})
	n.mu.Unlock()
	select {
	case err := <-result:
		if err != nil {
			return fail(err)
		}
		return near, nil
	case <-ctx.Done():
		near.Reset()
		return fail(ctx.Err())
	}
}

// segment brings something over a link in order, whatever happens to datagrams there. It needs n.mu, and so will deliver.
func (n *Network) segment(from, to netip.AddrPort, deliver func()) {
	k := n.link(from.Addr(), to.Addr())
	now := time.Now()
	arrive := func() {
		if k.cut || len(k.held) > 0 {
			k.held = append(k.held, deliver)
			return
		}
		deliver()
	}
	n.at(now, n.due(k, now), arrive)
}

// half is one direction of a stream.
type half struct {
	mu       sync.Mutex
	buf      []byte
	sent     int   // bytes written and not read yet, under way included
	err      error // for the reader once buf is empty: io.EOF or a reset
	dead     error // for the writer: the reader is gone
	readable chan struct{}
	writable chan struct{}
}

func newHalf() *half {
	return &half{readable: make(chan struct{}, 1), writable: make(chan struct{}, 1)}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// arrive brings data, or the end of it, to the reader.
func (h *half) arrive(b []byte, err error) {
	h.mu.Lock()
	if h.err == nil {
		h.buf = append(h.buf, b...)
		h.err = err
		if err != nil && err != io.EOF {
			h.buf = nil // a reset takes away what was not read
		}
	}
	h.mu.Unlock()
	signal(h.readable)
}

func (h *half) kill(err error) {
	h.mu.Lock()
	if h.dead == nil {
		h.dead = err
	}
	h.mu.Unlock()
	signal(h.writable)
}

// Conn is one end of a stream.
type Conn struct {
	net           *Network
	local, remote netip.AddrPort
	in, out       *half
	rd, wr        deadline
	once          sync.Once
	closed        bool // guarded by net.mu
}

// Read waits for data.
func (c *Conn) Read(b []byte) (int, error) {
	for {
		select {
		case <-c.rd.wait():
			return 0, c.error("read", os.ErrDeadlineExceeded)
		default:
		}
		c.in.mu.Lock()
		if len(c.in.buf) > 0 || len(b) == 0 {
			count := copy(b, c.in.buf)
			c.in.buf = c.in.buf[count:]
			c.in.sent -= count
			more := len(c.in.buf) > 0 || c.in.err != nil
			c.in.mu.Unlock()
			signal(c.in.writable)
			if more {
				signal(c.in.readable)
			}
			return count, nil
		}
		err := c.in.err
		c.in.mu.Unlock()
		switch err {
		case nil:
		case io.EOF:
			signal(c.in.readable)
			return 0, io.EOF
		default:
			signal(c.in.readable)
			return 0, c.error("read", err)
		}
		select {
		case <-c.in.readable:
		case <-c.rd.wait():
		}
	}
}

// Write sends b, and waits while more than the window is unread.
func (c *Conn) Write(b []byte) (int, error) {
	written := 0
	for {
		select {
		case <-c.wr.wait():
			return written, c.error("write", os.ErrDeadlineExceeded)
		default:
		}
		c.out.mu.Lock()
		err, room := c.out.dead, window-c.out.sent
		part := b[written:min(len(b), written+max(room, 0))]
		if err == nil {
			c.out.sent += len(part)
		}
		c.out.mu.Unlock()
		if err != nil {
			return written, c.error("write", err)
		}
		if len(part) > 0 {
			c.send(part)
			written += len(part)
		}
		if written == len(b) {
			if room > len(part) {
				signal(c.out.writable)
			}
			return written, nil
		}
		select {
		case <-c.out.writable:
		case <-c.wr.wait():
		}
	}
}

func (c *Conn) send(b []byte) {
	n := c.net
	n.mu.Lock()
	defer n.mu.Unlock()
	p := Packet{Time: time.Now(), Transport: "tcp", From: c.local, To: c.remote, Data: b}
	if n.filter != nil && !n.filter(p) {
		n.tap(p, Filtered)
		c.out.mu.Lock()
		c.out.sent -= len(b)
		c.out.mu.Unlock()
		return
	}
	n.tap(p, Sent)
	data := append([]byte(nil), b...)
	n.segment(c.local, c.remote, func() { c.out.arrive(data, nil) })
}

// Close ends the stream in order: what was written still arrives, then the other end reads io.EOF.
func (c *Conn) Close() error { return c.end(io.EOF, syscall.EPIPE) }

// CloseWrite ends the writing side only: what was written arrives, then the other end reads io.EOF, and may go on writing.
func (c *Conn) CloseWrite() error {
	n := c.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.closed || n.closed {
		return c.error("close", net.ErrClosed)
	}
	n.segment(c.local, c.remote, func() { c.out.arrive(nil, io.EOF) })
	c.out.kill(syscall.EPIPE)
	return nil
}

// Reset breaks the stream: both ends fail, and what was under way is lost.
func (c *Conn) Reset() { _ = c.end(syscall.ECONNRESET, syscall.ECONNRESET) }

func (c *Conn) end(forReader, forWriter error) error {
	err := c.error("close", net.ErrClosed)
	c.once.Do(func() {
		err = nil
		n := c.net
		n.mu.Lock()
		delete(n.conns, c)
		c.closed = true
		if !n.closed {
			n.segment(c.local, c.remote, func() {
				c.out.arrive(nil, forReader)
				c.in.kill(forWriter)
			})
		} else {
			c.out.arrive(nil, forReader)
		}
		n.mu.Unlock()
		c.in.arrive(nil, net.ErrClosed)
		c.out.kill(net.ErrClosed)
		c.rd.set(time.Time{})
		c.wr.set(time.Time{})
	})
	return err
}

// LocalAddr is a *net.TCPAddr.
func (c *Conn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(c.local) }

// RemoteAddr is a *net.TCPAddr.
func (c *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error { c.rd.set(t); c.wr.set(t); return nil }

// SetReadDeadline ends waiting reads at t; zero means never.
func (c *Conn) SetReadDeadline(t time.Time) error { c.rd.set(t); return nil }

// SetWriteDeadline ends waiting writes at t; zero means never.
func (c *Conn) SetWriteDeadline(t time.Time) error { c.wr.set(t); return nil }

func (c *Conn) error(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// ResetHost breaks all streams of a host, as when it is switched off and on.
func (n *Network) ResetHost(host netip.Addr) {
	n.mu.Lock()
	var all []*Conn
	for c := range n.conns {
		if c.local.Addr() == host {
			all = append(all, c)
		}
	}
	n.mu.Unlock()
	for _, c := range all {
		c.Reset()
	}
}
