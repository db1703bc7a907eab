package e2e

import (
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

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
