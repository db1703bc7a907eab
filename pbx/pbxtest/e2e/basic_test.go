package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

func TestInviteChallenged(t *testing.T) {
	play(t, func(s *scene) {
		bob, alice := s.phone(), s.another(s.extension(), from("127.0.0.66"))
		for _, password := range []string{"-", "wrong password"} {
			l, err := alice.Dial(s.ctx, pbxtest.Dialling{Number: bob.User(), Password: password})
			s.must(err)
			m, err := l.Failed(s.ctx)
			s.status(m, err, 401, 407, 403)
		}
		s.must(bob.ExpectNone(s.ctx, 200*time.Millisecond, "INVITE"))
	})
}

func TestCallBasic(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		caller, callee := s.up(alice, bob)
		s.talk(caller, callee)
		for _, l := range []*pbxtest.CallLeg{caller, callee} {
			if h := l.Listen(s.ctx, 2*time.Second); h.Packets < 50 || h.Lost+h.Twice+h.Late > 0 || len(h.SSRCs) != 1 {
				s.Error(h)
			}
		}
		if name, number := callee.RemoteIdentity(); number != alice.User() || name != "Name of "+alice.User() {
			s.Errorf("the callee sees %q %s", name, number)
		}
		s.over(caller, callee)
	})
}

func TestCallerHangup(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(), s.phone())
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestCalleeHangup(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(), s.phone())
		s.over(callee, caller)
	})
}

func TestCalleeRefuses(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		for status, want := range map[int][]int{486: {486, 600}, 480: {480}, 603: {603}, 404: {404}, 600: {600, 486}, 401: {500, 480}, 503: {500, 480}} {
			bob.OnCall(pbxtest.AutoReject(status, 50*time.Millisecond))
			l, err := alice.Call(s.ctx, bob.User())
			s.must(err)
			m, err := l.Failed(s.ctx)
			s.status(m, err, want...)
		}
	})
}

func TestNoAnswer(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.registered(s.extension("ring_seconds", 5))
		caller, callee := s.call(alice, bob)
		_, err := bob.Expect(s.ctx, "CANCEL")
		s.must(err)
		s.must(callee.Ended(s.ctx))
		s.must(caller.FailsWith(s.ctx, 480))
	})
}

func TestCallerCancel(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.call(s.phone(), s.phone())
		s.must(caller.Cancel(s.ctx))
		_, err := caller.Phone.Expect(s.ctx, "200 CANCEL")
		s.must(err)
		s.must(callee.Ended(s.ctx))
	})
}

func TestUnknownNumber(t *testing.T) {
	play(t, func(s *scene) {
		alice := s.phone()
		for _, n := range []string{"7654321", "*889999", "nobody"} {
			l, err := alice.Call(s.ctx, n)
			s.must(err)
			m, err := l.Failed(s.ctx)
			s.status(m, err, 404, 484)
		}
	})
}

func TestUnregisteredExt(t *testing.T) {
	play(t, func(s *scene) {
		l, err := s.phone().Call(s.ctx, s.extension())
		s.must(err)
		m, err := l.Failed(s.ctx)
		s.status(m, err, 480, 404)
	})
}

