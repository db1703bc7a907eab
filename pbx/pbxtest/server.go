package pbxtest

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// served is a request that came, and the newest response to it (RFC 3261 §17.2).
type served struct {
	request *Message
	leg     *CallLeg
	tag     string
	last    []byte
	status  int
	acked   bool
	timer   *time.Timer
}

// arrived takes a message from the network.
func (p *Phone) arrived(b []byte, from netip.AddrPort, transport string, s *stream) {
	m, err := Parse(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if err != nil {
		p.complainLocked("a message that is not SIP: %v", err)
		return
	}
	m.At, m.From, m.Transport, m.conn = time.Now(), from, transport, s
	p.inbox = append(p.inbox, m)
	p.note(m, false, from)
	p.checkMessage(m)
	if m.Status != 0 {
		p.onResponse(m)
	} else {
		p.checkRequest(m)
		p.onRequest(m)
	}
	p.wake()
}

func servedKey(m *Message, method string) string {
	via := ""
	if all := m.All("Via"); len(all) > 0 {
		via, _, _ = strings.Cut(all[0], ";")
	}
	return m.Branch() + " " + via + " " + method
}

// onRequest needs p.mu.
func (p *Phone) onRequest(m *Message) {
	if m.Method == "ACK" {
		p.onAck(m)
		return
	}
	key := servedKey(m, m.Method)
	if s := p.servers[key]; s != nil {
		p.repeats++
		m.seen = true
		if s.last != nil {
			p.transmit(s.last, p.back(m), m.conn)
		}
		return
	}
	s := &served{request: m, tag: token()}
	p.servers[key] = s
	leg := p.legOf(m.CallID(), m.ToTag())
	if leg != nil {
		s.leg, s.tag = leg, leg.localTag
	}
	switch {
	case m.Method == "CANCEL":
		p.onCancel(m)
	case m.ToTag() != "" && leg != nil:
		leg.onRequest(s)
	case p.manual[m.Method]:
	case m.Method == "NOTIFY":
		p.onNotifyRequest(s)
	case m.ToTag() != "":
		p.complainLocked("%s in a dialog that the phone does not know (or has left): Call-ID %s", m.Method, m.CallID())
		p.respond(s, 481, "Call/Transaction Does Not Exist")
	case m.Method == "INVITE":
		p.onInvite(s)
	case m.Method == "OPTIONS":
		p.respond(s, 200, "OK", With("Allow", allow), With("Accept", "application/sdp"), With("Supported", "replaces"))
	case m.Method == "MESSAGE":
		p.respond(s, 200, "OK")
	default:
		p.respond(s, 405, "Method Not Allowed", With("Allow", allow))
	}
}

// onCancel needs p.mu.
func (p *Phone) onCancel(m *Message) {
	mine := p.servers[servedKey(m, "CANCEL")]
	s := p.servers[servedKey(m, "INVITE")]
	if s == nil {
		p.complainLocked("CANCEL matches no INVITE (RFC 3261 §9.2): branch %q", m.Branch())
		p.respond(mine, 481, "Call/Transaction Does Not Exist")
		return
	}
	p.checkCancel(m, s.request)
	mine.tag = s.tag
	if s.leg != nil {
		s.leg.cancelled = m
	}
	if p.manual["CANCEL"] {
		return
	}
	p.respond(mine, 200, "OK")
	if s.status < 200 {
		p.respond(s, 487, "Request Terminated")
	}
}

// onAck needs p.mu.
func (p *Phone) onAck(m *Message) {
	if s := p.servers[servedKey(m, "INVITE")]; s != nil && s.status >= 300 {
		p.checkFailureAck(m, s)
		s.acked = true
		if s.timer != nil {
			s.timer.Stop()
			delete(p.timers, s.timer)
		}
		return
	}
	if leg := p.legOf(m.CallID(), m.ToTag()); leg != nil {
		leg.onAck(m)
		return
	}
	p.complainLocked("ACK matches nothing: Call-ID %s", m.CallID())
}

// legOf needs p.mu.
func (p *Phone) legOf(callID, localTag string) *CallLeg {
	if localTag == "" {
		return nil
	}
	for _, l := range p.legs {
		if l.CallID == callID && l.localTag == localTag {
			return l
		}
	}
	return nil
}

// back is where the response to m goes (RFC 3261 §18.2.2, RFC 3581 §4).
func (p *Phone) back(m *Message) netip.AddrPort {
	all := m.All("Via")
	if len(all) == 0 || HasParam(all[0], "rport") {
		return m.From
	}
	sentBy, _, _ := strings.Cut(all[0], ";")
	port := 5060
	if i := strings.LastIndexByte(sentBy, ':'); i >= 0 {
		if n, err := strconv.Atoi(strings.TrimSpace(sentBy[i+1:])); err == nil {
			port = n
		}
	}
	return netip.AddrPortFrom(m.From.Addr(), uint16(port))
}

// Response builds a response to a request that came, with a tag of the phone's in To.
func (p *Phone) Response(m *Message, status int, phrase string, mods ...Mod) *Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.servers[servedKey(m, m.Method)]; s != nil {
		return p.response(s, status, phrase, mods...)
	}
	return p.response(&served{request: m, tag: token()}, status, phrase, mods...)
}

