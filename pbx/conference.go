package pbx

import (
	"context"
	"slices"
	"strconv"
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
	changed chan struct{} // closed and made anew with each change that members have to see
}

// member is a party in a conference. Its own goroutine (Talk.Meet) does what is to be done with its leg.
type member struct {
	leg       *Leg
	call      string
	from      Identity
	since     time.Time
	moderator bool
	muted     bool
	out       Outcome // why it has to go, if gone is closed
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
	kicked   = Outcome{Kind: Answered, By: Admin, Cause: 16, Reason: []string{`SIP;cause=200;text="Removed from the conference"`}}
	ended    = Outcome{Kind: Answered, By: System, Cause: 16, Reason: []string{`SIP;cause=200;text="The conference has ended"`}}
	leaveKey = byte('8')
)

// Conference answers and takes the caller into the conference of a room. admit, if not nil, says first whether he may come in, and
// whether as a moderator; without it everybody does, as one. name is shown with the plan.
func Conference(name string, room *Room, admit func(context.Context, *Talk) (moderator, ok bool)) Target {
	return service{name: name, focus: admit == nil, talk: func(ctx context.Context, t *Talk) Target {
		moderator, ok := true, true
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
	m := &member{leg: t.leg, call: t.Call.ID, from: t.Call.From, since: time.Now().UTC(), moderator: moderator, muted: room.Muted && !moderator,
		gone: make(chan struct{})}
	c, why := t.sb.enter(room, m)
	if c == nil {
		t.Play(ctx, why)
		return
	}
	defer func() { t.sb.leave(c, m) }()
	t.leg.Focus()
	joined, alone := false, false
	var said chan bool // the prompt before the music
	for {
		t.sb.mu.Lock()
		changed, muted := c.changed, m.muted || m.leg.held // what a phone on hold plays is not for the others
		meeting, waits := c.meets(m)
		t.sb.mu.Unlock()
		switch {
		case meeting && !joined:
			if port := m.leg.Port(); port == nil || c.mix.Join(port) != nil {
				return
			}
			joined = true
			fallthrough
		case meeting:
			c.mix.Mute(m.leg.Port(), muted)
		case joined || !alone: // nobody to talk to: music
			joined, alone = false, true
			c.mix.Leave(m.leg.Port())
			var ok bool
			if said, ok = t.start(pick(waits, promptConfWait, promptConfAlone)); !ok {
				t.start(PromptMusic)
			}
		}
		if meeting {
			alone = false
		}
		select {
		case whole := <-said:
			if said = nil; whole && !meeting {
				t.start(PromptMusic)
			}
		case key := <-t.keys:
			if key == leaveKey {
				return
			}
			t.conferenceKey(ctx, c, m, key)
			alone = false // the prompt has ended the music
		case <-changed:
		case <-m.gone:
			c.mix.Leave(m.leg.Port())
			prompt := promptConfEnded
			if m.out.By == Admin {
				prompt = promptConfRemoved
			}
			t.Play(ctx, prompt)
			return
		case <-ctx.Done():
			return
		case <-t.gone:
			return
		}
	}
}

// meets reports whether a member is heard and hears, and if not, whether that is for want of a moderator. The caller holds s.mu.
func (c *conference) meets(*member) (meeting, waits bool) {
	if c.room.WaitForModerator && !slices.ContainsFunc(c.members, func(m *member) bool { return m.moderator }) {
		return false, true
	}
	return len(c.members) > 1, false
}

// tell lets all members look at what has become of the conference. The caller holds s.mu.
func (c *conference) tell() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// enter takes a member into the conference of a room, which it opens if need be; else it says by which prompt why not.
func (s *Switchboard) enter(room *Room, m *member) (c *conference, why string) {
	s.mu.Lock()
	c = s.rooms[room.Number]
	s.mu.Unlock()
	var opened media.Room
	if c == nil {
		opened = s.newRoom()
	}
	s.mu.Lock()
	if c = s.rooms[room.Number]; c == nil && opened != nil {
		c = &conference{room: room, mix: opened, since: m.since, changed: make(chan struct{})}
		s.rooms[room.Number] = c
		opened = nil
	}
	limit := DefaultRoomLimit
	switch {
	case c == nil: // it closed in between, or there are no rooms
		why = promptConfEnded
	default:
		if c.room.Limit > 0 {
			limit = c.room.Limit
		}
		switch {
		case c.locked && !m.moderator:
			why = promptConfLocked
		case len(c.members) >= limit:
			why = promptConfFull
		default:
			c.members = append(c.members, m)
			m.leg.room = c
			c.tell()
		}
	}
	announce := why == "" && !c.room.Quiet && len(c.members) > 1
	s.mu.Unlock()
	if opened != nil {
		opened.Close()
	}
	if why != "" {
		return nil, why
	}
	if announce {
		s.announce(c, promptConfJoined)
	}
	return c, ""
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
	m.leg.room = nil
	c.members = slices.DeleteFunc(c.members, func(other *member) bool { return other == m })
	last := len(c.members) == 0
	if last && s.rooms[c.room.Number] == c {
		delete(s.rooms, c.room.Number)
	}
	if m.moderator && c.room.EndWithModerator && !slices.ContainsFunc(c.members, func(m *member) bool { return m.moderator }) {
		for _, other := range c.members {
			other.remove(ended)
		}
	}
	c.tell()
	announce := !last && !c.room.Quiet
	s.mu.Unlock()
	switch {
	case last:
		c.mix.Close()
	case announce:
		s.announce(c, promptConfLeft)
	}
}

// remove sends a member out. The caller holds s.mu.
func (m *member) remove(o Outcome) {
	select {
	case <-m.gone:
	default:
		m.out = o
		close(m.gone)
	}
}

// conferenceKey is what a member's key does: 1 mutes himself, a moderator's 2 locks, 3 removes who came last, 4 mutes the others;
// any other plays what there is.
func (t *Talk) conferenceKey(ctx context.Context, c *conference, m *member, key byte) {
	s, prompt := t.sb, promptConfMenu
	if m.moderator {
		prompt = promptConfModMenu
	}
	s.mu.Lock()
	switch {
	case key == '1':
		m.muted = !m.muted
		prompt = pick(m.muted, promptConfMuted, promptConfUnmuted)
		c.tell()
	case !m.moderator:
	case key == '2':
		c.locked = !c.locked
		prompt = pick(c.locked, promptConfLock, promptConfUnlock)
	case key == '3':
		for _, other := range slices.Backward(c.members) {
			if other != m {
				other.remove(kicked)
				break
			}
		}
		prompt = ""
	case key == '4':
		muted := false // they are, if all of them can be heard now
		for _, other := range c.members {
			muted = muted || !other.moderator && !other.muted
		}
		for _, other := range c.members {
			if !other.moderator {
				other.muted = muted
			}
		}
		prompt = pick(muted, promptConfAllMuted, promptConfAllOpen)
		c.tell()
	}
	s.mu.Unlock()
	t.Play(ctx, prompt)
}

func pick(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// ConferenceInfo is a conference that is up, as people see it.
type ConferenceInfo struct {
	Number, Name string
	Since        time.Time
	Locked       bool
	Members      []MemberInfo // in the order in which they came
}

// MemberInfo is a member of a conference.
type MemberInfo struct {
	Call      string // ID of the call by which he came
	From      Identity
	Since     time.Time
	Moderator bool
	Muted     bool
	Speaking  bool
}

// Conferences lists the conferences that are up, by number.
func (s *Switchboard) Conferences() []ConferenceInfo {
	type seen struct {
		mix  media.Room
		legs []*Leg
	}
	var list []ConferenceInfo
	var mixes []seen
	s.mu.Lock()
	for _, c := range s.rooms {
		i, at := ConferenceInfo{Number: c.room.Number, Name: c.room.Name, Since: c.since, Locked: c.locked}, seen{mix: c.mix}
		for _, m := range c.members {
			i.Members = append(i.Members, MemberInfo{m.call, m.from, m.since, m.moderator, m.muted, false})
			at.legs = append(at.legs, m.leg)
		}
		list, mixes = append(list, i), append(mixes, at)
	}
	s.mu.Unlock()
	for i, at := range mixes {
		for j, leg := range at.legs {
			if port := leg.Port(); port != nil {
				list[i].Members[j].Speaking = at.mix.Level(port).Speaking
			}
		}
	}
	slices.SortFunc(list, func(a, b ConferenceInfo) int {
		na, errA := strconv.Atoi(a.Number)
		nb, errB := strconv.Atoi(b.Number)
		if errA == nil && errB == nil && na != nb {
			return na - nb
		}
		if a.Number < b.Number {
			return -1
		}
		return 1
	})
	return list
}

// LockConference lets nobody but moderators in any more, or again. It reports whether the room has a conference.
func (s *Switchboard) LockConference(room string, locked bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.rooms[room]
	if c == nil {
		return false
	}
	c.locked = locked
	return true
}

// MuteMember has nobody hear a member, or hear him again. It reports whether there is such a member.
func (s *Switchboard) MuteMember(room, call string, muted bool) bool {
	return s.member(room, call, func(c *conference, m *member) {
		m.muted = muted
		c.tell()
	})
}

// RemoveMember sends a member out of a conference. It reports whether there is such a member.
func (s *Switchboard) RemoveMember(room, call string) bool {
	return s.member(room, call, func(_ *conference, m *member) { m.remove(kicked) })
}

func (s *Switchboard) member(room, call string, do func(*conference, *member)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.rooms[room]; c != nil {
		for _, m := range c.members {
			if m.call == call {
				do(c, m)
				return true
			}
		}
	}
	return false
}