func TestEarlyMedia183(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		caller, err := alice.Call(s.ctx, bob.User())
		s.must(err)
		callee, err := bob.Incoming(s.ctx)
		s.must(err)
		callee.EarlyMedia()
		callee.Play(620)
		s.must(caller.Hears(s.ctx, 620))
		if caller.State() != "ringing" {
			s.Error(caller.State())
		}
		s.answer(caller, callee)
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestPrackSupported(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(rel100), s.phone())
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestPrackRequired(t *testing.T) {
	play(t, func(s *scene) {
		alice := s.phone(rel100)
		caller, callee := s.call(alice, s.phone(), pbxtest.With("Require", "100rel"))
		m, err := alice.Expect(s.ctx, "18x INVITE")
		s.must(err)
		if !m.Lists("Require", "100rel") || m.Get("RSeq") == "" {
			s.Errorf("the %s is not reliable", m)
		}
		_, err = alice.Expect(s.ctx, "200 PRACK")
		s.must(err)
		s.answer(caller, callee)
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestPrackCallee(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		caller, err := alice.Call(s.ctx, bob.User())
		s.must(err)
		callee, err := bob.Incoming(s.ctx)
		s.must(err)
		s.must(callee.RingReliably(s.ctx, 180))
		s.must(callee.RingReliably(s.ctx, 183))
		callee.Play(620)
		s.must(caller.Hears(s.ctx, 620))
		s.answer(caller, callee)
		s.talk(caller, callee)
		s.over(callee, caller)
	})
}

func TestDelayedOffer(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		bob.OnCall(pbxtest.AutoAnswer(100 * time.Millisecond))
		caller, err := alice.Dial(s.ctx, pbxtest.Dialling{Number: bob.User(), Media: pbxtest.Media{None: true}})
		s.must(err)
		s.must(caller.Answered(s.ctx))
		callee, err := bob.LastLeg(s.ctx)
		s.must(err)
		caller.Play(440)
		callee.Play(620)
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

// A caller that has not said what it can do is offered what the PBX can transcode to, too.
func TestDelayedOfferTranscoded(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(codecs("PCMA")), s.phone(codecs("PCMU"))
		bob.OnCall(pbxtest.AutoAnswer(0))
		caller, err := alice.Dial(s.ctx, pbxtest.Dialling{Number: bob.User(), Media: pbxtest.Media{None: true}})
		s.must(err)
		s.must(caller.Answered(s.ctx))
		callee, err := bob.LastLeg(s.ctx)
		s.must(err)
		caller.Play(440)
		callee.Play(620)
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestCodecMismatch(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		bob.OnCall(pbxtest.AutoAnswer(0))
		l, err := alice.Dial(s.ctx, pbxtest.Dialling{Number: bob.User(), Media: pbxtest.Media{Codecs: []string{"X-NOBODY"}}})
		s.must(err)
		m, err := l.Failed(s.ctx)
		s.status(m, err, 488, 415, 606)
		for _, leg := range bob.Legs() {
			s.must(leg.Ended(s.ctx))
		}
	})
}

func TestCodecPassesThrough(t *testing.T) {
	play(t, func(s *scene) {
		for _, c := range []string{"PCMA", "G722", "PCMU", "X-BOTH"} {
			caller, callee := s.up(s.phone(codecs(c, "telephone-event")), s.phone(codecs(c, "telephone-event")))
			s.talk(caller, callee)
			s.eventually("nothing but "+c+" is heard", func() bool { // no packet comes for a while where the machine is busy
				h := callee.Listen(s.ctx, 100*time.Millisecond)
				return len(h.Codecs) == 1 && h.Codecs[0] == c
			})
			s.over(caller, callee)
		}
	})
}

func TestCodecAlaw(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(codecs("PCMA")), s.phone(codecs("PCMU")))
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestVideoRefused(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		bob.OnCall(pbxtest.AutoAnswer(0))
		l, err := alice.Dial(s.ctx, pbxtest.Dialling{Number: bob.User(), Media: pbxtest.Media{Video: true}})
		s.must(err)
		s.must(l.Answered(s.ctx)) // the phone complains if a line is missing
		if !strings.Contains(l.Remote(), "m=video 0 ") {
			s.Errorf("the video line is not refused:\n%s", l.Remote())
		}
		callee, err := bob.LastLeg(s.ctx)
		s.must(err)
		s.over(l, callee)
	})
}

func TestCallUDPTCP(t *testing.T) {
	play(t, func(s *scene) {
		other := map[string]string{"udp": "tcp", "tcp": "udp"}[s.transport]
		caller, callee := s.up(s.phone(), s.phone(over(other)))
		s.talk(caller, callee)
		s.over(callee, caller)
	})
}

// The phone's Via and Contact show an address that is not where its packets come from.
func TestRport(t *testing.T) {
	play(t, func(s *scene) {
		behind := func(c *pbxtest.Config) { c.ViaHost = "10.99.99.99:5060" }
		alice, bob := s.phone(behind), s.phone(behind)
		caller, callee := s.up(alice, bob)
		s.talk(caller, callee)
		s.over(callee, caller)
	})
}

