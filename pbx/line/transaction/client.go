package transaction

import (
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

// Client is a client transaction: a request that was sent, and what comes back. The layer lets go of it once the final
// response was handed up, so the request lives as long as the user keeps the Client.
//
// Further 2xx of an INVITE (RFC 6026) come with another Client for the same transaction, whose Request is nil: compare To
// tags, not Clients.
type Client struct {
	Request *sip.Request // as it was sent, with its Via; read-only
	To      wire.Hop
	tx      *client
}

// Cancel gives the request up (RFC 3261 §9.1; INVITE only, otherwise it does nothing): a CANCEL with these further
// headers (Reason, say) leaves now or as soon as the first provisional response comes; if a final response comes
// instead, none is sent. The user still gets that final response: 487, or a 2xx that crossed. If none comes for 64*T1
// after the CANCEL, Failed is told ErrTimeout. A second Cancel does nothing. Callable from any goroutine.
func (c *Client) Cancel(headers ...sip.Header) { c.tx.cancel(headers) }

// HandOver makes u the user of what still comes: after the 2xx of an INVITE that is for another 32 s, in which the first
// user need not be kept. Callable from a callback too. Where the user was told for the last time it does nothing.
func (c *Client) HandOver(u ClientUser) {
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	if c.tx.u != nil {
		c.tx.u = u
	}
}

// client is what the layer keeps.
type client struct {
	l        *Layer
	key      key
	to       wire.Hop
	invite   bool
	reliable bool

	mu         sync.Mutex
	u          ClientUser // nil: nobody (CANCEL), or told for the last time
	h          *Client    // nil after the final response
	state      state
	counted    bool
	wanted     bool // to be cancelled
	cancelSent bool
	with       []sip.Header // of the CANCEL
	err        error        // sending failed
	out        []byte       // the request; after a final response its ACK
	retry      Timer
	limit      Timer
	interval   time.Duration

	delivering bool // somebody calls the user now; whoever has more leaves it in later
	later      []delivery
}

type delivery struct {
	h   *Client
	res *sip.Response
	err error
}

func (c *client) kind() int {
	if c.invite {
		return InviteClient
	}
	return NonInviteClient
}

// start enters the transaction and sends the request.
func (c *client) start(request []byte, full bool) {
	l := c.l
	c.retry = Timer{w: &l.wheel, e: c}
	c.limit = Timer{w: &l.wheel, e: c}
	c.state = trying
	if c.invite {
		c.state = calling
	}
	c.out = request
	c.mu.Lock()
	if full {
		c.err = ErrFull
		c.limit.arm(0)
		c.mu.Unlock()
		return
	}
	if !l.gate.enter() {
		c.state = terminated
		c.mu.Unlock()
		return
	}
	defer l.gate.leave()
	l.clients.add(c.key, c)
	c.counted = true
	l.alive.Add(1)
	l.stats.alive[c.kind()].Add(1)
	l.stats.total[c.kind()].Add(1)
	if c.reliable {
		l.waiting.add(c)
	} else {
		c.interval = l.timers.T1
		c.retry.arm(c.interval) // Timers A, E
	}
	c.limit.arm(64 * l.timers.T1) // Timers B, F
	c.mu.Unlock()
	if err := l.o.Send.Send(c.to, request); err != nil {
		c.lost(err)
	}
}

// lost notes that the request cannot have arrived; the user hears of it from the wheel.
func (c *client) lost(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && (c.state == calling || c.state == trying) {
		c.err = err
		c.limit.arm(0)
	}
}

// step runs the state machine and does what it says but for sending and telling the user; c.mu is held.
func (c *client) step(e event) (fx effect) {
	machine := nonInviteClient
	if c.invite {
		machine = inviteClient
	}
	before := c.state
	c.state, fx = machine(c.state, e, c.reliable)
	if c.reliable && before != c.state && (before == calling || before == trying) {
		c.l.waiting.remove(c)
	}
	if fx.has(stopRetry) {
		c.retry.Stop()
	}
	if fx.has(stopLimit) {
		c.limit.Stop()
	}
	t := &c.l.timers
	if fx.has(startRetry) {
		c.interval *= 2 // Timer A
		if !c.invite {
			c.interval = min(c.interval, t.T2) // Timer E
			if c.state == proceeding {
				c.interval = t.T2
			}
		}
		c.retry.arm(c.interval)
	}
	if fx.has(startLimit) {
		if c.invite {
			// Timer M is 64*T1. Timer D is "at least 32 seconds", because the server's Timer H is 64*T1.
			c.limit.arm(64 * t.T1)
		} else {
			c.limit.arm(t.T4) // Timer K
		}
	}
	if c.invite && c.state == proceeding || c.state == accepted || c.state == terminated || !c.invite && c.state == completed {
		c.out = nil
	}
	if c.state == terminated && before != terminated {
		c.retry.Stop()
		c.limit.Stop()
		if c.counted {
			l := c.l
			l.clients.remove(c.key, c)
			l.alive.Add(-1)
			l.stats.alive[c.kind()].Add(-1)
		}
	}
	return fx
}

func (c *client) response(res *sip.Response) {
	c.mu.Lock()
	if c.err != nil { // it has arrived after all
		c.err = nil
		c.limit.arm(64 * c.l.timers.T1)
	}
	e := classify(res.StatusCode)
	again := c.state == completed || c.state == accepted
	fx := c.step(e)
	if again {
		c.l.stats.againIn.Add(1)
	}
	var out []byte
	if fx.has(ack) {
		if c.h != nil {
			c.out = ackOf(c.h.Request, res)
			out = c.out
			if c.state == terminated {
				c.out = nil
			}
		} else {
			out = c.out
			c.l.stats.againOut.Add(1)
		}
	}
	var cancelled *client
	if c.state == proceeding && c.wanted && !c.cancelSent {
		cancelled = c.makeCancel()
	}
	d := delivery{c.h, res, nil}
	deliver := fx.has(up) && c.u != nil && c.enqueue(d)
	if e != got1xx {
		c.h, c.with = nil, nil
	}
	c.mu.Unlock()

	if out != nil {
		if err := c.l.o.Send.Send(c.to, out); err != nil {
			c.l.stats.errors.Add(1)
			c.mu.Lock()
			c.step(noTransport)
			c.mu.Unlock()
		}
	}
	if cancelled != nil {
		cancelled.start(cancelled.out, false)
	}
	if deliver {
		c.deliver(d)
	}
}

// enqueue leaves d to whoever delivers now; true says that nobody does, and the caller shall, once c.mu is released.
// c.mu is held.
func (c *client) enqueue(d delivery) bool {
	if c.delivering {
		c.later = append(c.later, d)
		return false
	}
	c.delivering = true
	return true
}

// deliver calls the user with d and what comes meanwhile, in order, one call at a time, and with no lock.
func (c *client) deliver(d delivery) {
	done := false
	defer func() {
		if !done { // the user panicked; what came meanwhile must not be stuck
			c.mu.Lock()
			c.delivering = false
			c.mu.Unlock()
		}
	}()
	for {
		if d.h == nil {
			d.h = &Client{To: c.to, tx: c}
		}
		c.mu.Lock()
		u := c.u
		c.mu.Unlock()
		if d.err != nil {
			u.Failed(d.h, d.err)
		} else {
			u.Response(d.h, d.res)
		}
		c.mu.Lock()
		if len(c.later) == 0 {
			break
		}
		d, c.later = c.later[0], c.later[1:]
		c.mu.Unlock()
	}
	c.later, c.delivering = nil, false
	if c.state == completed || c.state == terminated {
		c.u = nil // it was told for the last time
	}
	c.mu.Unlock()
	done = true
}

// expire is the wheel's.
func (c *client) expire(t *Timer, seq uint32) {
	c.mu.Lock()
	if t.seq != seq {
		c.mu.Unlock() // stopped or started anew while it was on its way
		return
	}
	if t == &c.retry {
		fx := c.step(retryFires)
		out := c.out
		c.mu.Unlock()
		if fx.has(resend) && out != nil {
			c.l.stats.againOut.Add(1)
			if err := c.l.o.Send.Send(c.to, out); err != nil {
				c.lost(err)
			}
		}
		return
	}
	err := c.err
	var fx effect
	if err != nil {
		fx = c.step(noTransport)
	} else {
		fx = c.step(limitFires)
		err = ErrTimeout
	}
	if fx.has(failed) {
		c.l.stats.errors.Add(1)
	}
	if fx.has(timeout) {
		c.l.stats.timeouts.Add(1)
	}
	d := delivery{c.h, nil, err}
	deliver := fx.has(timeout|failed) && c.u != nil && c.enqueue(d)
	if c.state == terminated {
		c.h, c.with = nil, nil
	}
	c.mu.Unlock()
	if deliver {
		c.deliver(d)
	}
}
