package pbx

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"ringback/media"
)

// Errors of StartRecording, StopRecording and RecordConference.
var (
	ErrNoSuchCall   = errors.New("there is no such call")
	ErrNotConnected = errors.New("nobody talks to anybody in this call")
	ErrRecorded     = errors.New("it is being recorded already")
	ErrNotRecorded  = errors.New("it is not being recorded")
	ErrNoRecordings = errors.New("this PBX keeps no recordings")
	ErrManyRecorded = errors.New("there are too many recordings of this call already")
	ErrNoConference = errors.New("there is no conference in this room")
)

// maxRecorded bounds the recordings of a call.
const maxRecorded = 100

// What those hear who are being recorded.
const (
	promptRecorded     = "call-recorded"
	promptRecordingOn  = "recording-on"
	promptRecordingOff = "recording-off"
	promptError        = "error"
)

// StartRecording records a call from now on: what the caller says left, what the one says whom he talks to right. by is whose
// doing it is. It does not wait for the disk: what becomes of it is in the record of the call. Errors are ErrNoSuchCall,
// ErrNotConnected, ErrRecorded, ErrManyRecorded and ErrNoRecordings.
func (s *Switchboard) StartRecording(call, by string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[call]
	if c == nil {
		return ErrNoSuchCall
	}
	return s.recordCall(c, by, nil)
}

// StopRecording ends the recording of a call, whoever has begun it; by is whose doing that is, for the log. Errors are ErrNoSuchCall
// and ErrNotRecorded.
func (s *Switchboard) StopRecording(call, by string) error {
	s.mu.Lock()
	c, err := s.calls[call], error(nil)
	switch {
	case c == nil:
		err = ErrNoSuchCall
	case c.taping == nil || c.taping.ending:
		err = ErrNotRecorded
	default:
		c.taping.end()
	}
	s.mu.Unlock()
	if err == nil {
		s.log.Info("a recording was ended", "call", call, "by", by)
	}
	return err
}

// recordCall begins to record a call; who is the party that wants it, nil if that is nobody in the call. The caller holds s.mu.
func (s *Switchboard) recordCall(c *Call, by string, who *Leg) error {
	both := c.legs()
	switch {
	case !s.tapes():
		return ErrNoRecordings
	case s.closed || c.state != answered || both[1] == nil:
		return ErrNotConnected
	case c.taping != nil:
		return ErrRecorded
	case len(c.record.Recorded) >= maxRecorded:
		return ErrManyRecorded
	}
	r := Recording{Call: c.ID, From: c.From.Number, To: c.record.By, By: by, Started: time.Now().UTC(), Channels: 2}
	if r.To == "" {
		r.To = c.Dialled
	}
	c.open++ // until the disk has it: the record says what became of it
	c.record.Recorded = append(c.record.Recorded, Recorded{By: by, Started: r.Started})
	from := &conversation{s: s, c: c, both: both, who: who, entry: len(c.record.Recorded) - 1}
	from.taping = s.tape(r, from)
	c.taping = from.taping
	return nil
}

// conversation is a call as it is recorded.
//
// What the phone of a party sends that holds the other is not for that one, who hears music, and not in it either.
type conversation struct {
	s      *Switchboard
	c      *Call
	taping *taping
	both   [2]*Leg // the caller's, and the one that he talks to
	who    *Leg    // who wants it by a key, nil if nobody does
	entry  int     // in the call's record

	mu      sync.Mutex    // held for what look does; Switchboard.mu may be taken under it, not the other way round
	capture media.Capture // nil before listen
}

func (v *conversation) listen(sink func([]int16)) (deaf func()) {
	v.mu.Lock()
	v.capture = v.s.newCapture(len(v.both), sink)
	v.mu.Unlock()
	v.look()
	return v.capture.Close
}

func (v *conversation) look() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.capture == nil {
		return
	}
	v.s.mu.Lock()
	held := [...]bool{v.both[0].held, v.both[1].held}
	v.s.mu.Unlock()
	for channel, leg := range v.both {
		var port media.Port
		if !held[channel] {
			port = leg.Port()
		}
		if err := v.capture.Hear(channel, port); err != nil && !errors.Is(err, media.ErrClosed) { // the call is just ending
			v.s.log.Error("a party is not recorded", "call", v.c.ID, "channel", channel, "err", err)
		}
	}
}

