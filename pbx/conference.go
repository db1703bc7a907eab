package pbx

import (
	"context"
	"slices"
	"time"

	"ringback/media"
)

// DefaultRoomLimit is how many members a room has that says nothing of it.
const DefaultRoomLimit = 100

// conference is a Room with somebody in it. It opens with the first member and closes with the last. Its fields are guarded by
// Switchboard.mu, but for mix, whose methods are called without it.
type conference struct {
	room    *Room // as it was when the first member came
	mix     media.Room
	since   time.Time
	members []*member
	locked  bool

	record     bool // while it meets
	recordedBy string
	recordsFor *member // who has wanted it by a key, nil if nobody has
	taping     *taping
}

// member is a party in a conference. Its own goroutine (Talk.Meet) does what is to be done with its leg.
type member struct {
	leg       *Leg
	room      string // its number
	call      string
	from      Identity
	since     time.Time
	moderator bool
	muted     bool
	prompt    string        // that it has to be told next, "" for none
	changed   chan struct{} // has a value when there is something new that it has to see
	out       Outcome       // why it has to go, if gone is closed
	gone      chan struct{}
}

// The prompts of conferences.
const (
	promptConfFull     = "conf-full"
	promptConfLocked   = "conf-locked"
	promptConfMuted    = "conf-muted"
	promptConfUnmuted  = "conf-unmuted"
	promptConfLock     = "conf-now-locked"
	promptConfUnlock   = "conf-now-unlocked"
	promptConfAllMuted = "conf-all-muted"
	promptConfAllOpen  = "conf-all-unmuted"
	promptConfJoined   = "conf-joined"
	promptConfLeft     = "conf-left"
	promptConfAlone    = "conf-alone"
	promptConfWait     = "conf-wait-moderator"
	promptConfRemoved  = "conf-removed"
	promptConfEnded    = "conf-ended"
	promptConfMenu     = "conf-menu"
	promptConfModMenu  = "conf-moderator-menu"
)

var (
	memberRemoved   = Outcome{Kind: Answered, By: Admin, Cause: 16, Reason: []string{`SIP;cause=200;text="Removed from the conference"`}}
	conferenceEnded = Outcome{Kind: Answered, By: System, Cause: 16, Reason: []string{`SIP;cause=200;text="The conference has ended"`}}
)

// leaveKey takes a member out of the conference.
const leaveKey = '8'

// Conference answers and takes the caller into the conference of a room. admit, if not nil, says first whether he may come in, and
// whether as a moderator; without it everybody does, as one. hidden: those who watch the conference are not told who the caller is.
// name is shown with the plan.
func Conference(name string, room *Room, hidden bool, admit func(context.Context, *Talk) (moderator, ok bool)) Target {
	return service{name: name, focus: admit == nil, talk: func(ctx context.Context, t *Talk) Target {
		moderator, ok := true, true
		if hidden {
			t.HideCaller()
		}
		if admit != nil {
			moderator, ok = admit(ctx, t)
		}
		if ok {
			t.Meet(ctx, room, moderator)
		}
		return nil
	}}
}

// Meet keeps the caller in the conference of a room until he leaves, is removed, hangs up, or it ends.
func (t *Talk) Meet(ctx context.Context, room *Room, moderator bool) {
	if !t.there(ctx) {
		return
	}
	m := &member{leg: t.leg, room: room.Number, call: t.Call.ID, from: t.shown(), since: time.Now().UTC(), moderator: moderator, muted: room.Muted && !moderator,
		changed: make(chan struct{}, 1), gone: make(chan struct{})}
	c, why := t.sb.enter(room, m)
	if c != nil {
		why = t.attend(ctx, c, m)
	}
	t.Play(ctx, why)
}

// attend is a member's part of the conference. It says by which prompt why he had to go, "" if he went himself.
func (t *Talk) attend(ctx context.Context, c *conference, m *member) (why string) {
	defer t.sb.leave(c, m)
	t.leg.Focus()
	joined, quiet := false, false // in the mix, and as others hear him; else he is told that he waits, and then hears music
	alone := false
	var knows *taping  // the recording that he was told of
	var said chan bool // the prompt before the music
	for {
		t.sb.mu.Lock()
		muted := m.muted || m.leg.held // what a phone on hold plays is not for the others
		meeting, waits := c.meets()
		taped, prompt := c.taped(), m.prompt
		m.prompt = ""
		t.sb.mu.Unlock()
		switch {
		case meeting:
			port := m.leg.Port()
			if !joined {
				if port == nil || c.mix.Join(port) != nil {
					return ""
				}
				joined, quiet, alone = true, false, false
			}
			if muted != quiet {
				c.mix.Mute(port, muted)
				quiet = muted
			}
			if taped != nil && taped != knows {
				if done, ok := t.start(promptConfRecorded); ok {
					said = done
				}
				knows = taped
			}
		case !alone: // nobody to talk to
			joined, alone = false, true
			c.mix.Leave(m.leg.Port())
			var ok bool
			if said, ok = t.start(pick(waits, promptConfWait, promptConfAlone)); !ok {
				t.start(PromptMusic)
			}
		}
		if done, ok := t.start(prompt); ok {
			said = done
		}
		select {
		case whole := <-said:
			if said = nil; whole && alone {
				t.start(PromptMusic)
			}
		case key := <-t.keys:
			if key == leaveKey {
				return ""
			}
			if done, ok := t.start(t.sb.conferenceKey(c, m, key)); ok {
				said = done
			}
		case <-m.changed:
		case <-m.gone:
			t.ends = m.out
			return pick(m.out.By == Admin, promptConfRemoved, promptConfEnded)
		case <-ctx.Done():
			return ""
		case <-t.gone:
			return ""
		}
	}
}

