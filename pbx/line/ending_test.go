package line

import (
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
)

func TestPanicEndsOneCallOnly(t *testing.T) {
	play(t, func(s *scene) {
		a, b := s.phone("1000", "192.0.2.10"), s.phone("1002", "192.0.2.11")
		c, _ := s.up(b, "1001")
		s.x.incoming = func(*pbx.Leg) { panic("a plan gone wrong") }
		s.x.panics = 1
		a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		a.expect("SIP/2.0 500")
		time.Sleep(time.Minute)
		a.times("SIP/2.0 500", time.Now())
		c.send("OPTIONS", "")
		b.expect("SIP/2.0 200")
		c.send("BYE", "")
		b.expect("SIP/2.0 200")
	})
}

func TestEndedComesOnceHoweverTheEndsCross(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, leg := s.up(a, "1001")
		leg.Hangup(pbx.Hangup)
		c.send("BYE", "")
		a.expect("BYE")
		a.next() // 200 or 481 to the crossing one
		leg.Hangup(pbx.Hangup)
		leg.Refuse(pbx.NotFound)
		leg.Progress(pbx.Progress{Status: 180})
		leg.Info("text/plain", []byte("x"))
		leg.Renegotiate([]media.Codec{media.PCMU})
		if err := leg.Answer(nil); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if n := len(s.x.outcomes); n != 1 {
			t.Errorf("Ended told %d times", n)
		}
	})
}

func TestUnansweredBYEIsRepeated(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		_, leg := s.up(a, "1001")
		leg.Hangup(pbx.Hangup)
		start := time.Now()
		time.Sleep(5 * time.Second)
		if n := len(a.times("BYE", start)); n < 4 {
			t.Errorf("BYE sent %d times without an answer", n)
		}
	})
}
