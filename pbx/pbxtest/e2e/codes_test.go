package e2e

import (
	"strings"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

func TestDoNotDisturbByCode(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		s.code(bob, "*78", soundOn)
		s.refused(alice, bob.User(), 486, 480)
		s.quiet(bob)
		s.code(bob, "*79", soundOff)
		s.talkAndEnd(s.call(alice, bob))
	})
}

func TestForwardAlwaysByCode(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.code(bob, "*72"+carol.User(), soundOn)
		if f := s.has(bob.User(), "forward_always"); f["on"] != true || f["to"] != carol.User() || f["set"].(doc)["by"] != bob.User() {
			s.Errorf("the API shows %v", f)
		}
		s.talkAndEnd(s.sentOn(alice, bob.User(), carol))
		s.quiet(bob)
		s.code(bob, "*73", soundOff)
		s.talkAndEnd(s.call(alice, bob))
	})
}

func TestForwardBusyNoAnswerByCode(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol, dave := s.phone(), s.registered(s.extension("ring_seconds", 5)), s.phone(), s.phone()
		s.code(bob, "*90"+carol.User(), soundOn)
		s.code(bob, "*52"+dave.User(), soundOn)
		bob.OnCall(pbxtest.AutoReject(486, 0))
		s.talkAndEnd(s.sentOn(alice, bob.User(), carol))
		bob.OnCall(nil)
		caller, first := s.call(alice, bob)
		s.ringsOut(first) // after the extension's own ring time
		callee := s.arrives(dave)
		s.news(caller, 180, 181, 180)
		s.talkAndEnd(caller, callee)
		s.code(bob, "*91", soundOff)
		s.code(bob, "*53", soundOff)
		caller, first = s.call(alice, bob)
		first.Refuse(486)
		s.must(caller.FailsWith(s.ctx, 486))
		if f := s.has(bob.User(), "forward_no_answer"); f["on"] != false {
			s.Errorf("the API shows %v", f)
		}
	})
}

// A code that needs a number asks for it: keys by RFC 4733 and by INFO, as phones send them (dtmf_info towards a service).
func TestCodeAsksForNumber(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol, dave := s.phone(), s.phone(), s.phone(), s.phone()
		for press, target := range map[string]*pbxtest.Phone{"RFC 4733": carol, "INFO": dave} {
			l := s.dials(bob, "*72")
			s.must(l.Answered(s.ctx))
			s.must(l.HearsInOrder(s.ctx, soundNumber...))
			if press == "INFO" {
				s.must(l.PressByInfo(s.ctx, target.User()+"#"))
			} else {
				s.must(l.Press(s.ctx, target.User()+"#"))
			}
			s.must(l.HearsInOrder(s.ctx, soundOn...))
			s.must(l.Ended(s.ctx))
			caller, callee := s.sentOn(alice, bob.User(), target)
			s.must(caller.Cancel(s.ctx))
			s.must(callee.Ended(s.ctx))
		}
	})
}

// A caller whom the PBX has answered already hears by tones what other callers are told by responses.
func TestAnsweredCallerHearsTones(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		asked := func() *pbxtest.CallLeg {
			l := s.dials(alice, "*67")
			s.must(l.Answered(s.ctx))
			s.must(l.HearsInOrder(s.ctx, soundNumber...))
			s.must(l.Press(s.ctx, bob.User()+"#"))
			return l
		}
		caller := asked()
		callee := s.arrives(bob)
		if where := callee.Invite.Mentions(alice.User()); len(where) > 0 {
			s.Errorf("the number is told in %q", where)
		}
		s.must(caller.HearsTone(s.ctx, 440, 480)) // ringing
		s.answer(caller, callee)
		s.talk(caller, callee)
		s.over(caller, callee)
		bob.OnCall(pbxtest.AutoReject(486, 0))
		caller = asked()
		s.must(caller.HearsInOrder(s.ctx, [][]float64{{480, 620}, {480, 620}}...)) // busy
		s.must(caller.Ended(s.ctx))
		bob.OnCall(pbxtest.AutoEarly(710, time.Second, pbxtest.AutoReject(603, 0)))
		caller = asked()
		s.must(caller.Hears(s.ctx, 710)) // what the phone itself has to say
		s.must(caller.Ended(s.ctx))
		// And one who hangs up while it rings takes the ringing with him.
		bob.OnCall(nil)
		caller = asked()
		callee = s.arrives(bob)
		s.must(caller.Hangup(s.ctx))
		s.ringsOut(callee)
	})
}

