package pbxtest

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Mod changes a message before it is sent.
type Mod func(*Message)

// With sets a header.
func With(name, value string) Mod { return func(m *Message) { m.Set(name, value) } }

// Adding adds a header, beside those of the same name.
func Adding(name, value string) Mod { return func(m *Message) { m.Add(name, value) } }

// Without takes a header out.
func Without(name string) Mod { return func(m *Message) { m.Del(name) } }

// Body gives the message a body.
func Body(contentType, text string) Mod {
	return func(m *Message) { m.SetBody(contentType, []byte(text)) }
}

// Anonymous hides the caller's number as phones do: From and Privacy: id (RFC 3323 §4.1, RFC 3325 §9.3).
func Anonymous() Mod {
	return func(m *Message) {
		m.Set("From", `"Anonymous" <sip:anonymous@anonymous.invalid>;tag=`+m.FromTag())
		m.Set("Privacy", "id")
	}
}

// Transaction is a request that the phone has sent (RFC 3261 §17.1).
type Transaction struct {
	Request *Message

	p         *Phone
	to        netip.AddrPort
	by        *stream
	leg       *CallLeg // that is to know of responses
	responses []*Message
	fetched   int
	final     *Message
	failed    error
	timer     *time.Timer
	every     time.Duration
	started   time.Time
}

const allow = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, PRACK, MESSAGE, NOTIFY, REFER, SUBSCRIBE"

// NewRequest builds a request out of any dialog, complete but for a body, as mods change it. To a number, or a URI.
func (p *Phone) NewRequest(method, to string, mods ...Mod) *Message {
	m := &Message{Method: method, URI: p.URI(to)}
	p.via(m)
	m.Add("Max-Forwards", "70")
	m.Add("From", fmt.Sprintf("<%s>;tag=%s", p.AOR(), token()))
	m.Add("To", "<"+p.URI(to)+">")
	m.Add("Call-ID", token())
	m.Add("CSeq", "1 "+method)
	m.Add("User-Agent", "pbxtest")
	for _, h := range p.c.Headers {
		m.Add(h.Name, h.Value)
	}
	switch method {
	case "INVITE", "SUBSCRIBE", "REFER", "UPDATE", "NOTIFY":
		m.Add("Contact", p.contact())
	}
	for _, mod := range mods {
		mod(m)
	}
	return m
}

func (p *Phone) via(m *Message) {
	via := fmt.Sprintf("SIP/2.0/%s %s;branch=z9hG4bK%s;rport", strings.ToUpper(p.c.Transport), p.sentBy(), token())
	m.Headers = append([]Header{{"Via", via}}, m.Headers...)
}

// renew makes of a request that was sent a new one of the next CSeq, in another transaction.
func (p *Phone) renew(m *Message) *Message {
	n := m.Clone()
	n.Headers, n.next = n.Headers[1:], m.next
	p.via(n)
	number, method := m.CSeq()
	n.Set("CSeq", fmt.Sprintf("%d %s", number+1, method))
	return n
}

// Send starts a transaction to the server.
func (p *Phone) Send(m *Message) *Transaction {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.send(m, nil)
}

// send needs p.mu.
func (p *Phone) send(m *Message, leg *CallLeg) *Transaction {
	tx := &Transaction{Request: m, p: p, to: p.c.Server, leg: leg, started: time.Now()}
	switch {
	case leg != nil:
		tx.to, tx.by = leg.hop()
	case m.next.IsValid():
		tx.to = m.next
	}
	p.transmitMessage(m, tx.to, tx.by)
	if m.Method == "ACK" {
		return tx
	}
	p.clients[m.Branch()+" "+m.Method] = tx
	tx.every = p.c.T1
	tx.arm()
	return tx
}

