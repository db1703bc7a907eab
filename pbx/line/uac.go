package line

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/line/dialog"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// outgoing is what an outgoing leg needs until Timer M: only its transaction holds it then.
type outgoing struct {
	g      *leg
	inv    pbx.Invitation
	tx     *transaction.Client
	base   dialog.Dialog // before any response; each To-tag's dialog is made from it
	offer  []byte
	early  []early
	late   *late       // who sees to what comes when done
	heard  string      // To-tag of the branch whose early media is heard
	done   bool        // result is on its way: the first final response, or none any more
	result chan result // for Dial

	mu       sync.Mutex
	returned bool // Dial has returned, so there is no more progress
}

// early is an early dialog (RFC 3261 §12.1.2): one for each To-tag, as the INVITE may fork behind the contact.
type early struct {
	dlg     dialog.Dialog
	rseq    uint32 // of its newest reliable response
	settled bool   // the answer came in a reliable response and cannot change any more
	sdp     string // the newest one taken
}

// maxEarly bounds the early dialogs of one call that are kept.
const maxEarly = 8

type result struct {
	leg *pbx.Leg
	o   pbx.Outcome
}

// Dial implements pbx.Line.
func (l *Line) Dial(ctx context.Context, inv pbx.Invitation) (*pbx.Leg, pbx.Outcome) {
	if ctx.Err() != nil {
		return nil, causeOf(ctx)
	}
	b, hop, ok := l.o.Registrar.Binding(inv.To.ID)
	if !ok {
		return nil, pbx.NotRegistered
	}
	g, o := l.outgoing(inv, b, hop)
	if g == nil {
		return nil, o
	}
	out := g.out
	g.enter(g.call)
	var r result
	select {
	case r = <-out.result:
	case <-ctx.Done():
		decided := false
		o := causeOf(ctx)
		g.enter(func() {
			if decided = out.done; !decided {
				g.giveUp(o)
			}
		})
		if decided {
			r = <-out.result // it came first, and is just being handed over
		} else {
			r.o = o
		}
	}
	out.mu.Lock()
	out.returned = true
	out.mu.Unlock()
	return r.leg, r.o
}

// causeOf is why ctx is done, as an Outcome.
func causeOf(ctx context.Context) pbx.Outcome {
	var o pbx.Outcome
	if errors.As(context.Cause(ctx), &o) {
		return o
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return pbx.RangOut
	}
	return pbx.GaveUp
}

// outgoing makes the leg of a call to a binding.
func (l *Line) outgoing(inv pbx.Invitation, b pbx.Binding, hop wire.Hop) (*leg, pbx.Outcome) {
	var target sip.Uri
	if err := sip.ParseUri(b.Contact, &target); err != nil {
		return nil, pbx.Outcome{Kind: pbx.Unreachable, By: pbx.System, Status: 480}
	}
	routes, err := pathOf(b.Path)
	if err != nil {
		return nil, pbx.Outcome{Kind: pbx.Unreachable, By: pbx.System, Status: 480}
	}
	ext := l.o.Directory.Extension(inv.To.Extension)
	g := &leg{line: l, tag: newTag(), hop: hop, binding: inv.To.ID, peer: inv.From.Number, ext: ext}
	g.dlg = dialog.Caller(newCallID(), g.tag, l.from(inv.From, hop), nameAddr("", called(inv.To), l.domain(hop)), dialog.RequestURI(target), routes)
	g.contact = sip.NewHeader("Contact", l.contact(hop))
	if err := g.open(); err != nil {
		l.log.Warn("no port for a call", "to", inv.To.Extension, "err", err)
		return nil, pbx.NoPorts
	}
	body := g.offer(inv.Codecs)
	if body == nil {
		g.stream.Close()
		return nil, pbx.Outcome{Kind: pbx.Failed, By: pbx.System, Status: 488}
	}
	g.out = &outgoing{g: g, inv: inv, offer: body, result: make(chan result, 1)}
	party := pbx.Identity{Number: inv.To.Extension}
	if ext != nil {
		party.Name = ext.Name
	}
	g.pbx = pbx.NewLeg(g, g.tag, false, party, inv.To, g.dlg.CallID)
	l.add(g)
	return g, pbx.Outcome{}
}

func anyVoice(cs []media.Codec) bool {
	for _, c := range cs {
		if !c.IsEvent() && !c.IsComfortNoise() {
			return true
		}
	}
	return false
}

