package line

import (
	"math/rand/v2"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/line/transaction"
)

// modify is the state of RFC 3261 §14 on one leg: one change at a time, ours or the phone's.
type modify struct {
	ours    bool          // our re-INVITE or UPDATE waits for its final response
	seq     uint32        // its CSeq
	theirs  *modification // the phone's re-INVITE, answered 200, waits for its ACK
	wanted  bool          // Renegotiate was asked for and its turn has not come
	codecs  []media.Codec // … these; while ours, those that are being tried
	retry   bool          // the re-INVITE under way is for codecs, so a 491 makes them wanted again
	refresh bool          // a session refresh is due
	backoff *transaction.Timer
}

// modification is a re-INVITE of the phone between our 200 and its ACK.
type modification struct {
	seq     uint32
	tx      *transaction.Server
	res     *sip.Response
	offered bool // the 200 had an offer, so the ACK has the answer
	again   repeat
}

func (m *modify) stop() {
	stop(&m.backoff)
	if m.theirs != nil {
		stop(&m.theirs.again.timer)
		m.theirs = nil
	}
	m.wanted, m.refresh, m.codecs = false, false, nil
}

// reinvited answers the phone's re-INVITE.
func (g *leg) reinvited(tx *transaction.Server, req *sip.Request) {
	m := &g.modify
	switch {
	case g.state == ringing && g.incoming: // RFC 3261 §14.2: the first INVITE has no final response yet
		g.answer(tx, req, 500, nil, retryWithin10())
		return
	case g.state == ringing, m.ours, g.offering():
		g.answer(tx, req, 491, nil)
		return
	case g.line.tooBrief(req):
		g.answer(tx, req, 422, nil, wholeSeconds("Min-SE", g.line.o.MinSE))
		return
	}
	body, ok := sdpOf(req)
	if !ok {
		g.answer(tx, req, 415, nil, g.line.stock.acceptSDP, g.line.stock.encoding)
		return
	}
	var reply []byte
	if body == nil {
		if reply = g.sdp.Offer(g.current()); reply == nil {
			g.answer(tx, req, 488, nil, g.line.warning(305, errNoCodec.Text))
			return
		}
	} else {
		var err error
		if reply, err = g.sdp.Answer(body, g.current()); err != nil {
			g.refuseOffer(tx, req, err)
			return
		}
	}
	g.dlg.Refresh(req.Contact())
	g.learn(req)
	res := g.line.respond(req, 200, "", g.tag)
	res.AppendHeader(g.contact)
	res.AppendHeader(g.line.stock.allow)
	res.AppendHeader(g.line.stock.supported)
	for _, h := range g.grant(req) {
		res.AppendHeader(h)
	}
	setBody(res, g.line.stock.typeSDP, reply)
	if m.theirs != nil { // its ACK was lost, but the phone goes on
		stop(&m.theirs.again.timer)
	}
	t := &modification{seq: req.CSeq().SeqNo, tx: tx, res: res, offered: body == nil}
	m.theirs = t
	g.line.reply(tx, res)
	t1 := g.line.o.Timers.T1
	t.again = repeat{wait: t1, began: time.Now()}
	t.again.timer = g.after(t1, func() { g.repeatModified(t) })
	if body != nil {
		g.agree()
	}
	g.startSession()
}

// current is what to offer or answer within the call: first what is in use, then what else we can do.
func (g *leg) current() []media.Codec {
	var now []media.Codec
	if g.stream != nil {
		for _, f := range g.stream.Formats() {
			if !f.IsEvent() && !f.IsComfortNoise() {
				now = append(now, f.Codec)
			}
		}
	}
	if now == nil {
		return g.prefer(nil)
	}
	more := g.line.o.Codecs
	if more == nil {
		more = []media.Codec{media.PCMU, media.PCMA, media.G722}
	}
next:
	for _, c := range more {
		for _, have := range now {
			if have.Same(c) {
				continue next
			}
		}
		now = append(now, c)
	}
	return permitted(g.ext, now, now)
}

func (g *leg) repeatModified(t *modification) {
	if g.modify.theirs != t || g.state == released {
		return
	}
	ts := g.line.o.Timers
	if time.Since(t.again.began) >= 64*ts.T1 {
		g.lost(pbx.Outcome{Kind: pbx.Answered, By: pbx.Network, Status: 408, Cause: 102, Reason: []string{`SIP;cause=408;text="ACK timeout"`}})
		return
	}
	g.line.reply(t.tx, t.res)
	t.again.wait = min(2*t.again.wait, ts.T2)
	t.again.timer = g.after(min(t.again.wait, 64*ts.T1-time.Since(t.again.began)), func() { g.repeatModified(t) })
}