func (v *conversation) missing() string {
	var all []string
	for channel, leg := range v.both {
		if codec := v.capture.Undecoded(channel); codec != "" {
			all = append(all, "What "+leg.number()+" said in "+codec+" is missing.")
		}
	}
	return strings.Join(all, " ")
}

func (v *conversation) begun() {
	if v.who == nil {
		if v.announced() {
			v.s.tellSoon(promptRecorded, v.both[:]...)
		}
		return
	}
	v.tell(promptRecordingOn)
}

func (v *conversation) ended(ok bool) {
	v.s.mu.Lock()
	if v.c.taping == v.taping {
		v.c.taping = nil
	}
	v.s.mu.Unlock()
	switch {
	case v.who == nil:
	case ok:
		v.tell(promptRecordingOff)
	default:
		v.s.tellSoon(promptError, v.who)
	}
}

func (v *conversation) kept(r Recorded) {
	v.s.mu.Lock()
	v.c.record.Recorded = slices.Clone(v.c.record.Recorded) // a listener may have the one before
	v.c.record.Recorded[v.entry] = r
	last := v.c.closeLocked()
	v.s.mu.Unlock()
	if last {
		v.s.finish(v.c)
	}
}

// tell says something to the party that wants the recording, and where it is announced, to the other one.
func (v *conversation) tell(prompt string) {
	if v.announced() {
		v.s.tellSoon(prompt, v.both[:]...)
	} else {
		v.s.tellSoon(prompt, v.who)
	}
}

// announced reports whether both are told: if either of them wants it so.
func (v *conversation) announced() bool {
	return slices.ContainsFunc(v.both[:], func(leg *Leg) bool { return v.s.recordPolicy(leg).Announce })
}

// recordPolicy is that of a party now.
func (s *Switchboard) recordPolicy(leg *Leg) RecordPolicy {
	if x := s.extension(leg); x != nil {
		return x.Services.Record
	}
	return RecordPolicy{}
}

// recordable leaves of the codecs that an extension is called with those that can be recorded, if there are any and a policy wants the
// call recorded: two phones shall not agree on another.
func (s *Switchboard) recordable(c *Call, extension string, codecs []media.Codec) []media.Codec {
	if !s.tapes() || s.directory == nil || !slices.ContainsFunc(codecs, media.Codec.Linear) {
		return codecs
	}
	from, to := s.directory.Extension(c.From.Number), s.directory.Extension(extension)
	if (from == nil || !from.Services.Record.Outgoing) && (to == nil || !to.Services.Record.Incoming) {
		return codecs
	}
	return slices.DeleteFunc(slices.Clone(codecs), func(x media.Codec) bool { return !x.Linear() && !x.IsEvent() && !x.IsComfortNoise() })
}

// recordByPolicy begins to record a call that was answered just now, if the policy of either party says so.
func (s *Switchboard) recordByPolicy(c *Call, caller, callee *Leg) {
	if !s.tapes() {
		return
	}
	var by *Leg
	switch {
	case s.recordPolicy(caller).Outgoing:
		by = caller
	case s.recordPolicy(callee).Incoming:
		by = callee
	default:
		return
	}
	s.mu.Lock()
	err := s.recordCall(c, "policy of "+by.number(), nil)
	s.mu.Unlock()
	if err != nil && err != ErrNotConnected { // somebody has hung up just now
		s.log.Error("a call is not recorded", "call", c.ID, "err", err)
	}
}

// recordOnDemand is what *1 does: it begins a recording, or ends the one that the same extension has begun. What a policy or an
// administrator wants recorded goes on.
func (s *Switchboard) recordOnDemand(leg *Leg) {
	number, already, err := leg.number(), false, error(nil)
	s.mu.Lock()
	c := leg.call
	switch {
	case c.taping == nil:
		err = s.recordCall(c, number, leg)
	case c.taping.By == number:
		c.taping.end()
	default:
		already = true
	}
	s.mu.Unlock()
	switch {
	case err != nil:
		s.log.Info("a call is not recorded", "call", c.ID, "by", number, "err", err)
		s.tellSoon(promptError, leg)
	case already:
		s.tellSoon(promptRecordingOn, leg)
	}
}
