package e2e

import (
	"crypto/tls"
	"fmt"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// own runs a scene on an exchange of its own.
func own(t *testing.T, f func(s *scene, restart func()), more ...string) {
	t.Parallel()
	data := t.TempDir()
	x, err := startExchange(data, more...)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{T: t, ctx: t.Context(), x: x, transport: "udp"}
	t.Cleanup(func() {
		s.end()
		if err := s.x.stop(); err != nil {
			t.Error(err)
		}
	})
	f(s, func() { // at the same address, as after a crash
		next, err := startExchange(data, append(more, "--sip-listen", x.sip.String())...)
		s.must(err)
		next.sip = x.sip
		s.x = next
	})
}

// What was answered 200 is kept, also over kill -9 of the next moment.
func TestKill9KeepsBindings(t *testing.T) {
	own(t, func(s *scene, restart func()) {
		alice, bob := s.phone(), s.phone()
		time.Sleep(100 * time.Millisecond) // as the requirement says
		s.must(s.x.cmd.Process.Kill())
		<-s.x.done
		restart()
		caller, callee := s.up(alice, bob)
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

// What was said until then of a call that is recorded, and of a message, is there after kill -9.
func TestKill9KeepsSound(t *testing.T) {
	own(t, func(s *scene, restart func()) {
		owner, alice, bob, carol := s.extension(), s.phone(), s.phone(), s.phone()
		s.mailbox(owner)
		s.services(bob.User(), "record", doc{"incoming": true})
		caller, callee := s.up(alice, bob)
		speaker := s.dials(carol, "*99"+owner)
		s.must(speaker.HearsTone(s.ctx, beep...))
		s.says(speaker, 440, 6*time.Second)
		s.must(s.x.cmd.Process.Kill())
		<-s.x.done
		restart()
		for _, l := range []*pbxtest.CallLeg{caller, callee, speaker} {
			_ = l.Hangup(s.ctx) // nobody knows of it any more
		}
		r := s.recordings("number="+bob.User(), 1)[0]
		w, b := s.wav("/recordings/" + r.ID + "/sound")
		if w.Total(0, 440) < time.Second || w.Total(1, 620) < time.Second || r.Problem == "" || r.Bytes != len(b) {
			s.Errorf("%+v: %s", r, w)
		}
		m := s.holds(owner, 1)[0]
		if w, _ := s.wav("/mailboxes/" + owner + "/messages/" + m.ID + "/sound"); w.Total(0, 440) < said {
			s.Errorf("%+v: %s", m, w)
		}
		s.must(s.registered(owner).LampIs(s.ctx, true))
	})
}

// SIGTERM tells who has subscribed to subscribe again.
func TestSIGTERMEndsSubscriptions(t *testing.T) {
	own(t, func(s *scene, restart func()) {
		number := s.extension()
		s.mailbox(number)
		alice := s.another(number)
		sub := s.watches(alice, "message-summary", number)
		m, err := alice.Options(s.ctx, "sip:"+s.x.sip.String())
		s.status(m, err, 200) // then the exchange has the answer to its NOTIFY, too: there is one at a time
		s.must(s.x.stop())
		s.must(sub.Ended(s.ctx))
		if n := sub.Came(); n[len(n)-1].Reason != "deactivated" && n[len(n)-1].Reason != "probation" {
			s.Errorf("%s", n[len(n)-1].Raw())
		}
		restart()
	})
}

// SIGTERM ends the calls that are up by BYE, once the grace is over.
func TestSIGTERMEndsCalls(t *testing.T) {
	own(t, func(s *scene, restart func()) {
		caller, callee := s.up(s.phone(), s.phone())
		s.talk(caller, callee)
		s.must(s.x.stop())
		s.must(caller.Ended(s.ctx))
		s.must(callee.Ended(s.ctx))
		restart()
	})
}

func TestCallTLS(t *testing.T) {
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	own(t, func(s *scene, _ func()) {
		secure := func(c *pbxtest.Config) {
			c.Transport, c.Server, c.Domain = "tls", port, port.String()
			c.TLS = &tls.Config{InsecureSkipVerify: true} // self-signed
		}
		caller, callee := s.up(s.phone(secure), s.phone(secure))
		s.talk(caller, callee)
		s.must(callee.Hold(s.ctx))
		s.must(callee.Resume(s.ctx))
		s.over(callee, caller)
		caller, callee = s.up(s.phone(), s.phone(secure))
		s.talk(caller, callee)
		s.over(caller, callee)
	}, "--sip-tls-listen", fmt.Sprint(port), "--sip-tls-self-signed")
}
