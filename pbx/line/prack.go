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
	if in == nil && g.overtaken.matches(value(req, "RAck")) {
		g.overtaken = rack{}
		status := 200
		if len(req.Body()) > 0 {
			status = 488 // what was not acknowledged had no description, so there is nothing to go on from
		}
		g.answer(tx, req, status, nil)
		return
	}
	if in == nil || in.rel.waiting == nil || !in.rack().matches(value(req, "RAck")) {
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

// rack is what a RAck header names: a reliable response to an INVITE. The zero value is none.
type rack struct{ rseq, cseq uint32 }

func (in *incoming) rack() rack { return rack{in.rel.rseq, in.seq} }

// matches compares it with a RAck header ("rseq cseq INVITE").
func (r rack) matches(header string) bool {
	f := strings.Fields(header)
	if len(f) != 3 || f[2] != "INVITE" {
		return false
	}
	rseq, err1 := strconv.ParseUint(f[0], 10, 32)
	cseq, err2 := strconv.ParseUint(f[1], 10, 32)
	return err1 == nil && err2 == nil && rseq != 0 && r == rack{uint32(rseq), uint32(cseq)}
}
