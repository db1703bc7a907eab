package pbxtest

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"ringback/media"
	"ringback/pbx"
)

// Line is a pbx.Line without SIP: its phones follow scripts. Its methods may be called from any goroutine.
//
//	line := pbxtest.NewLine()
//	sb := pbx.New(pbx.Options{Line: line, …})
//	line.Exchange = sb
//	bob := line.Register("1001", pbxtest.Answer(2*time.Second))
//	alice := line.Call("1000", "1001")
//	time.Sleep(3 * time.Second) // in a synctest bubble
//	alice.Hears() // "1001"
//	bob.Last().Bye()
type Line struct {
	Exchange pbx.Exchange // who is told; set before the first call

	mu       sync.Mutex
	phones   []*Handset
	parties  []*Party
	messages []pbx.Message
	last     int
}

// NewLine returns a line with no phones.
func NewLine() *Line { return new(Line) }

// Handset is a registered phone: a contact of an extension, with what it does when it is called.
type Handset struct {
	Contact pbx.Contact
	Codecs  []media.Codec // what it can do; nil: PCMU, PCMA, telephone-event

	line   *Line
	mu     sync.Mutex
	script Script
	calls  []*Party
}

// Register adds a phone to an extension; q (thousandths, default 1000) may follow.
func (l *Line) Register(extension string, s Script, q ...int) *Handset {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	h := &Handset{line: l, script: s, Contact: pbx.Contact{
		Extension: extension, Number: extension, Q: 1000,
		ID:  fmt.Sprintf("%s/%d", extension, l.last),
		URI: fmt.Sprintf("sip:%s@192.0.2.%d", extension, l.last),
	}}
	if len(q) > 0 {
		h.Contact.Q = q[0]
	}
	l.phones = append(l.phones, h)
	return h
}

// Unregister takes the phone away.
func (h *Handset) Unregister() {
	h.line.mu.Lock()
	defer h.line.mu.Unlock()
	for i, p := range h.line.phones {
		if p == h {
			h.line.phones = append(h.line.phones[:i:i], h.line.phones[i+1:]...)
			return
		}
	}
}

// Set gives the phone another script for calls to come.
func (h *Handset) Set(s Script) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.script = s
}

// Calls are all the calls that were offered to the phone, oldest first.
func (h *Handset) Calls() []*Party {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]*Party(nil), h.calls...)
}

// Last is the newest call offered to the phone, nil if there was none.
func (h *Handset) Last() *Party {
	if all := h.Calls(); len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

// Contacts implements pbx.Line.
func (l *Line) Contacts(extension string) []pbx.Contact {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []pbx.Contact
	for _, h := range l.phones {
		if h.Contact.Extension == extension {
			found = append(found, h.Contact)
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].Q > found[j].Q })
	return found
}

func (l *Line) handset(id string) *Handset {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range l.phones {
		if h.Contact.ID == id {
			return h
		}
	}
	return nil
}

// Dial implements pbx.Line.
func (l *Line) Dial(ctx context.Context, inv pbx.Invitation) (*pbx.Leg, pbx.Outcome) {
	if ctx.Err() != nil {
		return nil, causeOf(ctx)
	}
	h := l.handset(inv.To.ID)
	if h == nil {
		return nil, pbx.Outcome{Kind: pbx.Unreachable, By: pbx.Network, Status: 408}
	}
	p := l.party(inv.To.Number, false)
	p.Invitation = inv
	h.mu.Lock()
	script := h.script
	if h.Codecs != nil {
		p.codecs = h.Codecs
	}
	h.calls = append(h.calls, p)
	h.mu.Unlock()
	p.Leg = pbx.NewLeg(signalling{p}, p.id, false, pbx.Identity{Number: inv.To.Number}, inv.To, p.id+"@pbxtest")

	news := inv.Progress
	var over sync.Mutex // Progress never comes after Dial has returned
	returned := false
	p.news = func(n pbx.Progress) {
		over.Lock()
		defer over.Unlock()
		if news != nil && !returned {
			news(n)
		}
	}
	defer func() {
		over.Lock()
		returned = true
		over.Unlock()
	}()

	type result struct {
		o  pbx.Outcome
		ok bool
	}
	done := make(chan result, 1)
	ringing, stop := context.WithCancelCause(ctx)
	go func() {
		o := script(ringing, p)
		done <- result{o, true}
	}()
	select {
	case r := <-done:
		stop(nil)
		if !r.o.OK() {
			p.end(r.o, "failed "+r.o.String())
			return nil, r.o
		}
		if err := p.agree(inv.Codecs); err != nil {
			o := pbx.Outcome{Kind: pbx.Failed, By: pbx.Callee, Status: 488}
			p.end(o, "failed "+o.String())
			return nil, o
		}
		p.mu.Lock()
		p.answered = true
		p.mu.Unlock()
		return p.Leg, r.o
	case <-ctx.Done():
		o := causeOf(ctx)
		p.end(o, "cancel "+o.String())
		stop(o)
		go func() {
			if r := <-done; r.o.OK() {
				p.note("answered too late")
			}
		}()
		return nil, o
	}
}

