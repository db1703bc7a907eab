package pbxtest

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// onInvite needs p.mu.
func (p *Phone) onInvite(s *served) {
	m := s.request
	l := &CallLeg{Phone: p, Incoming: true, CallID: m.CallID(), Invite: m, localTag: s.tag, remoteTag: m.FromTag(),
		localURI: m.Get("To"), remoteURI: withoutTag(m.Get("From")), target: AddrOf(m.Get("Contact")), by: m.conn, srv: s}
	l.remoteCSeq, _ = m.CSeq()
	l.routes = m.All("Record-Route")
	s.leg = l
	if err := l.openAudio(); err != nil {
		p.complainLocked("no socket for RTP: %v", err)
		p.respond(s, 500, "No Socket")
		return
	}
	l.gotDescription(m, nil)
	p.legs = append(p.legs, l)
	if b := p.onCall; b != nil {
		ctx, cancel := context.WithCancel(p.ctx)
		p.spawn(func() {
			defer cancel()
			b(ctx, l)
		})
		p.spawn(func() {
			defer cancel()
			for {
				p.mu.Lock()
				gone, changed := l.over() || l.cancelled != nil || l.answered || p.closed, p.changed
				p.mu.Unlock()
				if gone {
					return
				}
				select {
				case <-changed:
				case <-ctx.Done():
					return
				}
			}
		})
		return
	}
	p.fresh = append(p.fresh, l)
}

func withoutTag(v string) string {
	if i := indexOutsideQuotes(v, '>'); i >= 0 {
		return v[:i+1]
	}
	return "<" + AddrOf(v) + ">"
}

// Incoming waits for the next call to the phone, where OnCall has said nothing. Nothing was responded to it yet.
func (p *Phone) Incoming(ctx context.Context) (*CallLeg, error) {
	var l *CallLeg
	err := p.await(ctx, "a call", func() bool {
		if len(p.fresh) == 0 {
			return false
		}
		l = p.fresh[0]
		p.fresh = p.fresh[1:]
		return true
	})
	return l, err
}

// Legs are all calls that the phone has had, oldest first.
func (p *Phone) Legs() []*CallLeg {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*CallLeg(nil), p.legs...)
}

// LastLeg waits for the newest call of the phone to be there, also one that OnCall takes.
func (p *Phone) LastLeg(ctx context.Context) (*CallLeg, error) {
	var l *CallLeg
	err := p.await(ctx, "a call", func() bool {
		if len(p.legs) > 0 {
			l = p.legs[len(p.legs)-1]
		}
		return l != nil
	})
	return l, err
}

// Ring sends 180.
func (l *CallLeg) Ring(mods ...Mod) { l.Provisional(180, "Ringing", mods...) }

// Provisional sends any 1xx.
func (l *CallLeg) Provisional(status int, phrase string, mods ...Mod) {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	if l.answered || l.over() {
		return
	}
	l.ringing = l.ringing || status >= 180
	l.Phone.respond(l.srv, status, phrase, mods...)
}

// EarlyMedia sends 183 with an answer (or, where the INVITE had no offer, 183 without).
func (l *CallLeg) EarlyMedia(mods ...Mod) {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	if l.answered || l.over() {
		return
	}
	l.ringing = true
	l.Phone.respond(l.srv, 183, "Session Progress", append([]Mod{l.answerMod(l.Invite)}, mods...)...)
}

// RingReliably sends a reliable 1xx (RFC 3262 §3), 180 or 183 (with an answer), and waits for its PRACK.
func (l *CallLeg) RingReliably(ctx context.Context, status int, mods ...Mod) error {
	p := l.Phone
	p.mu.Lock()
	if !l.Invite.Lists("Supported", "100rel") && !l.Invite.Lists("Require", "100rel") {
		p.mu.Unlock()
		return fmt.Errorf("%s: the INVITE does not support 100rel", l)
	}
	if l.pracked == nil {
		l.pracked, l.rseq = make(map[uint32]bool), 17
	}
	l.rseq++
	n := l.rseq
	l.ringing = true
	mods = append([]Mod{With("Require", "100rel"), With("RSeq", fmt.Sprint(n))}, mods...)
	if status == 183 {
		mods = append([]Mod{l.answerMod(l.Invite)}, mods...)
	}
	p.respond(l.srv, status, map[int]string{180: "Ringing", 183: "Session Progress"}[status], mods...)
	last, since := l.srv.last, time.Now()
	var again func(every time.Duration)
	again = func(every time.Duration) {
		p.after(every, func() {
			if !l.pracked[n] && !l.over() && time.Since(since) < 64*p.c.T1 {
				p.transmit(last, p.back(l.Invite), l.Invite.conn)
				again(2 * every)
			}
		})
	}
	again(p.c.T1)
	p.mu.Unlock()
	return l.until(ctx, "PRACK", func() bool { return l.pracked[n] })
}

// Answer sends the 200 and waits for its ACK.
func (l *CallLeg) Answer(ctx context.Context, mods ...Mod) error {
	l.SendAnswer(mods...)
	return l.Phone.await(ctx, "the ACK", func() bool { return l.srv.acked || l.bye != nil || l.sentFinal >= 300 })
}

