package pbxtest

import (
	"fmt"
	"strconv"
	"strings"
)

// checkMessage is what holds for each message (RFC 3261 §8.1.1, §20). It needs p.mu.
func (p *Phone) checkMessage(m *Message) {
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		if !m.Has(name) {
			p.complainLocked("%s has no %s", m, name)
		}
	}
	for _, name := range []string{"From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type", "Expires", "RSeq", "RAck",
		"Session-Expires", "Min-SE", "Event", "Subscription-State"} {
		if count := m.count(name); count > 1 {
			p.complainLocked("%s has %d %s headers", m, count, name)
		}
	}
	number, method := m.CSeq()
	if number == 0 && m.Get("CSeq") != "0 "+method || m.Status == 0 && method != m.Method {
		p.complainLocked("%s has a bad CSeq %q", m, m.Get("CSeq"))
	}
	for _, v := range m.All("Via") {
		if !strings.HasPrefix(Param(v, "branch"), "z9hG4bK") {
			p.complainLocked("%s has a Via without an RFC 3261 branch: %q", m, v)
		}
	}
	if m.FromTag() == "" {
		p.complainLocked("%s has no tag in From", m)
	}
	if v := m.Get("Content-Length"); v != "" {
		if n, err := strconv.Atoi(v); err != nil || n != len(m.Body) {
			p.complainLocked("%s says Content-Length %s and has %d bytes", m, v, len(m.Body))
		}
	} else {
		p.complainLocked("%s has no Content-Length", m)
	}
	if len(m.Body) > 0 && m.Get("Content-Type") == "" {
		p.complainLocked("%s has a body and no Content-Type", m)
	}
	for _, h := range m.Headers {
		if h.Value == "" && !strings.EqualFold(h.Name, "Supported") && !strings.EqualFold(h.Name, "Accept") && !strings.EqualFold(h.Name, "Allow") {
			p.complainLocked("%s has an empty %s", m, h.Name)
		}
	}
	for _, name := range []string{"From", "To", "Contact"} {
		for _, v := range m.All(name) {
			if v != "*" && !strings.HasPrefix(AddrOf(v), "sip:") && !strings.HasPrefix(AddrOf(v), "sips:") {
				p.complainLocked("%s has a bad %s %q", m, name, v)
			}
		}
	}
}

func (m *Message) count(name string) int {
	n := 0
	for _, h := range m.Headers {
		if strings.EqualFold(longName(h.Name), name) {
			n++
		}
	}
	return n
}

// checkRequest is what holds for requests. It needs p.mu.
func (p *Phone) checkRequest(m *Message) {
	if !m.Has("Max-Forwards") {
		p.complainLocked("%s has no Max-Forwards", m)
	}
	switch m.Method {
	case "INVITE", "UPDATE", "SUBSCRIBE", "REFER", "NOTIFY":
		if len(m.All("Contact")) != 1 {
			p.complainLocked("%s has %d Contacts and needs one", m, len(m.All("Contact")))
		}
	}
	if m.Method == "INVITE" {
		p.checkHistory(m)
		for _, name := range []string{"Allow", "Supported"} {
			if !m.Has(name) {
				p.complainLocked("INVITE should have %s (RFC 3261 §13.2.1)", name)
			}
		}
	}
	for _, r := range m.All("Require") {
		if r != "100rel" && r != "timer" && r != "replaces" {
			p.complainLocked("%s requires %q, which the phone did not offer", m, r)
		}
	}
	if m.ToTag() == "" || m.Method == "CANCEL" {
		return
	}
	if m.Method == "ACK" && p.servers[servedKey(m, "INVITE")] != nil {
		return // of a failure: not in the dialog
	}
	l := p.legOf(m.CallID(), m.ToTag())
	if l == nil {
		return
	}
	if l.remoteTag != "" && m.FromTag() != l.remoteTag {
		p.complainLocked("%s comes with the From tag %q, the dialog's is %q", m, m.FromTag(), l.remoteTag)
	}
	if want := p.ContactURI(); m.URI != want {
		p.complainLocked("%s has the Request-URI %s, the phone's Contact is %s (RFC 3261 §12.2.1.1)", m, m.URI, want)
	}
	if AddrOf(m.Get("To")) != AddrOf(l.localURI) && m.Method != "BYE" && m.Method != "ACK" {
		// Changing it is allowed since RFC 3261 §12.2.1.1, but many phones mind.
		p.complainLocked("%s has the To %s, the dialog began with %s", m, AddrOf(m.Get("To")), AddrOf(l.localURI))
	}
}

