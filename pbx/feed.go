package pbx

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// EventType says what happened, and so what the Data of an Event is.
type EventType string

// The types of events. The Data of those of a call is its record as far as it goes then, a *CDR.
const (
	CallStarted  EventType = "call.started"  // it came in
	CallRinging  EventType = "call.ringing"  // the first phone rings
	CallAnswered EventType = "call.answered" // by a phone, or by a service of the PBX; by a phone after that as well
	CallEnded    EventType = "call.ended"    // the record is whole: loss, jitter, round trip and MOS of each direction are in it

	ConferenceChange EventType = "conference.changed" // somebody came or went, was muted or not; ConferenceInfo, without members if it is over
	RecordingStarted EventType = "recording.started"  // of a call or a conference; Recording
	RecordingEnded   EventType = "recording.ended"    // Recording, with what it came to
	MailboxChange    EventType = "mailbox.changed"    // a message came, was heard, or removed; MessageCount

	RegistrationAdded   EventType = "registration.added"   // a phone that was not registered; Binding
	RegistrationRemoved EventType = "registration.removed" // it unregistered, was removed, or its time ran out; Binding, with no more than Extension and Contact

	EventGap EventType = "gap" // some events are missing here; Gap
)

// EventTypes are all of them but EventGap, which is not published.
var EventTypes = []EventType{CallStarted, CallRinging, CallAnswered, CallEnded, ConferenceChange, RecordingStarted, RecordingEnded,
	MailboxChange, RegistrationAdded, RegistrationRemoved}

// Event is something that happened, as administrators are told of it: the numbers of callers who hide them are in it. What its Data
// holds does not change any more.
type Event struct {
	ID        EventID
	At        time.Time // UTC
	Type      EventType
	Call      string // ID of the call's record
	Room      string // number of the conference room
	Mailbox   string
	Extension string // whose phone it is; of a call, who has answered
	Data      any
}

// Gap is where events are missing, because the listener was too slow or the PBX was started anew.
type Gap struct {
	Lost    uint64 `json:"lost"`              // how many, at least
	Restart bool   `json:"restart,omitempty"` // and nobody knows how many before the PBX was started anew
}

// EventID is the place of an event. The zero value is before everything.
type EventID struct {
	Run    uint64 // which run of the PBX
	Number uint64 // from 1
}

// String is how an EventID is told to the outside.
func (id EventID) String() string {
	b := make([]byte, 0, 40)
	b = strconv.AppendUint(b, id.Run, 16)
	b = append(b, '-')
	return string(strconv.AppendUint(b, id.Number, 10))
}

// ParseEventID reads what String has written.
func ParseEventID(s string) (id EventID, ok bool) {
	run, number, ok := strings.Cut(s, "-")
	var e1, e2 error
	id.Run, e1 = strconv.ParseUint(run, 16, 64)
	id.Number, e2 = strconv.ParseUint(number, 10, 64)
	return id, ok && cmp.Or(e1, e2) == nil
}

// feedLength is how many events a Feed keeps.
const feedLength = 4096

// Feed numbers events in the order in which they are published, and keeps the newest. Listeners read at their own pace: one that
// is too slow loses what is not kept any more, and is told how much. Methods may be called from any goroutine; those that publish never
// wait, and do nothing on a nil Feed.
//
// Its lock is a leaf: nothing else is locked while it is held, so events may be published with Switchboard.mu held, and other locks.
type Feed struct {
	run uint64

	mu      sync.Mutex
	ring    [feedLength]Event // event n is at n % feedLength
	last    uint64            // number of the newest, 0: none yet
	waiting chan struct{}     // closed with the next event; nil if nobody waits
}

// NewFeed has no events.
func NewFeed() *Feed { return &Feed{run: uint64(time.Now().UnixNano())} }

// Publish appends an event. ID and, unless it is set, At are given to it here.
func (f *Feed) Publish(e Event) {
	if f == nil {
		return
	}
	if e.At.IsZero() {
		e.At = time.Now().UTC()
	}
	f.mu.Lock()
	f.last++
	e.ID = EventID{f.run, f.last}
	f.ring[f.last%feedLength] = e
	if f.waiting != nil {
		close(f.waiting)
		f.waiting = nil
	}
	f.mu.Unlock()
}

// Last is the ID of the newest event: a Listener after it hears only what is still to come.
func (f *Feed) Last() EventID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return EventID{f.run, f.last}
}

// Listen returns a Listener of the events after one. It needs no end.
func (f *Feed) Listen(after EventID) *Listener { return &Listener{feed: f, after: after} }

// Listener is a place in a Feed. It belongs to one goroutine at a time.
type Listener struct {
	feed  *Feed
	after EventID
}

// maxBatch bounds what Next returns at a time.
const maxBatch = 256

// Next waits for events and appends them to all, at most 256, in order. What this Listener missed is one event of the type EventGap in
// its place. The error is that of ctx.
func (l *Listener) Next(ctx context.Context, all []Event) ([]Event, error) {
	for {
		more, wait := l.take(all)
		if wait == nil {
			return more, nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return all, ctx.Err()
		}
	}
}

// take returns what there is; if there is nothing, what is closed when there is.
func (l *Listener) take(all []Event) ([]Event, <-chan struct{}) {
	f := l.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	var gap Gap
	if l.after.Run != f.run || l.after.Number > f.last { // an ID of another run, or of nobody
		gap.Restart = true
		l.after = EventID{Run: f.run}
	}
	first := l.after.Number + 1
	if oldest := f.last - min(f.last, feedLength) + 1; first < oldest {
		gap.Lost = oldest - first
		first = oldest
	}
	if gap != (Gap{}) {
		l.after.Number = first - 1
		all = append(all, Event{ID: l.after, At: time.Now().UTC(), Type: EventGap, Data: gap})
	} else if first > f.last {
		if f.waiting == nil {
			f.waiting = make(chan struct{})
		}
		return all, f.waiting
	}
	for n := first; n <= f.last && n < first+maxBatch; n++ {
		all = append(all, f.ring[n%feedLength])
		l.after.Number = n
	}
	return all, nil
}

// call publishes what became of a call, with a copy of its record.
func (f *Feed) call(t EventType, r *CDR) {
	if f == nil {
		return
	}
	now := *r
	now.Recorded = slices.Clone(r.Recorded) // the call goes on changing its own
	f.Publish(Event{Type: t, Call: r.ID, Extension: r.By, Data: &now})
}

// RecordingBegun tells of a recording that goes on from now.
func (f *Feed) RecordingBegun(r Recording) { f.recording(RecordingStarted, r) }

// RecordingOver is told once it is in the list of recordings, or has come to nothing.
func (f *Feed) RecordingOver(r Recording) { f.recording(RecordingEnded, r) }

func (f *Feed) recording(t EventType, r Recording) {
	if f == nil {
		return
	}
	f.Publish(Event{Type: t, Call: r.Call, Room: r.Room, Data: r})
}

// ConferenceChanged tells what a conference has become; without members it is over.
func (f *Feed) ConferenceChanged(c ConferenceInfo) {
	if f == nil {
		return
	}
	f.Publish(Event{Type: ConferenceChange, Room: c.Number, Data: c})
}

// MailboxChanged tells how many messages a mailbox has.
func (f *Feed) MailboxChanged(mailbox string, n MessageCount) {
	if f == nil {
		return
	}
	f.Publish(Event{Type: MailboxChange, Mailbox: mailbox, Data: n})
}
