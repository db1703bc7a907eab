package line

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/dialog"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// incoming is what an incoming leg needs until its 200 was ACKed.
type incoming struct {
	tx        *transaction.Server
	invite    *sip.Request
	seq       uint32 // of the INVITE
	delayed   bool   // it had no offer (RFC 3261 §13.2.1)
	relMay    bool   // the caller supports 100rel
	relMust   bool   // … and requires it
	relSDP    bool   // our description went out in a reliable response: it is not repeated in the 200
	status    int    // newest provisional response
	described bool   // … or one before it had SDP
	minute    *transaction.Timer
	expires   *transaction.Timer

	rel   reliable
	done  *sip.Response // 200, waiting for a PRACK or repeated until the ACK
	sent  bool          // it has gone out
	again repeat
	bye   *pbx.Outcome // hang up as soon as the ACK is there
}

// repeat keeps the time of what is sent again until it is acknowledged.
type repeat struct {
	timer *transaction.Timer
	wait  time.Duration
	began time.Time
}

func (in *incoming) stop() {
	if in != nil {
		stop(&in.minute)
		stop(&in.expires)
		stop(&in.rel.again.timer)
		stop(&in.again.timer)
	}
}

// invite takes an authenticated INVITE outside a dialog.
func (l *Line) invite(tx *transaction.Server, req *sip.Request, ext *pbx.Extension) {
	from := tx.From
	number := dialled(&req.Recipient)
	only := []string(nil)
	if req.Recipient.UriParams.Has("gr") { // RFC 5627 §5.1: one phone, not all of its extension
		if number, only = l.o.Registrar.Resolve(&req.Recipient); number == "" {
			l.refuse(tx, 404, "")
			return
		}
		if only == nil {
			l.refuse(tx, 480, "")
			return
		}
	}
	if req.Contact() == nil && old(req) { // RFC 2543 did not ask for one: the phone is at its From
		req.AppendHeader(&sip.ContactHeader{Address: *req.From().Address.Clone()})
	}
	switch {
	case l.draining.Load():
		l.refuse(tx, 503, "", l.retryAfter(l.o.DrainRetry))
		return
	case forwards(req) == 0:
		l.refuse(tx, 483, "")
		return
	case req.Contact() == nil || req.Contact().Address.Host == "" || req.Contact().Address.Wildcard:
		l.refuse(tx, 400, "Contact Missing or Unusable")
		return
	case number == "":
		l.refuse(tx, 484, "")
		return
	}
	body, ok := sdpOf(req)
	if !ok {
		l.refuse(tx, 415, "", l.stock.acceptSDP, l.stock.encoding)
		return
	}
	if !accepts(req) {
		l.refuse(tx, 406, "")
		return
	}
	if l.tooBrief(req) {
		l.refuse(tx, 422, "", wholeSeconds("Min-SE", l.o.MinSE))
		return
	}

	g := &leg{line: l, tag: newTag(), hop: from, peer: number, ext: ext, incoming: true}
	g.dlg = dialog.UAS(req, g.tag)
	g.contact = sip.NewHeader("Contact", l.contact(from))
	g.binding = l.bindingOf(ext.Number, from)
	g.learn(req)
	g.in = &incoming{tx: tx, invite: req, seq: req.CSeq().SeqNo, delayed: body == nil}
	g.in.relMust = hasToken(req, "Require", "100rel")
	g.in.relMay = g.in.relMust || hasToken(req, "Supported", "100rel")
	if err := g.open(); err != nil {
		l.log.Warn("no port for a call", "from", ext.Number, "err", err)
		l.refuse(tx, 503, "", l.retryAfter(pbx.NoPorts.RetryAfter))
		return
	}
	if body != nil {
		if _, err := g.sdp.Peek(body); err != nil {
			g.stream.Close()
			status, text := statusOf(err)
			l.refuse(tx, status, "", l.warning(304, text))
			return
		}
	}
	contact := pbx.Contact{Extension: ext.Number, Number: ext.Number, ID: g.binding, URI: bounded(g.dlg.Target.String())}
	party := pbx.Identity{Number: ext.Number, Name: ext.Name, Hidden: hidden(req)}
	g.pbx = pbx.NewLeg(g, g.tag, true, party, contact, bounded(g.dlg.CallID))
	g.pbx.Only = only
	g.told = true
	g.enter(func() { // a CANCEL of another reader's waits, so that the Exchange hears of the call before it hears of its end
		l.add(g)
		l.invites.Store(tx, g)
		// No 100 here: what a plan has to say nearly always comes within the 200 ms after which the transaction sends it
		// (RFC 3261 §17.2.1).
		if n, ok := seconds(value(req, "Expires")); ok && n > 0 {
			// RFC 3261 §13.3.1: an invitation that expires unanswered ends with 487.
			g.in.expires = g.after(time.Duration(n)*time.Second, func() { g.cancelled(pbx.GaveUp) })
		}
		hops, leg := forwards(req), g.pbx
		g.effects = append(g.effects, func() { l.o.Exchange.Incoming(leg, number, hops) })
		if tx.Cancelled() { // it may have come before there was a leg to be found
			g.cancelled(pbx.GaveUp)
		}
	})
}

// old reports whether a request comes from a client of before RFC 3261 (§8.1.1.7: no branch, or one without the cookie).
func old(req *sip.Request) bool {
	branch, _ := req.Via().Params.Get("branch")
	return !strings.HasPrefix(branch, sip.RFC3261BranchMagicCookie)
}

// accepts reports whether the caller can take SDP at all (RFC 3261 §20.1: no Accept header means SDP).
func accepts(req *sip.Request) bool {
	any, sdp := false, false
	for t := range tokens(req, "Accept") {
		any = true
		switch mediaType(t) {
		case "application/sdp", "application/*", "*/*":
			sdp = true
		}
	}
	return !any || sdp
}

