package line

import (
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/line/offer"
)

// errNoCodec is what the caller of Answer gets where the INVITE had no offer and there is nothing to offer either.
var errNoCodec = &offer.Error{Status: 488, Text: "no codec that the extension may use"}

// offer is our offer, preferring codecs; nil if the extension may use none of them, or at another time.
func (g *leg) offer(codecs []media.Codec) []byte {
	codecs = g.prefer(codecs)
	if codecs != nil && !anyVoice(codecs) {
		return nil
	}
	return g.sdp.Offer(codecs)
}

// offering reports whether an offer of ours waits for its answer.
func (g *leg) offering() bool { return g.sdp.Pending() == offer.Sent }

// Answer implements pbx.Signalling.
func (g *leg) Answer(prefer []media.Codec) (err error) {
	g.enter(func() { err = g.accept(prefer) })
	return err
}

func (g *leg) accept(prefer []media.Codec) error {
	in := g.in
	if in == nil || g.state != ringing || in.done != nil {
		return nil
	}
	var body []byte
	switch {
	case g.sdp.Pending() == offer.Received:
		var err error
		if body, err = g.sdp.Answer(nil, g.prefer(prefer)); err != nil {
			return err
		}
		g.agree()
		g.rung = false
	case in.relSDP: // settled by 1xx and PRACK (RFC 3262 §5)
	case in.delayed:
		if body = g.offer(prefer); body == nil {
			return errNoCodec
		}
	default:
		body = g.sdp.Repeat()
	}
	res := g.response(200, "")
	res.AppendHeader(g.contact)
	res.AppendHeader(g.line.stock.allow)
	g.line.sayEvents(res)
	res.AppendHeader(g.line.stock.supported)
	for _, h := range g.grant(in.invite) {
		res.AppendHeader(h)
	}
	setBody(res, g.line.stock.typeSDP, body)
	in.done = res
	g.sendDone()
	return nil
}

// sendDone sends the 200, unless a reliable response with SDP still waits for its PRACK (RFC 3262 §5).
func (g *leg) sendDone() {
	in := g.in
	if in == nil || in.done == nil || in.sent || g.state != ringing || in.rel.describes() {
		return
	}
	in.sent = true
	g.state = answered
	g.final(in.done)
	in.invite, in.rel.queue = nil, nil
	t1 := g.line.o.Timers.T1
	in.again = repeat{wait: t1, began: time.Now()}
	in.again.timer = g.after(t1, g.repeatDone)
}

// repeatDone sends the 200 again until the ACK comes, over every transport (RFC 3261 §13.3.1.4).
func (g *leg) repeatDone() {
	in := g.in
	if in == nil || !in.sent {
		return
	}
	t := g.line.o.Timers
	if time.Since(in.again.began) >= 64*t.T1 {
		o := pbx.Outcome{Kind: pbx.Answered, By: pbx.Network, Status: 408, Cause: 102, Reason: []string{`SIP;cause=408;text="ACK timeout"`}}
		if in.bye != nil {
			o = *in.bye
		}
		g.bye(o)
		g.over(o)
		g.gone()
		return
	}
	g.line.reply(in.tx, in.done)
	in.again.wait = min(2*in.again.wait, t.T2)
	in.again.timer = g.after(min(in.again.wait, 64*t.T1-time.Since(in.again.began)), g.repeatDone)
}