// modified is the ACK of a re-INVITE's 200.
func (g *leg) modified(seq uint32, ack *sip.Request) {
	t := g.modify.theirs
	if t == nil || t.seq != seq || g.state == released {
		return
	}
	stop(&t.again.timer)
	g.modify.theirs = nil
	if t.offered && !g.answerIn(ack) {
		return
	}
	g.kick()
}

// Renegotiate implements pbx.Signalling.
func (g *leg) Renegotiate(codecs []media.Codec) {
	g.enter(func() {
		if g.state == released {
			return
		}
		g.modify.wanted, g.modify.codecs = true, codecs
		g.kick()
	})
}

// kick begins the change that is due, if none is under way.
func (g *leg) kick() {
	m := &g.modify
	if g.state != confirmed || m.ours || m.theirs != nil || m.backoff != nil || g.offering() {
		return
	}
	switch {
	case m.wanted:
		if body := g.offer(m.codecs); body != nil {
			m.wanted, m.retry = false, true
			g.reinvite(body)
		}
	case m.refresh && g.updates:
		g.update()
	case m.refresh:
		if body := g.sdp.Refresh(); body != nil {
			g.reinvite(body)
		}
	}
}

// reinvite sends a re-INVITE with an offer.
func (g *leg) reinvite(body []byte) {
	m := &g.modify
	req := g.request(sip.INVITE)
	req.AppendHeader(g.contact)
	req.AppendHeader(g.line.stock.allow)
	req.AppendHeader(supportsTimer)
	for _, h := range g.ask() {
		req.AppendHeader(h)
	}
	setBody(req, g.line.stock.typeSDP, body)
	m.ours, m.seq = true, g.dlg.LocalSeq
	seq := m.seq
	g.send(req, func(res *sip.Response, err error) {
		if err == nil && res.StatusCode < 200 {
			return
		}
		if err == nil && res.StatusCode < 300 {
			g.acknowledge(seq)
		}
		if m.ours && m.seq == seq {
			m.ours = false
			g.reinviteDone(res, err)
		}
	})
}

var supportsTimer = sip.NewHeader("Supported", "timer")

// acknowledge sends the ACK of a 2xx, for each time that one comes (RFC 3261 §13.2.2.4).
func (g *leg) acknowledge(seq uint32) {
	ack := g.dlg.RequestSeq(sip.ACK, seq)
	ack.AppendHeader(g.line.stock.userAgent)
	if err := g.line.tx.SendStateless(ack, g.way()); err != nil {
		g.line.log.Debug("an ACK did not leave", "call", g.dlg.CallID, "err", err)
	}
}

// reinviteDone takes the final response to our re-INVITE (RFC 3261 §14.1).
func (g *leg) reinviteDone(res *sip.Response, err error) {
	m := &g.modify
	if g.state == released {
		return
	}
	retry := m.retry
	m.retry = false
	if fatal(res, err) {
		g.sdp.Rollback()
		g.lost(g.lostBy(res, err))
		return
	}
	switch {
	case res.StatusCode < 300:
		g.dlg.Refresh(res.Contact())
		g.learn(res)
		g.granted(res)
		m.refresh = false
		if body, _ := sdpOf(res); body == nil || g.sdp.Accept(body) != nil {
			g.sdp.Rollback() // the session stays as it was
		} else {
			g.agree()
		}
	case res.StatusCode == 491:
		g.sdp.Rollback()
		m.wanted = m.wanted || retry
		g.backOff()
		return
	default: // the session stays as it was
		g.sdp.Rollback()
		if m.refresh && !retry {
			m.refresh = false
			g.refreshFailed(res)
		}
	}
	g.kick()
}

// backOff tries again after the time of RFC 3261 §14.1: 2.1 to 4 s for the one who made the Call-ID, else 0 to 2 s,
// in units of 10 ms, so that the two do not meet again.
func (g *leg) backOff() {
	d := time.Duration(rand.IntN(201)) * 10 * time.Millisecond
	if !g.incoming {
		d = 2100*time.Millisecond + time.Duration(rand.IntN(191))*10*time.Millisecond
	}
	g.modify.backoff = g.after(d, func() {
		g.modify.backoff = nil
		g.kick()
	})
}

// learn notes what the phone says it can do.
func (g *leg) learn(m sip.Message) {
	if value(m, "Allow") != "" {
		g.updates = hasToken(m, "Allow", "UPDATE")
		g.noInfo = !hasToken(m, "Allow", "INFO")
	}
}
