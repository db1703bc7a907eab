package e2e

import (
	"slices"
	"strings"
	"testing"

	"ringback/pbx/pbxtest"
)

// What GET /plan says beforehand is what happens: the record has the same plan, and the way through it.
func TestPlanIsWhatHappens(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol, dave := s.phone(), s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "forward_busy", to(carol.User()), "forward_unreachable", to(alice.User()))
		s.services(carol.User(), "forward_always", to(dave.User()))
		plan := s.plan(alice.User(), bob.User())
		for _, part := range []string{"ring " + bob.User(), "ring " + dave.User(), "forward when busy", "forward always"} {
			if !strings.Contains(plan, part) {
				s.Errorf("the plan does not say %q:\n%s", part, plan)
			}
		}
		if strings.Contains(plan, "ring "+carol.User()) {
			s.Errorf("the plan rings who forwards always:\n%s", plan)
		}
		bob.OnCall(pbxtest.AutoReject(486, 0))
		caller, callee := s.sentOn(alice, bob.User(), dave)
		s.answer(caller, callee)
		// What is changed now does not change what is recorded of this call.
		s.services(carol.User(), "forward_always", off)
		s.over(caller, callee)
		r := s.record(alice.User(), bob.User())
		if r.Plan != plan {
			s.Errorf("the plan was\n%s\nand the record has\n%s", plan, r.Plan)
		}
		if r.Outcome != "answered" || r.By != dave.User() {
			s.Errorf("the record is %+v", r)
		}
		var ended []string
		for _, step := range r.Path {
			if !strings.Contains(plan, step.Node) {
				s.Errorf("the call came by %q, which is not in the plan:\n%s", step.Node, plan)
			}
			if strings.HasPrefix(step.Node, "ring ") {
				ended = append(ended, step.Node[5:9]+" "+step.Outcome)
			}
		}
		if want := []string{bob.User() + " busy 486 (callee)", dave.User() + " answered (callee)"}; !slices.Equal(ended, want) {
			s.Errorf("phones rang as %q, not %q: %q", ended, want, r.way())
		}
		if after := s.plan(alice.User(), bob.User()); after == plan || !strings.Contains(after, "ring "+carol.User()) {
			s.Errorf("the plan of the next call is\n%s", after)
		}
	})
}

// Plans of services, of codes and of numbers that do not exist.
func TestPlanOfAnything(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		for dialled, part := range map[string]string{"*43": "echo", "7654321": "404", "*72" + bob.User(): "forward always", bob.User(): "ring " + bob.User(),
			"*67" + bob.User(): "ring " + bob.User()} {
			if plan := s.plan(alice.User(), dialled); !strings.Contains(plan, part) {
				s.Errorf("the plan of %s does not say %q:\n%s", dialled, part, plan)
			}
		}
		s.quiet(bob)
	})
}

// The plan of another time: the office is open at noon and closed in the evening, in its own zone.
func TestPlanAt(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		hours := "week of " + bob.User()
		s.hours(hours, "open", []doc{{"days": []string{"mon", "tue", "wed", "thu", "fri"}, "from": "08:00", "to": "17:30"}},
			"holidays", []doc{{"name": "Boxing Day", "first": "--12-26"}})
		s.services(bob.User(), "closed", doc{"hours": hours, "to": carol.User()})
		for at, open := range map[string]bool{
			"2026-03-02T12:00:00+01:00": true,  // Monday
			"2026-03-02T18:05:00+01:00": false, // evening
			"2026-03-02T16:29:59Z":      true,  // 17:29:59 there
			"2026-03-02T16:30:00Z":      false,
			"2026-06-01T15:30:00Z":      false, // summer time
			"2026-03-07T12:00:00+01:00": false, // Saturday
			"2025-12-26T12:00:00+01:00": false, // holiday
		} {
			plan := s.planAt(alice.User(), bob.User(), at)
			yes, no := strings.Contains(plan, "if open (now)"), strings.Contains(plan, "if closed (now)")
			if yes != open || no == open {
				s.Errorf("at %s:\n%s", at, plan)
			}
		}
		s.quiet(bob, carol)
	})
}

// A code is a call with a plan and a record like others.
func TestPathOfCode(t *testing.T) {
	play(t, func(s *scene) {
		bob := s.phone()
		plan := s.plan(bob.User(), "*78")
		s.code(bob, "*78", soundOn)
		r := s.record(bob.User(), "*78")
		if r.Plan != plan || r.Outcome != "answered" || len(r.Path) != 1 || !strings.HasPrefix(plan, r.Path[0].Node) {
			s.Errorf("the plan is\n%sthe record %+v", plan, r)
		}
	})
}

// The record of a call that nobody took says where it was, and how each attempt ended.
func TestPathOfFailure(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.extension()
		bob.OnCall(pbxtest.AutoReject(486, 0))
		s.services(bob.User(), "forward_busy", to(carol))
		s.refused(alice, bob.User(), 480)
		r := s.record(alice.User(), bob.User())
		way := strings.Join(r.way(), "\n")
		for _, part := range []string{"ring " + bob.User(), "busy 486 (callee)", "ring " + carol, "unreachable 480 (system)"} {
			if !strings.Contains(way, part) {
				s.Errorf("the way does not say %q:\n%s", part, way)
			}
		}
		if r.Outcome != "unreachable" || r.Status != 480 {
			s.Errorf("the record is %+v", r)
		}
	})
}
