package pbx

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"ringback/media"
)

// Options are what a Switchboard needs of the rest.
type Options struct {
	Line    Line
	Journal Journal
	// Route makes the plan of a call. It must not block or do I/O.
	Route func(*Call) Target
	// Directory tells which numbers exist, for messages.
	Directory Directory
	// Prompt is the sound of a prompt, nil if there is none of that name; every call of it gives a new Sound. Nil: no prompts.
	Prompt func(name string) media.Sound
	// NewRoom opens a room for a conference. Nil: there are no conferences.
	NewRoom func() media.Room
	Recent  *Recent // nil: its own
	Log     *slog.Logger
}

// Switchboard carries out plans and keeps who talks to whom. It implements Exchange.
type Switchboard struct {
	line      Line
	journal   Journal
	route     func(*Call) Target
	directory Directory
	prompt    func(string) media.Sound
	newRoom   func() media.Room
	recent    *Recent
	log       *slog.Logger
	base      context.Context
	stop      context.CancelCauseFunc
	counters  counters
	messages  chan struct{} // one token a message under way

	mu       sync.Mutex
	calls    map[string]*Call
	usage    map[string]*usage      // by extension
	turns    map[string]int         // whose turn it is, by group
	rooms    map[string]*conference // by number of the room
	draining bool
	idle     chan struct{} // closed when draining and the last call is over
	plans    sync.WaitGroup
	waiting  chan plan // to goroutines that have carried out a plan before
}

// counters are read by Stats.
type counters struct {
	started    atomic.Uint64
	outcomes   [Failed + 1]atomic.Uint64
	panics     atomic.Uint64
	unrecorded atomic.Uint64
}

// messagesAtOnce bounds the instant messages that wait for a phone's response.
const messagesAtOnce = 1024