// Respond sends a response to a request that came and was left to the test. To an INVITE, final ones are repeated
// until their ACK comes.
func (p *Phone) Respond(m *Message, status int, phrase string, mods ...Mod) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.servers[servedKey(m, m.Method)]; s != nil {
		p.respond(s, status, phrase, mods...)
	}
}

func (p *Phone) response(s *served, status int, phrase string, mods ...Mod) *Message {
	q := s.request
	r := &Message{Status: status, Phrase: phrase}
	for i, v := range q.All("Via") {
		if i == 0 && HasParam(v, "rport") {
			v = strings.Replace(v, ";rport", fmt.Sprintf(";received=%s;rport=%d", q.From.Addr(), q.From.Port()), 1)
		}
		r.Add("Via", v)
	}
	r.Add("From", q.Get("From"))
	to := q.Get("To")
	if q.ToTag() == "" && status > 100 {
		to += ";tag=" + s.tag
	}
	r.Add("To", to)
	r.Add("Call-ID", q.CallID()).Add("CSeq", q.Get("CSeq"))
	if status > 100 && status < 300 {
		for _, v := range q.All("Record-Route") {
			r.Add("Record-Route", v)
		}
		switch q.Method {
		case "INVITE", "UPDATE", "SUBSCRIBE", "REFER", "NOTIFY":
			r.Add("Contact", p.contact())
			r.Add("Allow", allow)
			r.Add("Supported", "replaces, timer")
		}
	}
	for _, mod := range mods {
		mod(r)
	}
	return r
}

// respond needs p.mu.
func (p *Phone) respond(s *served, status int, phrase string, mods ...Mod) {
	if s.status >= 200 {
		return
	}
	r := p.response(s, status, phrase, mods...)
	s.status, s.last = status, r.Bytes()
	to := p.back(s.request)
	p.note(r, true, to)
	p.transmit(s.last, to, s.request.conn)
	if s.request.Method == "INVITE" && status >= 200 {
		if s.leg != nil {
			s.leg.onSentFinal(s, r)
		}
		if status < 300 || p.udp != nil {
			p.repeat(s, to, p.c.T1, time.Now())
		}
	}
	p.wake()
}

// repeat sends a final response to INVITE again until its ACK comes (timers G and H, RFC 3261 §13.3.1.4).
func (p *Phone) repeat(s *served, to netip.AddrPort, every time.Duration, since time.Time) {
	s.timer = p.after(every, func() {
		if s.acked {
			return
		}
		if time.Since(since) >= 64*p.c.T1 {
			p.complainLocked("no ACK for the %d to INVITE, Call-ID %s", s.status, s.request.CallID())
			return
		}
		p.transmit(s.last, to, s.request.conn)
		p.repeat(s, to, min(2*every, 4*time.Second), since)
	})
}
