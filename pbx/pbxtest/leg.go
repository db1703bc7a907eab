package pbxtest

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
)

// CallLeg is a call of a phone, and its dialog (RFC 3261 §12).
type CallLeg struct {
	Phone    *Phone
	Incoming bool
	CallID   string
	Invite   *Message // the first INVITE, with credentials if it needed them; an outgoing leg's may change until Ringing

	// Guarded by Phone.mu.
	localTag, remoteTag string
	localURI, remoteURI string // name-addr as in From and To
	target              string
	routes              []string
	cseq, remoteCSeq    uint32
	by                  *stream // incoming over a stream: the connection it came by
	calling             *Transaction
	srv                 *served
	ringing             bool
	answered            bool
	final               *Message // response to the INVITE, received
	sentFinal           int      // response to the INVITE, sent
	cancelled           *Message // CANCEL that came
	bye                 *Message // BYE that came
	hungUp              bool     // by us
	failed              error
	ManualAck           bool // no ACK goes out by itself; see Ack. Set it before the call is answered
	acks                map[uint32][]byte
	acked               map[uint32]*Message // ACKs that came, by CSeq
	infos               []*Message
	remoteSeq           uint32 // newest RSeq
	rseq                uint32 // of the newest reliable response sent
	pracked             map[uint32]bool
	reinviting          bool
	session             session
	audio               *Audio
}

// String says who calls whom.
func (l *CallLeg) String() string {
	if l.Incoming {
		return fmt.Sprintf("%s called by %s", l.Phone.c.Name, UserOf(AddrOf(l.remoteURI)))
	}
	return fmt.Sprintf("%s calling %s", l.Phone.c.Name, UserOf(AddrOf(l.remoteURI)))
}

// over needs p.mu.
func (l *CallLeg) over() bool {
	return l.bye != nil || l.hungUp || l.failed != nil || l.sentFinal >= 300 || l.final != nil && l.final.Status >= 300
}

func (l *CallLeg) stateLocked() string {
	switch {
	case l.over():
		return "end"
	case l.answered:
		return "up"
	case l.ringing:
		return "ringing"
	default:
		return "calling"
	}
}

// State is "calling", "ringing", "up" or "end".
func (l *CallLeg) State() string {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	return l.stateLocked()
}

// RemoteTag is the other end's tag, "" before it is known.
func (l *CallLeg) RemoteTag() string {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	return l.remoteTag
}

// LocalTag is the phone's own tag.
func (l *CallLeg) LocalTag() string { return l.localTag }

// Replaces is the value of a Replaces header for this dialog, as another party must write it (RFC 3891 §3), who
// sees it from the other side of the PBX's leg.
func (l *CallLeg) Replaces() string {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	return fmt.Sprintf("%s;to-tag=%s;from-tag=%s", l.CallID, l.remoteTag, l.localTag)
}

// hop is where requests of the dialog go. It needs p.mu.
func (l *CallLeg) hop() (netip.AddrPort, *stream) {
	next := l.target
	if len(l.routes) > 0 {
		next = AddrOf(l.routes[0])
	}
	if l.by != nil && l.Phone.streams[l.by] {
		return l.by.remote, l.by
	}
	if a := hostPortOf(next); a.IsValid() && l.Phone.udp != nil {
		return a, nil
	}
	return l.Phone.c.Server, nil
}

// NewRequest builds the next request of the dialog.
func (l *CallLeg) NewRequest(method string, mods ...Mod) *Message {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	return l.newRequest(method, mods...)
}

func (l *CallLeg) newRequest(method string, mods ...Mod) *Message {
	if method != "ACK" {
		l.cseq++
	}
	return l.request(method, l.cseq, mods...)
}

