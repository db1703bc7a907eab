package e2e

import (
	"strings"
	"testing"

	"ringback/pbx/pbxtest"
)

// RFC 3725 §4.1: a controller calls Alice without SDP, offers Bob what she offers, and gives her his answer in the ACK.
func TestThirdPartyControl(t *testing.T) {
	play(t, func(s *scene) {
		controller, alice, bob := s.phone(), s.phone(), s.phone()
		alice.OnCall(pbxtest.AutoAnswer(0))
		bob.OnCall(pbxtest.AutoAnswer(0))
		toAlice, err := controller.Dial(s.ctx, pbxtest.Dialling{Number: alice.User(), Media: pbxtest.Media{None: true}, ManualAck: true, Muted: true})
		s.must(err)
		s.must(toAlice.Answered(s.ctx))
		toBob, err := controller.Dial(s.ctx, pbxtest.Dialling{Number: bob.User(), Media: pbxtest.Media{Text: toAlice.Remote()}, Muted: true})
		s.must(err)
		s.must(toBob.Answered(s.ctx))
		toAlice.AckWith(toBob.Remote())
		a, err := alice.LastLeg(s.ctx)
		s.must(err)
		b, err := bob.LastLeg(s.ctx)
		s.must(err)
		a.Play(440)
		b.Play(620)
		s.must(a.Hears(s.ctx, 620))
		s.must(b.Hears(s.ctx, 440))
		// Then the controller speaks with Alice itself.
		toAlice.Mute(false)
		toAlice.Play(350)
		m, err := toAlice.Reinvite(s.ctx, pbxtest.Media{})
		s.status(m, err, 200)
		s.must(a.Hears(s.ctx, 350))
		s.must(toAlice.Hears(s.ctx, 440))
		s.over(toBob, b)
		s.over(toAlice, a)
	})
}

// A re-INVITE without SDP is answered with an offer, and its ACK has the answer (RFC 3261 §14.2).
func TestReinviteNoSDP(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(), s.phone())
		s.talk(caller, callee)
		for _, l := range []*pbxtest.CallLeg{caller, callee} {
			m, err := l.Reinvite(s.ctx, pbxtest.Media{None: true})
			if m = s.status(m, err, 200); !strings.Contains(string(m.Body), "m=audio ") {
				s.Errorf("the 200 has no offer:\n%s", m)
			}
			s.talk(caller, callee)
		}
		s.over(caller, callee)
	})
}

// A phone that calls its own number rings like any other, and may answer itself.
func TestOwnNumber(t *testing.T) {
	play(t, func(s *scene) {
		alice := s.phone()
		caller, callee := s.up(alice, alice)
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestUnknownEvent489(t *testing.T) {
	play(t, func(s *scene) {
		s.allow("empty Allow-Events") // until there are subscriptions
		alice := s.phone()
		q := alice.NewRequest("SUBSCRIBE", alice.User(), pbxtest.With("Event", "nonsense"), pbxtest.With("Expires", "60"))
		m, err := alice.Do(s.ctx, q)
		if m = s.status(m, err, 489); !m.Has("Allow-Events") {
			s.Error("the 489 has no Allow-Events")
		}
	})
}

func TestListRegistrations(t *testing.T) {
	play(t, func(s *scene) {
		alice := s.phone()
		list := func() []map[string]any {
			found, err := s.x.about(s.ctx, "/registrations", []string{"extension"}, alice.User())
			s.must(err)
			return found
		}
		if found := list(); len(found) != 1 || !strings.Contains(found[0]["contact"].(string), alice.Addr().String()) {
			s.Errorf("the list has %v", found)
		}
		s.must(alice.Unregister(s.ctx))
		if found := list(); len(found) != 0 {
			s.Errorf("the list has %v after the phone has left", found)
		}
	})
}
