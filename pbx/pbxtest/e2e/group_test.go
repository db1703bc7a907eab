package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// crew are some phones of extensions of their own.
func (s *scene) crew(n int) []*pbxtest.Phone {
	s.Helper()
	var all []*pbxtest.Phone
	for range n {
		all = append(all, s.phone())
	}
	return all
}

func TestGroupAll(t *testing.T) {
	play(t, func(s *scene) {
		alice, crew, overflow := s.phone(), s.crew(3), s.phone()
		g := s.group("all", crew, "overflow", overflow.User())
		caller := s.dials(alice, g)
		legs := []*pbxtest.CallLeg{s.arrives(crew[0]), s.arrives(crew[1]), s.arrives(crew[2])}
		legs[0].Refuse(486)
		s.answer(caller, legs[2])
		s.elsewhere(legs[1])
		s.talk(caller, legs[2])
		s.over(legs[2], caller)
		// Nobody answers.
		caller = s.dials(alice, g)
		legs = []*pbxtest.CallLeg{s.arrives(crew[0]), s.arrives(crew[1]), s.arrives(crew[2])}
		for _, l := range legs {
			s.ringsOut(l)
		}
		s.talkAndEnd(caller, s.arrives(overflow))
	})
}

func TestGroupInOrder(t *testing.T) {
	play(t, func(s *scene) {
		alice, crew := s.phone(), s.crew(4)
		s.must(crew[2].Unregister(s.ctx))
		crew[1].OnCall(pbxtest.AutoReject(486, 0))
		g := s.group("in order", crew)
		caller := s.dials(alice, g)
		s.ringsOut(s.arrives(crew[0]))
		s.talkAndEnd(caller, s.arrives(crew[3]))
		if crew[1].Count("INVITE") != 1 {
			s.Errorf("the second was called %d times", crew[1].Count("INVITE"))
		}
		s.rings(alice, g, crew[0]) // again from the first
	})
}

// served calls a group and says which of its members answers.
func (s *scene) served(from *pbxtest.Phone, group string, crew []*pbxtest.Phone) int {
	s.Helper()
	before := make([]int, len(crew))
	for i, p := range crew {
		before[i] = p.Count("INVITE")
	}
	l := s.dials(from, group)
	s.must(l.Answered(s.ctx))
	s.must(l.Hangup(s.ctx))
	for i, p := range crew {
		if p.Count("INVITE") > before[i] {
			leg, err := p.LastLeg(s.ctx)
			s.must(err)
			s.must(leg.Ended(s.ctx))
			return i
		}
	}
	s.Fatal("nobody was called")
	return -1
}

func answering(crew []*pbxtest.Phone) {
	for _, p := range crew {
		p.OnCall(pbxtest.AutoAnswer(0))
	}
}

func TestGroupRoundRobin(t *testing.T) {
	play(t, func(s *scene) {
		alice, crew := s.phone(), s.crew(3)
		answering(crew)
		g := s.group("round robin", crew)
		var got []int
		for range 7 {
			got = append(got, s.served(alice, g, crew))
		}
		if !slices.Equal(got, []int{0, 1, 2, 0, 1, 2, 0}) {
			s.Errorf("the calls went to %v", got)
		}
	})
}

func TestGroupLongestIdle(t *testing.T) {
	play(t, func(s *scene) {
		alice, crew := s.phone(), s.crew(3)
		answering(crew)
		g := s.group("longest idle", crew)
		var got []int
		for range 3 {
			got = append(got, s.served(alice, g, crew))
		}
		// The first has been idle for longest, until he is called by his own number.
		direct := s.dials(alice, crew[0].User())
		s.must(direct.Answered(s.ctx))
		s.must(direct.Hangup(s.ctx))
		leg, err := crew[0].LastLeg(s.ctx)
		s.must(err)
		s.must(leg.Ended(s.ctx))
		for range 3 {
			got = append(got, s.served(alice, g, crew))
		}
		if !slices.Equal(got, []int{0, 1, 2, 1, 2, 0}) {
			s.Errorf("the calls went to %v", got)
		}
	})
}