// causeOf is why ctx was cancelled, as an outcome.
func causeOf(ctx context.Context) pbx.Outcome {
	var o pbx.Outcome
	switch err := context.Cause(ctx); {
	case errors.As(err, &o):
		return o
	case errors.Is(err, context.DeadlineExceeded):
		return pbx.RangOut
	default:
		return pbx.GaveUp
	}
}

// Message implements pbx.Line: the phone takes the message, unless its script is Vanish or it has gone.
func (l *Line) Message(ctx context.Context, to pbx.Contact, m pbx.Message) pbx.Outcome {
	if l.handset(to.ID) == nil {
		return pbx.Outcome{Kind: pbx.Unreachable, By: pbx.Network, Status: 408}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages = append(l.messages, m)
	return pbx.Outcome{Kind: pbx.Answered, By: pbx.Callee, Status: 200}
}

// Messages are all that phones of this line have got.
func (l *Line) Messages() []pbx.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]pbx.Message(nil), l.messages...)
}

// Call lets the phone of an extension call a number. It offers PCMU, PCMA and telephone-event, or these codecs.
func (l *Line) Call(from, number string, codecs ...media.Codec) *Party {
	p := l.caller(from)
	if codecs != nil {
		p.codecs = codecs
	}
	p.port.formats = formatsOf(p.codecs)
	l.Exchange.Incoming(p.Leg, number, 70)
	return p
}

// CallWithoutOffer is Call with an INVITE that has no offer: the phone hears nothing before the PBX has answered.
func (l *Line) CallWithoutOffer(from, number string) *Party {
	p := l.caller(from)
	p.delayed = true
	l.Exchange.Incoming(p.Leg, number, 70)
	return p
}

func (l *Line) caller(from string) *Party {
	p := l.party(from, true)
	contact := pbx.Contact{Extension: from, Number: from, ID: from + "/caller", URI: "sip:" + from + "@192.0.2.1"}
	p.Leg = pbx.NewLeg(signalling{p}, p.id, true, pbx.Identity{Number: from, Name: "Name of " + from}, contact, p.id+"@pbxtest")
	return p
}

func (l *Line) party(number string, incoming bool) *Party {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	p := &Party{
		Number: number, Incoming: incoming, Created: time.Now(), id: fmt.Sprintf("leg-%d", l.last), line: l,
		codecs: []media.Codec{media.PCMU, media.PCMA, media.Telephone}, changed: make(chan struct{}), done: make(chan struct{}),
	}
	p.port = &Port{party: p}
	l.parties = append(l.parties, p)
	return p
}

// Left describes every leg that is not over: at the end of a test there should be none.
func (l *Line) Left() []string {
	l.mu.Lock()
	all := append([]*Party(nil), l.parties...)
	l.mu.Unlock()
	var left []string
	for _, p := range all {
		if _, over := p.Ended(); !over {
			left = append(left, fmt.Sprintf("%s of %s: %v", p.id, p.Number, p.Told()))
		}
	}
	return left
}
