package pbx

import "time"

// promptConfRecorded is what a member hears who comes to a conference that is being recorded, and everybody when that begins.
const promptConfRecorded = "conf-recorded"

// RecordConference has the conference of a room be recorded, from now on and while it meets, or no longer. by is whose doing that
// is. Errors are ErrNoConference, ErrRecorded or ErrNotRecorded if that is so already, and ErrNoRecordings.
func (s *Switchboard) RecordConference(room string, on bool, by string) error {
	s.mu.Lock()
	c, err := s.rooms[room], error(nil)
	switch {
	case c == nil:
		err = ErrNoConference
	case !s.tapes():
		err = ErrNoRecordings
	case on && c.record:
		err = ErrRecorded
	case !on && !c.record:
		err = ErrNotRecorded
	default:
		s.recordRoom(c, on, by, nil)
	}
	s.mu.Unlock()
	if err == nil {
		s.log.Info("recording of a conference", "room", room, "on", on, "by", by)
	}
	return err
}

// recordRoom has a conference be recorded while it meets, or not; who is the member whose key says so, if one does. The caller holds
// s.mu.
func (s *Switchboard) recordRoom(c *conference, on bool, by string, who *member) {
	c.record, c.recordedBy, c.recordsFor = on, by, who
	s.tapeRoom(c)
}

// recordKey is what a moderator's key 5 does. The caller holds s.mu.
func (s *Switchboard) recordKey(c *conference, m *member) (prompt string) {
	if !s.tapes() {
		return promptError
	}
	s.recordRoom(c, !c.record, m.from.Number, m)
	meeting, _ := c.meets()
	switch {
	case !c.record:
		return promptRecordingOff
	case meeting:
		return "" // as soon as it has begun, he hears what all hear
	default:
		return promptRecordingOn
	}
}

// tapeRoom begins or ends the recording of a conference, as who is in it and what is wanted say now. The caller holds s.mu.
func (s *Switchboard) tapeRoom(c *conference) {
	meeting, _ := c.meets()
	switch {
	case c.record && meeting && c.taping == nil && s.tapes() && !s.closed:
		from := &recordedRoom{s: s, c: c}
		from.taping = s.tape(Recording{Room: c.room.Number, To: c.room.Number, By: c.recordedBy, Started: time.Now().UTC(), Channels: 1}, from)
		c.taping = from.taping
	case c.taping != nil && (!c.record || !meeting):
		c.taping.end() // ended looks again
	}
}

// taped is the recording that members of a conference have to know of, nil if there is none. The caller holds Switchboard.mu.
func (c *conference) taped() *taping {
	if c.taping == nil || !c.taping.running {
		return nil
	}
	return c.taping
}

// recordedRoom is a conference as it is recorded.
type recordedRoom struct {
	s      *Switchboard
	c      *conference
	taping *taping
}

func (r *recordedRoom) listen(sink func([]int16)) (deaf func()) {
	r.c.mix.Record(sink)
	return func() { r.c.mix.Record(nil) }
}

func (*recordedRoom) look() {} // the mix is what is to be heard

func (*recordedRoom) missing() string { return "" } // who joins can be heard

func (r *recordedRoom) begun() { r.changed(func() {}) }

func (r *recordedRoom) ended(ok bool) {
	r.changed(func() {
		c := r.c
		if !r.taping.ending { // it has failed: whoever wants it may try again
			c.record = false
			if c.recordsFor != nil {
				c.recordsFor.prompt = promptError // all are told to look
			}
		}
		c.taping = nil
		r.s.tapeRoom(c)
	})
}

func (r *recordedRoom) kept(Recorded) {}

// changed lets everybody look at the conference after a change.
func (r *recordedRoom) changed(change func()) {
	r.s.mu.Lock()
	change()
	r.c.tell()
	r.s.mu.Unlock()
	r.s.conferenceChanged(r.c.room.Number)
}