// arm sets the next retransmission (timers A and E), or the end (B and F).
func (tx *Transaction) arm() {
	left := 64*tx.p.c.T1 - time.Since(tx.started)
	if left <= 0 {
		tx.failed = fmt.Errorf("%s: no response within %v", tx.Request.Method, 64*tx.p.c.T1)
		tx.p.wake()
		return
	}
	wait := left
	if tx.p.udp != nil {
		wait = min(tx.every, left)
	}
	tx.timer = tx.p.after(wait, func() {
		if tx.final != nil || tx.failed != nil {
			return
		}
		if tx.Request.Method == "INVITE" && len(tx.responses) > 0 {
			return
		}
		if tx.p.udp != nil && wait < left {
			tx.p.transmitMessage(tx.Request, tx.to, tx.by)
		}
		tx.every *= 2
		if tx.Request.Method != "INVITE" {
			tx.every = min(tx.every, 4*time.Second)
		}
		tx.arm()
	})
}

func (p *Phone) transmitMessage(m *Message, to netip.AddrPort, by *stream) {
	b := m.Bytes()
	p.note(m, true, to)
	p.transmit(b, to, by)
}

// Next waits for the response after those that Next has returned already.
func (tx *Transaction) Next(ctx context.Context) (*Message, error) {
	var got *Message
	err := tx.p.await(ctx, "a response to "+tx.Request.Method, func() bool {
		if tx.fetched < len(tx.responses) {
			got = tx.responses[tx.fetched]
			tx.fetched++
			return true
		}
		return tx.failed != nil
	})
	if err == nil && got == nil {
		err = fmt.Errorf("%s: %w", tx.p.c.Name, tx.failed)
	}
	return got, err
}

// Final waits for the final response. For an INVITE's failure the phone has sent the ACK.
func (tx *Transaction) Final(ctx context.Context) (*Message, error) {
	err := tx.p.await(ctx, "the final response to "+tx.Request.Method, func() bool { return tx.final != nil || tx.failed != nil })
	if err == nil && tx.final == nil {
		err = fmt.Errorf("%s: %w", tx.p.c.Name, tx.failed)
	}
	return tx.final, err
}

// onResponse needs p.mu.
func (p *Phone) onResponse(m *Message) {
	number, method := m.CSeq()
	tx := p.clients[m.Branch()+" "+method]
	if tx == nil {
		if m.Status >= 200 || method != "INVITE" {
			p.complainLocked("a response that answers nothing: %d to %d %s", m.Status, number, method)
		}
		return
	}
	p.checkResponse(tx, m)
	if tx.final != nil {
		switch {
		case method != "INVITE":
		case tx.final.Status >= 300:
			p.ackFailure(tx, m)
		case m.Status >= 200 && m.Status < 300 && tx.leg != nil:
			tx.leg.repeated2xx(m)
		}
		return
	}
	tx.responses = append(tx.responses, m)
	if m.Status >= 200 {
		tx.final = m
		if tx.timer != nil {
			tx.timer.Stop()
			delete(p.timers, tx.timer)
		}
		if method == "INVITE" && m.Status >= 300 {
			p.ackFailure(tx, m)
		}
	}
	if tx.leg != nil {
		tx.leg.onResponse(tx, m)
	}
}

// ackFailure is the ACK of RFC 3261 §17.1.1.3.
func (p *Phone) ackFailure(tx *Transaction, m *Message) {
	r := tx.Request
	number, _ := r.CSeq()
	ack := &Message{Method: "ACK", URI: r.URI}
	ack.Add("Via", r.All("Via")[0]).Add("Max-Forwards", "70").Add("From", r.Get("From")).Add("To", m.Get("To"))
	ack.Add("Call-ID", r.CallID()).Add("CSeq", fmt.Sprintf("%d ACK", number))
	for _, v := range r.All("Route") {
		ack.Add("Route", v)
	}
	p.transmitMessage(ack, tx.to, tx.by)
}

// authorize adds credentials from the newest challenge, if there is one. It needs p.mu.
func (p *Phone) authorize(m *Message, c *Challenge, password string) {
	name := "Authorization"
	if c.proxy {
		name = "Proxy-Authorization"
	}
	m.Set(name, c.Answer(p.c.AuthUser, password, m.Method, m.URI))
}

