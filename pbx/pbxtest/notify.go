package pbxtest

import (
	"strconv"
	"strings"
)

// acceptable is the body of each event package that the phone can read.
var acceptable = map[string]string{
	"message-summary": "application/simple-message-summary",
	"conference":      "application/conference-info+xml",
}

// packageOf is the event package of a header Event.
func packageOf(event string) string {
	name, _, _ := strings.Cut(event, ";")
	return strings.TrimSpace(name)
}

// reasonsOfState are those of RFC 6665 §4.1.3.
var reasonsOfState = []string{"deactivated", "probation", "rejected", "timeout", "giveup", "noresource", "invariant"}

// onNotifyRequest takes a NOTIFY of a subscription, or one that nobody has asked for. It needs p.mu.
func (p *Phone) onNotifyRequest(s *served) {
	m := s.request
	n := &Notification{Message: m}
	p.readState(n)
	sub := p.subscriptionOf(m)
	if sub == nil && m.ToTag() != "" {
		p.complainLocked("NOTIFY in a dialog that the phone does not know: Call-ID %s", m.CallID())
		p.respond(s, 481, "Subscription Does Not Exist")
		return
	}
	p.readBody(n, sub)
	if sub != nil {
		s.tag = sub.localTag
		if !sub.take(n) {
			p.respond(s, 500, "Server Internal Error") // RFC 3261 §12.2.2
			return
		}
	} else {
		p.unsolicited = append(p.unsolicited, n)
	}
	if n.Summary != nil && (sub != nil || UserOf(m.URI) == p.c.User) { // and not of who had this port before
		p.lamp = n.Summary
	}
	reply := Reply{Status: 200}
	if p.onNotify != nil {
		reply = p.onNotify(n)
	}
	switch {
	case reply.Status == 0:
	case reply.After > 0:
		p.after(reply.After, func() { p.answerNotify(s, sub, reply.Status) })
	default:
		p.answerNotify(s, sub, reply.Status)
	}
}

func (p *Phone) answerNotify(s *served, sub *Subscription, status int) {
	phrase := map[int]string{200: "OK", 481: "Subscription Does Not Exist"}[status]
	if phrase == "" {
		phrase = "As Told"
	}
	if sub != nil && status == 481 {
		sub.ended = true
	}
	p.respond(s, status, phrase)
}

// subscriptionOf needs p.mu.
func (p *Phone) subscriptionOf(m *Message) *Subscription {
	for _, s := range p.subs {
		if s.CallID == m.CallID() && s.localTag == m.ToTag() && (s.remoteTag == "" || s.remoteTag == m.FromTag()) {
			return s
		}
	}
	return nil
}

// readState reads Subscription-State (RFC 6665 §8.2.3). It needs p.mu.
func (p *Phone) readState(n *Notification) {
	v := n.Get("Subscription-State")
	state, _, _ := strings.Cut(v, ";")
	n.State, n.Reason = strings.TrimSpace(state), Param(v, "reason")
	switch n.State {
	case "active", "pending":
		if HasParam(v, "reason") {
			p.complainLocked("NOTIFY is %s and has a reason: %q", n.State, v)
		}
	case "terminated":
		known := n.Reason == ""
		for _, r := range reasonsOfState {
			known = known || r == n.Reason
		}
		if !known {
			p.complainLocked("NOTIFY has the unknown reason %q (RFC 6665 §4.1.3)", n.Reason)
		}
	case "":
		p.complainLocked("NOTIFY has no Subscription-State (RFC 6665 §4.1.3)")
	default:
		p.complainLocked("NOTIFY has the Subscription-State %q (RFC 6665 §4.1.3)", v)
	}
	if HasParam(v, "expires") {
		e, err := strconv.ParseUint(Param(v, "expires"), 10, 31)
		if err != nil {
			p.complainLocked("NOTIFY has the Subscription-State %q", v)
		}
		n.Expires = int(e)
	}
	if !n.Has("Event") {
		p.complainLocked("NOTIFY has no Event (RFC 6665 §8.2.1)")
	}
	if n.Has("Allow-Events") && !n.Lists("Allow-Events", packageOf(n.Get("Event"))) {
		p.complainLocked("NOTIFY of %s has Allow-Events without it: %q (RFC 6665 §8.2.2)", n.Get("Event"), n.All("Allow-Events"))
	}
}