func (l *CallLeg) request(method string, cseq uint32, mods ...Mod) *Message {
	m := &Message{Method: method, URI: l.target}
	l.Phone.via(m)
	for _, r := range l.routes {
		m.Add("Route", r)
	}
	m.Add("Max-Forwards", "70")
	m.Add("From", l.localURI+";tag="+l.localTag)
	to := l.remoteURI
	if l.remoteTag != "" {
		to += ";tag=" + l.remoteTag
	}
	m.Add("To", to)
	m.Add("Call-ID", l.CallID)
	m.Add("CSeq", fmt.Sprintf("%d %s", cseq, method))
	m.Add("User-Agent", "pbxtest")
	switch method {
	case "INVITE", "UPDATE", "REFER", "SUBSCRIBE", "NOTIFY":
		m.Add("Contact", l.Phone.contact())
		m.Add("Allow", allow)
	}
	for _, mod := range mods {
		mod(m)
	}
	return m
}

// Do sends a request of the dialog, answers challenges, and returns the final response.
func (l *CallLeg) Do(ctx context.Context, m *Message) (*Message, error) {
	tx, err := l.Phone.do(ctx, m, l, l.Phone.c.Password)
	if err != nil {
		return nil, err
	}
	return tx.final, nil
}

// Start sends a request of the dialog and does not wait.
func (l *CallLeg) Start(m *Message) *Transaction {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	l.started(m)
	return l.Phone.send(m, l)
}

// started notes the CSeq of a request that goes out. It needs p.mu.
func (l *CallLeg) started(m *Message) {
	n, _ := m.CSeq()
	l.cseq = max(l.cseq, n)
	if m.Method == "INVITE" {
		if !l.answered {
			l.Invite = m
		} else {
			l.reinviting = true
		}
	}
}

// must makes an error of a final response that is not a 2xx.
func must(res *Message, err error) error {
	if err == nil && (res.Status < 200 || res.Status > 299) {
		err = fmt.Errorf("%s: %d %s", res, res.Status, res.Phrase)
	}
	return err
}

// onResponse needs p.mu.
func (l *CallLeg) onResponse(tx *Transaction, m *Message) {
	if tx.Request.Method != "INVITE" {
		if tx.Request.Method == "UPDATE" && m.Status/100 == 2 {
			l.refresh(m)
		}
		return
	}
	if l.answered { // of a re-INVITE
		if m.Status >= 200 {
			l.reinviting = false
		}
		if m.Status/100 == 2 {
			l.refresh(m)
			l.gotDescription(m, tx.Request)
			l.sendAck(m)
		}
		return
	}
	l.calling = tx
	switch {
	case m.Status == 100:
		return
	case m.Status < 200:
		l.ringing = l.ringing || m.Status >= 180
		if m.ToTag() != "" {
			l.establish(m)
		}
		l.gotDescription(m, tx.Request)
		if m.Lists("Require", "100rel") {
			l.prack(m)
		}
	case m.Status < 300:
		l.final = m
		l.establish(m)
		l.answered = true
		l.gotDescription(m, tx.Request)
		if !l.ManualAck {
			l.sendAck(m)
		}
	case m.Status == 401 || m.Status == 407: // do goes on, or else makes it final
		l.remoteTag = ""
	default:
		l.final = m
		l.stopAudio()
	}
}

// establish takes the dialog's state from a response (RFC 3261 §12.1.2). It needs p.mu.
func (l *CallLeg) establish(m *Message) {
	l.remoteTag = m.ToTag()
	if c := m.Get("Contact"); c != "" {
		l.target = AddrOf(c)
	}
	l.routes = nil
	for _, r := range m.All("Record-Route") {
		l.routes = append([]string{r}, l.routes...)
	}
}

func (l *CallLeg) refresh(m *Message) {
	if c := m.Get("Contact"); c != "" {
		l.target = AddrOf(c)
	}
}

// sendAck acknowledges a 2xx, with an answer if that had the offer. It needs p.mu.
func (l *CallLeg) sendAck(m *Message) {
	n, _ := m.CSeq()
	ack := l.request("ACK", n)
	for _, name := range []string{"Authorization", "Proxy-Authorization"} { // RFC 3261 §22.1
		if v := l.Invite.Get(name); v != "" {
			ack.Add(name, v)
		}
	}
	if text := l.session.answerInAck; text != "" {
		ack.SetBody("application/sdp", []byte(text))
		l.session.answerInAck = ""
	}
	l.sendAckMessage(n, ack)
}

