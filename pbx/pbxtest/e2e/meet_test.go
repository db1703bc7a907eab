package e2e

import (
	"strings"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// Features that meet, and settings that meet the world.

// A forward spends the permissions of whoever set it, not the caller's.
func TestForwardSpendsOwnPermissions(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(alice.User(), "outgoing", rules(rule("reject", "numbers", []string{carol.User()})))
		s.services(bob.User(), "forward_always", to(carol.User()))
		s.refused(alice, carol.User(), 403)
		s.talkAndEnd(s.sentOn(alice, bob.User(), carol))
		s.services(alice.User(), "outgoing", nil)
		s.services(bob.User(), "outgoing", rules(rule("reject", "numbers", []string{carol.User()})))
		s.refused(alice, bob.User(), 403)
		s.rings(alice, carol.User(), carol)
		s.quiet(bob)
		// A redirection by his phone spends them, too.
		s.services(bob.User(), "forward_always", off)
		bob.OnCall(pbxtest.AutoRedirect(302, carol.User()))
		m, err := s.dials(alice, bob.User()).Failed(s.ctx)
		s.status(m, err, 403, 480)
		if n := carol.Count("INVITE"); n != 2 {
			s.Errorf("the target was called %d times", n)
		}
	})
}

// The screening of the target asks who calls, not who forwards.
func TestScreeningOverForward(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, mallory, carol := s.phone(), s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "forward_always", to(carol.User()))
		s.services(carol.User(), "incoming", rules(rule("reject", "numbers", []string{mallory.User()})))
		s.refused(mallory, bob.User(), 403)
		s.quiet(carol)
		s.rings(alice, bob.User(), carol)
	})
}

// The phone answers just as its time is over: it loses, with ACK and BYE, and the call goes on.
func TestForwardAnswerCrossesCancel(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "forward_no_answer", to(carol.User(), "after", 5))
		bob.Manual("CANCEL")
		caller, late := s.call(alice, bob)
		m, err := bob.Expect(s.ctx, "CANCEL")
		s.must(err)
		late.SendAnswer()
		bob.Respond(m, 200, "OK")
		s.eventually("the 200 got its ACK and the call its BYE", func() bool { return late.Acked() != nil && late.Bye() != nil })
		callee := s.arrives(carol)
		s.talkAndEnd(caller, callee)
	})
}

// How long the target of a forward rings.
func TestForwardRing(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "forward_always", to(carol.User(), "ring", 5))
		caller, callee := s.sentOn(alice, bob.User(), carol)
		began := time.Now()
		s.ringsOut(callee)
		if took := time.Since(began); took > 25*time.Second { // the phone alone: 30
			s.Errorf("it rang for %v", took)
		}
		s.must(caller.FailsWith(s.ctx, 480))
	})
}

// A person with several numbers: each reaches the same phones, and shows which one was called.
func TestFurtherNumbers(t *testing.T) {
	play(t, func(s *scene) {
		alice, carol := s.phone(), s.phone()
		further := s.extension() // a number that is free
		s.must(s.x.api(s.ctx, "DELETE", "/extensions/"+further, nil, nil))
		bob := s.registered(s.extension("numbers", []string{further}))
		caller := s.dials(alice, further)
		callee := s.arrives(bob)
		if got := number(callee.Invite.Get("To")); got != further {
			s.Errorf("To is %q", callee.Invite.Get("To"))
		}
		s.talkAndEnd(caller, callee)
		s.services(bob.User(), "forward_busy", to(carol.User()))
		bob.OnCall(pbxtest.AutoReject(486, 0))
		caller, callee = s.sentOn(alice, further, carol)
		s.sentBy(callee.Invite, carol.User(), [3]string{further, "user-busy", "486"})
		s.talkAndEnd(caller, callee)
		// A loop by the other number is one.
		s.services(bob.User(), "forward_busy", off)
		s.services(carol.User(), "forward_always", to(further))
		s.services(bob.User(), "forward_always", to(carol.User()))
		s.refused(alice, further, 482)
	})
}

// Find-me and a forward: the forward judges what came of all places.
func TestFindMeThenForward(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol, dave := s.phone(), s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "find_me", findMe(at(5, bob.User()), at(5, carol.User())), "forward_busy", to(dave.User()))
		for _, p := range []*pbxtest.Phone{bob, carol} {
			p.OnCall(pbxtest.AutoReject(486, 0))
		}
		caller := s.dials(alice, bob.User())
		callee := s.arrives(dave)
		s.sentBy(callee.Invite, dave.User(), [3]string{bob.User(), "user-busy", "486"})
		s.talkAndEnd(caller, callee)
		if bob.Count("INVITE") != 1 || carol.Count("INVITE") != 1 {
			s.Error("not all places were called")
		}
	})
}

