package pbx

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"ringback/media"
)

// Call is one caller's attempt to reach somebody, and what became of it.
// The exported fields do not change. Its methods may be called from any goroutine.
type Call struct {
	ID          string
	From        Identity
	Dialled     string
	MaxForwards int      // what a request made for this call may still have
	only        []string // see Leg.Only

	sb     *Switchboard
	cancel context.CancelCauseFunc // ends the plan

	// Guarded by Switchboard.mu.
	caller *Leg  // the slot: who waits for the plan, nil once that leg has ended
	early  *Leg  // whose early media the caller hears
	open   int32 // legs of this call that have not ended, its plan and its recordings until those are done; at 0 the record is written
	state  state // how far it is
	served bool  // a service of the PBX has answered; the plan may go on
	tone   bool  // a caller who is served hears ringing
	taping *taping
	record CDR
	plan   Target
	path   []passed
	steps  [2]passed // room for the path of a plain call
}

// state is how far a call is.
type state uint8

const (
	routing  state = iota // the plan is running
	answered              // somebody, or a service, has answered; the caller was told, or is just being told
	over                  // it is being taken down; the record is closed when the last leg has ended
)

var lastID atomic.Int64

// newID returns an identifier that is unique in this process and sorts by time: nanoseconds since 1970, in hexadecimal.
func newID(now time.Time) string {
	for {
		last := lastID.Load()
		next := max(now.UnixNano(), last+1)
		if lastID.CompareAndSwap(last, next) {
			return strconv.FormatInt(next, 16)
		}
	}
}

// Caller is the leg that waits for the plan; nil once it has gone.
func (c *Call) Caller() *Leg {
	c.sb.mu.Lock()
	defer c.sb.mu.Unlock()
	return c.caller
}

// hidden notes for the record that the caller hides his number.
func (c *Call) hidden() {
	c.sb.mu.Lock()
	defer c.sb.mu.Unlock()
	c.record.Hidden = true
}

// Offered are the codecs that the caller can do, preferred first; nil if it has not said yet.
func (c *Call) Offered() []media.Codec {
	if leg := c.Caller(); leg != nil {
		return leg.Offered()
	}
	return nil
}

// Progress brings news of a branch to the caller, who sees one dialog: the first branch with early media is
// heard, until it fails; the others only ring. It must not be called with a lock held.
func (c *Call) Progress(p Progress) {
	s := c.sb
	s.mu.Lock()
	caller := c.caller
	if caller == nil || c.state != routing && !c.served || c.state == over || caller.bridge != nil {
		s.mu.Unlock()
		return
	}
	rings := p.Status != 181 // which only says that the call goes elsewhere
	if rings && c.record.Rang.IsZero() {
		c.record.Rang = time.Now().UTC()
		s.feed.call(CallRinging, &c.record)
	}
	if caller.attended() {
		s.mu.Unlock()
		return
	}
	heard := p.Early != nil && (c.early == nil || c.early == p.Early)
	if heard {
		c.early = p.Early
	} else if p.Early != nil && p.Status == 183 {
		p.Status = 180 // its sound is not passed on, so the caller's own phone shall ring
	}
	served, ring := c.served, rings && c.served && !c.tone && c.early == nil
	c.tone = c.tone || ring
	s.mu.Unlock()

	if served {
		c.progressServed(caller, p, heard, ring)
		return
	}
	p.Codecs = nil
	if heard {
		p.Codecs = codecsOf(p.Early)
	}
	caller.Progress(p)
	if heard {
		s.connect(caller, p.Early)
	}
}

// claim lets the PBX itself be what the caller hears before the answer, in place of early media; silence(caller) gives it
// back. It reports false if he hears a branch already, or
// talks with a service.
func (c *Call) claim(caller *Leg) bool {
	c.sb.mu.Lock()
	defer c.sb.mu.Unlock()
	if c.early != nil || caller.attended() {
		return false
	}
	c.early = caller
	return true
}

// silence ends a branch's early media, if the caller was hearing it: the branch has failed, others go on. His phone plays no
// ringing of its own any more, so from now on we do.
func (c *Call) silence(early *Leg) {
	c.sb.mu.Lock()
	caller, heard := c.caller, early != nil && c.early == early
	if heard {
		c.early = nil
		heard = caller != nil && !caller.attended()
		c.tone = c.tone || heard
	}
	c.sb.mu.Unlock()
	if !heard {
		return
	}
	c.ring(caller, true)
}

// ring has the caller hear ringing instead of what he heard, unless a service talks to him. cut says that he hears that no more where
// there is no ringing.
func (c *Call) ring(caller *Leg, cut bool) {
	sound := c.sb.prompt(PromptRinging)
	c.sb.ringing.Lock()
	defer c.sb.ringing.Unlock()
	c.sb.mu.Lock()
	attended := caller.attended()
	c.sb.mu.Unlock()
	port := caller.Port()
	switch {
	case attended || port == nil:
	case sound != nil:
		port.Play(sound, nil)
	case cut:
		port.Disconnect()
	}
}

// Answer accepts the call on behalf of a service of the PBX, such as the echo test.
// It reports whether the caller is still there and could be answered.
func (c *Call) Answer(prefer []media.Codec) (*Leg, Outcome) {
	s := c.sb
	s.mu.Lock()
	caller := c.caller
	if caller != nil && c.served && c.state == answered {
		s.mu.Unlock()
		return caller, Outcome{Kind: Answered}
	}
	if caller == nil || c.state != routing {
		s.mu.Unlock()
		return nil, GaveUp
	}
	c.state, c.served = answered, true
	c.record.Answered = time.Now().UTC()
	c.record.Outcome = Answered.String()
	record := c.record
	s.mu.Unlock()

	s.journalAnswer(record)
	if err := caller.Answer(prefer); err != nil {
		s.mu.Lock()
		if c.state == answered { // it was not hung up meanwhile
			c.state, c.served = routing, false
			c.record.Answered = time.Time{}
		}
		s.mu.Unlock()
		return nil, NotAcceptable
	}
	s.feed.call(CallAnswered, &record)
	return caller, Outcome{Kind: Answered}
}

// codecsOf lists what was agreed with a leg, preferred first; nil if nothing was yet.
func codecsOf(leg *Leg) []media.Codec {
	port := leg.Port()
	if port == nil {
		return nil
	}
	formats := port.Formats()
	codecs := make([]media.Codec, len(formats))
	for i, f := range formats {
		codecs[i] = f.Codec
	}
	return codecs
}