func (l *CallLeg) sendAckMessage(n uint32, ack *Message) {
	if l.acks == nil {
		l.acks = make(map[uint32][]byte)
	}
	l.acks[n] = ack.Bytes()
	to, by := l.hop()
	l.Phone.transmitMessage(ack, to, by)
}

// Ack sends the ACK where ManualAck is set.
func (l *CallLeg) Ack() {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	if l.final != nil && l.final.Status/100 == 2 {
		l.sendAck(l.final)
	}
}

// AckWith is Ack with this SDP as the answer, verbatim (RFC 3725 §4.1).
func (l *CallLeg) AckWith(text string) {
	l.Phone.mu.Lock()
	l.session.answerInAck = text
	l.Phone.mu.Unlock()
	l.Ack()
}

// repeated2xx answers a 2xx that came again with the same ACK (RFC 3261 §13.2.2.4). It needs p.mu.
func (l *CallLeg) repeated2xx(m *Message) {
	if m.ToTag() != l.remoteTag {
		l.Phone.complainLocked("a second dialog: 2xx with the tag %q after %q", m.ToTag(), l.remoteTag)
		return
	}
	n, _ := m.CSeq()
	if b := l.acks[n]; b != nil {
		to, by := l.hop()
		l.Phone.transmit(b, to, by)
	}
}

// prack acknowledges a reliable provisional response (RFC 3262 §4). It needs p.mu.
func (l *CallLeg) prack(m *Message) {
	var n uint32
	if _, err := fmt.Sscan(m.Get("RSeq"), &n); err != nil || n == 0 {
		l.Phone.complainLocked("%d requires 100rel and has no good RSeq: %q", m.Status, m.Get("RSeq"))
		return
	}
	if n == l.remoteSeq {
		return
	}
	if l.remoteSeq != 0 && n != l.remoteSeq+1 {
		l.Phone.complainLocked("RSeq goes from %d to %d (RFC 3262 §3)", l.remoteSeq, n)
		return
	}
	l.remoteSeq = n
	l.Phone.send(l.newRequest("PRACK", With("RAck", fmt.Sprintf("%d %s", n, m.Get("CSeq")))), l)
}

// onSentFinal needs p.mu.
func (l *CallLeg) onSentFinal(s *served, r *Message) {
	if s != l.srv {
		return
	}
	l.sentFinal = r.Status
	if r.Status < 300 {
		l.answered = true
	} else {
		l.stopAudio()
	}
}

// onAck needs p.mu.
func (l *CallLeg) onAck(m *Message) {
	n, _ := m.CSeq()
	if l.acked[n] != nil {
		return
	}
	if l.acked == nil {
		l.acked = make(map[uint32]*Message)
	}
	l.acked[n] = m
	for _, s := range l.Phone.servers {
		if s.leg != l || s.request.Method != "INVITE" {
			continue
		}
		if have, _ := s.request.CSeq(); have == n {
			s.acked = true
			if s.timer != nil {
				s.timer.Stop()
				delete(l.Phone.timers, s.timer)
			}
			if have, _ := m.CSeq(); have == n && s.request.Branch() == m.Branch() {
				l.Phone.complainLocked("ACK of a 2xx has the branch of its INVITE (RFC 3261 §13.2.2.4)")
			}
			if strings.TrimSpace(string(s.request.Body)) == "" {
				l.gotAnswer(m, true)
			}
			return
		}
	}
	l.Phone.complainLocked("ACK with CSeq %d matches no INVITE of the dialog", n)
}

// RemoteIdentity is the other party as the phone shows it: name and number of the From it was called with, or of
// P-Asserted-Identity in the newest message.
func (l *CallLeg) RemoteIdentity() (name, number string) {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	if l.Incoming {
		v := l.Invite.Get("From")
		return NameOf(v), UserOf(AddrOf(v))
	}
	v := l.remoteURI
	if l.final != nil && l.final.Has("P-Asserted-Identity") {
		v = l.final.Get("P-Asserted-Identity")
	}
	return NameOf(v), UserOf(AddrOf(v))
}