// checkCancel holds a CANCEL against its INVITE (RFC 3261 §9.1). It needs p.mu.
func (p *Phone) checkCancel(m, invite *Message) {
	number, _ := m.CSeq()
	want, _ := invite.CSeq()
	for _, c := range []struct{ what, have, want string }{
		{"Request-URI", m.URI, invite.URI},
		{"Call-ID", m.CallID(), invite.CallID()},
		{"To", m.Get("To"), invite.Get("To")},
		{"From", m.Get("From"), invite.Get("From")},
		{"CSeq number", fmt.Sprint(number), fmt.Sprint(want)},
		{"Via", strings.Join(m.All("Via"), ", "), invite.All("Via")[0]},
	} {
		if c.have != c.want {
			p.complainLocked("CANCEL has the %s %q, its INVITE %q (RFC 3261 §9.1)", c.what, c.have, c.want)
		}
	}
	if m.Has("Require") || m.Has("Proxy-Require") {
		p.complainLocked("CANCEL has Require (RFC 3261 §9.1)")
	}
}

// checkFailureAck holds the ACK of a failure against its INVITE (RFC 3261 §17.1.1.3). It needs p.mu.
func (p *Phone) checkFailureAck(m *Message, s *served) {
	q := s.request
	number, _ := m.CSeq()
	want, _ := q.CSeq()
	if m.URI != q.URI || m.CallID() != q.CallID() || m.Get("From") != q.Get("From") || number != want {
		p.complainLocked("ACK of a failure differs from its INVITE in Request-URI, Call-ID, From or CSeq number (RFC 3261 §17.1.1.3)")
	}
	if tag := m.ToTag(); q.ToTag() == "" && tag != s.tag {
		p.complainLocked("ACK of a failure has the To tag %q, the response had %q", tag, s.tag)
	}
}

// checkResponse holds a response against its request (RFC 3261 §8.2.6). It needs p.mu.
func (p *Phone) checkResponse(tx *Transaction, m *Message) {
	q := tx.Request
	bad := func(format string, args ...any) {
		p.complainLocked("%s: %s", m, fmt.Sprintf(format, args...))
	}
	for _, name := range []string{"From", "Call-ID", "CSeq"} {
		if m.Get(name) != q.Get(name) {
			bad("%s is %q and was %q (RFC 3261 §8.2.6.2)", name, m.Get(name), q.Get(name))
		}
	}
	if tag := q.ToTag(); tag != "" && m.Get("To") != q.Get("To") {
		bad("To is %q and was %q", m.Get("To"), q.Get("To"))
	} else if tag == "" && (AddrOf(m.Get("To")) != AddrOf(q.Get("To"))) {
		bad("To is %q and was %q", m.Get("To"), q.Get("To"))
	}
	if m.ToTag() == "" && m.Status > 100 {
		bad("To has no tag (RFC 3261 §8.2.6.2)")
	}
	if l := tx.leg; l != nil && l.remoteTag != "" && m.Status > 100 && m.ToTag() != l.remoteTag && m.Status != 401 && m.Status != 407 {
		bad("the To tag goes from %q to %q: the caller must see one dialog", l.remoteTag, m.ToTag())
	}
	p.checkVia(bad, m, q)
	_, method := q.CSeq()
	need := map[int]string{401: "WWW-Authenticate", 407: "Proxy-Authenticate", 405: "Allow", 415: "Accept", 420: "Unsupported", 422: "Min-SE", 423: "Min-Expires", 489: "Allow-Events"}
	if name := need[m.Status]; name != "" && !m.Has(name) {
		bad("it has no %s", name)
	}
	switch {
	case method == "INVITE" && m.Status/100 == 2:
		for _, name := range []string{"Contact", "Allow", "Supported"} {
			if !m.Has(name) {
				bad("it has no %s (RFC 3261 §13.3.1.4)", name)
			}
		}
	case method == "INVITE" && m.Status > 100 && m.Status < 200 && !m.Has("Contact"):
		bad("it makes a dialog and has no Contact (RFC 3261 §12.1.1)")
	case method == "OPTIONS" && m.Status == 200:
		for _, name := range []string{"Allow", "Accept", "Supported"} {
			if !m.Has(name) {
				bad("it has no %s (RFC 3261 §11.2)", name)
			}
		}
	case method == "PRACK" && m.Status >= 300:
		bad("a right PRACK was refused")
	}
	if m.Lists("Require", "100rel") && !q.Lists("Supported", "100rel") && !q.Lists("Require", "100rel") {
		bad("it requires 100rel, which the INVITE did not offer (RFC 3262 §3)")
	}
	for _, name := range []string{"WWW-Authenticate", "Proxy-Authenticate"} {
		for _, v := range m.All(name) {
			if c, err := ParseChallenge(v); err != nil {
				bad("bad challenge: %v", err)
			} else if c.QOP != "" && !strings.Contains(","+strings.ReplaceAll(c.QOP, " ", "")+",", ",auth,") {
				bad("qop is %q, without auth", c.QOP)
			}
		}
	}
}

