package pbx

import (
	"context"
	"slices"
	"time"

	"ringback/media"
)

// Talk is a conversation of the PBX itself with a party: it plays prompts and hears keys. One goroutine uses it, the one
// that it was given to.
type Talk struct {
	Call *Call
	leg  *Leg
	sb   *Switchboard
	keys chan byte
	gone <-chan struct{}
}

// typeahead is how many keys are kept until somebody asks for them.
const typeahead = 64

// talk begins to listen to a leg.
func (s *Switchboard) talk(c *Call, leg *Leg) *Talk {
	t := &Talk{Call: c, leg: leg, sb: s, keys: make(chan byte, typeahead)}
	s.mu.Lock()
	if leg.over == nil {
		leg.over = make(chan struct{})
		if leg.ended {
			close(leg.over)
		}
	}
	t.gone = leg.over
	leg.keys = t.keys
	if c.caller == leg {
		c.tone = false // what is played now takes its place
	}
	s.mu.Unlock()
	if port := leg.Port(); port != nil {
		port.Keys(func(key byte) { s.Key(leg, key) })
	}
	return t
}

// end stops listening.
func (t *Talk) end() {
	t.sb.mu.Lock()
	t.leg.keys = nil
	t.sb.mu.Unlock()
	if port := t.leg.Port(); port != nil {
		port.Keys(nil)
	}
}

// Key implements Exchange: a key goes to whoever talks with the party for the PBX.
func (s *Switchboard) Key(leg *Leg, key byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if leg.keys != nil {
		select {
		case leg.keys <- key:
		default: // more than anybody types ahead
		}
	}
}

// start plays a prompt; done gets a value when it has ended. It reports whether there is such a prompt.
func (t *Talk) start(prompt string) (done chan bool, ok bool) {
	port := t.leg.Port()
	if prompt == "" || port == nil {
		return nil, false
	}
	source := t.sb.prompt(prompt)
	if source == nil {
		return nil, false
	}
	done = make(chan bool, 1)
	port.Play(source, func(whole bool) { done <- whole })
	return done, true
}

// Play plays a prompt to its end; keys wait for Keys. It reports false when the party has gone or ctx is done. A prompt
// that is not there is silence.
func (t *Talk) Play(ctx context.Context, prompt string) bool {
	if !t.there(ctx) {
		return false
	}
	done, ok := t.start(prompt)
	if !ok {
		return true
	}
	select {
	case <-done:
	case <-ctx.Done():
		t.leg.Port().Disconnect()
	case <-t.gone:
	}
	return t.there(ctx)
}

func (t *Talk) there(ctx context.Context) bool {
	select {
	case <-t.gone:
		return false
	default:
		return ctx.Err() == nil
	}
}

// Keys plays a prompt, which the first key ends, and collects keys: until #, which is not part of them, until there are
// limit of them, or until none has come for wait after the prompt. It reports false when the party has gone or ctx is done.
func (t *Talk) Keys(ctx context.Context, prompt string, limit int, wait time.Duration) (string, bool) {
	playing, _ := t.start(prompt)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	silence := timer.C
	if playing != nil {
		silence = nil
	}
	var typed []byte
	for len(typed) < limit {
		select {
		case key := <-t.keys:
			if playing != nil {
				t.leg.Port().Disconnect()
			}
			if key == '#' {
				return string(typed), true
			}
			typed = append(typed, key)
			playing, silence = nil, timer.C
			timer.Reset(wait)
		case <-playing:
			playing, silence = nil, timer.C
			timer.Reset(wait)
		case <-silence:
			return string(typed), true
		case <-ctx.Done():
			return "", false
		case <-t.gone:
			return "", false
		}
	}
	return string(typed), true
}

// Service answers the call by the PBX itself. talk holds the conversation; then the PBX hangs up, or if talk gives
// a target, the call goes on to that: the caller, who is answered already, then hears tones. name is shown with the plan, and
// so is then, where the call may go on to.
func Service(name string, talk func(ctx context.Context, t *Talk) Target, then ...Target) Target {
	return service{name: name, talk: talk, then: then}
}

// Announcement answers as a machine that nobody talks to (automaton, RFC 3840), plays a prompt and hangs up.
func Announcement(prompt string) Target {
	return service{name: "announcement " + prompt, automaton: true, talk: func(ctx context.Context, t *Talk) Target {
		t.Play(ctx, prompt)
		return nil
	}}
}

type service struct {
	name      string
	automaton bool
	focus     bool
	talk      func(context.Context, *Talk) Target
	then      []Target
}

func (s service) Node() Node     { return inner("service", s, s.then) }
func (s service) String() string { return s.name }

