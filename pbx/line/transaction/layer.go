package transaction

import (
	"bytes"
	"cmp"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

// Errors that Failed, Respond and SendStateless give. A transport's own error comes as it is.
var (
	ErrTimeout    = errors.New("no final response in time (RFC 3261 §17.1, Timer B or F)")
	ErrTerminated = errors.New("the transaction has ended")
	ErrClosed     = errors.New("the transaction layer is closed")
	ErrFull       = errors.New("too many transactions")
	ErrConn       = errors.New("the connection was lost before a response came")
)

// Options say what a Layer stands on. Send and User are required.
type Options struct {
	Send   wire.Sender
	User   User
	Timers Timers

	// SentBy is what goes into the Via for a hop: the address under which the hop's far end reaches us.
	// Port 0 leaves it out. Without it the hop's Local is used.
	SentBy func(to wire.Hop) (host string, port int)

	// Max bounds the transactions alive at once, client and server together; 0 means 500,000. From 80 % on, a new
	// request outside a dialog for which Shed says true is answered 503 with Retry-After and leaves nothing behind;
	// at Max every new request is, and Send fails with ErrFull.
	Max  int
	Shed func(req *sip.Request, from wire.Hop) bool

	// Server is the Server header of the responses that the layer makes itself; "" leaves it out.
	Server string

	// Log is told of what should not happen; nil means slog.Default().
	Log *slog.Logger
}

const tryingAfter = 200 * time.Millisecond // RFC 3261 §17.2.1: 100 "if it knows that the TU will not … within 200 ms"

// Layer holds all transactions. Its methods may be called from any goroutine.
type Layer struct {
	o      Options
	log    *slog.Logger
	timers Timers
	hash   hasher

	servers table[*server]
	merged  table[*server]
	clients table[*client]
	waiting waiting
	alive   atomic.Int64
	wheel   wheel
	stats   stats

	gate gate
}

// New makes a Layer. It starts no goroutine until there is a timer to keep.
func New(o Options) *Layer {
	l := &Layer{o: o, log: cmp.Or(o.Log, slog.Default()), hash: newHasher(), timers: Timers{
		T1: cmp.Or(o.Timers.T1, 500*time.Millisecond), T2: cmp.Or(o.Timers.T2, 4*time.Second), T4: cmp.Or(o.Timers.T4, 5*time.Second),
	}}
	l.o.Max = cmp.Or(o.Max, 500_000)
	l.wheel.init()
	l.gate.idle = make(chan struct{})
	return l
}

// Receive is a wire.Receiver: every message that arrives goes in here. Messages are taken as wire.Parse gives them: with
// the mandatory headers, and the Via of a request stamped.
func (l *Layer) Receive(m sip.Message, from wire.Hop) {
	if !l.gate.enter() {
		return
	}
	defer l.gate.leave()
	switch m := m.(type) {
	case *sip.Request:
		l.request(m, from)
	case *sip.Response:
		l.response(m, from)
	}
}

func (l *Layer) request(req *sip.Request, from wire.Hop) {
	via := req.Via()
	switch req.Method {
	case sip.ACK:
		if s, ok := l.servers.get(l.hash.server(req, via, sip.INVITE, from.Transport)); !ok || s.ack() {
			l.o.User.Ack(req, from)
		}
		return
	case sip.CANCEL:
		l.cancel(req, via, from)
		return
	}
	k := l.hash.server(req, via, req.Method, from.Transport)
	if s, ok := l.servers.get(k); ok {
		s.again()
		return
	}
	initial := !req.To().Params.Has("tag")
	if n := l.alive.Load(); n >= int64(l.o.Max) || initial && n >= int64(l.o.Max)*8/10 && l.o.Shed != nil && l.o.Shed(req, from) {
		l.stats.shed.Add(1)
		// Not all at once again.
		l.stateless(req, from, sip.StatusServiceUnavailable, "Service Unavailable", sip.NewHeader("Retry-After", strconv.Itoa(5+rand.IntN(15))))
		return
	}
	s := newServer(l, k, req, from)
	if initial {
		s.mergedKey, s.initial = l.hash.merged(req), true
		if old, taken := l.merged.add(s.mergedKey, s); taken {
			switch {
			case old.key == k: // two readers at once
				old.again()
				return
			case old.key == l.hash.server(req, via, req.Method, old.to.Transport): // its client tries another transport
				s.initial = false
			default:
				// §8.2.2.2: "the request has arrived at the UAS more than once, following different paths, most likely due to
				// forking … SHOULD generate a 482 (Loop Detected)".
				l.stats.merged.Add(1)
				l.stateless(req, from, sip.StatusLoopDetected, "Merged Request")
				return
			}
		}
	}
	if old, taken := l.servers.add(k, s); taken { // the same request on two readers at once
		if s.initial {
			l.merged.remove(s.mergedKey, s)
		}
		old.again()
		return
	}
	l.alive.Add(1)
	l.stats.alive[s.kind()].Add(1)
	l.stats.total[s.kind()].Add(1)
	h := s.user
	s.start()
	l.o.User.Request(h)
}

// cancel answers a CANCEL (§9.2). It makes no transaction: the answer is the same each time.
func (l *Layer) cancel(req *sip.Request, via *sip.ViaHeader, from wire.Hop) {
	s, ok := l.servers.get(l.hash.server(req, via, sip.INVITE, from.Transport))
	if !ok {
		l.stateless(req, from, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
		return
	}
	h, toTag := s.cancelled()
	// "the To tag of the response to the CANCEL and the To tag in the response to the original request SHOULD be the same."
	l.statelessTag(req, from, sip.StatusOK, "OK", toTag)
	if h != nil {
		l.o.User.Cancel(h, req)
	}
}

func (l *Layer) stateless(req *sip.Request, from wire.Hop, code int, reason string, more ...sip.Header) {
	l.statelessTag(req, from, code, reason, "", more...)
}

func (l *Layer) statelessTag(req *sip.Request, from wire.Hop, code int, reason, toTag string, more ...sip.Header) {
	via := req.Via()
	if toTag == "" {
		toTag = wire.StatelessTag(string(*req.CallID()) + via.Params.GetOr("branch", ""))
	}
	res := wire.NewResponse(req, code, reason, toTag)
	for _, h := range more {
		res.AppendHeader(h)
	}
	if l.o.Server != "" {
		res.AppendHeader(sip.NewHeader("Server", l.o.Server))
	}
	_ = l.SendStateless(res, wire.ResponseHop(via, from))
}

func (l *Layer) response(res *sip.Response, from wire.Hop) {
	count(&l.stats.in, res.StatusCode)
	vias := 0
	for _, h := range res.Headers() {
		if _, ok := h.(*sip.ViaHeader); ok {
			vias++
		}
	}
	if vias != 1 {
		return // §8.1.3.3: "If more than one Via header field value is present in a response, the UAC SHOULD discard the message."
	}
	branch, _ := res.Via().Params.Get("branch")
	if c, ok := l.clients.get(l.hash.client(branch, res.CSeq().MethodName)); ok {
		c.response(res)
		return
	}
	l.stats.strays.Add(1)
	l.o.User.Stray(res, from)
}

// Send starts a client transaction: it puts a Via with a new branch on top of req, sends it, and tells u what became
// of it. It takes req over. It never calls u before it returns; an error comes to Failed, soon.
func (l *Layer) Send(req *sip.Request, to wire.Hop, u ClientUser) *Client {
	h := &Client{Request: req, To: to}
	branch := newBranch()
	l.putVia(req, to, branch)
	if req.MaxForwards() == nil {
		mf := sip.MaxForwardsHeader(70)
		req.AppendHeader(&mf)
	}
	c := &client{l: l, key: l.hash.client(branch, req.Method), to: to, u: u, h: h, invite: req.Method == sip.INVITE, reliable: to.Reliable()}
	h.tx = c
	buf := buffers.Get().(*[]byte)
	*buf = wire.Append((*buf)[:0], req)
	out := bytes.Clone(*buf) // kept for retransmissions, so no longer than it has to be
	buffers.Put(buf)
	c.start(out, l.alive.Load() >= int64(l.o.Max))
	return h
}

func (l *Layer) putVia(req *sip.Request, to wire.Hop, branch string) {
	via := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: strings.ToUpper(to.Transport)}
	if l.o.SentBy != nil {
		via.Host, via.Port = l.o.SentBy(to)
	} else {
		via.Host, via.Port = to.Local.Addr().String(), int(to.Local.Port())
	}
	via.Params = make(sip.HeaderParams, 0, 2)
	via.Params = append(via.Params, sip.HeaderKV{K: "branch", V: branch})
	if !to.Reliable() {
		via.Params = append(via.Params, sip.HeaderKV{K: "rport"}) // RFC 3581 §3
	}
	req.PrependHeader(via)
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// SendStateless sends m without a transaction. An ACK without a Via gets one with a new branch (RFC 3261 §13.2.2.4:
// the ACK of a 2xx is a transaction of its own); anything else goes as it is.
func (l *Layer) SendStateless(m sip.Message, to wire.Hop) error {
	switch m := m.(type) {
	case *sip.Request:
		if m.Via() == nil {
			l.putVia(m, to, newBranch())
		}
	case *sip.Response:
		count(&l.stats.out, m.StatusCode)
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	*buf = wire.Append((*buf)[:0], m)
	return l.o.Send.Send(to, *buf)
}

// Closed tells the layer that a stream connection has ended (wire.Options.Closed): requests on it that no response has
// come for fail with ErrConn. Those that ring go on, since their responses may come by a new connection (§18.2.2).
func (l *Layer) Closed(hop wire.Hop) {
	if !l.gate.enter() {
		return
	}
	defer l.gate.leave()
	for _, c := range l.waiting.on(hop) {
		c.lost(ErrConn)
	}
}

// Close ends every transaction and timer; when it has returned, no callback comes any more. It waits for those that run,
// so it must not be called from one. Close the transport first, so that nothing is received meanwhile.
func (l *Layer) Close() {
	l.gate.close()
	l.wheel.close()
	l.servers.clear()
	l.merged.clear()
	l.clients.clear()
}

// gate counts who is inside, and lets nobody in once it is closed.
type gate struct {
	n    atomic.Int64 // + shut
	idle chan struct{}
	once sync.Once
}

const shut = -1 << 62

func (g *gate) enter() bool {
	if g.n.Add(1) > 0 {
		return true
	}
	g.leave()
	return false
}

func (g *gate) leave() {
	if g.n.Add(-1) == shut {
		g.once.Do(func() { close(g.idle) })
	}
}

func (g *gate) close() {
	for {
		n := g.n.Load()
		if n < 0 {
			break
		}
		if g.n.CompareAndSwap(n, n+shut) {
			if n == 0 {
				g.once.Do(func() { close(g.idle) })
			}
			break
		}
	}
	<-g.idle
}
