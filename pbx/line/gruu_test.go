package line

import (
	"slices"
	"testing"
	"testing/synctest"
)

// RFC 5627 §5.1: a GRUU is called like a number, but reaches one phone.
func TestCallOfAGRUUAsksForOneContact(t *testing.T) {
	for gr, want := range map[string]string{"there": "", "gone": "SIP/2.0 480", "unknown": "SIP/2.0 404"} {
		play(t, func(s *scene) {
			a := s.phone("1000", "192.0.2.10")
			c := &call{p: a, id: "gruu", local: "<sip:1000@pbx.test>;tag=p1", remote: "<sip:opaque@pbx.test>", target: "sip:opaque@pbx.test;gr=" + gr}
			c.send("INVITE", sdp(a, 4000, "0 8"), "Authorization: Test 1000")
			if want != "" {
				c.take(a.expect(want))
				return
			}
			synctest.Wait()
			if got := s.x.legs[0].Only; !slices.Equal(got, []string{"b1"}) {
				t.Errorf("it asks for %q", got)
			}
			c.cancel()
		})
	}
}
