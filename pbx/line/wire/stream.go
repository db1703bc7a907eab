package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"time"
)

type listener struct {
	net.Listener
	transport string
	local     netip.AddrPort
}

// endpoint is by what a connection is found for sending.
type endpoint struct {
	transport string
	remote    netip.AddrPort
}

func (t *Transport) accept(l *listener) {
	count := t.count(l.transport)
	for {
		nc, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			count.readErrors.Add(1)
			time.Sleep(20 * time.Millisecond) // out of file descriptors, say
			continue
		}
		count.accepted.Add(1)
		c := t.newConn(Hop{Transport: l.transport, Remote: addrPort(nc.RemoteAddr()), Local: l.local}, nc)
		t.mu.Lock()
		ok := t.admit(c)
		t.mu.Unlock()
		if !ok {
			nc.Close()
		}
	}
}

// admit enters c and starts it, unless it is closed or there are too many that may not give way. t.mu is held.
func (t *Transport) admit(c *conn) bool {
	if t.closed {
		return false
	}
	ip := c.hop.Remote.Addr()
	if t.perIP[ip] >= t.o.MaxConnsPerIP && !t.evict(func(o *conn) bool { return o.hop.Remote.Addr() == ip }) ||
		len(t.conns) >= t.o.MaxConns && !t.evict(func(*conn) bool { return true }) {
		c.count.evicted.Add(1)
		return false
	}
	t.nextID++
	c.hop.Conn = t.nextID
	t.conns[c.hop.Conn] = c
	t.remotes[endpoint{c.hop.Transport, c.hop.Remote}] = c
	t.perIP[ip]++
	c.count.conns.Add(1)
	t.readers.Go(c.run)
	return true
}

// evict closes the connection that matters least: one that never said anything before others, a stranger's before that of
// an exempt source, and of those the one that was silent longest.
func (t *Transport) evict(among func(*conn) bool) bool {
	rank := func(c *conn) int {
		switch {
		case t.o.Exempt != nil && t.o.Exempt(c.hop.Remote.Addr()):
			return 2
		case c.heard.Load():
			return 1
		}
		return 0
	}
	var victim *conn
	var worst int
	for _, c := range t.conns {
		if !among(c) {
			continue
		}
		r := rank(c)
		if victim == nil || r < worst || r == worst && c.last.Load() < victim.last.Load() {
			victim, worst = c, r
		}
	}
	if victim == nil {
		return false
	}
	victim.count.evicted.Add(1)
	t.forget(victim)
	victim.close()
	return true
}

// forget takes c out of the tables; t.mu is held. Doing it again does nothing.
func (t *Transport) forget(c *conn) {
	if t.conns[c.hop.Conn] != c {
		return
	}
	delete(t.conns, c.hop.Conn)
	if e := (endpoint{c.hop.Transport, c.hop.Remote}); t.remotes[e] == c {
		delete(t.remotes, e)
	}
	if ip := c.hop.Remote.Addr(); t.perIP[ip] > 1 {
		t.perIP[ip]--
	} else {
		delete(t.perIP, ip)
	}
	c.count.conns.Add(-1)
}

// sendStream queues b on the hop's connection, on another to the same remote, or on a new one.
func (t *Transport) sendStream(to Hop, b []byte) error {
	to.Remote = unmap(to.Remote)
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.conns[to.Conn]
	if c == nil || c.hop.Transport != to.Transport {
		c = t.remotes[endpoint{to.Transport, to.Remote}]
	}
	if c != nil && c.push(b) == nil {
		return nil
	}
	if c != nil && !c.over() {
		c.count.queueFull.Add(1)
		return ErrQueueFull
	}
	if to.Remote.Port() == 0 {
		return ErrNoSocket
	}
	c = t.newConn(Hop{Transport: to.Transport, Remote: to.Remote, Local: to.Local}, nil)
	if err := c.push(b); err != nil {
		return err
	}
	if !t.admit(c) {
		return ErrConn
	}
	c.count.dialled.Add(1)
	return nil
}

func handshakeClient(ctx context.Context, nc net.Conn, cfg *tls.Config, remote netip.AddrPort) (net.Conn, error) {
	if cfg == nil {
		cfg = &tls.Config{}
	}
	if cfg.ServerName == "" && !cfg.InsecureSkipVerify {
		cfg = cfg.Clone()
		cfg.ServerName = remote.Addr().String()
	}
	c := tls.Client(nc, cfg)
	if err := c.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, err
	}
	return c, nil
}