// Equal q: all at once. A permitted host: its numbers are ours.
func TestRedirectHosts(t *testing.T) {
	own(t, func(s *scene, _ func()) {
		alice, bob, carol, dave := s.phone(), s.phone(), s.phone(), s.phone()
		bob.OnCall(pbxtest.AutoRedirect(300, carol.User()+";q=0.5", dave.User()+";q=0.5"))
		caller := s.dials(alice, bob.User())
		callee, other := s.arrives(carol), s.arrives(dave)
		s.answer(caller, callee)
		s.elsewhere(other)
		s.over(caller, callee)
		bob.OnCall(pbxtest.AutoRedirect(302, "sip:"+carol.User()+"@example.org"))
		s.refused(alice, bob.User(), 480)
		s.office("redirect_hosts", []string{"example.org"})
		s.talkAndEnd(s.sentOn(alice, bob.User(), carol))
	})
}

// Each way of hunting ends at the overflow.
func TestGroupOverflow(t *testing.T) {
	play(t, func(s *scene) {
		alice, crew, overflow := s.phone(), s.crew(3), s.phone()
		crew[0].OnCall(pbxtest.AutoReject(486, 0))
		s.must(crew[1].Unregister(s.ctx))
		crew[2].OnCall(pbxtest.AutoReject(480, 0))
		for i, strategy := range []string{"all", "in order", "round robin", "longest idle", "random"} {
			g := s.group(strategy, crew, "overflow", overflow.User())
			caller, callee := s.sentOn(alice, g, overflow)
			s.sentBy(callee.Invite, overflow.User(), [3]string{g, "no-answer", "408"})
			s.talkAndEnd(caller, callee)
			if a, b := crew[0].Count("INVITE"), crew[2].Count("INVITE"); a != i+1 || b != i+1 {
				s.Errorf("%s: the members were called %d and %d times", strategy, a, b)
			}
		}
	})
}

// A member that does not want to be disturbed, or has a call and one line, is passed over.
func TestGroupPassesOver(t *testing.T) {
	play(t, func(s *scene) {
		alice, crew, dave := s.phone(), s.crew(3), s.phone()
		s.services(crew[0].User(), "do_not_disturb", on)
		s.services(crew[1].User(), "one_call", on)
		caller, callee := s.up(dave, crew[1])
		s.rings(alice, s.group("in order", crew), crew[2])
		s.rings(alice, s.group("all", crew), crew[2])
		s.talk(caller, callee)
		s.over(caller, callee)
		if crew[0].Count("INVITE") != 0 || crew[1].Count("INVITE") != 1 {
			s.Error("members that do not want calls were called")
		}
	})
}

// What was switched on is kept over kill -9, and so is who called whom last.
func TestServicesSurviveKill9(t *testing.T) {
	own(t, func(s *scene, restart func()) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.hours("office")
		g := s.group("all", []*pbxtest.Phone{carol}, "closed", doc{"hours": "office", "to": alice.User()})
		s.code(bob, "*72"+carol.User(), soundOn)
		s.code(bob, "*28", soundOff)
		s.rings(alice, carol.User(), carol)
		s.record(alice.User(), carol.User())
		s.must(s.x.cmd.Process.Kill())
		<-s.x.done
		restart()
		s.rings(alice, "*870", carol)
		s.talkAndEnd(s.sentOn(alice, bob.User(), carol))
		s.rings(carol, g, alice)
		s.quiet(bob)
	})
}

// The next call has what was changed, each time.
func TestSettingsChangeUnderCalls(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		bob.OnCall(pbxtest.AutoReject(486, 0))
		carol.OnCall(pbxtest.AutoReject(603, 0))
		for i := range 20 {
			change, want := off, 486
			if i%2 == 0 {
				change, want = to(carol.User()), 603
			}
			s.services(bob.User(), "forward_always", change)
			s.refused(alice, bob.User(), want)
		}
	})
}

// What is not a service of an extension is refused in words, and changes nothing.
func TestBadServicesAreRefused(t *testing.T) {
	play(t, func(s *scene) {
		bob := s.phone()
		for _, bad := range []doc{
			{"forward_always": doc{"on": true}},
			{"forward_no_answer": to("1000", "after", 1)},
			{"incoming": rules(rule("explode", "numbers", []string{"1"}))},
			{"find_me": findMe(at(20, "a b"))},
			{"closed": doc{"hours": "no such hours"}},
			{"redirect": "sometimes"},
			{"pin": "none"},
		} {
			err := s.x.api(s.ctx, "PATCH", "/extensions/"+bob.User()+"/services", bad, nil)
			if err == nil || !strings.Contains(err.Error(), "422") {
				s.Errorf("%v is saved, or refused with %v", bad, err)
			}
		}
		s.rings(s.phone(), bob.User(), bob)
	})
}