// readBody reads what the phone understands. It needs p.mu.
func (p *Phone) readBody(n *Notification, sub *Subscription) {
	event := packageOf(n.Get("Event"))
	want := acceptable[event]
	have, _, _ := strings.Cut(n.Get("Content-Type"), ";")
	switch {
	case len(n.Body) == 0:
		if want != "" && n.State == "active" {
			p.complainLocked("NOTIFY of %s has no body", event)
		}
		return
	case want == "":
		return
	case !strings.EqualFold(strings.TrimSpace(have), want):
		p.complainLocked("NOTIFY of %s has the Content-Type %q, the phone accepts %s", event, n.Get("Content-Type"), want)
		return
	}
	var err error
	switch event {
	case "message-summary":
		n.Summary, err = ParseSummary(n.Body)
	case "conference":
		var d *Conference
		if d, err = ParseConference(n.Body); err == nil {
			n.Conference = d
			if sub != nil {
				n.Conference, err = sub.conference.with(d)
				sub.conference = n.Conference
			}
		}
	}
	if err != nil {
		p.complainLocked("NOTIFY of %s: %v, in:\n%s", event, err, n.Body)
	}
}

// take holds a NOTIFY against its subscription. It reports false if the NOTIFY is out of order. It needs p.mu.
func (s *Subscription) take(n *Notification) bool {
	bad := func(format string, args ...any) {
		s.Phone.complainLocked("NOTIFY of "+s.Event+": "+format, args...)
	}
	number, _ := n.CSeq()
	switch {
	case s.remoteCSeq != 0 && number <= s.remoteCSeq:
		bad("CSeq %d comes after %d (RFC 3261 §12.2.2)", number, s.remoteCSeq)
		return false
	case s.remoteCSeq != 0 && number != s.remoteCSeq+1:
		bad("CSeq goes from %d to %d (RFC 3261 §12.2.1.1)", s.remoteCSeq, number)
	}
	s.remoteCSeq = number
	if s.remoteTag == "" { // it has overtaken the 200 (RFC 6665 §4.4.1)
		s.remoteTag = n.FromTag()
	}
	switch {
	case s.refused:
		bad("the subscription was refused")
	case s.ended:
		bad("it comes after the last one (RFC 6665 §4.4.1)")
	}
	if want := s.Phone.ContactURI(); n.URI != want {
		bad("the Request-URI is %s, the phone's Contact is %s (RFC 3261 §12.2.1.1)", n.URI, want)
	}
	if a := AddrOf(n.Get("From")); a != s.Target {
		bad("From is %s, the subscription is for %s", a, s.Target)
	}
	if a := AddrOf(n.Get("To")); a != s.Phone.AOR() {
		bad("To is %s, the subscriber is %s", a, s.Phone.AOR())
	}
	if have := n.Get("Event"); packageOf(have) != packageOf(s.Event) || Param(have, "id") != Param(s.Event, "id") || HasParam(have, "id") != HasParam(s.Event, "id") {
		bad("Event is %q (RFC 6665 §8.2.1)", have)
	}
	switch {
	case n.State == "terminated":
		s.ended = true
	case s.asked == 0 && s.granted == 0:
		bad("the state is %s, and the phone has asked for one NOTIFY only (RFC 6665 §4.4.3)", n.State)
	case n.Expires == 0:
		bad("Subscription-State says nothing of expires (RFC 6665 §4.1.3)")
	case n.Expires > max(s.asked, s.granted):
		bad("it expires in %d s, the phone has asked for %d (RFC 6665 §4.1.3)", n.Expires, s.asked)
	}
	if a := AddrOf(n.Get("Contact")); a != "" {
		s.target = a // NOTIFY is a target refresh request
	}
	s.came = append(s.came, n)
	return true
}

// check2xx holds a 2xx to SUBSCRIBE against the RFC. It needs p.mu.
func (s *Subscription) check2xx(m *Message) {
	bad := func(format string, args ...any) {
		s.Phone.complainLocked(m.String()+": "+format, args...)
	}
	if s.remoteTag != "" && m.ToTag() != s.remoteTag {
		bad("the To tag is %q, the dialog's is %q", m.ToTag(), s.remoteTag)
	}
	if m.Status != 200 {
		bad("the status is not 200 (RFC 6665 §8.3.1)")
	}
	if len(m.All("Contact")) != 1 {
		bad("it has %d Contacts and needs one (RFC 3261 §12.1.1)", len(m.All("Contact")))
	}
	expires, err := strconv.ParseUint(m.Get("Expires"), 10, 31)
	switch {
	case err != nil:
		bad("Expires is %q (RFC 6665 §4.2.1.1)", m.Get("Expires"))
	case int(expires) > s.asked:
		bad("it grants %d s, the phone has asked for %d (RFC 6665 §4.2.1.1)", expires, s.asked)
	}
	if m.Has("Allow-Events") && !m.Lists("Allow-Events", packageOf(s.Event)) {
		bad("Allow-Events has no %s: %q (RFC 6665 §8.2.2)", s.Event, m.All("Allow-Events"))
	}
}