// meets reports whether a member is heard and hears, and if not, whether that is for want of a moderator. The caller holds s.mu.
func (c *conference) meets() (meeting, waits bool) {
	if c.room.WaitForModerator && !slices.ContainsFunc(c.members, func(m *member) bool { return m.moderator }) {
		return false, true
	}
	return len(c.members) > 1, false
}

// tell lets a member look at what has become of the conference, and of itself. The caller holds s.mu.
func (m *member) tell() {
	select {
	case m.changed <- struct{}{}:
	default: // it will look anyway
	}
}

// tell lets all members look. The caller holds s.mu.
func (c *conference) tell() {
	for _, m := range c.members {
		m.tell()
	}
}

// enter takes a member into the conference of a room, which it opens if need be; else it says by which prompt why not.
func (s *Switchboard) enter(room *Room, m *member) (c *conference, why string) {
	s.mu.Lock()
	for s.rooms[room.Number] == nil {
		s.mu.Unlock()
		mix := s.newRoom()
		if mix == nil {
			return nil, promptConfEnded
		}
		s.mu.Lock()
		if s.rooms[room.Number] == nil {
			s.rooms[room.Number] = &conference{room: room, mix: mix, since: m.since, record: room.Record, recordedBy: "room " + room.Number}
			break
		}
		s.mu.Unlock() // somebody else was faster
		mix.Close()
		s.mu.Lock()
	}
	c = s.rooms[room.Number]
	why = c.admit(m)
	announce := why == "" && !c.room.Quiet && len(c.members) > 1
	s.tapeRoom(c)
	s.mu.Unlock()
	if why != "" {
		return nil, why
	}
	if announce {
		s.announce(c, promptConfJoined)
	}
	s.conferenceChanged(room.Number)
	return c, ""
}

// admit makes m a member, or says by which prompt why not. The caller holds s.mu.
func (c *conference) admit(m *member) (why string) {
	limit := c.room.Limit
	if limit <= 0 {
		limit = DefaultRoomLimit
	}
	switch {
	case c.locked && (!m.moderator || c.room.ModeratorPINHash == ""): // where everybody is a moderator, a lock is for all
		return promptConfLocked
	case len(c.members) >= limit:
		return promptConfFull
	}
	c.members = append(c.members, m)
	m.leg.member = m
	c.tell()
	return ""
}

func (s *Switchboard) announce(c *conference, prompt string) {
	if sound := s.prompt(prompt); sound != nil {
		c.mix.Play(sound, nil)
	}
}

// leave takes a member out. With the last one the conference is over, and with the last moderator where the room says so.
func (s *Switchboard) leave(c *conference, m *member) {
	if port := m.leg.Port(); port != nil {
		c.mix.Leave(port)
	}
	s.mu.Lock()
	m.leg.member = nil
	c.members = slices.DeleteFunc(c.members, func(other *member) bool { return other == m })
	last := len(c.members) == 0
	if last && s.rooms[c.room.Number] == c {
		delete(s.rooms, c.room.Number)
	}
	if m.moderator && c.room.EndWithModerator && !slices.ContainsFunc(c.members, func(m *member) bool { return m.moderator }) {
		for _, other := range c.members {
			other.remove(conferenceEnded)
		}
	}
	s.tapeRoom(c)
	c.tell()
	announce := !last && !c.room.Quiet
	s.mu.Unlock()
	switch {
	case last:
		c.mix.Close()
	case announce:
		s.announce(c, promptConfLeft)
	}
	s.conferenceChanged(c.room.Number)
}

// remove sends a member out. The caller holds s.mu.
func (m *member) remove(o Outcome) {
	if m.stays() {
		m.out = o
		close(m.gone)
	}
}

// stays reports whether nobody has sent the member out. The caller holds s.mu.
func (m *member) stays() bool {
	select {
	case <-m.gone:
		return false
	default:
		return true
	}
}
