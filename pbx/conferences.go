package pbx

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringback/media"
)

// ConferenceInfo is a conference that is up, as people see it.
type ConferenceInfo struct {
	Number, Name string
	Since        time.Time
	Locked       bool
	Recorded     bool         // it is being recorded now
	Private      bool         // the room asks for a PIN: who is in it is for its members only
	Members      []MemberInfo // in the order in which they came
}

// MemberInfo is a member of a conference.
type MemberInfo struct {
	Call      string // ID of the call by which he came
	From      Identity
	Since     time.Time
	Moderator bool
	Muted     bool
	Held      bool // his phone holds the conference: neither heard nor hearing
	Speaking  bool
}

// seen is a conference, and where to ask who speaks.
type seen struct {
	ConferenceInfo
	mix  media.Room
	legs []*Leg
}

// info is c as people see it, but for who speaks. The caller holds s.mu.
func (c *conference) info() seen {
	i := seen{ConferenceInfo: ConferenceInfo{Number: c.room.Number, Name: c.room.Name, Since: c.since, Locked: c.locked, Recorded: c.taped() != nil, Private: c.room.Private()}, mix: c.mix}
	for _, m := range c.members {
		i.Members = append(i.Members, MemberInfo{Call: m.call, From: m.from, Since: m.since, Moderator: m.moderator, Muted: m.muted, Held: m.leg.held})
		i.legs = append(i.legs, m.leg)
	}
	return i
}

// speaking adds who speaks.
func (i seen) speaking() ConferenceInfo {
	for j, leg := range i.legs {
		if port := leg.Port(); port != nil {
			i.Members[j].Speaking = i.mix.Level(port).Speaking
		}
	}
	return i.ConferenceInfo
}

// Conference is the conference of a room; false if nobody is in it.
func (s *Switchboard) Conference(room string) (ConferenceInfo, bool) {
	s.mu.Lock()
	c := s.rooms[room]
	if c == nil {
		s.mu.Unlock()
		return ConferenceInfo{}, false
	}
	i := c.info()
	s.mu.Unlock()
	return i.speaking(), true
}

// Conferences lists the conferences that are up, by number.
func (s *Switchboard) Conferences() []ConferenceInfo {
	s.mu.Lock()
	all := make([]seen, 0, len(s.rooms))
	for _, c := range s.rooms {
		all = append(all, c.info())
	}
	s.mu.Unlock()
	list := make([]ConferenceInfo, len(all))
	for i, c := range all {
		list[i] = c.speaking()
	}
	slices.SortFunc(list, func(a, b ConferenceInfo) int {
		na, _ := strconv.Atoi(a.Number)
		nb, _ := strconv.Atoi(b.Number)
		return cmp.Or(cmp.Compare(na, nb), strings.Compare(a.Number, b.Number))
	})
	return list
}

// LockConference lets nobody but moderators in any more, and where everybody is one, nobody at all; or opens it again. It reports
// whether the room has a conference.
func (s *Switchboard) LockConference(room string, locked bool) bool {
	s.mu.Lock()
	c := s.rooms[room]
	if c != nil {
		c.locked = locked
	}
	s.mu.Unlock()
	if c != nil {
		s.conferenceChanged(room)
	}
	return c != nil
}

// MuteMember has nobody hear a member, or hear him again. It reports whether there is such a member.
func (s *Switchboard) MuteMember(room, call string, muted bool) bool {
	found := s.member(room, call, func(m *member) {
		m.muted = muted
		m.tell()
	})
	if found {
		s.conferenceChanged(room)
	}
	return found
}

// RemoveMember sends a member out of a conference. It reports whether there is such a member.
func (s *Switchboard) RemoveMember(room, call string) bool {
	return s.member(room, call, func(m *member) { m.remove(memberRemoved) })
}

func (s *Switchboard) member(room, call string, do func(*member)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.rooms[room]; c != nil {
		for _, m := range c.members {
			if m.call == call {
				do(m)
				return true
			}
		}
	}
	return false
}
