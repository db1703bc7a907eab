package e2e

import (
	"testing"
	"time"
)

// A phone with G.722 only and one with G.711 only hear each other, without a re-INVITE, whoever calls; over hold, with keys.
func TestWidebandCallsNarrowband(t *testing.T) {
	play(t, func(s *scene) {
		for _, law := range []string{"PCMU", "PCMA"} {
			wide, narrow := s.phone(codecs("G722", "telephone-event")), s.phone(codecs(law, "telephone-event"))
			caller, callee := s.up(wide, narrow)
			s.talk(caller, callee)
			s.must(caller.Press(s.ctx, "12#"))
			s.must(callee.HearsKeys(s.ctx, "12#"))
			s.must(callee.Hold(s.ctx))
			s.music(caller)
			s.must(callee.Resume(s.ctx))
			s.talk(caller, callee)
			if h := caller.Heard(time.Now().Add(-time.Second)); len(h.Codecs) != 1 || h.Codecs[0] != "G722" {
				s.Error(h)
			}
			s.over(caller, callee)
			caller, callee = s.up(narrow, wide)
			s.talk(caller, callee)
			s.over(callee, caller)
			if a, b := wide.Count("INVITE"), narrow.Count("INVITE"); a != 1 || b != 1 {
				s.Errorf("the phones got %d and %d INVITEs", a, b)
			}
		}
	})
}
