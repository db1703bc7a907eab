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
		na, _ := strconv.Atoi(a.Number)
		nb, _ := strconv.Atoi(b.Number)
		return cmp.Or(cmp.Compare(na, nb), strings.Compare(a.Number, b.Number))
	})
	return list
}

// LockConference lets nobody but moderators in any more, and where everybody is one, nobody at all; or opens it again. It reports whether the room has a conference.
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
	return s.member(room, call, func(m *member) {
		m.muted = muted
		m.tell()
	})
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
