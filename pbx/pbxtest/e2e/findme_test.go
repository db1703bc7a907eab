package e2e

import (
	"strings"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// place is somewhere to look; confirm: who answers has to press 1.
func place(number string, confirm bool) doc {
	d := doc{"number": number}
	if confirm {
		d["confirm"] = true
	}
	return d
}

// step is the places that ring at a time.
func step(seconds int, places ...doc) doc { return doc{"places": places, "seconds": seconds} }

// at are places without more.
func at(seconds int, numbers ...string) doc {
	var places []doc
	for _, n := range numbers {
		places = append(places, place(n, false))
	}
	return step(seconds, places...)
}

func findMe(steps ...doc) doc { return doc{"on": true, "steps": steps} }

// RFC 5359 §2.12: the first place does not answer, the second says that nobody is logged in, the third is busy, the fourth
// answers. The caller sees one dialog that rings and is answered.
func TestFindMeSequential(t *testing.T) {
	play(t, func(s *scene) {
		alice, b1, b2, b3, b4 := s.phone(), s.phone(), s.phone(), s.phone(), s.phone()
		s.services(b1.User(), "find_me", findMe(at(5, b1.User()), at(5, b2.User()), at(5, b3.User()), at(20, b4.User())))
		b2.OnCall(pbxtest.AutoReject(480, 0))
		b3.OnCall(pbxtest.AutoReject(486, 0))
		caller, first := s.call(alice, b1)
		s.ringsOut(first)
		callee := s.arrives(b4)
		s.news(caller, 180, 181, 180) // the RFC has no 181 here; it is what a forward says
		s.talkAndEnd(caller, callee)
		s.news(caller, 180, 181, 180, 200)
		for _, p := range []*pbxtest.Phone{b2, b3, b4} {
			if p.Count("INVITE") != 1 || p.Count("CANCEL") != 0 {
				s.Errorf("%s got %d INVITEs and %d CANCELs", p.Name(), p.Count("INVITE"), p.Count("CANCEL"))
			}
		}
		for _, pair := range [][2]*pbxtest.Phone{{b1, b2}, {b2, b3}, {b3, b4}} {
			if firstCall(pair[1].Received()).Before(firstCall(pair[0].Received())) {
				s.Errorf("%s was called before %s", pair[1].Name(), pair[0].Name())
			}
		}
	})
}

// The second place is not registered at all, and further places ring together.
func TestFindMeMixed(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol, dave, erin := s.phone(), s.phone(), s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "find_me", findMe(at(5, bob.User(), erin.User()), at(5, s.extension()), at(20, carol.User(), dave.User())))
		caller, first := s.call(alice, bob)
		second := s.arrives(erin)
		s.ringsOut(first)
		s.ringsOut(second)
		atCarol, callee := s.arrives(carol), s.arrives(dave)
		s.answer(caller, callee)
		s.elsewhere(atCarol)
		s.talk(caller, callee)
		s.over(callee, caller)
	})
}

func TestFindMeNobody(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		carol.OnCall(pbxtest.AutoReject(486, 0))
		s.services(bob.User(), "find_me", findMe(at(5, bob.User()), at(5, carol.User()), at(5, s.extension())))
		caller, first := s.call(alice, bob)
		s.ringsOut(first)
		m, err := caller.Failed(s.ctx)
		s.status(m, err, 480, 486)
	})
}

func TestFindMeParallel(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol, dave := s.phone(), s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "find_me", findMe(at(20, bob.User(), carol.User(), dave.User())))
		caller := s.dials(alice, bob.User())
		atBob, callee, atDave := s.arrives(bob), s.arrives(carol), s.arrives(dave)
		s.answer(caller, callee)
		s.elsewhere(atBob)
		s.elsewhere(atDave)
		s.talk(caller, callee)
		s.over(caller, callee)
		// And all are told when the caller gives up.
		caller = s.dials(alice, bob.User())
		atBob, atCarol, atDave := s.arrives(bob), s.arrives(carol), s.arrives(dave)
		s.must(caller.Cancel(s.ctx))
		for _, l := range []*pbxtest.CallLeg{atBob, atCarol, atDave} {
			s.ringsOut(l)
		}
	})
}

