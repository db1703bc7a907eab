package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// conn is one stream connection: a goroutine that reads (and dials first), one that writes.
type conn struct {
	t     *Transport
	hop   Hop
	count *traffic
	last  atomic.Int64 // ns; when something was read or written
	heard atomic.Bool  // a whole message came
	ctx   context.Context
	end   context.CancelFunc
	wake  chan struct{}

	mu     sync.Mutex
	nc     net.Conn // nil while dialling
	queue  [][]byte
	closed bool // nothing can be pushed
	drain  bool // ends when the queue is empty
}

func (t *Transport) newConn(hop Hop, nc net.Conn) *conn {
	c := &conn{t: t, hop: hop, nc: nc, count: t.count(hop.Transport), wake: make(chan struct{}, 1)}
	c.ctx, c.end = context.WithCancel(context.Background())
	c.last.Store(time.Now().UnixNano())
	return c
}

// push queues a copy of b.
func (c *conn) push(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrConn
	}
	if len(c.queue) >= c.t.o.WriteQueue {
		return ErrQueueFull
	}
	c.queue = append(c.queue, bytes.Clone(b))
	if !bytes.Equal(b, crlf) {
		c.count.out.Add(1)
	}
	c.t.trace(Out, c.hop, b)
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return nil
}

func (c *conn) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// close ends the connection now.
func (c *conn) close() {
	c.mu.Lock()
	c.closed = true
	nc := c.nc
	c.mu.Unlock()
	c.end()
	if nc != nil {
		nc.Close()
	}
}

// finish ends it when what is queued has left, or after a second.
func (c *conn) finish() {
	c.mu.Lock()
	c.closed, c.drain = true, true
	nc := c.nc
	c.mu.Unlock()
	if nc == nil {
		c.close()
		return
	}
	_ = nc.SetDeadline(time.Now().Add(time.Second))
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *conn) run() {
	var writer sync.WaitGroup
	if c.open() {
		writer.Go(c.write)
		c.read()
	}
	c.close()
	writer.Wait()
	c.t.mu.Lock()
	c.t.forget(c)
	c.t.mu.Unlock()
	if c.t.o.Closed != nil {
		c.guard(func() { c.t.o.Closed(c.hop) })
	}
}

func (c *conn) guard(f func()) {
	defer func() {
		if p := recover(); p != nil {
			c.t.panics.Add(1)
			c.t.log.Error("panic while a connection ended", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	f()
}

// open dials, or shakes hands on what was accepted.
func (c *conn) open() bool {
	if c.nc == nil {
		nc, err := c.t.dial(c.ctx, c.hop)
		if err != nil {
			c.count.dialErrors.Add(1)
			c.t.log.Debug("cannot connect", "to", c.hop.Remote, "transport", c.hop.Transport, "err", err)
			return false
		}
		return c.use(nc)
	}
	if c.hop.Transport != "tls" {
		return true
	}
	s := tls.Server(c.nc, c.t.o.TLSConfig)
	ctx, cancel := context.WithTimeout(c.ctx, c.t.o.HeaderTimeout)
	defer cancel()
	if err := s.HandshakeContext(ctx); err != nil {
		c.count.shakes.Add(1)
		return false
	}
	return c.use(s)
}

func (c *conn) use(nc net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		nc.Close()
		return false
	}
	c.nc = nc
	return true
}

// write sends what is queued, as much at once as there is.
func (c *conn) write() {
	var buf []byte
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.wake:
		}
		c.mu.Lock()
		queue, drain := c.queue, c.drain
		c.queue = nil
		c.mu.Unlock()
		buf = buf[:0]
		for _, b := range queue {
			buf = append(buf, b...)
		}
		if len(buf) > 0 {
			if !drain {
				_ = c.nc.SetWriteDeadline(time.Now().Add(c.t.o.WriteTimeout))
			}
			if _, err := c.nc.Write(buf); err != nil {
				c.count.sendErrors.Add(1)
				c.close()
				return
			}
			c.last.Store(time.Now().UnixNano())
		}
		if drain {
			c.close()
			return
		}
		if cap(buf) > 1<<16 {
			buf = nil
		}
	}
}