// A code that cannot do what it is told says so, by another sound than when it has, and changes nothing.
func TestCodeFails(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		s.code(bob, "*727654321", soundError)     // nobody's number
		s.code(bob, "*72"+bob.User(), soundError) // his own
		s.code(bob, "*09", soundError)            // no such speed dial
		s.code(bob, "*69", soundError)            // nobody has called
		s.rings(alice, bob.User(), bob)
	})
}

func TestCallWaitingByCode(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.code(bob, "*71", soundOff)
		s.idle(bob.User())
		caller, callee := s.up(alice, bob)
		s.refused(carol, bob.User(), 486)
		s.over(caller, callee)
		s.code(bob, "*70", soundOn)
		caller, callee = s.up(alice, bob)
		s.rings(carol, bob.User(), bob)
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestBlockByCode(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, mallory := s.phone(), s.phone(), s.phone()
		s.code(bob, "*30"+mallory.User(), soundDone)
		m := s.refused(mallory, bob.User(), 403)
		s.announced(m)
		s.rings(alice, bob.User(), bob)
		s.code(bob, "*31"+mallory.User(), soundDone)
		s.rings(mallory, bob.User(), bob)
		s.code(bob, "*32", soundDone) // the last caller
		s.refused(mallory, bob.User(), 403)
		s.rings(alice, bob.User(), bob)
		s.code(bob, "*31"+mallory.User(), soundDone)
		s.rings(mallory, bob.User(), bob)
	})
}

// Who hides is blocked as the last caller, too, though nobody is told who it was.
func TestBlockLastAnonymousCaller(t *testing.T) {
	play(t, func(s *scene) {
		bob, mallory := s.phone(), s.phone()
		l := s.dials(mallory, bob.User(), pbxtest.Anonymous())
		callee := s.arrives(bob)
		callee.Refuse(486)
		s.must(l.FailsWith(s.ctx, 486))
		s.code(bob, "*32", soundDone)
		m, err := s.dials(mallory, bob.User(), pbxtest.Anonymous()).Failed(s.ctx)
		s.status(m, err, 403, 433)
		if n := bob.Count("INVITE"); n != 1 {
			s.Errorf("the phone was called %d times", n)
		}
	})
}

func TestReturnCall(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.rings(carol, bob.User(), bob)
		s.rings(alice, bob.User(), bob)
		caller := s.dials(bob, "*69")
		callee := s.arrives(alice)
		s.talkAndEnd(caller, callee)
		// Not who has hidden his number.
		l := s.dials(carol, bob.User(), pbxtest.Anonymous())
		hidden := s.arrives(bob)
		s.must(l.Cancel(s.ctx))
		s.must(hidden.Ended(s.ctx))
		s.code(bob, "*69", soundError)
		s.quiet(carol)
	})
}

func TestRedialLast(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		bob.OnCall(pbxtest.AutoReject(486, 0))
		s.rings(alice, carol.User(), carol)
		s.refused(alice, bob.User(), 486)
		s.spoken(alice, "*65", spelt(alice.User())) // a code is no number to call again
		bob.OnCall(nil)
		for range 2 {
			caller := s.dials(alice, "*870")
			s.talkAndEnd(caller, s.arrives(bob))
		}
		if n := carol.Count("INVITE"); n != 1 {
			s.Errorf("the number before it was called %d times", n)
		}
	})
}

