package e2e

import (
	"testing"

	"ringback/pbx/pbxtest"
)

func TestDoNotDisturb(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "do_not_disturb", on)
		s.refused(alice, bob.User(), 486, 480)
		s.quiet(bob)
		s.talkAndEnd(s.call(bob, alice)) // who is not disturbed may call
		s.services(bob.User(), "forward_busy", to(carol.User()))
		caller, callee := s.sentOn(alice, bob.User(), carol)
		s.sentBy(callee.Invite, carol.User(), [3]string{bob.User(), "do-not-disturb", "404"})
		s.talkAndEnd(caller, callee)
		s.quiet(bob)
		s.services(bob.User(), "do_not_disturb", off)
		s.talkAndEnd(s.call(alice, bob))
	})
}

// Call waiting that is off: busy while a call is up, from either side, and while one rings.
func TestOneCall(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "one_call", on)
		caller, callee := s.call(alice, bob)
		s.refused(carol, bob.User(), 486)
		s.answer(caller, callee)
		s.refused(carol, bob.User(), 486)
		s.talk(caller, callee)
		s.over(caller, callee)
		caller, callee = s.up(bob, alice) // he calls himself
		s.refused(carol, bob.User(), 486)
		s.services(bob.User(), "forward_busy", to(alice.User()))
		second, waiting := s.sentOn(carol, bob.User(), alice)
		s.must(second.Cancel(s.ctx))
		s.must(waiting.Ended(s.ctx))
		s.services(bob.User(), "one_call", off) // the next call rings beside the one that is up
		s.rings(carol, bob.User(), bob)
		s.talk(caller, callee)
		s.over(callee, caller)
		s.idle(bob.User())
		s.services(bob.User(), "one_call", on)
		s.rings(carol, bob.User(), bob)
	})
}

// Of two calls that come at a time one finds the line busy.
func TestOneCallAtATime(t *testing.T) {
	play(t, func(s *scene) {
		bob := s.phone()
		s.services(bob.User(), "one_call", on)
		callers := []*pbxtest.Phone{s.phone(), s.phone(), s.phone()}
		var legs []*pbxtest.CallLeg
		for _, p := range callers {
			legs = append(legs, s.dials(p, bob.User()))
		}
		callee := s.arrives(bob)
		var winner *pbxtest.CallLeg
		s.eventually("two of three callers are refused", func() bool {
			refused := 0
			for _, l := range legs {
				if l.State() == "end" {
					refused++
				} else {
					winner = l
				}
			}
			return refused == 2
		})
		for _, l := range legs {
			if l != winner {
				s.must(l.FailsWith(s.ctx, 486))
			}
		}
		s.talkAndEnd(winner, callee)
		if n := bob.Count("INVITE"); n != 1 {
			s.Errorf("the phone was called %d times", n)
		}
	})
}
