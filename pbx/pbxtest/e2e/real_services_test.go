package e2e

import (
	"testing"
	"time"

	"ringback/pbx/pbxtest"
	"ringback/pbx/pbxtest/real"
)

// baresip is forwarded when it is busy, to another baresip; and it calls somebody who does not answer.
func TestBaresipForwarded(t *testing.T) {
	playReal(t, "baresip", func(s *scene) {
		alice, carol, number := s.phone(), s.phone(), s.extension()
		bob := s.baresip(number, 620, false)
		s.services(number, "forward_busy", to(carol.User()))
		caller := s.dials(alice, number)
		s.must(bob.Await("CALL_INCOMING", patience))
		s.must(bob.Hangup()) // its reject key
		callee := s.arrives(carol)
		s.news(caller, 180, 181, 180)
		s.sentBy(callee.Invite, carol.User(), [3]string{number, "user-busy", "486"})
		s.talkAndEnd(caller, callee)
		s.services(carol.User(), "forward_no_answer", to(alice.User(), "after", 5))
		s.must(bob.Dial(carol.User()))
		s.ringsOut(s.arrives(carol))
		callee = s.arrives(alice)
		s.must(callee.Answer(s.ctx))
		callee.Play(710)
		s.must(callee.Hears(s.ctx, 620))
		s.must(bob.Hears(710, patience))
		s.must(bob.Hangup())
		s.must(callee.Ended(s.ctx))
	})
}

// baresip is the place of find-me that answers, after one that does not and one that is busy.
func TestBaresipFound(t *testing.T) {
	playReal(t, "baresip", func(s *scene) {
		alice, bob, carol, number := s.phone(), s.phone(), s.phone(), s.extension()
		carol.OnCall(pbxtest.AutoReject(486, 0))
		found := s.baresip(number, 620, true)
		s.services(bob.User(), "find_me", findMe(at(5, bob.User()), at(5, carol.User()), at(20, number)))
		caller, first := s.call(alice, bob)
		s.ringsOut(first)
		s.must(caller.Answered(s.ctx))
		caller.Play(440)
		s.must(caller.Hears(s.ctx, 620))
		s.must(found.Hears(440, patience))
		s.must(caller.Hangup(s.ctx))
		s.must(found.Await("CALL_CLOSED", patience))
	})
}

// baresip is screened, calls the announcement that says why, and hears it out.
func TestBaresipScreened(t *testing.T) {
	playReal(t, "baresip", func(s *scene) {
		bob, number := s.phone(), s.extension()
		mallory := s.baresip(number, 440, false)
		s.services(bob.User(), "incoming", rules(rule("reject", "numbers", []string{number})))
		s.must(mallory.Dial(bob.User()))
		s.must(mallory.Await("CALL_CLOSED 403", patience))
		s.quiet(bob)
		s.must(mallory.Dial("announcement.rejected"))
		s.must(mallory.Await("CALL_ESTABLISHED", patience))
		s.must(mallory.Await("CALL_CLOSED", patience))
	})
}

// sipp is refused by outgoing screening.
func TestSippScreened(t *testing.T) {
	playReal(t, "sipp", func(s *scene) {
		bob, number := s.phone(), s.extension()
		s.services(number, "outgoing", rules(rule("reject", "numbers", []string{bob.User()})))
		s.must(s.sipp(real.Scenario{Name: "uac_refused", Status: 403, Remote: s.x.sip, Service: bob.User(), User: number}).Wait(patience))
		s.quiet(bob)
	})
}

// sipp calls somebody who is busy and forwarded, forty times at once: each call is answered by the target.
func TestSippForwarded(t *testing.T) {
	playReal(t, "sipp", func(s *scene) {
		bob, carol := s.phone(), s.phone()
		bob.OnCall(pbxtest.AutoReject(486, 0))
		carol.OnCall(pbxtest.AutoAnswer(50 * time.Millisecond))
		s.services(bob.User(), "forward_busy", to(carol.User()))
		s.must(s.sipp(real.Scenario{Name: "uac_auth", Remote: s.x.sip, Service: bob.User(), User: s.extension(), Calls: 40, Rate: 40}).Wait(30 * time.Second))
		if b, c := bob.Count("INVITE"), carol.Count("INVITE"); b != 40 || c != 40 {
			s.Errorf("the phones were called %d and %d times", b, c)
		}
	})
}

// sipp is a phone with a local forward (UDP, as in TestSippAnswers).
func TestSippRedirects(t *testing.T) {
	playReal(t, "sipp", func(s *scene) {
		alice, carol, number := s.phone(), s.phone(), s.extension()
		at := real.Port(s)
		s.must(s.sipp(real.Scenario{Name: "register", Transport: "u1", Addr: at, Remote: s.x.sip, User: number}).Wait(patience))
		s.sipp(real.Scenario{Name: "uas_redirect", Transport: "u1", Addr: at, Calls: 1000, Service: carol.User(), Domain: s.x.sip.String()})
		for range 2 {
			caller := s.dials(alice, number)
			callee := s.arrives(carol)
			s.news(caller, 180, 181, 180)
			s.sentBy(callee.Invite, carol.User(), [3]string{number, "deflection", "302"})
			s.talkAndEnd(caller, callee)
		}
	})
}

// baresip is a member of a conference: it hears the two others, and they hear it.
func TestBaresipInConference(t *testing.T) {
	playReal(t, "baresip", func(s *scene) {
		room := s.room("quiet", true)
		bob := s.baresip(s.extension(), 620, false)
		s.must(bob.Dial(room))
		s.must(bob.Await("CALL_ESTABLISHED", patience))
		alice := s.enters(s.phone(), room, 440)
		s.must(alice.Hears(s.ctx, 620))
		carol := s.enters(s.phone(), room, 830)
		s.must(alice.Hears(s.ctx, 620, 830))
		s.must(carol.Hears(s.ctx, 440, 620))
		carol.Play()
		s.must(bob.Hears(440, patience))
		alice.Play()
		carol.Play(830)
		s.must(bob.Hears(830, patience))
		s.must(bob.Hangup())
		s.must(alice.Hears(s.ctx, 830))
		s.leaves(alice)
		s.leaves(carol)
	})
}
