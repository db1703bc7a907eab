package e2e

import (
	"strings"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

func TestInviteRetransmit(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		caller, err := alice.Call(s.ctx, bob.User())
		s.must(err)
		callee, err := bob.Incoming(s.ctx)
		s.must(err)
		callee.Ring()
		s.must(caller.Ringing(s.ctx))
		for range 3 {
			s.must(alice.SendRaw(caller.Invite.Bytes()))
		}
		s.answer(caller, callee)
		s.talk(caller, callee)
		if n := bob.Count("INVITE"); n != 1 {
			s.Errorf("one call became %d", n)
		}
		s.over(caller, callee)
	})
}

func TestInviteMerged(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		caller, callee := s.call(alice, bob)
		again := caller.Invite.Clone()
		via := again.All("Via")[0]
		again.Set("Via", strings.Replace(via, "branch=z9hG4bK", "branch=z9hG4bKother", 1))
		m, err := alice.Send(again).Final(s.ctx)
		s.status(m, err, 482)
		s.answer(caller, callee)
		s.talk(caller, callee)
		if n := bob.Count("INVITE"); n != 1 {
			s.Errorf("one call became %d", n)
		}
		s.over(caller, callee)
	})
}

func TestOKRetransmitted(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		bob.OnCall(pbxtest.AutoAnswer(0))
		caller, err := alice.Dial(s.ctx, pbxtest.Dialling{Number: bob.User(), ManualAck: true})
		s.must(err)
		s.must(caller.Answered(s.ctx))
		s.eventually("the 200 comes again", func() bool { return alice.Count("200 INVITE") >= 3 })
		caller.Ack()
		time.Sleep(300 * time.Millisecond) // what was on its way
		n := alice.Count("200 INVITE")
		time.Sleep(4500 * time.Millisecond) // longer than T2: another one would have come
		if m := alice.Count("200 INVITE"); m != n {
			s.Errorf("the 200 comes again %d times after its ACK", m-n)
		}
		callee, err := bob.LastLeg(s.ctx)
		s.must(err)
		acks := bob.Count("ACK")
		callee.Repeat()
		s.eventually("the callee's 200 gets another ACK", func() bool { return bob.Count("ACK") == acks+1 })
		s.over(caller, callee)
	})
}

func TestAckLostEnded(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		bob.OnCall(pbxtest.AutoAnswer(0))
		caller, err := alice.Dial(s.ctx, pbxtest.Dialling{Number: bob.User(), ManualAck: true})
		s.must(err)
		s.must(caller.Answered(s.ctx))
		callee, err := bob.LastLeg(s.ctx)
		s.must(err)
		for end := time.Now().Add(40 * time.Second); callee.Bye() == nil || caller.Bye() == nil; {
			if time.Now().After(end) {
				s.Fatal("the call is still up after 40 s without an ACK")
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}

func TestCancel200Race(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		for i := range 10 {
			caller, callee := s.call(alice, bob)
			answered := make(chan struct{})
			go func() {
				defer close(answered)
				time.Sleep(time.Duration(i) * 300 * time.Microsecond)
				callee.SendAnswer()
			}()
			time.Sleep(1500 * time.Microsecond)
			s.must(caller.SendCancel(s.ctx))
			<-answered
			s.eventually("the caller knows", func() bool { st := caller.State(); return st == "up" || st == "end" })
			if caller.State() == "up" {
				s.must(caller.Hangup(s.ctx))
			}
			s.must(callee.Ended(s.ctx))
		}
	})
}

func TestCancelCrosses200(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		bob.Manual("CANCEL")
		caller, callee := s.call(alice, bob)
		s.must(caller.SendCancel(s.ctx))
		m, err := bob.Expect(s.ctx, "CANCEL")
		s.must(err)
		callee.SendAnswer()
		bob.Respond(m, 200, "OK")
		s.must(caller.FailsWith(s.ctx, 487))
		s.eventually("the 200 got its ACK and the call its BYE", func() bool { return callee.Acked() != nil && callee.Bye() != nil })
	})
}