// Do sends a request and answers challenges: twice at most, the second time only if the nonce was stale. It returns
// the final response, also a failure.
func (p *Phone) Do(ctx context.Context, m *Message) (*Message, error) {
	tx, err := p.do(ctx, m, nil, p.c.Password)
	if err != nil {
		return nil, err
	}
	return tx.final, nil
}

func (p *Phone) do(ctx context.Context, m *Message, leg *CallLeg, password string) (*Transaction, error) {
	p.mu.Lock()
	if p.challenge != nil && !p.c.NoReuse && password == p.c.Password && !m.Has("Authorization") && !m.Has("Proxy-Authorization") {
		p.authorize(m, p.challenge, password)
	}
	p.mu.Unlock()
	for try := 0; ; try++ {
		p.mu.Lock()
		if leg != nil {
			leg.started(m)
		}
		tx := p.send(m, leg)
		p.mu.Unlock()
		res, err := tx.Final(ctx)
		if err != nil {
			return tx, err
		}
		if res.Status != 401 && res.Status != 407 || password == "" {
			return tx, nil
		}
		p.mu.Lock()
		c, err := challengeOf(res, p.c.Algorithms)
		if err != nil {
			p.complainLocked("%d to %s: %v", res.Status, m.Method, err)
			p.mu.Unlock()
			return tx, nil
		}
		again := try == 0 || try == 1 && c.Stale
		if !again {
			p.mu.Unlock()
			return tx, nil
		}
		if password == p.c.Password {
			p.challenge = c
		}
		m = p.renew(m)
		m.Del("Authorization").Del("Proxy-Authorization")
		p.authorize(m, c, password)
		p.mu.Unlock()
	}
}

// Register registers the phone for some seconds (0: takes it out) and fails if that is refused. It returns the 200.
func (p *Phone) Register(ctx context.Context, expires int, mods ...Mod) (*Message, error) {
	res, err := p.TryRegister(ctx, p.c.Password, expires, mods...)
	if err == nil && res.Status != 200 {
		err = fmt.Errorf("%s: REGISTER got %d %s", p.c.Name, res.Status, res.Phrase)
	}
	return res, err
}

// TryRegister is Register with any password and outcome.
func (p *Phone) TryRegister(ctx context.Context, password string, expires int, mods ...Mod) (*Message, error) {
	m := p.NewRequest("REGISTER", "sip:"+p.c.Domain)
	m.Set("To", "<"+p.AOR()+">")
	p.mu.Lock()
	p.regCSeq++
	m.Set("Call-ID", p.regCallID)
	m.Set("CSeq", fmt.Sprintf("%d REGISTER", p.regCSeq))
	m.Set("Contact", p.contact())
	m.Set("Expires", fmt.Sprint(expires))
	m.Set("Supported", "path, gruu")
	m.Set("Allow", allow)
	p.mu.Unlock()
	for _, mod := range mods {
		mod(m)
	}
	tx, err := p.do(ctx, m, nil, password)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, _ := tx.Request.CSeq(); tx.Request.CallID() == p.regCallID {
		p.regCSeq = max(p.regCSeq, n)
	}
	if tx.final.Status == 200 {
		p.granted = 0
		for _, c := range tx.final.All("Contact") {
			if AddrOf(c) == p.ContactURI() {
				_, _ = fmt.Sscan(Param(c, "expires"), &p.granted)
			}
		}
		mine := AddrOf(tx.Request.Get("Contact")) == p.ContactURI()
		if mine && expires > 0 && Param(tx.Request.Get("Contact"), "expires") != "0" && p.granted <= 0 {
			p.complainLocked("the 200 to REGISTER does not list the phone's own contact with its expires (RFC 3261 §10.3 step 8)")
		}
	}
	return tx.final, nil
}

// Unregister takes the phone's contact out.
func (p *Phone) Unregister(ctx context.Context) error {
	_, err := p.Register(ctx, 0)
	return err
}

// Granted is for how many seconds the phone was registered last, as the 200 said.
func (p *Phone) Granted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.granted
}