func TestGroupRandom(t *testing.T) {
	play(t, func(s *scene) {
		alice, crew := s.phone(), s.crew(3)
		for _, p := range crew {
			p.OnCall(pbxtest.AutoReject(603, 0)) // of one member, not of the group
		}
		g := s.group("random", crew)
		first := make([]int, len(crew))
		for range 40 {
			s.refused(alice, g, 603)
			first[slices.IndexFunc(crew, func(p *pbxtest.Phone) bool {
				return !slices.ContainsFunc(crew, func(other *pbxtest.Phone) bool { return lastCall(other).Before(lastCall(p)) })
			})]++
		}
		for i, n := range first { // one is left out with a probability of 3·(2/3)^40
			if n == 0 {
				s.Errorf("member %d was never the first of 40 times: %v", i, first)
			}
			if n := crew[i].Count("INVITE"); n != 40 {
				s.Errorf("member %d was called %d times", i, n)
			}
		}
	})
}

// lastCall is when the newest INVITE came.
func lastCall(p *pbxtest.Phone) (at time.Time) {
	for _, m := range p.Received() {
		if m.Method == "INVITE" {
			at = m.At
		}
	}
	return at
}

// Members' own forwards apply only where the group says so, and theirs alone rings where nobody is there.
func TestGroupForwards(t *testing.T) {
	play(t, func(s *scene) {
		alice, crew, home := s.phone(), s.crew(1), s.phone()
		s.services(crew[0].User(), "forward_always", to(home.User()))
		s.rings(alice, s.group("all", crew), crew[0])
		s.quiet(home)
		s.rings(alice, s.group("all", crew, "keep_forwards", true), home)
		s.must(crew[0].Unregister(s.ctx))
		s.refused(alice, s.group("in order", crew), 480)
	})
}

// Outside opening hours calls go elsewhere, of an extension and of a group; without a number the caller hears that it is closed.
func TestHours(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		hours := "hours of " + bob.User()
		s.hours(hours)
		s.services(bob.User(), "closed", doc{"hours": hours, "to": carol.User()})
		g := s.group("all", []*pbxtest.Phone{bob}, "closed", doc{"hours": hours})
		s.rings(alice, bob.User(), bob)
		s.rings(alice, g, bob)
		s.mode(hours, "night")
		caller := s.dials(alice, bob.User())
		callee := s.arrives(carol)
		s.sentBy(callee.Invite, carol.User(), [3]string{bob.User(), "time-of-day", "404"})
		s.talkAndEnd(caller, callee)
		l := s.dials(alice, g)
		s.must(l.HearsInOrder(s.ctx, soundClosed...))
		m, err := l.Failed(s.ctx)
		s.status(m, err, 480, 403, 603)
		if n := bob.Count("INVITE"); n != 2 {
			s.Errorf("the phone was called %d times", n)
		}
		s.mode(hours, "day")
		s.rings(alice, bob.User(), bob)
	})
}

// The clock decides, in the zone of the hours, and holidays before it.
func TestHoursByTheClock(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		for i, d := range []doc{
			{"open": []doc{}},
			{"open": []doc{{"days": everyDay, "from": "00:00", "to": "24:00"}}, "holidays": []doc{{"name": "always", "first": "2000-01-01", "last": "2099-12-31"}}},
		} {
			hours := fmt.Sprintf("closed %d of %s", i, bob.User())
			d["name"] = hours
			s.must(s.x.api(s.ctx, "POST", "/hours", d, nil))
			s.services(bob.User(), "closed", doc{"hours": hours, "to": carol.User()})
			s.rings(alice, bob.User(), carol)
		}
		s.quiet(bob)
	})
}

// *28 switches the office between day and night.
func TestNightSwitch(t *testing.T) {
	own(t, func(s *scene, _ func()) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.hours("office")
		s.services(bob.User(), "closed", doc{"hours": "office", "to": carol.User()})
		s.rings(alice, bob.User(), bob)
		s.code(alice, "*28", soundOff)
		s.rings(alice, bob.User(), carol)
		s.code(bob, "*28", soundOn)
		s.rings(alice, bob.User(), bob)
	})
}
