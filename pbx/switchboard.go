package pbx

import (
	"context"
	"log/slog"
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
	// NewCapture hears phones for a recording. Nil: nothing is recorded.
	NewCapture func(channels int, sink func(frame []int16)) media.Capture
	Recordings RecordingStore // nil: nothing is recorded
	// ConferenceChanged is told of each room in which somebody came, went, or was muted. It must not block. Nil: nobody is told.
	ConferenceChanged func(room string)
	Recent            *Recent // nil: its own
	Feed              *Feed   // that is told of calls; nil: nobody is
	Log               *slog.Logger
}

// Switchboard carries out plans and keeps who talks to whom. It implements Exchange.
type Switchboard struct {
	line              Line
	journal           Journal
	route             func(*Call) Target
	directory         Directory
	prompt            func(string) media.Sound
	newRoom           func() media.Room
	conferenceChanged func(room string)
	// newCapture is Options.NewCapture, which may be nil.
	newCapture func(channels int, sink func(frame []int16)) media.Capture
	recent     *Recent
	feed       *Feed
	log        *slog.Logger
	base       context.Context
	stop       context.CancelCauseFunc
	counters   counters
	messages   chan struct{} // one token a message under way
	waiting    chan plan     // to goroutines that have carried out a plan before
	plans      sync.WaitGroup
	recordings RecordingStore // nil: nothing is recorded
	taping     sync.WaitGroup // recordings under way

	// ringing is held while a caller is given ringing, and while a service begins to talk to one, so that the one does not come into the
	// midst of the other. mu may be taken under it, not the other way round.
	ringing sync.Mutex

	mu       sync.Mutex // guards what follows; see the package's documentation
	calls    map[string]*Call
	usage    map[string]*usage      // by extension
	turns    map[string]int         // whose turn it is, by group
	rooms    map[string]*conference // by number of the room
	draining bool
	closed   bool          // nothing is begun any more
	idle     chan struct{} // closed when draining and the last call is over
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
		waiting: make(chan plan), prompt: o.Prompt, newRoom: o.NewRoom, conferenceChanged: o.ConferenceChanged, newCapture: o.NewCapture, recordings: o.Recordings, recent: o.Recent, feed: o.Feed, rooms: make(map[string]*conference),
		messages: make(chan struct{}, messagesAtOnce), calls: make(map[string]*Call), usage: make(map[string]*usage), turns: make(map[string]int),
	}
	if s.prompt == nil {
		s.prompt = func(string) media.Sound { return nil }
	}
	if s.newRoom == nil {
		s.newRoom = func() media.Room { return nil }
	}
	if s.conferenceChanged == nil {
		s.conferenceChanged = func(string) {}
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
	internal := s.directory == nil || s.directory.Extension(leg.Party.Number) != nil // usage has no numbers from outside

	s.mu.Lock()
	s.feed.call(CallStarted, &c.record)
	refused := s.draining
	ended := leg.ended // it was cancelled before we came to know of it
	if !ended {
		leg.call = c
		s.calls[c.ID] = c
		if internal {
			leg.counted = leg.Party.Number
			s.take(leg.counted)
		}
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
		s.conclude(c, GaveUp)
		s.finish(c)
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
		s.finish(c)
	}
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
		s.feed.call(CallAnswered, &record)
		s.connected(c, caller, leg)
		return
	}
	if err := caller.Answer(transcodable(codecsOf(leg))); err != nil {
		s.log.Info("no common codec", "call", c.ID, "err", err)
		s.mu.Lock()
		if c.state != over {
			c.record.Answered, c.record.By, c.record.Contact = time.Time{}, "", ""
			c.concludeLocked(NotAcceptable)
		}
		s.mu.Unlock()
		caller.Refuse(NotAcceptable)
		leg.Hangup(NotAcceptable)
		return
	}
	s.feed.call(CallAnswered, &record)
	s.connected(c, caller, leg)
}

// connected has two who are answered now hear each other, with all that begins then.
func (s *Switchboard) connected(c *Call, caller, callee *Leg) {
	s.listenInCall(caller, callee)
	s.listenInCall(callee, caller)
	s.settle(caller, false)
	s.recordByPolicy(c, caller, callee)
}

// journalAnswer writes the answered record before the caller's 200 goes out.
func (s *Switchboard) journalAnswer(record CDR) {
	if err := s.journal.Answered(record); err != nil {
		s.counters.unrecorded.Add(1)
		s.log.Error("an answered call is not in the journal yet", "call", record.ID, "err", err)
	}
}
