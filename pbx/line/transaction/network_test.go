package transaction

import (
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
	"ringback/pbx/pbxtest/memnet"
)

type memHost struct{ *memnet.Host }

func (h memHost) ListenPacket(a netip.AddrPort) (wire.PacketConn, error) {
	return h.Host.ListenPacket(a)
}

// endpoint is a whole stack that answers 180 and 200 (INVITE: odd ones 486), and counts.
type endpoint struct {
	tr *wire.Transport
	l  *Layer

	mu       sync.Mutex
	requests map[string]int // by Call-ID and method
	finals   map[string]int
	failed   int
}

func newEndpoint(t *testing.T, n *memnet.Network, at netip.AddrPort) *endpoint {
	e := &endpoint{requests: map[string]int{}, finals: map[string]int{}}
	e.tr = wire.New(wire.Options{Network: memHost{n.Host(at.Addr())}, UDP: []netip.AddrPort{at}, TCP: []netip.AddrPort{at}, PerSource: 1e6, Burst: 1e6,
		Log: slog.New(slog.DiscardHandler), Closed: func(h wire.Hop) { e.l.Closed(h) }})
	e.l = New(Options{Send: e.tr, User: e, SentBy: func(wire.Hop) (string, int) { return at.Addr().String(), int(at.Port()) }})
	if err := e.tr.Open(e.l.Receive); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *endpoint) close() {
	e.tr.Close()
	e.l.Close()
}

func (e *endpoint) Request(tx *Server) {
	req := tx.Request
	id := req.CallID().Value()
	e.mu.Lock()
	e.requests[id+string(req.Method)]++
	n := len(e.requests)
	e.mu.Unlock()
	code := 200
	if req.Method == sip.INVITE && n%2 == 1 {
		code = 486
	}
	_ = tx.Respond(wire.NewResponse(req, 180, "Ringing", "x"))
	e.l.After(time.Duration(n%5)*time.Second, func() {
		_ = tx.Respond(wire.NewResponse(req, code, "Final", "x"))
		if code != 200 || req.Method != sip.INVITE {
			return
		}
		for d := 500 * time.Millisecond; d < 32*time.Second; d *= 2 { // as the dialog would; here without regard to the ACK
			e.l.After(d, func() { _ = tx.Respond(wire.NewResponse(req, 200, "Final", "x")) })
		}
	})
}
func (e *endpoint) Ack(*sip.Request, wire.Hop)    {}
func (e *endpoint) Cancel(*Server, *sip.Request)  {}
func (e *endpoint) Stray(*sip.Response, wire.Hop) {}

func (e *endpoint) Response(tx *Client, res *sip.Response) {
	if res.StatusCode < 200 || tx.Request == nil {
		return
	}
	e.mu.Lock()
	e.finals[res.CallID().Value()+string(res.CSeq().MethodName)]++
	e.mu.Unlock()
}

func (e *endpoint) Failed(*Client, error) {
	e.mu.Lock()
	e.failed++
	e.mu.Unlock()
}

// Over a network that loses, doubles and reorders datagrams every request arrives at its user once, and every client gets
// one final response; in the end nothing is left.
func TestBadNetwork(t *testing.T) {
	for name, c := range map[string]struct {
		link      memnet.Link
		transport string
	}{
		"loss":      {memnet.Link{Delay: 20 * time.Millisecond, Loss: 0.1}, "udp"},
		"duplicate": {memnet.Link{Delay: 20 * time.Millisecond, Duplicate: 0.5}, "udp"},
		"reorder":   {memnet.Link{Delay: 300 * time.Millisecond, Jitter: 100 * time.Millisecond, Reorder: 0.3}, "udp"},
		"all":       {memnet.Link{Delay: 50 * time.Millisecond, Jitter: 600 * time.Millisecond, Loss: 0.1, Duplicate: 0.2, Reorder: 0.2}, "udp"},
		"tcp":       {memnet.Link{Delay: 100 * time.Millisecond, Jitter: 50 * time.Millisecond}, "tcp"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := memnet.New(42)
				n.SetDefault(c.link)
				a, b := newEndpoint(t, n, here), newEndpoint(t, n, there)
				const calls = 150
				for range calls {
					id := newBranch()
					for _, m := range []sip.RequestMethod{sip.INVITE, sip.OPTIONS, sip.INFO} {
						a.l.Send(newRequest(m, id), wire.Hop{Transport: c.transport, Remote: there, Local: here}, a)
					}
					time.Sleep(50 * time.Millisecond)
				}
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				if len(b.requests) != 3*calls || len(a.finals) != 3*calls || a.failed != 0 {
					t.Errorf("%d requests arrived, %d were answered, %d failed, of %d", len(b.requests), len(a.finals), a.failed, 3*calls)
				}
				for what, n := range b.requests {
					if n != 1 {
						t.Errorf("%s arrived %d times", what, n)
					}
				}
				for what, n := range a.finals {
					if n != 1 {
						t.Errorf("%s was answered %d times", what, n)
					}
				}
				for _, e := range []*endpoint{a, b} {
					s := e.l.Stats()
					for k, kind := range s.Kinds {
						if kind.Alive != 0 {
							t.Errorf("%d transactions of kind %d are left", kind.Alive, k)
						}
					}
					if s.Timers != 0 {
						t.Errorf("%d timers are left", s.Timers)
					}
					e.close()
				}
				n.Close()
			})
		})
	}
}
