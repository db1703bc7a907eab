package line

import (
	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/dialog"
	"ringback/pbx/line/transaction"
)

// updated answers the phone's UPDATE (RFC 3311 §5.2), early or confirmed.
func (g *leg) updated(tx *transaction.Server, req *sip.Request, d *dialog.Dialog) {
	if g.line.tooBrief(req) {
		g.answer(tx, req, 422, nil, wholeSeconds("Min-SE", g.line.o.MinSE))
		return
	}
	body, ok := sdpOf(req)
	if !ok {
		g.answer(tx, req, 415, nil, g.line.stock.acceptSDP, g.line.stock.encoding)
		return
	}
	var reply []byte
	if body != nil {
		if g.modify.ours {
			g.answer(tx, req, 491, nil)
			return
		}
		var err error
		if reply, err = g.sdp.Answer(body, g.current()); err != nil {
			g.refuseOffer(tx, req, err)
			return
		}
		g.agree()
	}
	d.Refresh(req.Contact())
	g.learn(req)
	more := []sip.Header{g.contact, g.line.stock.allow}
	if g.state == confirmed {
		more = append(more, g.grant(req)...)
	}
	g.answer(tx, req, 200, reply, more...)
	if g.state == confirmed {
		g.startSession()
	}
}

// update refreshes the session without an offer (RFC 4028 §7.4).
func (g *leg) update() {
	m := &g.modify
	req := g.request(sip.UPDATE)
	req.AppendHeader(g.contact)
	req.AppendHeader(supportsTimer)
	for _, h := range g.ask() {
		req.AppendHeader(h)
	}
	m.ours, m.seq = true, g.dlg.LocalSeq
	g.send(req, func(res *sip.Response, err error) {
		if err == nil && res.StatusCode < 200 || g.state == released {
			return
		}
		m.ours = false
		switch {
		case fatal(res, err):
			g.lost(g.lostBy(res, err))
			return
		case res.StatusCode < 300:
			g.dlg.Refresh(res.Contact())
			g.granted(res)
			m.refresh = false
		case res.StatusCode == 491:
			g.backOff()
		case res.StatusCode == 405 || res.StatusCode == 501:
			g.updates = false // by re-INVITE, then
		default:
			m.refresh = false
			g.refreshFailed(res)
		}
		g.kick()
	})
}
