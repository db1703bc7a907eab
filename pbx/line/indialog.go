package line

import (
	"math/rand/v2"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/dialog"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// handle takes a request in the dialog (RFC 3261 §12.2.2). It is answered here, whatever the plan is doing.
func (g *leg) handle(tx *transaction.Server, req *sip.Request, from wire.Hop) {
	defer func() {
		if p := recover(); p != nil {
			g.line.reply(tx, g.line.respond(req, 500, "", g.tag))
			panic(p)
		}
	}()
	d := g.dialogOf(req)
	if d == nil {
		g.line.refuse(tx, 481, "")
		return
	}
	if !d.Receive(req.CSeq().SeqNo) {
		g.answer(tx, req, 500, nil)
		return
	}
	if g.state == released && req.Method != sip.BYE {
		g.answer(tx, req, 481, nil)
		return
	}
	if !g.line.requires(tx, req) {
		return
	}
	if from.Reliable() || from.Remote.Addr() == g.hop.Remote.Addr() {
		g.hop = from // a new connection, or another port of the NAT in front of the phone
	}
	switch req.Method {
	case sip.INVITE:
		g.reinvited(tx, req)
	case sip.UPDATE:
		g.updated(tx, req, d)
	case sip.BYE:
		g.hungUp(tx, req)
	case sip.PRACK:
		g.prack(tx, req)
	case sip.INFO:
		g.info(tx, req)
	case sip.MESSAGE:
		g.messaged(tx, req)
	case sip.OPTIONS:
		g.line.options(tx, req)
	case sip.SUBSCRIBE:
		g.line.shared(tx, req)
	case sip.NOTIFY:
		g.answer(tx, req, 481, nil) // RFC 6665 §4.1.3: no such subscription
	case sip.REFER:
		g.answer(tx, req, 405, nil, g.line.stock.allow)
	default:
		g.answer(tx, req, 501, nil, g.line.stock.allow)
	}
}

// dialogOf is the dialog of this leg that a request belongs to: with several early ones, that of its tag.
func (g *leg) dialogOf(req *sip.Request) *dialog.Dialog {
	if g.out != nil && g.state == ringing {
		for i := range g.out.early {
			if d := &g.out.early[i].dlg; d.Matches(req) {
				return d
			}
		}
		return nil
	}
	if !g.dlg.Matches(req) {
		return nil
	}
	return &g.dlg
}

// answer responds to a request in the dialog.
func (g *leg) answer(tx *transaction.Server, req *sip.Request, status int, body []byte, more ...sip.Header) {
	res := g.line.respond(req, status, "", g.tag)
	for _, h := range more {
		res.AppendHeader(h)
	}
	setBody(res, g.line.stock.typeSDP, body)
	g.line.reply(tx, res)
}

// refuseOffer answers a request whose offer cannot be taken, now or at all.
func (g *leg) refuseOffer(tx *transaction.Server, req *sip.Request, err error) {
	switch status, text := statusOf(err); status {
	case 500:
		g.answer(tx, req, 500, nil, retryWithin10())
	case 491:
		g.answer(tx, req, 491, nil)
	default:
		g.answer(tx, req, status, nil, g.line.warning(304, text))
	}
}

// retryWithin10 is the Retry-After of RFC 3261 §14.2 and RFC 3311 §5.2: a random value between 0 and 10 seconds.
func retryWithin10() sip.Header { return number("Retry-After", rand.IntN(11)) }
