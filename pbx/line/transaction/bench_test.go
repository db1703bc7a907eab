package transaction

import (
	"net/netip"
	"testing"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

var (
	here  = netip.MustParseAddrPort("192.0.2.1:5060")
	there = netip.MustParseAddrPort("192.0.2.2:5060")
)

// pipe hands what one layer sends to the other at once, parsed.
type pipe struct {
	to   func() *Layer
	from wire.Hop
}

func (p pipe) Send(_ wire.Hop, b []byte) error {
	m, bad := wire.Parse(b, p.from)
	if bad != nil {
		return bad
	}
	p.to().Receive(m, p.from)
	return nil
}

// answerer is a User that answers 200 to everything.
type answerer struct{}

func (answerer) Request(tx *Server) {
	_ = tx.Respond(wire.NewResponse(tx.Request, 200, "OK", "b"))
}
func (answerer) Ack(*sip.Request, wire.Hop)      {}
func (answerer) Cancel(*Server, *sip.Request)    {}
func (answerer) Stray(*sip.Response, wire.Hop)   {}
func (answerer) Response(*Client, *sip.Response) {}
func (answerer) Failed(*Client, error)           {}

func pair(tb testing.TB) (a, b *Layer) {
	a = New(Options{User: answerer{}, Send: pipe{func() *Layer { return b }, wire.Hop{Transport: "udp", Remote: here, Local: there}}, Max: 10_000_000})
	b = New(Options{User: answerer{}, Send: pipe{func() *Layer { return a }, wire.Hop{Transport: "udp", Remote: there, Local: here}}, Max: 10_000_000})
	tb.Cleanup(a.Close)
	tb.Cleanup(b.Close)
	return a, b
}

func newRequest(method sip.RequestMethod, callID string) *sip.Request {
	req := sip.NewRequest(method, sip.Uri{Scheme: "sip", User: "bob", Host: "192.0.2.2", Port: 5060})
	req.AppendHeader(&sip.FromHeader{Address: sip.Uri{Scheme: "sip", User: "alice", Host: "192.0.2.1"}, Params: sip.HeaderParams{{K: "tag", V: "a"}}})
	req.AppendHeader(&sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: "bob", Host: "192.0.2.2"}})
	id := sip.CallIDHeader(callID)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: 1, MethodName: method})
	mf := sip.MaxForwardsHeader(70)
	req.AppendHeader(&mf)
	return req
}

var udp = wire.Hop{Transport: "udp", Remote: there, Local: here}

// BenchmarkNonInvite is a whole client and server transaction, with building, serialising and parsing both messages.
func BenchmarkNonInvite(b *testing.B) {
	a, _ := pair(b)
	b.ReportAllocs()
	for b.Loop() {
		a.Send(newRequest(sip.OPTIONS, newBranch()), udp, answerer{})
	}
}

// BenchmarkMessages is what of BenchmarkNonInvite is not the transactions': building, serialising and parsing.
func BenchmarkMessages(b *testing.B) {
	from := wire.Hop{Transport: "udp", Remote: here, Local: there}
	l := New(Options{User: answerer{}})
	b.ReportAllocs()
	for b.Loop() {
		req := newRequest(sip.OPTIONS, newBranch())
		l.putVia(req, udp, newBranch())
		m, _ := wire.Parse(wire.Append(make([]byte, 0, 1024), req), from)
		buf := buffers.Get().(*[]byte)
		*buf = wire.Append((*buf)[:0], wire.NewResponse(m.(*sip.Request), 200, "OK", "b"))
		wire.Parse(*buf, from)
		buffers.Put(buf)
	}
}

func BenchmarkTimer(b *testing.B) {
	l := New(Options{})
	b.Cleanup(l.Close)
	b.ReportAllocs()
	for b.Loop() {
		l.After(32e9, func() {}).Stop()
	}
}