func TestPreloadedRoute(t *testing.T) {
	play(t, func(s *scene) {
		route := "<sip:" + s.x.sip.String() + ";lr>"
		if s.transport == "tcp" {
			route = "<sip:" + s.x.sip.String() + ";transport=tcp;lr>"
		}
		caller, callee := s.up(s.phone(), s.phone(), pbxtest.With("Route", route))
		if callee.Invite.Has("Route") {
			s.Error("the Route goes on to the callee")
		}
		s.talk(caller, callee)
		s.must(caller.Hold(s.ctx))
		s.must(caller.Resume(s.ctx))
		s.over(callee, caller)
	})
}

func TestDTMFRFC4733(t *testing.T) {
	play(t, func(s *scene) {
		other := func(c *pbxtest.Config) { c.EventPT = 96 }
		caller, callee := s.up(s.phone(), s.phone(other))
		s.talk(caller, callee)
		s.must(caller.Press(s.ctx, "123*#"))
		s.must(callee.HearsKeys(s.ctx, "123*#"))
		s.must(callee.Press(s.ctx, "0987"))
		s.must(caller.HearsKeys(s.ctx, "0987"))
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestDTMFInfo(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(), s.phone())
		s.must(caller.Info(s.ctx, "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"))
		s.eventually("the key reaches the other end", func() bool {
			return len(callee.Infos()) == 1 && strings.Contains(string(callee.Infos()[0].Body), "Signal=5") || callee.KeysHeard() == "5"
		})
		s.over(caller, callee)
	})
}

func TestHold(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(), s.phone())
		s.talk(caller, callee)
		for name, media := range map[string]pbxtest.Media{"sendonly": {Direction: "sendonly"}, "c=0.0.0.0": {Zero: true}, "inactive": {Direction: "inactive"}} {
			for _, l := range []*pbxtest.CallLeg{caller, callee} {
				m, err := l.Reinvite(s.ctx, media)
				s.status(m, err, 200)
				if d := l.RemoteDirection(); media.Direction == "sendonly" && d != "recvonly" && d != "inactive" {
					s.Errorf("%s is answered %s", name, d)
				}
				l.Listen(s.ctx, 100*time.Millisecond) // what is on its way
				if h := l.Listen(s.ctx, 400*time.Millisecond); h.Packets > 0 {
					s.Errorf("%s: the holder gets %s", name, h)
				}
				s.must(l.Resume(s.ctx))
				s.talk(caller, callee)
			}
		}
		s.over(caller, callee)
	})
}

func TestUpdateInDialog(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(), s.phone())
		s.talk(caller, callee)
		m, err := callee.Update(s.ctx, pbxtest.Media{None: true})
		s.status(m, err, 200)
		m, err = callee.Update(s.ctx, pbxtest.Media{Direction: "sendonly"})
		s.status(m, err, 200)
		callee.Listen(s.ctx, 100*time.Millisecond)
		if h := callee.Listen(s.ctx, 300*time.Millisecond); h.Packets > 0 {
			s.Errorf("the holder gets %s", h)
		}
		m, err = callee.Update(s.ctx, pbxtest.Media{})
		s.status(m, err, 200)
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestReinviteNewPort(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(), s.phone())
		s.talk(caller, callee)
		m, err := callee.Reinvite(s.ctx, pbxtest.Media{Codecs: []string{"PCMA"}})
		s.status(m, err, 200)
		s.talk(caller, callee) // transcoded, or the caller was asked for it
		m, err = caller.Reinvite(s.ctx, pbxtest.Media{None: true})
		s.status(m, err, 200)
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestMaxForwards(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		l, err := alice.Call(s.ctx, bob.User(), pbxtest.With("Max-Forwards", "0"))
		s.must(err)
		s.must(l.FailsWith(s.ctx, 483))
		s.must(bob.ExpectNone(s.ctx, 100*time.Millisecond, "INVITE"))
		caller, callee := s.call(alice, bob, pbxtest.With("Max-Forwards", "20"))
		if n := callee.Invite.Get("Max-Forwards"); n != "19" {
			s.Errorf("Max-Forwards: 20 becomes %q", n)
		}
		callee.Refuse(486)
		s.must(caller.FailsWith(s.ctx, 486))
	})
}