// SendAnswer sends the 200 and does not wait.
func (l *CallLeg) SendAnswer(mods ...Mod) {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	if l.answered || l.over() {
		return
	}
	m := l.Invite
	base := []Mod{l.answerMod(m)}
	if se := m.Get("Session-Expires"); se != "" {
		base = append(base, sessionTimer(se))
	}
	l.Phone.respond(l.srv, 200, "OK", append(base, mods...)...)
}

// sessionTimer accepts a session timer as the UAS; where the UAC did not say who refreshes, it does.
func sessionTimer(se string) Mod {
	return func(m *Message) {
		if !HasParam(se, "refresher") {
			se += ";refresher=uac"
		}
		m.Set("Session-Expires", se)
		m.Set("Require", "timer")
	}
}

// Refuse sends a failure.
func (l *CallLeg) Refuse(status int, mods ...Mod) {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	if l.answered || l.over() {
		return
	}
	l.Phone.respond(l.srv, status, phrases[status], mods...)
}

// Redirect refuses with a 3xx. Targets are numbers or URIs, each with its q-value behind it if it has one: "1001",
// "1001;q=0.5", "sip:bob@example.org;q=0.1".
func (l *CallLeg) Redirect(status int, to ...string) {
	var contacts []string
	for _, t := range to {
		target, q, found := strings.Cut(t, ";q=")
		c := "<" + l.Phone.URI(target) + ">"
		if found {
			c += ";q=" + q
		}
		contacts = append(contacts, c)
	}
	l.Refuse(status, With("Contact", strings.Join(contacts, ", ")))
}

var phrases = map[int]string{300: "Multiple Choices", 301: "Moved Permanently", 302: "Moved Temporarily", 305: "Use Proxy", 380: "Alternative Service", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
	480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 486: "Busy Here", 487: "Request Terminated",
	488: "Not Acceptable Here", 491: "Request Pending", 500: "Server Internal Error", 503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline"}

// Acked returns the ACK of the first INVITE, nil if it has not come.
func (l *CallLeg) Acked() *Message {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	n, _ := l.Invite.CSeq()
	return l.acked[n]
}

// Cancelled returns the CANCEL that came, nil if none did.
func (l *CallLeg) Cancelled() *Message {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	return l.cancelled
}

// Bye returns the BYE that came, nil if none did.
func (l *CallLeg) Bye() *Message {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	return l.bye
}

// onRequest handles a request of the dialog. It needs p.mu.
func (l *CallLeg) onRequest(s *served) {
	p, m := l.Phone, s.request
	n, _ := m.CSeq()
	if l.remoteCSeq != 0 && n <= l.remoteCSeq {
		p.complainLocked("%s has CSeq %d after %d in its dialog (RFC 3261 §12.2.1.1)", m.Method, n, l.remoteCSeq)
	}
	l.remoteCSeq = max(l.remoteCSeq, n)
	if p.manual[m.Method] {
		return
	}
	var mods []Mod
	if se := m.Get("Session-Expires"); se != "" {
		mods = append(mods, sessionTimer(se))
	}
	switch m.Method {
	case "BYE":
		l.bye = m
		l.stopAudio()
		p.respond(s, 200, "OK")
	case "INVITE", "UPDATE":
		if m.Method == "INVITE" && (l.reinviting || !l.answered) || len(m.Body) > 0 && l.reinviting {
			p.respond(s, 491, "Request Pending")
			return
		}
		if c := m.Get("Contact"); c != "" {
			l.target = AddrOf(c)
		}
		l.gotDescription(m, nil)
		if m.Method == "INVITE" || len(m.Body) > 0 {
			mods = append(mods, l.answerMod(m))
		}
		p.respond(s, 200, "OK", mods...)
	case "PRACK":
		var rseq, cseq uint32
		_, _ = fmt.Sscan(m.Get("RAck"), &rseq, &cseq)
		if l.pracked == nil || rseq == 0 || rseq > l.rseq {
			p.complainLocked("PRACK matches no reliable response: RAck %q", m.Get("RAck"))
			p.respond(s, 481, "Call/Transaction Does Not Exist")
			return
		}
		l.pracked[rseq] = true
		p.respond(s, 200, "OK")
	case "INFO":
		l.infos = append(l.infos, m)
		p.respond(s, 200, "OK")
	case "REFER":
		p.respond(s, 202, "Accepted")
	case "OPTIONS":
		p.respond(s, 200, "OK", With("Allow", allow), With("Accept", "application/sdp"))
	case "NOTIFY", "MESSAGE":
		p.respond(s, 200, "OK")
	default:
		p.respond(s, 405, "Method Not Allowed", With("Allow", allow))
	}
}

// Repeat sends the newest response to the first INVITE again, as if it had not arrived.
func (l *CallLeg) Repeat() {
	p := l.Phone
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.srv != nil && l.srv.last != nil {
		p.transmit(l.srv.last, p.back(l.Invite), l.Invite.conn)
	}
}
