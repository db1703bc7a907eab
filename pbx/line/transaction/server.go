package transaction

import (
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

// Server is a server transaction: a request that came, and the responses to it. The layer lets go of it once the final
// response was given, so the request lives as long as the user keeps the Server.
type Server struct {
	Request *sip.Request // as it came; read-only
	From    wire.Hop
	tx      *server
}

// Respond sends a provisional or the final response. The first final response decides: later ones give
// ErrTerminated, except that the 2xx of an INVITE may be repeated until Timer L (RFC 6026 §7.1).
// A transport error is returned; the transaction goes on, and final responses other than 2xx of INVITE are sent again.
// If nothing was responded to an INVITE for 200 ms, the layer sends 100 Trying by itself. Callable from any goroutine.
func (s *Server) Respond(res *sip.Response) error { return s.tx.respond(res) }

// RespondStateless gives the only response to a request and forgets the request at once (RFC 3261 §8.2.7): the response
// is not sent again, a retransmission is a new request to the user, and the ACK finds no transaction. For challenges,
// so that strangers neither fill the tables nor have one datagram with a forged source answered by eleven.
func (s *Server) RespondStateless(res *sip.Response) error { return s.tx.respondStateless(res) }

// Cancelled reports whether a CANCEL came before the final response. User.Cancel was called, or is being called: who makes
// something of a request that a CANCEL has to find asks afterwards, lest it came in between.
func (s *Server) Cancelled() bool {
	s.tx.mu.Lock()
	defer s.tx.mu.Unlock()
	return s.tx.canceled
}

// server is what the layer keeps. After the final response that is its bytes and what matching needs.
type server struct {
	l         *Layer
	key       key
	mergedKey key
	to        wire.Hop // where the responses go
	initial   bool     // has a mergedKey
	invite    bool
	reliable  bool

	mu       sync.Mutex
	user     *Server // nil after the final response
	toTag    string  // of the responses
	state    state
	canceled bool
	answered bool // something was responded
	last     []byte
	retry    Timer
	limit    Timer
	interval time.Duration
}

func newServer(l *Layer, k key, req *sip.Request, from wire.Hop) *server {
	s := &server{l: l, key: k, to: wire.ResponseHop(req.Via(), from), invite: req.Method == sip.INVITE, reliable: from.Reliable(), state: trying}
	if s.invite {
		s.state = proceeding
	}
	s.user = &Server{Request: req, From: from, tx: s}
	s.retry = Timer{w: &l.wheel, e: s}
	s.limit = Timer{w: &l.wheel, e: s}
	return s
}

func (s *server) kind() int {
	if s.invite {
		return InviteServer
	}
	return NonInviteServer
}

func (s *server) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.invite {
		s.retry.arm(tryingAfter)
	} else {
		s.limit.arm(64 * s.l.timers.T1)
	}
}

// step runs the state machine and does what it says; s.mu is held. What is to be sent is given back, to be sent without
// the lock.
func (s *server) step(e event) (out []byte, fx effect) {
	machine := nonInviteServer
	if s.invite {
		machine = inviteServer
	}
	before := s.state
	s.state, fx = machine(s.state, e, s.reliable)
	if fx.has(stopRetry) {
		s.retry.Stop()
	}
	if fx.has(stopLimit) {
		s.limit.Stop()
	}
	t := &s.l.timers
	if fx.has(startRetry) {
		s.interval = min(2*s.interval, t.T2)
		if before != completed {
			s.interval = t.T1
		}
		s.retry.arm(s.interval) // Timer G
	}
	if fx.has(startLimit) {
		if s.state == confirmed {
			s.limit.arm(t.T4) // Timer I
		} else {
			s.limit.arm(64 * t.T1) // Timers H, J, L
		}
	}
	if fx.has(resend) {
		out = s.last
	}
	if fx.has(timeout) {
		s.l.stats.timeouts.Add(1)
	}
	if s.state == confirmed || s.state == terminated {
		s.last = nil
	}
	if s.state == terminated && before != terminated {
		s.forget()
	}
	return out, fx
}