func TestSpeedDial(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(alice.User(), "speed_dials", doc{"1": bob.User(), "12": carol.User()})
		s.talkAndEnd(s.dials(alice, "*01"), s.arrives(bob))
		s.rings(alice, "*012", carol)
		s.services(bob.User(), "outgoing", rules(rule("reject", "numbers", []string{carol.User()})), "speed_dials", doc{"2": carol.User()})
		s.refused(bob, "*02", 403) // with the caller's own permissions
	})
}

// spelt is a number as the tones of its keys.
func spelt(number string) sound {
	low, high := []float64{697, 770, 852, 941}, []float64{1209, 1336, 1477}
	var all sound
	for _, digit := range number {
		i := strings.IndexRune("123456789*0#", digit)
		all = append(all, []float64{low[i/3], high[i%3]})
	}
	return all
}

// The clock, in tones: the four digits of the time that it is where the PBX is.
func TestClock(t *testing.T) {
	own(t, func(s *scene, _ func()) {
		kathmandu, err := time.LoadLocation("Asia/Kathmandu") // a quarter of an hour apart from everybody
		s.must(err)
		alice := s.phone()
		for range 2 { // a minute may end between the exchange's look at the clock and ours: not twice
			l := s.dials(alice, "*60")
			s.must(l.Answered(s.ctx))
			err = l.HearsInOrder(s.ctx, spelt(time.Now().In(kathmandu).Format("1504"))...)
			s.must(l.Ended(s.ctx))
			if err == nil {
				return
			}
		}
		s.Error(err)
	}, "--set", "calls.time_zone=Asia/Kathmandu")
}

// One's number is told digit by digit.
func TestMyNumber(t *testing.T) {
	play(t, func(s *scene) {
		alice := s.phone()
		s.spoken(alice, "*65", spelt(alice.User()))
	})
}

// A phone that is not an extension of this PBX, or has not said who it is, reaches no code.
func TestCodesNeedAuthentication(t *testing.T) {
	play(t, func(s *scene) {
		bob, stranger := s.phone(), s.another(s.extension())
		l, err := stranger.Dial(s.ctx, pbxtest.Dialling{Number: "*72" + bob.User(), Password: "-"})
		s.must(err)
		m, err := l.Failed(s.ctx)
		s.status(m, err, 401, 407, 403)
		if f := s.has(stranger.User(), "forward_always"); f != nil {
			s.Errorf("the API shows %v", f)
		}
	})
}

// Codes are data: a profile has others, each may be changed, and what would collide is refused when it is saved.
func TestCodeProfiles(t *testing.T) {
	own(t, func(s *scene, _ func()) {
		alice, bob := s.phone(), s.phone()
		s.office("codes", doc{"profile": "fusionpbx", "changed": doc{"echo": "*9"}})
		s.code(bob, "*77", soundOn) // a toggle there
		s.refused(alice, bob.User(), 486, 480)
		s.code(bob, "*77", soundOff)
		s.rings(alice, bob.User(), bob)
		s.refused(alice, "*43", 404)
		l := s.dials(alice, "*9")
		s.must(l.Answered(s.ctx))
		l.Play(710)
		s.must(l.Hears(s.ctx, 710))
		s.must(l.Hangup(s.ctx))
		var inForce struct {
			Items []struct{ Code, Service string }
		}
		s.must(s.x.api(s.ctx, "GET", "/codes", nil, &inForce))
		var echo string
		for _, c := range inForce.Items {
			if c.Service == "echo" {
				echo = c.Code
			}
		}
		if echo != "*9" {
			s.Errorf("the codes in force are %v", inForce.Items)
		}
		err := s.x.api(s.ctx, "PATCH", "/office", doc{"codes": doc{"changed": doc{"echo": "*72"}}}, nil)
		if err == nil || !strings.Contains(err.Error(), "*72") {
			s.Errorf("a collision of codes is saved, or refused with %v", err)
		}
		err = s.x.api(s.ctx, "PATCH", "/office", doc{"codes": doc{"changed": doc{"redial": bob.User()}}}, nil)
		if err == nil || !strings.Contains(err.Error(), bob.User()) {
			s.Errorf("a code that is somebody's number is saved, or refused with %v", err)
		}
	})
}