// A mobile's voicemail that answers and presses nothing does not swallow the call: the desk phone beside it goes on ringing.
func TestFindMeVoicemailDoesNotSwallow(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, mobile := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "find_me", findMe(step(20, place(bob.User(), false), place(mobile.User(), true))))
		caller := s.dials(alice, bob.User())
		desk, voicemail := s.arrives(bob), s.arrives(mobile)
		s.must(voicemail.Answer(s.ctx))
		voicemail.Play(910) // "please leave a message"
		s.must(voicemail.HearsInOrder(s.ctx, soundPress1...))
		if caller.State() != "ringing" || desk.State() != "ringing" {
			s.Fatalf("the caller is %s, the other phone %s", caller.State(), desk.State())
		}
		if h := caller.Listen(s.ctx, 300*time.Millisecond); h.Hears(910) {
			s.Error("the caller hears the voicemail")
		}
		s.answer(caller, desk)
		s.must(voicemail.Ended(s.ctx))
		s.talk(caller, desk)
		s.over(caller, desk)
	})
}

// Who answers and presses 1 has the call, by RFC 4733 and by INFO; other keys are nothing.
func TestFindMeConfirmed(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, mobile := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "find_me", findMe(step(20, place(bob.User(), false), place(mobile.User(), true))))
		for _, press := range []func(l *pbxtest.CallLeg, keys string) error{
			func(l *pbxtest.CallLeg, keys string) error { return l.Press(s.ctx, keys) },
			func(l *pbxtest.CallLeg, keys string) error { return l.PressByInfo(s.ctx, keys) },
		} {
			caller := s.dials(alice, bob.User())
			desk, callee := s.arrives(bob), s.arrives(mobile)
			s.must(callee.Answer(s.ctx))
			s.must(callee.HearsInOrder(s.ctx, soundPress1...))
			s.must(press(callee, "52"))
			if caller.State() != "ringing" || desk.State() != "ringing" {
				s.Fatalf("the caller is %s, the other phone %s", caller.State(), desk.State())
			}
			s.must(press(callee, "1"))
			s.must(caller.Answered(s.ctx))
			s.elsewhere(desk)
			caller.Play(440)
			callee.Play(620)
			s.talk(caller, callee)
			s.over(callee, caller)
		}
	})
}

// Find-me that is off, or out of its schedule, is as if it were not there; *21 switches it.
func TestFindMeSwitchedOff(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "find_me", findMe(at(20, carol.User())))
		s.rings(alice, bob.User(), carol)
		s.code(bob, "*21", soundOff)
		s.rings(alice, bob.User(), bob)
		s.code(bob, "*21", soundOn)
		s.rings(alice, bob.User(), carol)
		day := strings.ToLower(time.Now().UTC().AddDate(0, 0, 3).Format("Mon"))
		s.services(bob.User(), "find_me", with(findMe(at(20, carol.User())), "schedule", doc{"days": []string{day}, "zone": "UTC"}))
		s.rings(alice, bob.User(), bob)
		s.services(bob.User(), "find_me", with(findMe(at(20, carol.User())), "schedule", doc{"days": everyDay, "zone": "UTC"}))
		s.rings(alice, bob.User(), carol)
	})
}

// The places' own forwards apply.
func TestFindMeFollowsForwards(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol, dave := s.phone(), s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "find_me", findMe(at(20, carol.User())))
		s.services(carol.User(), "forward_always", to(dave.User()))
		caller := s.dials(alice, bob.User())
		callee := s.arrives(dave)
		s.talkAndEnd(caller, callee)
		s.quiet(bob, carol)
	})
}
