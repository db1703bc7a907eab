package pbx

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// endCaller refuses or hangs up the caller after a plan has come to its end.
func (s *Switchboard) endCaller(c *Call, o Outcome) {
	s.mu.Lock()
	caller, waits := c.caller, c.record.Answered.IsZero() // also if the call was concluded meanwhile
	s.mu.Unlock()
	if caller == nil {
		return
	}
	s.conclude(c, o)
	if waits {
		caller.Refuse(o.forCaller())
	} else {
		caller.Hangup(o)
	}
}

// conclude notes how c ended and whose doing it was. Only the first conclusion of a call counts.
func (s *Switchboard) conclude(c *Call, o Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.concludeLocked(o)
}

func (c *Call) concludeLocked(o Outcome) {
	if c.state == over {
		return
	}
	r := &c.record
	kind := o.Kind
	if !r.Answered.IsZero() {
		kind = Answered
	} else {
		r.Status = o.forCaller().Status
		if kind == Answered {
			kind = Failed
		}
	}
	c.state = over
	r.Outcome, r.EndedBy, r.Cause, r.Ended = kind.String(), o.By.String(), o.Cause, time.Now().UTC()
	if len(o.Reason) > 0 {
		r.Reason = o.Reason[0]
	} else {
		r.Reason = o.Phrase
	}
	c.sb.counters.outcomes[kind].Add(1)
}

// Ended implements Exchange.
func (s *Switchboard) Ended(leg *Leg, o Outcome) {
	quality, codec := Quality{}, ""
	if port := leg.Port(); port != nil {
		stats := port.Stats()
		quality, codec = QualityOf(stats), stats.Codec
	}
	s.mu.Lock()
	if leg.ended {
		s.mu.Unlock()
		return
	}
	leg.ended = true
	if leg.over != nil {
		close(leg.over)
	}
	if leg.counted != "" {
		s.release(leg.counted)
	}
	c := leg.call
	if c == nil { // it never became part of a call
		s.mu.Unlock()
		return
	}
	c.concludeLocked(o)
	codes := leg.codes
	var rest []*Leg
	if leg.bridge != nil {
		if c.taping != nil {
			c.taping.end()
		}
		for _, other := range leg.bridge.legs {
			if other != leg && !other.ended {
				rest = append(rest, other)
			}
			other.bridge = nil
		}
	}
	if c.caller == leg {
		c.caller = nil
		c.record.FromPhone = quality
		c.record.Codec = codec
	} else {
		c.record.ToPhone = quality
	}
	last := c.closeLocked()
	s.mu.Unlock()

	if codes != nil {
		codes.end()
	}
	if leg.Incoming {
		c.abandon(o)
	}
	for _, other := range rest {
		other.Hangup(passedOn(o))
	}
	if last {
		s.finish(c)
	}
}

// closeLocked takes one of what keeps c open away, and reports whether it was the last: then finish is next. The caller holds
// s.mu.
func (c *Call) closeLocked() bool {
	c.open--
	return c.open == 0
}

// finish gives the journal the record of a call that is over, which nobody changes any more, and forgets the call. Drain does
// not return before that.
func (s *Switchboard) finish(c *Call) {
	record := s.complete(c)
	s.journal.Ended(record)
	s.feed.call(CallEnded, &record)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.calls, c.ID)
	s.becameIdle()
}

// complete is the record with the plan and the way. A plan that cannot be shown is a defect, but no reason to lose the record.
func (s *Switchboard) complete(c *Call) (r CDR) {
	r = c.record
	defer func() {
		if p := recover(); p != nil {
			s.counters.panics.Add(1)
			panicked(p)
		}
	}()
	if c.plan != nil {
		r.Path = rendered(c.path)
		r.Plan = Text(c.plan)
	}
	return r
}

// abandon ends the plan of c because of o. To whatever still rings even the proper end of an answered call is a cancellation.
func (c *Call) abandon(o Outcome) {
	if o.OK() {
		o.Kind, o.Status = Cancelled, 487
	}
	c.cancel(o)
}

// passedOn is the end of one leg as the other is told it: with its reason, but no status of another dialog.
func passedOn(o Outcome) Outcome {
	return Outcome{Kind: Answered, By: o.By, Cause: o.Cause, Reason: o.Reason}
}

// forCaller is o with the status a caller shall see. A called phone's 401 and 407 are its own business, and a
// broken one is not a broken PBX (RFC 3261 §16.7 step 6).
func (o Outcome) forCaller() Outcome {
	switch {
	case o.Status == 401 || o.Status == 407 || (o.Status == 503 && o.By == Callee):
		o.Status, o.Phrase = 500, ""
	case o.Kind == Unreachable, o.Kind == NoAnswer:
		o.Status, o.Phrase = 480, ""
	case o.Kind == Cancelled:
		o.Status, o.Phrase = 487, ""
	case o.Kind == Redirected && o.ToCaller:
	case o.Kind == Redirected: // nobody followed it
		o.Status, o.Phrase = 480, ""
	case o.Status < 300:
		o.Status, o.Phrase = 500, ""
	}
	return o
}

// survive is for a deferred call in goroutines that others have made: a panic there ends nothing else.
func (s *Switchboard) survive() {
	if p := recover(); p != nil {
		s.counters.panics.Add(1)
		panicked(p)
	}
}

// panicked reports a recovered panic: it ends one call, is logged with its stack, and nothing else notices.
func panicked(p any) Outcome {
	slog.Error("panic in a call", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	return Outcome{Kind: Failed, By: System, Status: 500}
}
