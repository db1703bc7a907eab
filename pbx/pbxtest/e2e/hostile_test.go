package e2e

import (
	"strings"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

func TestGarbageSurvived(t *testing.T) {
	play(t, func(s *scene) {
		s.allow("") // what comes back answers no request of the phone's
		bad := s.another(s.extension(), from("127.0.0.67"))
		for _, text := range []string{
			"", "\x00\x01\x02", strings.Repeat("A", 60000), "INVITE\r\n\r\n", "INVITE sip:x SIP/2.0\r\n\r\n",
			"OPTIONS sip:x SIP/2.0\r\nVia: \r\nContent-Length: 0\r\n\r\n", "OPTIONS sip:x SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n",
			"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK\r\nContent-Length: 0\r\n\r\n", "REGISTER sip:x SIP/2.0\r\nTo\x00: <sip:x>\r\nContent-Length: 0\r\n\r\n",
			"ACK sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:\xff@x>\r\nTo: <\r\nCall-ID: \r\nCSeq: 99999999999999 ACK\r\nContent-Length: 0\r\n\r\n",
		} {
			_ = bad.SendRaw([]byte(text)) // over TCP the connection may be closed
			if s.transport == "tcp" {
				bad.Drop()
			}
		}
		caller, callee := s.up(s.phone(), s.phone())
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

func TestAuthEverywhere(t *testing.T) {
	play(t, func(s *scene) {
		bob := s.phone()
		stranger := s.another(s.extension(), from("127.0.0.68"))
		for _, method := range []string{"INVITE", "MESSAGE", "SUBSCRIBE", "REFER", "REGISTER", "PUBLISH", "INFO", "NOTIFY"} {
			m, err := stranger.Send(stranger.NewRequest(method, bob.User(), pbxtest.With("Event", "dialog"), pbxtest.With("Refer-To", "<"+bob.AOR()+">"),
				pbxtest.With("Subscription-State", "active"))).Final(s.ctx)
			s.must(err)
			if m.Status < 400 {
				s.Errorf("%s of a stranger gets %d", method, m.Status)
			}
		}
		s.must(bob.ExpectNone(s.ctx, 200*time.Millisecond, "MESSAGE"))
		s.must(bob.ExpectNone(s.ctx, 10*time.Millisecond, "INVITE"))
	})
}

func TestNoSpoofing(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, victim := s.phone(), s.phone(), s.extension()
		caller, err := alice.Call(s.ctx, bob.User(), func(m *pbxtest.Message) {
			m.Set("From", "\"The Boss\" <"+alice.URI(victim)+">;tag="+m.FromTag())
			m.Set("P-Asserted-Identity", "<"+alice.URI(victim)+">")
			m.Set("Remote-Party-ID", "<"+alice.URI(victim)+">")
			m.Set("Alert-Info", "<http://127.0.0.1/ring>;info=alert-autoanswer")
			m.Set("Call-Info", "<sip:x>;answer-after=0")
		})
		s.must(err)
		callee, err := bob.Incoming(s.ctx)
		if err != nil { // refusing is good, too
			m, err := caller.Failed(s.ctx)
			s.status(m, err, 403)
			return
		}
		text := string(callee.Invite.Raw())
		for _, bad := range []string{victim, "The Boss", "Alert-Info", "answer-after"} {
			if strings.Contains(text, bad) {
				s.Errorf("the callee is sent %q:\n%s", bad, text)
			}
		}
		if _, number := callee.RemoteIdentity(); number != alice.User() {
			s.Errorf("the callee sees %s", number)
		}
		callee.Refuse(486)
		s.must(caller.FailsWith(s.ctx, 486))
	})
}
