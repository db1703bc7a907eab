package e2e

import (
	"testing"

	"ringback/pbx/pbxtest"
)

// The conversations of the PBX itself with phones of every kind.

// In whatever codec the PBX can make sound in, with an offer or without, reliably or not.
func TestServiceForAnyPhone(t *testing.T) {
	play(t, func(s *scene) {
		for _, mod := range []func(*pbxtest.Config){codecs("PCMU"), codecs("PCMA", "telephone-event"), codecs("G722", "PCMA"), rel100} {
			p := s.phone(mod)
			s.spoken(p, "*65", spelt(p.User()))
		}
		alice := s.phone()
		l, err := alice.Dial(s.ctx, pbxtest.Dialling{Number: "*65", Media: pbxtest.Media{None: true}})
		s.must(err)
		s.must(l.Answered(s.ctx))
		s.must(l.HearsInOrder(s.ctx, spelt(alice.User())...))
		s.must(l.Ended(s.ctx))
		wide := s.dials(s.phone(codecs("G722", "telephone-event")), "*65")
		s.must(wide.Answered(s.ctx))
		s.must(wide.Ended(s.ctx))
		s.refused(s.phone(codecs("X-NOBODY")), "*65", 488)
	})
}

// A caller on hold hears nothing, and the rest once he is back.
func TestServiceOnHold(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		l := s.dials(alice, "*67")
		s.must(l.Answered(s.ctx))
		s.must(l.Hold(s.ctx))
		s.must(l.Resume(s.ctx))
		s.must(l.HearsTone(s.ctx, 350, 440))
		s.must(l.Press(s.ctx, bob.User()+"#"))
		s.talkAndEnd(l, s.arrives(bob))
	})
}

// Early announcements: made reliable where the caller demands it, none where he cannot hear any, over when he gives up.
func TestAnnouncementForAnyCaller(t *testing.T) {
	play(t, func(s *scene) {
		bob := s.phone()
		s.services(bob.User(), "incoming", rules(rule("announce")))
		l := s.dials(s.phone(rel100), bob.User(), pbxtest.With("Require", "100rel"))
		s.must(l.HearsInOrder(s.ctx, soundRejected...))
		s.must(l.FailsWith(s.ctx, 403))
		l, err := s.phone().Dial(s.ctx, pbxtest.Dialling{Number: bob.User(), Media: pbxtest.Media{None: true}})
		s.must(err)
		s.must(l.FailsWith(s.ctx, 403))
		s.refused(s.phone(codecs("X-NOBODY")), bob.User(), 403, 488)
		l = s.dials(s.phone(codecs("PCMA")), bob.User())
		s.must(l.HearsTone(s.ctx, 950))
		s.must(l.Cancel(s.ctx))
		s.quiet(bob)
	})
}

// The call after a service: sound is transcoded where it has to be, and keys go through, each way.
func TestAnsweredCallerGoesOn(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(codecs("PCMU", "telephone-event")), s.phone(codecs("PCMA", "telephone-event"))
		caller := s.dials(alice, "*67")
		s.must(caller.Answered(s.ctx))
		s.must(caller.HearsSound(s.ctx))
		s.must(caller.Press(s.ctx, bob.User()+"#"))
		callee := s.arrives(bob)
		s.answer(caller, callee)
		s.talk(caller, callee)
		s.must(caller.Press(s.ctx, "12#"))
		s.must(callee.HearsKeys(s.ctx, "12#"))
		s.must(callee.Press(s.ctx, "*0"))
		s.must(caller.HearsKeys(s.ctx, "*0"))
		s.talk(caller, callee)
		s.must(callee.Hold(s.ctx))
		s.must(callee.Resume(s.ctx))
		s.talk(caller, callee)
		s.over(callee, caller)
	})
}

// The call after "press 1": the key that accepted it is not heard by the caller, those after it are.
func TestConfirmedCallGoesOn(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, mobile := s.phone(), s.phone(), s.phone(codecs("PCMA", "telephone-event"))
		s.services(bob.User(), "find_me", findMe(step(20, place(mobile.User(), true))))
		caller := s.dials(alice, bob.User())
		callee := s.arrives(mobile)
		s.must(callee.Answer(s.ctx))
		s.must(callee.HearsInOrder(s.ctx, soundPress1...))
		s.must(callee.Press(s.ctx, "1"))
		s.must(caller.Answered(s.ctx))
		caller.Play(440)
		callee.Play(620)
		s.talk(caller, callee)
		s.must(callee.Press(s.ctx, "23"))
		s.must(caller.HearsKeys(s.ctx, "23"))
		s.must(caller.Press(s.ctx, "1"))
		s.must(callee.HearsKeys(s.ctx, "1"))
		s.must(callee.PressByInfo(s.ctx, "4"))
		s.eventually("the key reaches the other end", func() bool { return len(caller.Infos()) == 1 || caller.KeysHeard() == "234" })
		s.over(caller, callee)
	})
}

// Who does not press 1 in time is hung up on, and the call ends as if nobody had answered; so it does for those who have
// answered when the caller gives up, or another is quicker.
func TestUnconfirmed(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, mobile, other := s.phone(), s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "find_me", findMe(step(5, place(mobile.User(), true), place(other.User(), true))))
		answered := func() (caller, a, b *pbxtest.CallLeg) {
			caller, a, b = s.dials(alice, bob.User()), s.arrives(mobile), s.arrives(other)
			for _, l := range []*pbxtest.CallLeg{a, b} {
				s.must(l.Answer(s.ctx))
				s.must(l.HearsInOrder(s.ctx, soundPress1...))
			}
			return caller, a, b
		}
		caller, a, b := answered()
		s.must(caller.Cancel(s.ctx))
		s.must(a.Ended(s.ctx))
		s.must(b.Ended(s.ctx))

		caller, a, b = answered()
		s.must(b.Press(s.ctx, "1"))
		s.must(caller.Answered(s.ctx))
		s.must(a.Ended(s.ctx))
		caller.Play(440)
		b.Play(620)
		s.talk(caller, b)
		s.over(b, caller)

		caller, a, b = answered()
		s.must(a.Hangup(s.ctx)) // one does not want it
		m, err := b.Phone.Expect(s.within(25), "BYE", func(m *pbxtest.Message) bool { return m.CallID() == b.CallID })
		s.must(err)
		if m == nil || caller.State() == "up" {
			s.Error("the caller is connected to who has not pressed 1")
		}
		m, err = caller.Failed(s.ctx)
		s.status(m, err, 480)
	})
}