// checkVia wants the Vias back as they were, but for received and rport (RFC 3261 §8.2.6.2, RFC 3581).
func (p *Phone) checkVia(bad func(string, ...any), m, q *Message) {
	have, want := m.All("Via"), q.All("Via")
	if len(have) != len(want) {
		bad("it has %d Vias, the request had %d", len(have), len(want))
		return
	}
	for i := range have {
		if stripVia(have[i]) != stripVia(want[i]) {
			bad("Via is %q and was %q", have[i], want[i])
		}
	}
	if len(want) > 0 && HasParam(want[0], "rport") && p.udp != nil {
		if got := Param(have[0], "rport"); got != fmt.Sprint(p.local.Port()) {
			bad("rport is %q, the phone sent from %d (RFC 3581 §4)", got, p.local.Port())
		}
		if got := Param(have[0], "received"); got != p.local.Addr().String() {
			bad("received is %q, the phone sent from %s (RFC 3581 §4)", got, p.local.Addr())
		}
	}
}

func stripVia(v string) string {
	parts := strings.Split(v, ";")
	kept := parts[:1]
	for _, s := range parts[1:] {
		if k, _, _ := strings.Cut(s, "="); k != "received" && k != "rport" {
			kept = append(kept, s)
		}
	}
	return strings.ReplaceAll(strings.Join(kept, ";"), " ", "")
}

// checkVersion: the version of o= goes up by one when, and only when, the description differs (RFC 3264 §8).
// It needs p.mu.
func (l *CallLeg) checkVersion(m *Message, d *sdp) {
	old := l.session.remote
	if l.session.offered != nil && old == nil {
		old = l.session.offered
	}
	if old == nil || d.id == "" || old.id == "" {
		return
	}
	if d.id != old.id || d.user != old.user || d.originAddr != old.originAddr {
		l.Phone.complainLocked("%s: SDP origin changes from %s %s to %s %s in the dialog (RFC 3264 §8)", m, old.user, old.id, d.user, d.id)
		return
	}
	was, _ := strconv.ParseUint(old.version, 10, 64)
	is, _ := strconv.ParseUint(d.version, 10, 64)
	switch same := withoutOrigin(d.text) == withoutOrigin(old.text); {
	case same && is != was:
		l.Phone.complainLocked("%s: the SDP is the same, but its version goes from %d to %d (RFC 3264 §8)", m, was, is)
	case !same && is != was+1:
		l.Phone.complainLocked("%s: the SDP has changed, and its version goes from %d to %d (RFC 3264 §8)", m, was, is)
	}
}

func withoutOrigin(text string) string {
	var kept []string
	for _, line := range strings.Split(text, "\r\n") {
		if !strings.HasPrefix(line, "o=") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// checkAnswer holds an answer against the phone's offer (RFC 3264 §6). It needs p.mu.
func (l *CallLeg) checkAnswer(m *Message, d *sdp) {
	bad := func(format string, args ...any) {
		l.Phone.complainLocked("%s: %s", m, fmt.Sprintf(format, args...))
	}
	if l.session.lines > 0 && len(d.media) != l.session.lines {
		bad("the answer has %d media lines, the offer %d (RFC 3264 §6)", len(d.media), l.session.lines)
	}
	a := d.audio()
	if a == nil || a.port == 0 {
		return
	}
	any := false
	for _, f := range a.list() {
		for _, mine := range l.session.local {
			any = any || f.name == mine.name && !f.event()
		}
	}
	if !any {
		bad("the answer has no codec that was offered (RFC 3264 §6.1)")
	}
	dir := d.direction(a)
	if allowed := reverse(l.session.localDir); both(dir, allowed) != dir {
		bad("the answer is %s to an offer that is %s (RFC 3264 §6.1)", dir, l.session.localDir)
	}
}
