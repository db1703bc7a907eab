package line

import (
	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/transaction"
)

// Hangup implements pbx.Signalling.
func (g *leg) Hangup(o pbx.Outcome) { g.enter(func() { g.end(o) }) }

// end ends the leg from our side, in whatever state it is.
func (g *leg) end(o pbx.Outcome) {
	switch g.state {
	case ringing:
		if g.in != nil {
			g.refuse(o)
		} else if g.out != nil {
			g.giveUp(o)
		}
	case answered:
		// RFC 3261 §15: no BYE before the ACK, or before the 200 has been repeated in vain.
		g.in.bye = &o
		g.over(o)
	case confirmed:
		g.bye(o)
		g.over(o)
		g.gone()
	}
}

// bye sends BYE with the reason of o (RFC 3326). What becomes of it changes nothing any more.
func (g *leg) bye(o pbx.Outcome) {
	req := g.request(sip.BYE)
	addReasons(req, o)
	g.send(req, func(*sip.Response, error) {})
}

// hungUp is the phone's BYE, also on an early dialog or before the ACK (RFC 3261 §15.1.2).
func (g *leg) hungUp(tx *transaction.Server, req *sip.Request) {
	g.answer(tx, req, 200, nil)
	o := pbx.Outcome{Kind: pbx.Answered, By: pbx.Callee, Cause: 16}
	if g.incoming {
		o.By = pbx.Caller
	}
	if o.Reason = texts(req, "Reason"); len(o.Reason) > 0 {
		o.Cause = q850(o.Reason)
	}
	switch {
	case g.state == ringing && g.in != nil:
		o.Kind, o.Status = pbx.Cancelled, 487
		g.final(g.response(487, ""))
	case g.state == ringing:
		return // a callee may not (RFC 3261 §15); its final response decides
	}
	g.over(o)
	g.gone()
}
