package line

import (
	"strings"
	"testing"
	"testing/synctest"

	"ringback/media"
	"ringback/pbx"
)

func TestUPDATEWithOfferIsAnsweredAndHolds(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		c.send("UPDATE", newer(sdp(a, 4000, "0 8", "a=sendonly")))
		if m := a.expect("SIP/2.0 200"); !strings.Contains(body(m), "a=recvonly") {
			t.Errorf("answered\n%s", m)
		}
		wantEvents(t, s, incoming1, "held true")
	})
}

func TestUPDATEWithOfferWhileTheFirstWaitsIs500(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		s.x.legs[0].Progress(pbx.Progress{Status: 180})
		c.take(a.expect("SIP/2.0 180"))
		c.send("UPDATE", newer(sdp(a, 4002, "0")))
		if m := a.expect("SIP/2.0 500"); header(m, "Retry-After") == "" {
			t.Error("no Retry-After")
		}
	})
}

func TestEarlyUPDATEAfterAReliableAnswerIsAnswered(t *testing.T) {
	play(t, func(s *scene) {
		a, c, leg := reliableCall(s, "Supported: 100rel", "sdp")
		leg.Progress(pbx.Progress{Status: 183, Codecs: []media.Codec{media.PCMU}})
		early := c.take(a.expect("SIP/2.0 183"))
		c.send("PRACK", "", prackOf(early))
		a.expect("SIP/2.0 200")
		c.send("UPDATE", newer(sdp(a, 4002, "0")))
		if m := a.expect("SIP/2.0 200"); !strings.Contains(body(m), "m=audio 20000") {
			t.Errorf("answered\n%s", m)
		}
		leg.Refuse(pbx.NotFound)
		a.expect("SIP/2.0 404")
	})
}
