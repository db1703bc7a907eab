package pbxtest

import (
	"context"
	"fmt"
	"time"
)

// Dialling is how a phone calls. The zero value of everything but Number is a usual call.
type Dialling struct {
	Number    string // or a URI
	Media     Media
	Password  string // instead of the phone's; "-": no credentials at all
	ManualAck bool   // the 2xx is not acknowledged by itself
	Muted     bool   // no RTP is sent until Mute(false)
}

// Call calls a number and returns as soon as the INVITE has left.
func (p *Phone) Call(ctx context.Context, number string, mods ...Mod) (*CallLeg, error) {
	return p.Dial(ctx, Dialling{Number: number}, mods...)
}

// Dial is Call with more to say.
func (p *Phone) Dial(ctx context.Context, d Dialling, mods ...Mod) (*CallLeg, error) {
	m := p.NewRequest("INVITE", d.Number)
	m.Add("Allow", allow)
	supported := "replaces, timer"
	if p.c.Rel100 {
		supported += ", 100rel"
	}
	m.Add("Supported", supported)
	l := &CallLeg{Phone: p, CallID: m.CallID(), localTag: m.FromTag(), localURI: "<" + p.AOR() + ">", remoteURI: m.Get("To"),
		target: m.URI, cseq: 1, ManualAck: d.ManualAck}
	if err := l.openAudio(); err != nil {
		return nil, err
	}
	l.Mute(d.Muted)
	p.mu.Lock()
	l.offerIn(m, d.Media)
	for _, mod := range mods {
		mod(m)
	}
	l.CallID, l.Invite, l.localURI = m.CallID(), m, withoutTag(m.Get("From"))
	p.legs = append(p.legs, l)
	p.mu.Unlock()
	password := d.Password
	switch password {
	case "":
		password = p.c.Password
	case "-":
		password = ""
	}
	sent := make(chan struct{})
	p.spawn(func() {
		close(sent)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Minute)
		defer cancel()
		tx, err := p.do(ctx, m, l, password)
		p.mu.Lock()
		defer p.mu.Unlock()
		if l.answered || l.over() {
			return
		}
		if err != nil {
			l.failed = err
		} else {
			l.final = tx.final
		}
		l.stopAudio()
		p.wake()
	})
	<-sent
	return l, nil
}

// Ringing waits for 180 (or 183).
func (l *CallLeg) Ringing(ctx context.Context) error {
	return l.until(ctx, "the phone to ring", func() bool { return l.ringing || l.answered })
}

// Answered waits until the call is up.
func (l *CallLeg) Answered(ctx context.Context) error {
	return l.until(ctx, "the answer", func() bool { return l.answered })
}

// until waits for something that comes only before the end of the call.
func (l *CallLeg) until(ctx context.Context, what string, ready func() bool) error {
	var ended error
	err := l.Phone.await(ctx, what, func() bool {
		if ready() {
			return true
		}
		if l.over() {
			ended = fmt.Errorf("%s waits for %s, and the call ends: %s", l.Phone.c.Name, what, l.endingLocked())
		}
		return ended != nil
	})
	if err == nil {
		err = ended
	}
	return err
}

func (l *CallLeg) endingLocked() string {
	switch {
	case l.bye != nil:
		return "BYE"
	case l.cancelled != nil:
		return "CANCEL"
	case l.final != nil:
		return fmt.Sprintf("%d %s", l.final.Status, l.final.Phrase)
	case l.failed != nil:
		return l.failed.Error()
	case l.sentFinal > 0:
		return fmt.Sprintf("we said %d", l.sentFinal)
	case l.hungUp:
		return "we hung up"
	}
	return "it is not over"
}

// Failed waits until an outgoing call has failed, and returns the response.
func (l *CallLeg) Failed(ctx context.Context) (*Message, error) {
	err := l.Phone.await(ctx, "the call to fail", func() bool { return l.over() || l.answered })
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	switch {
	case err != nil:
		return nil, err
	case l.failed != nil:
		return nil, l.failed
	case l.answered:
		return nil, fmt.Errorf("%s was answered, and should have failed", l)
	case l.final == nil:
		return nil, fmt.Errorf("%s: %s", l, l.endingLocked())
	}
	return l.final, nil
}

// FailsWith waits until the call has failed with that status.
func (l *CallLeg) FailsWith(ctx context.Context, status int) error {
	m, err := l.Failed(ctx)
	if err == nil && m.Status != status {
		err = fmt.Errorf("%s: it failed with %d %s, not %d", l, m.Status, m.Phrase, status)
	}
	return err
}

// Statuses are those of the responses that came to the INVITE, in order, but for 100 and challenges.
func (l *CallLeg) Statuses() []int {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	var all []int
	for _, m := range l.Phone.inbox {
		if _, method := m.CSeq(); m.Status > 100 && m.Status != 401 && m.Status != 407 && method == "INVITE" && m.CallID() == l.CallID {
			all = append(all, m.Status)
		}
	}
	return all
}

// Gets waits for a response to the INVITE with that status, also one that came already.
func (l *CallLeg) Gets(ctx context.Context, status int) error {
	return l.until(ctx, fmt.Sprint("the ", status), func() bool {
		for _, m := range l.Phone.inbox {
			if _, method := m.CSeq(); m.Status == status && method == "INVITE" && m.CallID() == l.CallID {
				return true
			}
		}
		return false
	})
}

// Final is the final response to an outgoing call, nil if none has come.
func (l *CallLeg) Final() *Message {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	return l.final
}

// Ended waits until the other side has ended the call, by BYE or CANCEL.
func (l *CallLeg) Ended(ctx context.Context) error {
	return l.Phone.await(ctx, "the end of the call", func() bool { return l.over() || l.cancelled != nil && !l.answered })
}

// Cancel gives up a call that is not answered yet, once a provisional response has come (RFC 3261 §9.1), and waits
// for the end of the INVITE. It fails if that is not 487; if the call was answered meanwhile, it is up.
func (l *CallLeg) Cancel(ctx context.Context, mods ...Mod) error {
	if err := l.SendCancel(ctx, mods...); err != nil {
		return err
	}
	return l.FailsWith(ctx, 487)
}

// SendCancel sends the CANCEL and does not wait for anything after it.
func (l *CallLeg) SendCancel(ctx context.Context, mods ...Mod) error {
	p := l.Phone
	err := p.await(ctx, "a provisional response, to cancel", func() bool {
		return l.calling != nil && l.calling.Request == l.Invite && len(l.calling.responses) > 0 || l.over()
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r := l.Invite
	n, _ := r.CSeq()
	m := &Message{Method: "CANCEL", URI: r.URI}
	m.Add("Via", r.All("Via")[0]).Add("Max-Forwards", "70").Add("From", r.Get("From")).Add("To", r.Get("To"))
	m.Add("Call-ID", r.CallID()).Add("CSeq", fmt.Sprintf("%d CANCEL", n))
	for _, v := range r.All("Route") {
		m.Add("Route", v)
	}
	for _, mod := range mods {
		mod(m)
	}
	p.send(m, nil)
	return nil
}

// Hangup sends BYE and waits for its 200.
func (l *CallLeg) Hangup(ctx context.Context, mods ...Mod) error {
	p := l.Phone
	p.mu.Lock()
	if l.over() {
		p.mu.Unlock()
		return nil
	}
	l.hungUp = true
	l.stopAudio()
	m := l.newRequest("BYE", mods...)
	p.wake()
	p.mu.Unlock()
	return must(l.Do(ctx, m))
}
