package transaction

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"

	"ringback/pbx/line/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sent is a message that the layer sent.
type sent struct {
	at time.Duration
	to wire.Hop
	m  sip.Message
}

func (s sent) request() *sip.Request   { r, _ := s.m.(*sip.Request); return r }
func (s sent) response() *sip.Response { r, _ := s.m.(*sip.Response); return r }

func (s sent) String() string {
	if r := s.request(); r != nil {
		return fmt.Sprintf("%v %s", s.at, r.Method)
	}
	return fmt.Sprintf("%v %d", s.at, s.response().StatusCode)
}

// rig is a Layer in a bubble, with everything that it sends and says written down.
type rig struct {
	t     *testing.T
	l     *Layer
	start time.Time

	mu   sync.Mutex
	out  []sent
	said []string // what the users were told
	err  error    // of Send

	onRequest  func(*Server)
	onResponse func(*Client, *sip.Response)
	requests   []*Server
	clients    []*Client // of responses
}

// bubble runs f in virtual time, closes the layer, and checks that nothing is left.
func bubble(t *testing.T, o Options, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, start: time.Now()}
		o.Send, o.User = r, r
		r.l = New(o)
		defer r.l.Close()
		f(t, r)
	})
}

// gone fails unless every transaction and timer has ended.
func (r *rig) gone() {
	r.t.Helper()
	s := r.l.Stats()
	for k, kind := range s.Kinds {
		if kind.Alive != 0 {
			r.t.Errorf("%d transactions of kind %d are left", kind.Alive, k)
		}
	}
	if n := len(r.l.servers.all()) + len(r.l.merged.all()) + len(r.l.clients.all()) + len(r.l.waiting.at); n != 0 || s.Timers != 0 {
		r.t.Errorf("%d table entries and %d timers are left", n, s.Timers)
	}
}

func (r *rig) Send(to wire.Hop, b []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	m, bad := wire.Parse(b, wire.Hop{Transport: to.Transport, Remote: here})
	if bad != nil {
		r.t.Errorf("sent what is malformed (%s): %q", bad.What, b)
		return nil
	}
	r.out = append(r.out, sent{time.Since(r.start), to, m})
	return nil
}

func (r *rig) say(format string, a ...any) {
	r.mu.Lock()
	r.said = append(r.said, fmt.Sprintf("%v ", time.Since(r.start))+fmt.Sprintf(format, a...))
	r.mu.Unlock()
}

func (r *rig) Request(tx *Server) {
	r.say("request %s", tx.Request.Method)
	r.requests = append(r.requests, tx)
	if r.onRequest != nil {
		r.onRequest(tx)
	}
}
func (r *rig) Ack(req *sip.Request, _ wire.Hop)    { r.say("ack %s", tag(req.To().Params)) }
func (r *rig) Cancel(_ *Server, c *sip.Request)    { r.say("cancel") }
func (r *rig) Stray(res *sip.Response, _ wire.Hop) { r.say("stray %d", res.StatusCode) }
func (r *rig) Failed(_ *Client, err error) {
	for name, e := range map[string]error{"timeout": ErrTimeout, "full": ErrFull, "conn": ErrConn, "refused": errRefused} {
		if errors.Is(err, e) {
			r.say("failed %s", name)
		}
	}
}
func (r *rig) Response(c *Client, res *sip.Response) {
	r.say("%d %s", res.StatusCode, tag(res.To().Params))
	r.clients = append(r.clients, c)
	if r.onResponse != nil {
		r.onResponse(c, res)
	}
}

var errRefused = errors.New("refused")

// after lets d pass.
func (r *rig) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (r *rig) wantSent(want ...string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var got []string
	for _, s := range r.out {
		got = append(got, s.String())
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		r.t.Errorf("sent\n%s\nwant\n%s", g, w)
	}
}

func (r *rig) wantSaid(want ...string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if g, w := strings.Join(r.said, "\n"), strings.Join(want, "\n"); g != w {
		r.t.Errorf("said\n%s\nwant\n%s", g, w)
	}
}

// reply gives a response to what the layer sent first.
func (r *rig) reply(code int, toTag string) { r.replyTo(r.sent(0).request(), code, toTag) }

func (r *rig) replyTo(req *sip.Request, code int, toTag string) {
	r.t.Helper()
	r.in(wire.Append(nil, wire.NewResponse(req, code, "Reason", toTag)))
}

// in gives the layer a message from the far end.
func (r *rig) in(b []byte) { r.inFrom(b, udp) }

func (r *rig) inFrom(b []byte, from wire.Hop) {
	r.t.Helper()
	m, bad := wire.Parse(b, from)
	if bad != nil {
		r.t.Fatalf("malformed: %s in %q", bad.What, b)
	}
	r.l.Receive(m, from)
	synctest.Wait()
}

// get is a request of the far end; with "Header: value" lines one changes or adds to it.
func get(method, branch string, more ...string) []byte {
	set := map[string]string{
		"Via": "SIP/2.0/UDP 192.0.2.2:5060;branch=" + branch + ";rport", "From": "<sip:bob@192.0.2.2>;tag=b",
		"To": "<sip:alice@192.0.2.1>", "Call-ID": "c1", "CSeq": "1 " + method, "Max-Forwards": "70",
	}
	order := []string{"Via", "From", "To", "Call-ID", "CSeq", "Max-Forwards"}
	for _, h := range more {
		k, v, _ := strings.Cut(h, ": ")
		if _, ok := set[k]; !ok {
			order = append(order, k)
		}
		set[k] = v
	}
	s := method + " sip:alice@192.0.2.1 SIP/2.0\r\n"
	for _, k := range order {
		if set[k] != "" {
			s += k + ": " + set[k] + "\r\n"
		}
	}
	return []byte(s + "Content-Length: 0\r\n\r\n")
}

func tcp() wire.Hop {
	return wire.Hop{Transport: "tcp", Remote: netip.MustParseAddrPort("192.0.2.2:40000"), Local: here, Conn: 7}
}

func respond(t *testing.T, tx *Server, code int) {
	t.Helper()
	if err := tx.Respond(wire.NewResponse(tx.Request, code, "Reason", "a")); err != nil {
		t.Errorf("Respond %d: %v", code, err)
	}
}

func (r *rig) refuse(err error) {
	r.mu.Lock()
	r.err = err
	r.mu.Unlock()
}

func (r *rig) sent(i int) sent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out[i]
}

func (r *rig) forget() {
	r.mu.Lock()
	r.out = nil
	r.mu.Unlock()
}
