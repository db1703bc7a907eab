package e2e

import (
	"strings"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// three are three phones of one extension, and a caller.
func (s *scene) three() (caller *pbxtest.Phone, phones []*pbxtest.Phone) {
	s.Helper()
	n := s.extension()
	for range 3 {
		phones = append(phones, s.registered(n))
	}
	return s.phone(), phones
}

// ringAll calls them, and all ring.
func (s *scene) ringAll(caller *pbxtest.Phone, phones []*pbxtest.Phone) (l *pbxtest.CallLeg, legs []*pbxtest.CallLeg) {
	s.Helper()
	l, err := caller.Call(s.ctx, phones[0].User())
	s.must(err)
	for _, p := range phones {
		leg, err := p.Incoming(s.ctx)
		s.must(err)
		leg.Ring()
		legs = append(legs, leg)
	}
	s.must(l.Ringing(s.ctx))
	return l, legs
}

// cancelled waits for the CANCEL and says its Reason.
func (s *scene) cancelled(l *pbxtest.CallLeg) string {
	s.Helper()
	m, err := l.Phone.Expect(s.ctx, "CANCEL", func(m *pbxtest.Message) bool { return m.CallID() == l.CallID })
	s.must(err)
	s.must(l.Ended(s.ctx))
	return m.Get("Reason")
}

func TestForkFirstWins(t *testing.T) {
	play(t, func(s *scene) {
		caller, phones := s.three()
		l, legs := s.ringAll(caller, phones)
		s.answer(l, legs[1])
		for _, i := range []int{0, 2} {
			if r := s.cancelled(legs[i]); !strings.HasPrefix(r, "SIP") || !strings.Contains(r, "cause=200") || !strings.Contains(r, `text="Call completed elsewhere"`) {
				s.Errorf("the Reason of the CANCEL is %q", r) // fork_cancel_reason
			}
		}
		s.talk(l, legs[1])
		s.over(legs[1], l)
	})
}

func TestForkOneBusy(t *testing.T) {
	play(t, func(s *scene) {
		caller, phones := s.three()
		l, legs := s.ringAll(caller, phones)
		legs[0].Refuse(486)
		time.Sleep(300 * time.Millisecond) // the others ring on
		if st := legs[1].State() + legs[2].State() + l.State(); st != "ringingringingringing" {
			s.Fatal(st)
		}
		s.answer(l, legs[2])
		s.cancelled(legs[1])
		s.talk(l, legs[2])
		s.over(l, legs[2])
	})
}

func TestForkAllBusy(t *testing.T) {
	play(t, func(s *scene) {
		caller, phones := s.three()
		for _, p := range phones {
			p.OnCall(pbxtest.AutoReject(486, 0))
		}
		l, err := caller.Call(s.ctx, phones[0].User())
		s.must(err)
		s.must(l.FailsWith(s.ctx, 486))
	})
}

func TestForkMixedFailures(t *testing.T) {
	play(t, func(s *scene) {
		caller, phones := s.three()
		for i, status := range []int{500, 486, 480} {
			phones[i].OnCall(pbxtest.AutoReject(status, 0))
		}
		l, err := caller.Call(s.ctx, phones[0].User())
		s.must(err)
		s.must(l.FailsWith(s.ctx, 486))
	})
}

func TestForkDecline603(t *testing.T) {
	play(t, func(s *scene) {
		caller, phones := s.three()
		l, legs := s.ringAll(caller, phones)
		legs[1].Refuse(603)
		s.must(l.FailsWith(s.ctx, 603)) // a 6xx stops the contacts of that extension
		s.cancelled(legs[0])
		s.cancelled(legs[2])
	})
}

func TestForkDoubleAnswer(t *testing.T) {
	play(t, func(s *scene) {
		caller, phones := s.three()
		phones[1].Manual("CANCEL") // it may come before the second answer has left
		l, legs := s.ringAll(caller, phones)
		legs[0].SendAnswer()
		legs[1].SendAnswer()
		s.must(l.Answered(s.ctx))
		s.cancelled(legs[2])
		s.eventually("exactly one of two that answered is left", func() bool {
			if m := legs[1].Cancelled(); m != nil {
				phones[1].Respond(m, 200, "OK")
			}
			return legs[0].Bye() != nil || legs[1].Bye() != nil
		})
		winner := legs[0]
		if legs[0].Bye() != nil {
			winner = legs[1]
		}
		loser := legs[1]
		if winner == legs[1] {
			loser = legs[0]
		}
		if loser.Acked() == nil {
			s.Error("the second 200 got no ACK")
		}
		l.Play(440)
		winner.Play(620)
		s.talk(l, winner)
		s.over(l, winner)
	})
}

func TestForkCancelAll(t *testing.T) {
	play(t, func(s *scene) {
		caller, phones := s.three()
		l, legs := s.ringAll(caller, phones)
		s.must(l.Cancel(s.ctx))
		for _, leg := range legs {
			if r := s.cancelled(leg); strings.Contains(r, "elsewhere") {
				s.Errorf("the Reason of the CANCEL is %q", r)
			}
		}
	})
}