// call sends the INVITE: built from nothing, so that no header of the caller's gets through.
func (g *leg) call() {
	out, s := g.out, &g.line.stock
	if out == nil || out.done {
		return // hung up before it began
	}
	req := g.request(sip.INVITE)
	if n := out.inv.MaxForwards; n > 0 {
		hops := sip.MaxForwardsHeader(n)
		req.ReplaceHeader(&hops)
	}
	req.AppendHeader(g.contact)
	req.AppendHeader(s.allow)
	req.AppendHeader(s.asks)
	g.sentOn(req)
	for _, h := range g.ask() {
		req.AppendHeader(h)
	}
	if a := out.inv.AlertInfo; a != "" {
		req.AppendHeader(sip.NewHeader("Alert-Info", bounded(a)))
	}
	if n := out.inv.AnswerAfter; n >= 0 {
		req.AppendHeader(sip.NewHeader("Call-Info", "<sip:"+g.line.domain(g.hop)+">;answer-after="+strconv.Itoa(n)))
	}
	setBody(req, s.typeSDP, out.offer)
	out.base = g.dlg
	out.tx = g.line.tx.Send(req, reach(g.dlg.NextHop(), g.hop), out)
}

// Response implements transaction.ClientUser.
func (out *outgoing) Response(tx *transaction.Client, res *sip.Response) {
	g := out.g
	g.enter(func() {
		switch {
		case res.CSeq().SeqNo != out.base.LocalSeq: // the INVITE was sent again with another Session-Expires
		case res.StatusCode == 100:
		case res.StatusCode < 200:
			g.progressed(res)
		case res.StatusCode < 300:
			out.accepted(res)
		case res.StatusCode == 422 && !out.done && g.session.min == 0 && g.again(res):
		default:
			g.failed(g.line.outcomeOf(res, g.hop))
		}
	})
}

// Failed implements transaction.ClientUser.
func (out *outgoing) Failed(tx *transaction.Client, err error) {
	g := out.g
	g.enter(func() {
		if out.done {
			return
		}
		if errors.Is(err, transaction.ErrFull) || errors.Is(err, transaction.ErrClosed) {
			g.failed(pbx.Outcome{Kind: pbx.Failed, By: pbx.System, Status: 503})
			return
		}
		g.failed(pbx.Outcome{Kind: pbx.Unreachable, By: pbx.Network, Status: 408})
		id := g.binding
		g.effects = append(g.effects, func() { g.line.o.Registrar.Mark(id, false, 0) })
	})
}

// finish hands Dial its result, after all progress.
func (out *outgoing) finish(r result) {
	out.done = true
	out.g.effects = append(out.g.effects, func() {
		out.result <- r
		out.mu.Lock()
		out.inv = pbx.Invitation{} // Progress holds the caller's leg
		out.mu.Unlock()
	})
	out.tx, out.offer = nil, nil
}

// failed ends an outgoing leg that was not answered.
func (g *leg) failed(o pbx.Outcome) {
	out := g.out
	if out == nil || out.done {
		return
	}
	g.over(o)
	if out.late == nil {
		out.leave()
	}
	out.finish(result{nil, o})
	g.gone()
}

// giveUp cancels an outgoing call, as nobody wants it any more. Whatever final response still comes is seen to: 2xx
// by ACK and BYE (RFC 3261 §9.1, §15).
func (g *leg) giveUp(o pbx.Outcome) {
	out := g.out
	if out == nil || out.done {
		return
	}
	var why []sip.Header
	for _, r := range o.Reason {
		if r = bounded(r); r != "" {
			why = append(why, sip.NewHeader("Reason", r))
		}
	}
	if why == nil && o.Cause != 0 {
		why = append(why, sip.NewHeader("Reason", "Q.850;cause="+strconv.Itoa(o.Cause)))
	}
	if out.tx != nil {
		out.tx.Cancel(why...)
	}
	g.failed(o)
}

// again sends the INVITE once more with the session interval that a 422 demands (RFC 4028 §7.3).
func (g *leg) again(res *sip.Response) bool {
	out := g.out
	n, ok := seconds(value(res, "Min-SE"))
	if !ok || n <= 0 || n > 86400 {
		return false
	}
	g.session.min = time.Duration(n) * time.Second
	g.dlg = out.base // its sequence number goes on
	out.early = nil
	g.call()
	return true
}

// pathOf is the route set that a registered Path stands for (RFC 3327 §5.2), nearest first.
func pathOf(path []string) ([]sip.Uri, error) {
	var routes []sip.Uri
	for _, p := range path {
		var u sip.Uri
		if _, err := sip.ParseAddressValue(p, &u, nil); err != nil {
			return nil, err
		}
		routes = append(routes, u)
	}
	return routes, nil
}