// forget takes the terminated transaction out of the layer; s.mu is held.
func (s *server) forget() {
	s.retry.Stop()
	s.limit.Stop()
	s.user = nil
	l := s.l
	l.servers.remove(s.key, s)
	if s.initial {
		l.merged.remove(s.mergedKey, s)
	}
	l.alive.Add(-1)
	l.stats.alive[s.kind()].Add(-1)
}

func (s *server) send(out []byte) {
	if out == nil {
		return
	}
	s.l.stats.againOut.Add(1)
	if err := s.l.o.Send.Send(s.to, out); err != nil {
		s.l.stats.errors.Add(1)
	}
}

// again is a retransmission of the request.
func (s *server) again() {
	s.l.stats.againIn.Add(1)
	s.mu.Lock()
	out, _ := s.step(gotRequest)
	s.mu.Unlock()
	s.send(out)
}

// ack says whether the ACK goes to the user.
func (s *server) ack() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, fx := s.step(gotAck)
	return fx.has(up)
}

// cancelled notes a CANCEL, and gives the handle if the user is to be told, once.
func (s *server) cancelled() (h *Server, toTag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == proceeding && !s.canceled {
		s.canceled = true
		h = s.user
	}
	return h, s.toTag
}

func (s *server) respond(res *sip.Response) error {
	if !s.l.gate.enter() {
		return ErrClosed
	}
	defer s.l.gate.leave()
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	*buf = wire.Append((*buf)[:0], res)

	e := send1xx + (classify(res.StatusCode) - got1xx)
	s.mu.Lock()
	// Past the final response, the machine knows of nothing to send but more 2xx of an INVITE.
	if final := s.user == nil; final && !(s.state == accepted && e == send2xx) {
		s.mu.Unlock()
		return ErrTerminated
	}
	s.answered = true
	s.step(e)
	if to := res.To(); to != nil && s.invite && s.toTag == "" {
		s.toTag = tag(to.Params)
	}
	switch {
	case e != send1xx:
		s.user = nil
		// The 2xx of an INVITE is repeated by its user; over a stream nothing is.
		if s.last = nil; !s.reliable && s.state != accepted {
			s.last = append(make([]byte, 0, len(*buf)), *buf...)
		}
	case !s.reliable:
		s.last = append([]byte(nil), *buf...)
	}
	s.mu.Unlock()

	count(&s.l.stats.out, res.StatusCode)
	err := s.l.o.Send.Send(s.to, *buf)
	if err != nil {
		s.l.stats.errors.Add(1)
	}
	return err
}

func (s *server) respondStateless(res *sip.Response) error {
	if !s.l.gate.enter() {
		return ErrClosed
	}
	defer s.l.gate.leave()
	s.mu.Lock()
	if s.user == nil {
		s.mu.Unlock()
		return ErrTerminated
	}
	s.state, s.answered = terminated, true
	s.forget()
	s.mu.Unlock()

	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	*buf = wire.Append((*buf)[:0], res)
	count(&s.l.stats.out, res.StatusCode)
	err := s.l.o.Send.Send(s.to, *buf)
	if err != nil {
		s.l.stats.errors.Add(1)
	}
	return err
}

// expire is the wheel's.
func (s *server) expire(t *Timer, seq uint32) {
	s.mu.Lock()
	if t.seq != seq {
		s.mu.Unlock() // stopped or started anew while it was on its way
		return
	}
	if t == &s.limit {
		s.step(limitFires)
		s.mu.Unlock()
		return
	}
	if s.state == proceeding {
		h := s.user
		quiet := !s.answered
		s.mu.Unlock()
		if quiet && h != nil {
			_ = s.respond(wire.NewResponse(h.Request, sip.StatusTrying, "Trying", ""))
		}
		return
	}
	out, _ := s.step(retryFires)
	s.mu.Unlock()
	s.send(out)
}
