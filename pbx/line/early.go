package line

import (
	"strconv"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
)

// progressed takes a provisional response of the called phone. There is no limit to how many come.
func (g *leg) progressed(res *sip.Response) {
	out := g.out
	if out == nil || out.done {
		return
	}
	news := pbx.Progress{Status: res.StatusCode}
	if e := out.earlyOf(res); e != nil {
		g.learn(res)
		reliably := false
		if rseq, ok := seconds(value(res, "RSeq")); ok && rseq > 0 && hasToken(res, "Require", "100rel") {
			if e.rseq != 0 && uint32(rseq) != e.rseq+1 {
				return // RFC 3262 §4: repeated, or one before it has been lost and will come again
			}
			reliably = true
			e.rseq = uint32(rseq)
			g.sendPrack(e)
		}
		if body, _ := sdpOf(res); body != nil && !e.settled {
			if g.hear(e, body) == nil {
				e.settled = reliably
				news.Early = g.pbx
			}
		}
	}
	g.effects = append(g.effects, func() { out.tell(news) })
}

// hear takes a branch's answer, unless it is in force already. With several branches the newest is heard.
func (g *leg) hear(e *early, answer []byte) error {
	out := g.out
	if string(answer) == e.sdp && out.heard == e.dlg.RemoteTag {
		return nil
	}
	if err := g.sdp.Accept(answer); err != nil {
		return err
	}
	e.sdp, out.heard = string(answer), e.dlg.RemoteTag
	g.agree()
	return nil
}

// tell passes on progress, unless Dial has returned.
func (out *outgoing) tell(p pbx.Progress) {
	out.mu.Lock()
	defer out.mu.Unlock()
	if !out.returned && out.inv.Progress != nil {
		out.inv.Progress(p)
	}
}

// earlyOf is the early dialog of a response, made anew where its To-tag is; nil without a tag, or if there are too many.
func (out *outgoing) earlyOf(res *sip.Response) *early {
	tag := tagOf(res.To().Params)
	if tag == "" {
		return nil
	}
	for i := range out.early {
		if out.early[i].dlg.RemoteTag == tag {
			out.early[i].dlg.Refresh(res.Contact())
			return &out.early[i]
		}
	}
	if len(out.early) >= maxEarly {
		return nil
	}
	out.early = append(out.early, early{dlg: out.base.Establish(res)})
	return &out.early[len(out.early)-1]
}

// sendPrack acknowledges a reliable provisional response (RFC 3262 §4). The INVITE had an offer, so what came with the
// response is the answer and PRACK has no body.
func (g *leg) sendPrack(e *early) {
	req := e.dlg.Request(sip.PRACK)
	req.AppendHeader(sip.NewHeader("RAck", strconv.FormatUint(uint64(e.rseq), 10)+" "+strconv.FormatUint(uint64(g.out.base.LocalSeq), 10)+" INVITE"))
	req.AppendHeader(g.line.stock.userAgent)
	g.line.tx.Send(req, reach(e.dlg.NextHop(), g.hop), &user{g: g, done: func(*sip.Response, error) {}})
}

// accepted takes a 2xx: the first one wins; the same again is ACKed again; others are ACKed and sent BYE, and so
// is one that comes too late (RFC 3261 §13.2.2.4, §15).
func (out *outgoing) accepted(res *sip.Response) {
	g := out.g
	if out.done { // it was on its way as the call was given up
		out.late.Response(nil, res)
		return
	}
	e := out.earlyOf(res)
	if e == nil {
		e = &early{dlg: out.base.Establish(res)}
	}
	e.dlg.Confirm(res)
	g.dlg = e.dlg
	g.state = confirmed
	g.learn(res)
	g.acknowledge(out.base.LocalSeq)
	answer, _ := sdpOf(res)
	if e.settled || answer == nil {
		answer = []byte(e.sdp) // of a provisional response
	}
	if len(answer) == 0 || g.hear(e, answer) != nil {
		g.bye(pbx.Outcome{Reason: []string{`SIP;cause=488;text="No usable answer in 200"`}})
		out.leave(g.dlg.RemoteTag)
		g.failed(pbx.Outcome{Kind: pbx.Failed, By: pbx.Callee, Status: 488})
		return
	}
	g.listen()
	g.told = true
	g.granted(res)
	g.out = nil
	out.leave(g.dlg.RemoteTag)
	out.finish(result{g.pbx, pbx.Outcome{Kind: pbx.Answered, By: pbx.Callee, Status: 200}})
	if g.sdp.Held() {
		g.held = true
		g.effects = append(g.effects, func() { g.line.o.Exchange.Held(g.pbx, true) })
	}
	g.kick()
}