// bindingOf finds the registered contact that a stream connection belongs to, so that requests find the phone
// again when it comes back by another one.
func (l *Line) bindingOf(extension string, from wire.Hop) string {
	if !from.Reliable() {
		return ""
	}
	for _, c := range l.o.Registrar.Contacts(extension) {
		if _, hop, ok := l.o.Registrar.Binding(c.ID); ok && hop.Conn == from.Conn {
			return c.ID
		}
	}
	return ""
}

// response is a response to the leg's INVITE with our tag.
func (g *leg) response(status int, phrase string) *sip.Response {
	return g.line.respond(g.in.invite, status, phrase, g.tag)
}

// Refuse implements pbx.Signalling.
func (g *leg) Refuse(o pbx.Outcome) {
	g.enter(func() {
		if g.state == ringing && g.in != nil {
			g.refuse(o)
		}
	})
}

// refuse sends the final response of an incoming leg that is not answered.
func (g *leg) refuse(o pbx.Outcome) {
	status := statusFor(o)
	var contacts []sip.Header
	if o.Kind == pbx.Redirected && o.ToCaller {
		if contacts = g.line.redirects(o.Contacts, g.hop); contacts != nil {
			if status = o.Status; status < 300 || status > 399 {
				status = 302
			}
		}
	}
	res := g.response(status, bounded(o.Phrase))
	for _, c := range contacts {
		res.AppendHeader(c)
	}
	addReasons(res, o)
	if res.StatusCode == 488 || res.StatusCode == 606 { // RFC 3261 §21.4.26, §21.6.4
		res.AppendHeader(g.line.warning(305, "Incompatible media format"))
	}
	for _, e := range o.ErrorInfo {
		res.AppendHeader(sip.NewHeader("Error-Info", bounded(e)))
	}
	if o.Announced != "" { // RFC 5359 §2.13: whoever dials it hears why
		res.AppendHeader(sip.NewHeader("Error-Info", "<"+g.line.uri(announcement+bounded(o.Announced), g.hop)+">"))
	}
	if o.RetryAfter > 0 {
		res.AppendHeader(g.line.retryAfter(o.RetryAfter))
	}
	g.final(res)
	g.over(o)
	g.gone()
}

// final sends the final response to the INVITE.
func (g *leg) final(res *sip.Response) {
	stop(&g.in.minute)
	stop(&g.in.expires)
	stop(&g.in.rel.again.timer)
	g.line.reply(g.in.tx, res)
	g.line.invites.Delete(g.in.tx)
}

// statusFor is the final response for an Outcome that nobody is redirected by. A callee's demand for credentials never passes to a caller.
func statusFor(o pbx.Outcome) int {
	switch {
	case o.Status == 401 || o.Status == 407:
		return 500
	case o.Status >= 400 && o.Status < 700:
		return o.Status
	case o.Kind == pbx.Cancelled:
		return 487
	case o.Kind == pbx.Failed:
		return 500
	}
	return 480
}

// cancelled is a CANCEL from the caller (RFC 3261 §9.2). Once the 200 has gone it changes nothing.
func (g *leg) cancelled(o pbx.Outcome) {
	if g.in == nil || g.state != ringing {
		return
	}
	g.final(g.response(487, ""))
	g.over(o)
	g.gone()
}

// ack is the ACK of a 2xx of ours.
func (g *leg) ack(req *sip.Request, from wire.Hop) {
	if !g.dlg.Matches(req) {
		return
	}
	seq := req.CSeq().SeqNo
	in := g.in
	if in == nil || !in.sent || seq != in.seq {
		g.modified(seq, req)
		return
	}
	in.stop()
	g.in = nil
	if in.rel.waiting != nil {
		g.overtaken = in.rack()
	}
	if g.state == released {
		// RFC 3261 §15: no BYE before the ACK; here it is.
		if in.bye != nil {
			g.bye(*in.bye)
		}
		g.gone()
		return
	}
	g.state = confirmed
	if !g.answerIn(req) {
		return
	}
	g.listen()
	g.startSession()
	g.kick()
}

// answerIn takes the answer to an offer that went out in a 200 (RFC 3261 §13.2.2.4). Without a good one there is no
// session, and the leg ends by BYE.
func (g *leg) answerIn(ack *sip.Request) bool {
	if !g.offering() {
		return true
	}
	body, ok := sdpOf(ack)
	if ok && body != nil {
		if err := g.sdp.Accept(body); err == nil {
			g.agree()
			return true
		}
	}
	g.sdp.Rollback()
	g.lost(pbx.Outcome{Kind: pbx.Answered, By: pbx.Caller, Status: 488, Cause: 127,
		Reason: []string{`SIP;cause=488;text="No usable answer in ACK"`}})
	return false
}

func addReasons(m sip.Message, o pbx.Outcome) {
	if len(o.Reason) == 0 && o.Cause != 0 {
		m.AppendHeader(sip.NewHeader("Reason", "Q.850;cause="+strconv.Itoa(o.Cause)))
	}
	for _, r := range o.Reason {
		if r = strings.TrimSpace(bounded(r)); r != "" {
			m.AppendHeader(sip.NewHeader("Reason", r))
		}
	}
}

func (l *Line) retryAfter(d time.Duration) sip.Header { return wholeSeconds("Retry-After", d) }

// wholeSeconds is a header whose value is a time in whole seconds, rounded up.
func wholeSeconds(name string, d time.Duration) sip.Header {
	return number(name, int((d+time.Second-1)/time.Second))
}
