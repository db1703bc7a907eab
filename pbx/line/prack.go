package line

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/offer"
	"ringback/pbx/line/transaction"
)

// prack takes the acknowledgement of a reliable provisional response (RFC 3262 §3, §5).
func (g *leg) prack(tx *transaction.Server, req *sip.Request) {
	in := g.in
	if in == nil || in.rel.waiting == nil || !in.acknowledges(value(req, "RAck")) {
		g.answer(tx, req, 481, nil)
		return
	}
	body, ok := sdpOf(req)
	if !ok {
		g.answer(tx, req, 415, nil, g.line.stock.acceptSDP)
		return
	}
	var reply []byte
	switch {
	case g.sdp.Pending() == offer.Sent && in.rel.sdp: // our offer was in it, so the answer is here
		if body == nil || g.sdp.Accept(body) != nil {
			g.answer(tx, req, 200, nil)
			g.refuse(pbx.Outcome{Kind: pbx.Failed, By: pbx.Caller, Status: 488})
			return
		}
		g.agree()
	case body != nil:
		var err error
		if reply, err = g.sdp.Answer(body, g.current()); err != nil {
			g.refuseOffer(tx, req, err)
			return
		}
		g.agree()
	}
	stop(&in.rel.again.timer)
	in.rel.waiting = nil
	g.answer(tx, req, 200, reply)
	if in.sent {
		return
	}
	if len(in.rel.queue) > 0 {
		next := in.rel.queue[0]
		in.rel.queue = in.rel.queue[1:]
		g.sendReliable(next.status, next.body)
	}
	g.sendDone()
}

// acknowledges compares a RAck header ("rseq cseq INVITE") with the response that waits.
func (in *incoming) acknowledges(rack string) bool {
	f := strings.Fields(rack)
	if len(f) != 3 || f[2] != "INVITE" {
		return false
	}
	rseq, err1 := strconv.ParseUint(f[0], 10, 32)
	cseq, err2 := strconv.ParseUint(f[1], 10, 32)
	return err1 == nil && err2 == nil && uint32(rseq) == in.rel.rseq && uint32(cseq) == in.seq
}
