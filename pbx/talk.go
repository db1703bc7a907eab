package pbx

import (
	"context"
	"time"
)

// Talk is a conversation of the PBX itself with a party: it plays prompts and hears keys. One goroutine uses it, the one
// that it was given to.
type Talk struct {
	Call *Call
	leg  *Leg
	sb   *Switchboard
	keys chan byte       // nil until it listens
	gone <-chan struct{} // closed when the leg has ended
	ends Outcome         // how the call ends when the service is over
}

// typeahead is how many keys are kept until somebody asks for them.
const typeahead = 64

// talk is a conversation that plays only.
func (s *Switchboard) talk(c *Call, leg *Leg) *Talk {
	t := &Talk{Call: c, leg: leg, sb: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	if leg.over == nil {
		leg.over = make(chan struct{})
		if leg.ended {
			close(leg.over)
		}
	}
	t.gone = leg.over
	if c.caller == leg {
		c.tone = false // what is played now takes its place
	}
	return t
}

// listen has the conversation hear keys too, until end. It reports false if another one does: a party talks with the PBX
// about one thing at a time.
func (t *Talk) listen() bool {
	t.sb.ringing.Lock()
	t.sb.mu.Lock()
	free := !t.leg.attended()
	if free {
		t.keys = make(chan byte, typeahead)
		t.leg.keys = t.keys
	}
	t.sb.mu.Unlock()
	t.sb.ringing.Unlock()
	if port := t.leg.Port(); free && port != nil {
		port.Keys(func(key byte) bool { t.sb.key(t.leg, key); return false })
	}
	return free
}

// end stops listening.
func (t *Talk) end() {
	if port := t.leg.Port(); port != nil {
		port.Keys(nil)
	}
	t.sb.mu.Lock()
	defer t.sb.mu.Unlock()
	t.leg.keys = nil
}

// attended reports whether the PBX talks with the party and listens: what branches of the plan bring is not for it then. The
// caller holds Switchboard.mu.
func (l *Leg) attended() bool { return l.keys != nil }

// key goes to whoever talks with the party for the PBX.
func (s *Switchboard) key(leg *Leg, key byte) {
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
	case whole := <-done:
		if !whole {
			t.cutShort(ctx)
		}
	case <-ctx.Done():
		t.quiet()
	case <-t.gone:
	}
	return t.there(ctx)
}

// quiet ends what is being played. A party that has just gone has no audio any more.
func (t *Talk) quiet() {
	if port := t.leg.Port(); port != nil {
		port.Disconnect()
	}
}

// cutShort waits a moment for the end of the leg: its audio ends first. Nobody shall be called for a party that has just gone.
// And where nothing can be heard at all, who plays again and again does so in no hurry.
func (t *Talk) cutShort(ctx context.Context) {
	moment := time.NewTimer(100 * time.Millisecond)
	defer moment.Stop()
	select {
	case <-moment.C:
	case <-ctx.Done():
	case <-t.gone:
	}
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
				t.quiet()
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
