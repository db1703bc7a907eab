package line

import (
	"math/rand/v2"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/line/offer"
)

// reliable is the state of RFC 3262 at the called end: one response at a time waits for its PRACK.
type reliable struct {
	rseq    uint32        // of the newest one, 0 before the first
	waiting *sip.Response // until its PRACK comes
	sdp     bool          // it carries a description
	queue   []news        // those that have to wait for it
	again   repeat
}

// describes reports whether a description is under way that has not been acknowledged.
func (r *reliable) describes() bool {
	if r.waiting != nil && r.sdp {
		return true
	}
	for _, n := range r.queue {
		if n.body != nil {
			return true
		}
	}
	return false
}

type news struct {
	status int
	body   []byte
}

// maxQueue bounds the reliable responses that wait for a PRACK; further news replaces the last.
const maxQueue = 8

// Progress implements pbx.Signalling.
func (g *leg) Progress(p pbx.Progress) {
	g.enter(func() {
		in := g.in
		if in == nil || g.state != ringing || in.done != nil || p.Status <= 100 || p.Status > 199 {
			return
		}
		var body []byte
		if p.Codecs != nil {
			body = g.early(p.Codecs)
		}
		if p.Status == in.status && (body == nil || in.described) {
			return // nothing new
		}
		in.status = p.Status
		in.described = in.described || body != nil
		g.provisional(p.Status, body)
	})
}

// early is the description for a provisional response: the answer to the INVITE's offer, which stays as it is from
// then on, or where the INVITE had none and the caller will PRACK, an offer.
func (g *leg) early(codecs []media.Codec) []byte {
	switch {
	case g.sdp.Pending() == offer.Received:
		body, err := g.sdp.Answer(nil, g.prefer(codecs))
		if err != nil {
			return nil // the caller just hears no early media
		}
		g.agree()
		return body
	case !g.in.delayed && !g.in.relSDP:
		return g.sdp.Repeat()
	case g.in.delayed && g.in.relMay && !g.in.relSDP:
		return g.offer(codecs)
	}
	return nil
}

// provisional sends a provisional response, reliably where the caller requires it or where it matters.
func (g *leg) provisional(status int, body []byte) {
	in := g.in
	if in.relMust || in.relMay && body != nil {
		if body != nil {
			in.relSDP = true
		}
		if in.rel.waiting != nil {
			if n := len(in.rel.queue); n >= maxQueue {
				in.rel.queue[n-1].status = status
			} else {
				in.rel.queue = append(in.rel.queue, news{status, body})
			}
			return
		}
		g.sendReliable(status, body)
	} else {
		g.line.reply(in.tx, g.described(status, body))
	}
	g.everyMinute()
}

func (g *leg) described(status int, body []byte, more ...sip.Header) *sip.Response {
	res := g.response(status, "")
	res.AppendHeader(g.contact)
	res.AppendHeader(g.line.stock.allow)
	for _, h := range more {
		res.AppendHeader(h)
	}
	setBody(res, g.line.stock.typeSDP, body)
	return res
}

// sendReliable sends one with RSeq and repeats it until its PRACK comes (RFC 3262 §3).
func (g *leg) sendReliable(status int, body []byte) {
	r := &g.in.rel
	if r.rseq == 0 {
		r.rseq = rand.Uint32N(1<<31-1<<20) + 1
	} else {
		r.rseq++
	}
	res := g.described(status, body, g.line.stock.require100rel, number("RSeq", int(r.rseq)))
	r.waiting, r.sdp = res, body != nil
	g.line.reply(g.in.tx, res)
	t1 := g.line.o.Timers.T1
	r.again = repeat{wait: t1, began: time.Now()}
	r.again.timer = g.after(t1, g.repeatReliable)
}

func (g *leg) repeatReliable() {
	if g.in == nil || g.state != ringing || g.in.rel.waiting == nil {
		return
	}
	r, t1 := &g.in.rel, g.line.o.Timers.T1
	if time.Since(r.again.began) >= 64*t1 {
		// RFC 3262 §3: the INVITE is then refused with a 5xx.
		g.refuse(pbx.Outcome{Kind: pbx.Failed, By: pbx.Network, Status: 504, Phrase: "No PRACK"})
		return
	}
	g.line.reply(g.in.tx, r.waiting)
	r.again.wait = min(2*r.again.wait, 64*t1-time.Since(r.again.began)) // no cap of T2 (RFC 3262 §3)
	r.again.timer = g.after(r.again.wait, g.repeatReliable)
}

// everyMinute repeats the newest provisional response, so that no proxy's Timer C ends the call (RFC 3261 §13.3.1.1).
func (g *leg) everyMinute() {
	stop(&g.in.minute)
	g.in.minute = g.after(time.Minute, func() {
		if g.in == nil || g.state != ringing || g.in.done != nil {
			return
		}
		if g.in.rel.waiting == nil {
			g.provisional(g.in.status, nil)
		}
	})
}