const readBuffer = 4 << 10

// read cuts the stream into messages until it ends.
func (c *conn) read() {
	buf, n := make([]byte, readBuffer), 0
	born := time.Now()
	started := born // of the message that is coming in
	for {
		used, ok := c.cut(buf[:n])
		if !ok {
			c.linger(buf)
			return
		}
		if used > 0 {
			n = copy(buf, buf[used:n])
			started = time.Now()
		}
		partial := len(bytes.TrimLeft(buf[:n], "\r\n")) > 0
		if n == len(buf) {
			buf = append(buf, make([]byte, len(buf))...)
		} else if n == 0 && len(buf) > readBuffer {
			buf = make([]byte, readBuffer)
		}
		deadline := time.Unix(0, c.last.Load()).Add(c.t.o.IdleTimeout)
		if partial {
			deadline = started.Add(c.t.o.HeaderTimeout)
		} else if !c.heard.Load() {
			deadline = born.Add(c.t.o.FirstTimeout)
		}
		_ = c.nc.SetReadDeadline(deadline)
		m, err := c.nc.Read(buf[n:])
		if m > 0 {
			now := time.Now()
			c.last.Store(now.UnixNano())
			if !partial {
				started = now
			}
			n += m
		}
		if err == nil {
			continue
		}
		late := errors.Is(err, os.ErrDeadlineExceeded) && !c.over()
		if late {
			if !partial && c.heard.Load() && time.Since(time.Unix(0, c.last.Load())) < c.t.o.IdleTimeout {
				continue // it was written to
			}
			c.count.timedOut.Add(1)
		}
		if partial {
			c.count.unfinished.Add(1)
		}
		if late || err == io.EOF { // the other side may still read
			if partial {
				c.unfinished(buf[:n])
			}
			c.linger(buf)
		}
		return
	}
}

// cut handles the whole messages and pings at the start of b and gives how much that was; ok is false when the stream
// cannot go on.
func (c *conn) cut(b []byte) (used int, ok bool) {
	for {
		if bytes.HasPrefix(b, crlf2) { // RFC 5626 §3.5.1: a ping; the pong is one CRLF
			c.count.keepalives.Add(1)
			c.heard.Store(true)
			_ = c.push(crlf)
			b, used = b[4:], used+4
			continue
		}
		if bytes.HasPrefix(b, crlf) && len(b) > 2 && b[2] != '\r' { // RFC 3261 §7.5
			b, used = b[2:], used+2
			continue
		}
		if len(b) < 4 {
			return used, true
		}
		n, what := Frame(b)
		if what == "" && n == 0 {
			return used, true
		}
		if !c.wait() {
			return used, false
		}
		var bad *Malformed
		if what != "" {
			c.count.malformed.Add(1)
			c.t.trace(In, c.hop, b)
			bad = malformed(b, c.hop, 0, what)
		} else {
			c.t.trace(In, c.hop, b[:n])
			bad = c.t.take(b[:n], c.hop, c.count)
			c.heard.Store(c.heard.Load() || bad == nil)
		}
		if bad != nil {
			if bad.Reply != nil {
				_ = c.push(bad.Reply)
			}
			if bad.Close {
				return used, false
			}
		}
		b, used = b[n:], used+n
	}
}

// unfinished answers the beginning of a message whose end never came.
func (c *conn) unfinished(b []byte) {
	c.t.trace(In, c.hop, b)
	if _, bad := Parse(b, c.hop); bad != nil && bad.Reply != nil {
		_ = c.push(bad.Reply)
	}
}

// wait holds a source back that sends too much: a stream cannot drop messages, but it can be read later.
func (c *conn) wait() bool {
	for first := true; !c.t.allow(c.hop.Remote.Addr()); first = false {
		if first {
			c.count.limited.Add(1)
		}
		select {
		case <-c.ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return true
}

// linger lets the last reply leave, and reads on for a moment, since closing with unread input would take it back.
func (c *conn) linger(buf []byte) {
	c.finish()
	for {
		if _, err := c.nc.Read(buf); err != nil {
			break
		}
	}
	<-c.ctx.Done() // the writer ends it
}
