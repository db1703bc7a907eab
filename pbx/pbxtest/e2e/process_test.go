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
