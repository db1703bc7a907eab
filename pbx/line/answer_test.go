package line

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
)

func TestUnacknowledged200IsRepeatedAndThenEndsWithBYE(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		start := time.Now()
		s.x.legs[0].Answer(nil)
		time.Sleep(31900 * time.Millisecond)
		at := a.times("SIP/2.0 200", start)
		// T1 doubling to T2: 0, .5, 1.5, 3.5, 7.5, 11.5, … 31.5
		if len(at) != 11 {
			t.Errorf("sent at %v", at)
		}
		if !slices.IsSorted(at) || at[1] < 500*time.Millisecond || at[10] < 31500*time.Millisecond {
			t.Errorf("sent at %v", at)
		}
		time.Sleep(300 * time.Millisecond)
		bye := a.expect("BYE")
		a.respond(bye, "200 OK", "", "")
		wantEvents(t, s, "incoming 1001 from 1000 hops 70", "ended answered (network) cause 102")
	})
}

func TestHangupBeforeTheACKSendsBYEOnlyAfterIt(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		s.x.legs[0].Answer(nil)
		c.take(a.expect("SIP/2.0 200"))
		s.x.legs[0].Hangup(pbx.Hangup)
		a.silent()
		wantEvents(t, s, "incoming 1001 from 1000 hops 70", "ended answered (system) cause 16")
		c.send("ACK", "")
		bye := a.expect("BYE")
		wantHeader(t, bye, "Reason", "Q.850;cause=16")
		a.respond(bye, "200 OK", "", "")
	})
}

func TestBYEBeforeTheACKEndsTheCall(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		s.x.legs[0].Answer(nil)
		c.take(a.expect("SIP/2.0 200"))
		c.send("BYE", "")
		wantHeader(t, a.expect("SIP/2.0 200"), "CSeq", "2 BYE")
		c.sendSeq("ACK", 1, "")
		time.Sleep(10 * time.Second)
		a.silent() // no more 200 of the INVITE
		wantEvents(t, s, "incoming 1001 from 1000 hops 70", "ended answered (caller) cause 16")
	})
}

func TestRecordRouteIsCopiedIntoResponsesAndUsedForRequests(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"), "Record-Route: <sip:192.0.2.10;lr>, <sip:inner.example;lr>")
		synctest.Wait()
		s.x.legs[0].Answer(nil)
		ok := c.take(a.expect("SIP/2.0 200"))
		if strings.Count(ok, "Record-Route:") != 2 && !strings.Contains(ok, "<sip:192.0.2.10;lr>, <sip:inner.example;lr>") {
			t.Errorf("Record-Route not copied:\n%s", ok)
		}
		c.send("ACK", "")
		s.x.legs[0].Hangup(pbx.Hangup)
		bye := a.expect("BYE sip:1000@192.0.2.10:5060")
		i, j := strings.Index(bye, "<sip:192.0.2.10;lr>"), strings.Index(bye, "<sip:inner.example;lr>")
		if i < 0 || j < i {
			t.Errorf("routes of the BYE:\n%s", bye)
		}
		a.respond(bye, "200 OK", "", "")
	})
}