func TestCancelAfter200(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		bob.OnCall(pbxtest.AutoAnswer(0))
		caller, err := alice.Dial(s.ctx, pbxtest.Dialling{Number: bob.User(), ManualAck: true})
		s.must(err)
		s.must(caller.Answered(s.ctx))
		s.must(caller.SendCancel(s.ctx))
		m, err := alice.Expect(s.ctx, "xxx CANCEL")
		s.must(err)
		if m.Status != 200 && m.Status != 481 {
			s.Errorf("a late CANCEL gets %d", m.Status)
		}
		caller.Ack()
		callee, err := bob.LastLeg(s.ctx)
		s.must(err)
		caller.Play(440)
		callee.Play(620)
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestReinviteGlare(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(), s.phone())
		s.talk(caller, callee)
		a, b := caller.Start(caller.NewOffer("INVITE", pbxtest.Media{})), callee.Start(callee.NewOffer("INVITE", pbxtest.Media{}))
		for _, tx := range []*pbxtest.Transaction{a, b} {
			m, err := tx.Final(s.ctx)
			s.status(m, err, 200, 491)
		}
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

// The caller leaves a codec that the PBX cannot transcode: the callee is asked for the other one, says 491 at first, and
// is asked again after the back-off of RFC 3261 §14.1.
func TestReinvite491ByPhone(t *testing.T) {
	play(t, func(s *scene) {
		names := codecs("X-BOTH", "PCMU", "telephone-event")
		alice, bob := s.phone(names), s.phone(names, func(c *pbxtest.Config) { c.OneCodec = true })
		caller, callee := s.up(alice, bob)
		s.talk(caller, callee)
		bob.Forget()
		bob.Manual("INVITE")
		m, err := caller.Reinvite(s.ctx, pbxtest.Media{Codecs: []string{"PCMU"}})
		s.status(m, err, 200)
		q, err := bob.Expect(s.ctx, "INVITE")
		s.must(err)
		bob.Respond(q, 491, "Request Pending")
		bob.Automatic("INVITE")
		_, err = bob.Expect(s.ctx, "INVITE")
		s.must(err)
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

// The same where the callee had answered with both codecs, and goes on sending the one that the caller has left.
func TestCodecLeft(t *testing.T) {
	play(t, func(s *scene) {
		names := codecs("X-BOTH", "PCMU", "telephone-event")
		caller, callee := s.up(s.phone(names), s.phone(names))
		s.talk(caller, callee)
		m, err := caller.Reinvite(s.ctx, pbxtest.Media{Codecs: []string{"PCMU"}})
		s.status(m, err, 200)
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestSessionTimer(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		caller, callee := s.up(alice, bob, pbxtest.With("Session-Expires", "1800;refresher=uac"))
		m, err := alice.Expect(s.ctx, "200 INVITE")
		s.must(err)
		if !strings.HasPrefix(m.Get("Session-Expires"), "1800") || pbxtest.Param(m.Get("Session-Expires"), "refresher") != "uac" {
			s.Errorf("Session-Expires is %q", m.Get("Session-Expires"))
		}
		for _, method := range []string{"INVITE", "UPDATE"} {
			media := pbxtest.Media{None: method == "UPDATE"}
			m, err := caller.Do(s.ctx, caller.NewOffer(method, media, pbxtest.With("Session-Expires", "1800;refresher=uac")))
			if m = s.status(m, err, 200); !m.Has("Session-Expires") {
				s.Errorf("the refresh by %s gets no Session-Expires", method)
			}
		}
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

// The PBX refreshes at half of the interval (RFC 4028 §10).
func TestSessionTimerRefresh(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		caller, callee := s.up(alice, bob, pbxtest.With("Session-Expires", "90;refresher=uas"))
		alice.Forget()
		for end := time.Now().Add(60 * time.Second); alice.Count("UPDATE")+alice.Count("INVITE") == 0; {
			if time.Now().After(end) {
				s.Fatal("no refresh within 60 s of 90")
			}
			time.Sleep(100 * time.Millisecond)
		}
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestSessionTimerSmall(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		l, err := alice.Call(s.ctx, bob.User(), pbxtest.With("Session-Expires", "30"))
		s.must(err)
		m, err := l.Failed(s.ctx)
		if m = s.status(m, err, 422); m.Get("Min-SE") != "90" {
			s.Errorf("Min-SE is %q", m.Get("Min-SE"))
		}
		s.must(bob.ExpectNone(s.ctx, 100*time.Millisecond, "INVITE"))
	})
}