func (s service) Reach(ctx context.Context, c *Call) (*Leg, Outcome) {
	switch caller := c.Caller(); {
	case caller == nil:
	case s.automaton:
		caller.Automaton()
	case s.focus:
		caller.Focus()
	}
	leg, o := c.Answer(spoken(c.Offered()))
	if leg == nil {
		return nil, o
	}
	next := s.converse(ctx, c, leg)
	if next == nil || ctx.Err() != nil {
		return nil, o
	}
	return c.Reach(ctx, next)
}

func (s service) converse(ctx context.Context, c *Call, leg *Leg) Target {
	t := c.sb.talk(c, leg)
	defer t.end()
	return s.talk(ctx, t)
}

// spoken are the codecs in which the PBX itself can talk, of those offered.
func spoken(offered []media.Codec) []media.Codec {
	if offered == nil {
		return []media.Codec{media.PCMU, media.PCMA, media.Telephone}
	}
	return slices.DeleteFunc(slices.Clone(offered), func(c media.Codec) bool { return !c.Linear() && !c.IsEvent() })
}

// Announce plays a prompt to a caller who is not answered, as early media (183, RFC 3960 §3), where he can hear any, and
// then ends with o.
func Announce(prompt string, o Outcome) Target { return announce{prompt, o} }

type announce struct {
	prompt string
	o      Outcome
}

func (a announce) Node() Node     { return leaf("announce", a) }
func (a announce) String() string { return "announce " + a.prompt + ", then refuse: " + a.o.String() }

func (a announce) Reach(ctx context.Context, c *Call) (*Leg, Outcome) {
	caller := c.Caller()
	if caller == nil {
		return nil, a.o
	}
	if !c.claim(caller) { // another branch may still answer, and he hears that
		return nil, a.o
	}
	defer c.silence(caller)
	if !c.isServed() {
		caller.Progress(Progress{Status: 183, Codecs: spoken(c.Offered())})
	}
	if port := caller.Port(); port != nil && len(port.Formats()) > 0 {
		t := c.sb.talk(c, caller)
		defer t.end()
		if !t.Play(ctx, a.prompt) {
			<-ctx.Done() // it is, or it will be in a moment, as the caller has gone
			return nil, cause(ctx)
		}
	}
	return nil, a.o
}

// confirm asks who answered to press 1. The caller does not hear him meanwhile.
func (c *Call) confirm(ctx context.Context, leg *Leg, wait time.Duration) (*Leg, Outcome) {
	c.silence(leg)
	t := c.sb.talk(c, leg)
	defer t.end()
	done, _ := t.start(PromptConfirm)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case key := <-t.keys:
			if key == '1' {
				if port := leg.Port(); port != nil {
					port.Disconnect()
				}
				return leg, Outcome{Kind: Answered, By: Callee, Status: 200}
			}
		case whole := <-done:
			if done = nil; whole {
				done, _ = t.start(PromptConfirm) // again and again: who has just picked up may have missed it
			}
		case <-timer.C:
			leg.Hangup(Hangup)
			return nil, Unconfirmed
		case <-t.gone:
			return nil, Outcome{Kind: Declined, By: Callee, Status: 480}
		case <-ctx.Done():
			o := cause(ctx)
			leg.Hangup(o)
			return nil, o
		}
	}
}

// cause is why ctx is done.
func cause(ctx context.Context) Outcome {
	if o, ok := context.Cause(ctx).(Outcome); ok {
		return o
	}
	return GaveUp
}

// Prompts that call control itself plays. The sounds are Options.Prompt's.
const (
	PromptConfirm    = "press-1"    // to a phone that has to accept a call
	PromptRinging    = "ringing"    // to a caller who is answered already
	PromptBusy       = "busy"       // the same
	PromptCongestion = "congestion" // the same
)

func (c *Call) isServed() bool {
	c.sb.mu.Lock()
	defer c.sb.mu.Unlock()
	return c.served
}

// progressServed is news for a caller who is answered already: tones.
func (c *Call) progressServed(caller *Leg, p Progress, heard, ring bool) {
	port := caller.Port()
	switch {
	case port == nil:
	case heard:
		c.sb.connect(caller, p.Early)
	case ring:
		if source := c.sb.prompt(PromptRinging); source != nil {
			port.Play(source, nil)
		}
	}
}

// tellFailure lets a caller who is answered already hear how the plan ended.
func (c *Call) tellFailure(ctx context.Context, o Outcome) {
	caller := c.Caller()
	if caller == nil || ctx.Err() != nil {
		return
	}
	t := c.sb.talk(c, caller)
	defer t.end()
	prompt := PromptCongestion
	if o.Kind == Busy {
		prompt = PromptBusy
	}
	ctx, stop := context.WithTimeout(ctx, failureTone)
	defer stop()
	t.Play(ctx, prompt)
}

// failureTone is how long that is heard at most.
const failureTone = 4 * time.Second