func TestRequireUnknown(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		l, err := alice.Call(s.ctx, bob.User(), pbxtest.With("Require", "nothing-known"))
		s.must(err)
		m, err := l.Failed(s.ctx)
		s.status(m, err, 420)
		if m.Get("Unsupported") != "nothing-known" {
			s.Errorf("Unsupported is %q", m.Get("Unsupported"))
		}
	})
}

func TestOutOfDialog481(t *testing.T) {
	play(t, func(s *scene) {
		alice := s.phone()
		for _, method := range []string{"BYE", "INFO", "UPDATE", "NOTIFY"} {
			m, err := alice.Do(s.ctx, alice.NewRequest(method, alice.User(), pbxtest.With("To", "<"+alice.AOR()+">;tag=nothing"),
				pbxtest.With("Event", "dialog"), pbxtest.With("Subscription-State", "active")))
			s.status(m, err, 481)
		}
	})
}

func TestCSeqOutOfOrder(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(), s.phone())
		s.must(caller.Info(s.ctx, "text/plain", "x"))
		m, err := caller.Do(s.ctx, caller.NewRequest("INFO", pbxtest.With("CSeq", "1 INFO")))
		s.status(m, err, 500)
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestCallWaiting(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		first, atBob := s.up(alice, bob)
		second, waiting := s.call(carol, bob)
		s.must(atBob.Hold(s.ctx))
		s.answer(second, waiting)
		s.talk(second, waiting)
		s.over(second, waiting)
		s.must(atBob.Resume(s.ctx))
		s.talk(first, atBob)
		s.over(first, atBob)
	})
}

func TestBusyInCall(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		first, atBob := s.up(alice, bob)
		bob.OnCall(pbxtest.AutoReject(486, 0))
		l, err := carol.Call(s.ctx, bob.User())
		s.must(err)
		s.must(l.FailsWith(s.ctx, 486))
		s.talk(first, atBob)
		s.over(first, atBob)
	})
}

func TestEcho(t *testing.T) {
	play(t, func(s *scene) {
		for _, c := range []string{"PCMU", "PCMA"} {
			l, err := s.phone(codecs(c, "telephone-event")).Call(s.ctx, "*43")
			s.must(err)
			s.must(l.Answered(s.ctx))
			l.Play(710)
			s.must(l.Hears(s.ctx, 710))
			s.must(l.Hangup(s.ctx))
		}
	})
}

func TestMessageRoute(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		m, err := alice.Message(s.ctx, bob.User(), "Grüße, <b>bob</b>")
		s.status(m, err, 200, 202)
		got, err := bob.Expect(s.ctx, "MESSAGE")
		s.must(err)
		if string(got.Body) != "Grüße, <b>bob</b>" || got.Get("Content-Type") != "text/plain" {
			s.Errorf("%q %s", got.Body, got.Get("Content-Type"))
		}
		if pbxtest.UserOf(pbxtest.AddrOf(got.Get("From"))) != alice.User() {
			s.Errorf("From is %s", got.Get("From"))
		}
		s.must(bob.ExpectNone(s.ctx, 700*time.Millisecond, "MESSAGE"))
	})
}

func TestCallRecordsAndLists(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(), s.phone())
		s.talk(caller, callee)
		number := caller.Phone.User()
		found, err := s.x.about(s.ctx, "/calls", []string{"from"}, number)
		s.must(err)
		if len(found) != 1 || found[0]["state"] != "answered" || found[0]["to"] != callee.Phone.User() {
			s.Error(found)
		}
		s.over(callee, caller)
		s.eventually("the call is not listed any more", func() bool {
			found, err := s.x.about(s.ctx, "/calls", []string{"from"}, number)
			return err == nil && len(found) == 0
		})
		s.eventually("the record is there", func() bool {
			found, err := s.x.about(s.ctx, "/cdrs?limit=500", []string{"from"}, number)
			return err == nil && len(found) == 1 && found[0]["outcome"] == "answered" && found[0]["ended_by"] == "callee" &&
				found[0]["answered_by"] == callee.Phone.User() && fmt.Sprint(found[0]["codec"]) == "PCMU"
		})
	})
}