// New makes a Switchboard. Close ends it.
func New(o Options) *Switchboard {
	s := &Switchboard{
		line: o.Line, journal: o.Journal, route: o.Route, directory: o.Directory, log: o.Log,
		waiting: make(chan plan), prompt: o.Prompt, newRoom: o.NewRoom, recent: o.Recent, rooms: make(map[string]*conference),
		messages: make(chan struct{}, messagesAtOnce), calls: make(map[string]*Call), usage: make(map[string]*usage), turns: make(map[string]int),
	}
	if s.prompt == nil {
		s.prompt = func(string) media.Sound { return nil }
	}
	if s.newRoom == nil {
		s.newRoom = func() media.Room { return nil }
	}
	if s.recent == nil {
		s.recent = NewRecent()
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.base, s.stop = context.WithCancelCause(context.Background())
	return s
}

// SetLine is for wiring, where line and switchboard need each other: before the first call.
func (s *Switchboard) SetLine(l Line) { s.line = l }

// Incoming implements Exchange.
func (s *Switchboard) Incoming(leg *Leg, dialled string, maxForwards int) {
	now := time.Now().UTC()
	c := &Call{ID: newID(now), From: leg.Party, Dialled: dialled, MaxForwards: maxForwards, only: leg.Only, sb: s, caller: leg, open: 1}
	c.record = CDR{ID: c.ID, From: leg.Party.Number, FromName: leg.Party.Name, To: dialled, Started: now, CallID: leg.SIPID}
	ctx, cancel := context.WithCancelCause(s.base)
	c.cancel = cancel

	s.mu.Lock()
	refused := s.draining
	ended := leg.ended // it was cancelled before we came to know of it
	if !ended {
		leg.call = c
		s.calls[c.ID] = c
		leg.counted = leg.Party.Number
		s.take(leg.counted)
		if !refused {
			s.plans.Add(1)
			c.open++ // for the plan
		}
	}
	s.mu.Unlock()
	s.counters.started.Add(1)
	switch {
	case ended:
		cancel(nil)
	case refused:
		cancel(nil)
		s.conclude(c, GoingDown)
		leg.Refuse(GoingDown)
	default:
		s.begin(plan{ctx, c})
	}
}

// run carries out the plan of c.
func (s *Switchboard) run(ctx context.Context, c *Call) {
	defer s.plans.Done()
	defer s.planDone(c)
	defer c.cancel(nil)
	defer func() {
		if p := recover(); p != nil {
			s.counters.panics.Add(1)
			o := panicked(p)
			s.endCaller(c, o)
		}
	}()
	plan := s.route(c)
	s.mu.Lock()
	c.plan = plan
	s.mu.Unlock()
	leg, o := c.Reach(ctx, plan)
	if leg != nil {
		s.put(c, leg)
		return
	}
	if !o.OK() && c.isServed() {
		c.tellFailure(ctx, o)
	}
	s.endCaller(c, o)
}

// planDone is the end of a plan's goroutine: the record may wait for it.
func (s *Switchboard) planDone(c *Call) {
	s.mu.Lock()
	last := c.closeLocked()
	s.mu.Unlock()
	if last {
		s.write(c)
	}
}

// closeLocked takes one of what keeps c open away, and reports whether it was the last. The caller holds s.mu.
func (c *Call) closeLocked() bool {
	c.open--
	if c.open > 0 {
		return false
	}
	delete(c.sb.calls, c.ID)
	c.sb.becameIdle()
	return true
}

// write gives the journal the record of a call that is over: nobody else has it any more.
func (s *Switchboard) write(c *Call) {
	r := c.record
	if c.plan != nil {
		r.Plan, r.Path = Text(c.plan), rendered(c.path)
	}
	s.journal.Ended(r)
}

// put connects the leg that answered to the caller who waits, unless either has gone meanwhile.
func (s *Switchboard) put(c *Call, leg *Leg) {
	s.mu.Lock()
	caller := c.caller
	gone := caller == nil || c.state == over || caller.bridge != nil
	if leg.ended || gone {
		s.mu.Unlock()
		if gone {
			leg.Hangup(GaveUp)
			return
		}
		s.endCaller(c, Outcome{Kind: Declined, By: Callee, Status: 480})
		return
	}
	c.state = answered
	c.open++
	c.early = nil
	leg.call = c
	if leg.counted == "" {
		leg.counted = leg.Contact.Extension
		s.take(leg.counted)
	}
	s.join(c, caller, leg)
	if !c.served {
		c.record.Answered = time.Now().UTC()
	}
	c.record.By, c.record.Contact = leg.Contact.Extension, leg.Contact.URI
	c.record.Outcome = Answered.String()
	record := c.record
	s.mu.Unlock()

	s.journalAnswer(record)
	if c.isServed() {
		s.settle(caller, false)
		return
	}
	if err := caller.Answer(transcodable(codecsOf(leg))); err != nil {
		s.log.Info("no common codec", "call", c.ID, "err", err)
		s.mu.Lock()
		c.record.Answered, c.record.By, c.record.Contact = time.Time{}, "", ""
		s.mu.Unlock()
		s.conclude(c, NotAcceptable)
		caller.Refuse(NotAcceptable)
		leg.Hangup(NotAcceptable)
		return
	}
	s.settle(caller, false)
}

// journalAnswer writes the answered record before the caller's 200 goes out.
func (s *Switchboard) journalAnswer(record CDR) {
	if err := s.journal.Answered(record); err != nil {
		s.counters.unrecorded.Add(1)
		s.log.Error("an answered call is not in the journal yet", "call", record.ID, "err", err)
	}
}

// endCaller refuses or hangs up the caller after a plan has come to its end.
func (s *Switchboard) endCaller(c *Call, o Outcome) {
	s.mu.Lock()
	caller, was := c.caller, c.state
	s.mu.Unlock()
	if caller == nil {
		return
	}
	s.conclude(c, o)
	if was == routing {
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
	var rest []*Leg
	if leg.bridge != nil {
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

	if leg.Incoming {
		c.abandon(o)
	}
	for _, other := range rest {
		other.Hangup(passedOn(o))
	}
	if last {
		s.write(c)
	}
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

// panicked reports a recovered panic: it ends one call, is logged with its stack, and nothing else notices.
func panicked(p any) Outcome {
	slog.Error("panic in a call", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	return Outcome{Kind: Failed, By: System, Status: 500}
}
