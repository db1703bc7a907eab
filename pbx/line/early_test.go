package line

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
)

func TestProgressKeepsOneToTagAndDropsRepeats(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		leg := s.x.legs[0]
		leg.Progress(pbx.Progress{Status: 180})
		leg.Progress(pbx.Progress{Status: 180})
		leg.Progress(pbx.Progress{Status: 181})
		one, two := a.expect("SIP/2.0 180"), a.expect("SIP/2.0 181")
		a.silent()
		if tagIn(header(one, "To")) != tagIn(header(two, "To")) {
			t.Error("two To-tags")
		}
	})
}

func TestRingingIsRepeatedEveryMinute(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		s.x.legs[0].Progress(pbx.Progress{Status: 180})
		a.expect("SIP/2.0 180")
		start := time.Now()
		time.Sleep(3*time.Minute + time.Second)
		if at := a.times("SIP/2.0 180", start); len(at) != 3 {
			t.Errorf("repeated at %v", at)
		}
	})
}

func TestEarlyMediaAnswerIsFrozen(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0 8"))
		synctest.Wait()
		leg := s.x.legs[0]
		leg.Progress(pbx.Progress{Status: 183, Codecs: []media.Codec{media.PCMA}})
		early := a.expect("SIP/2.0 183")
		if !strings.Contains(body(early), "RTP/AVP 8") {
			t.Errorf("183 without the answer:\n%s", early)
		}
		if err := leg.Answer([]media.Codec{media.PCMU}); err != nil {
			t.Fatal(err)
		}
		ok := c.take(a.expect("SIP/2.0 200"))
		if body(ok) != body(early) {
			t.Errorf("the answer changed:\n%s\n%s", body(early), body(ok))
		}
		c.send("ACK", "")
	})
}
