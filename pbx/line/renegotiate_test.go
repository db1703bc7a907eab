package line

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
)

func TestRenegotiateSendsReINVITEAndTakesTheAnswer(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		_, leg := s.up(a, "1001")
		leg.Renegotiate([]media.Codec{media.PCMA})
		inv := a.expect("INVITE sip:1000@192.0.2.10:5060")
		if !strings.Contains(body(inv), "RTP/AVP 8") {
			t.Errorf("offered\n%s", inv)
		}
		leg.Renegotiate([]media.Codec{media.PCMU}) // one at a time
		a.silent()
		a.respond(inv, "200 OK", "", newer(sdp(a, 4000, "8")))
		wantHeader(t, a.expect("ACK"), "CSeq", header(inv, "CSeq")[:1]+" ACK")
		if f := s.media.last().now().Formats; len(f) == 0 || f[0].Name != "PCMA" {
			t.Errorf("agreed on %v", f)
		}
		second := a.next()
		if !strings.HasPrefix(second, "INVITE") {
			t.Fatalf("got %s", second)
		}
		a.respond(second, "200 OK", "", strings.Replace(sdp(a, 4000, "0"), "7 7", "7 9", 1))
		a.expect("ACK")
	})
}

func TestOurReINVITERefusedLeavesTheCall(t *testing.T) {
	for _, status := range []string{"488 No", "500 No", "603 No"} {
		t.Run(status, func(t *testing.T) {
			play(t, func(s *scene) {
				a := s.phone("1000", "192.0.2.10")
				c, leg := s.up(a, "1001")
				leg.Renegotiate([]media.Codec{media.PCMA})
				a.respond(a.expect("INVITE"), status, "", "")
				a.expect("ACK")
				time.Sleep(10 * time.Second)
				a.silent()
				wantEvents(t, s, incoming1)
				c.send("BYE", "")
				a.expect("SIP/2.0 200")
			})
		})
	}
}

func TestOurReINVITEAnswered481Or408EndsTheCall(t *testing.T) {
	for _, status := range []string{"481 Gone", "408 Late"} {
		t.Run(status, func(t *testing.T) {
			play(t, func(s *scene) {
				a := s.phone("1000", "192.0.2.10")
				_, leg := s.up(a, "1001")
				leg.Renegotiate([]media.Codec{media.PCMA})
				a.respond(a.expect("INVITE"), status, "", "")
				a.expect("ACK")
				a.respond(a.expect("BYE"), "481 Gone", "", "")
				wantEvents(t, s, incoming1, "ended answered (network) cause 102")
			})
		})
	}
}

func TestOurReINVITEGets491AndBacksOff(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		_, leg := s.up(a, "1001") // the phone made the Call-ID: 0 to 2 s
		leg.Renegotiate([]media.Codec{media.PCMA})
		a.respond(a.expect("INVITE"), "491 Request Pending", "", "")
		a.expect("ACK")
		time.Sleep(2100 * time.Millisecond)
		a.respond(a.expect("INVITE"), "200 OK", "", newer(sdp(a, 4000, "8")))
		a.until("ACK", "INVITE")
		wantEvents(t, s, incoming1)
	})
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		_, leg := s.out(b) // we made the Call-ID: 2.1 to 4 s
		leg.Renegotiate([]media.Codec{media.PCMA})
		b.respond(b.expect("INVITE"), "491 Request Pending", "", "")
		b.expect("ACK")
		time.Sleep(2 * time.Second)
		b.silent()
		time.Sleep(2100 * time.Millisecond)
		b.respond(b.expect("INVITE"), "200 OK", "", newer(sdp(b, 4000, "8")))
		b.until("ACK", "INVITE")
	})
}

func TestCrossingReINVITEsGet491(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, leg := s.up(a, "1001")
		leg.Renegotiate([]media.Codec{media.PCMA})
		inv := a.expect("INVITE")
		c.send("INVITE", newer(sdp(a, 4000, "0 8")))
		a.expect("SIP/2.0 491")
		c.sendSeq("ACK", c.seq, "")
		c.send("UPDATE", newer(sdp(a, 4000, "0 8")))
		wantHeader(t, a.until("SIP/2.0 491", "SIP/2.0 491"), "CSeq", "3 UPDATE")
		a.respond(inv, "491 Request Pending", "", "")
		a.expect("ACK")
		time.Sleep(2100 * time.Millisecond)
		a.respond(a.until("INVITE", "SIP/2.0 491"), "200 OK", "", newer(sdp(a, 4000, "8")))
		time.Sleep(40 * time.Second)
		wantEvents(t, s, incoming1)
		a.mu.Lock()
		a.inbox = nil
		a.mu.Unlock()
	})
}

func TestOurChangeOfCodecIsToldSoThatTheLegsAreConnectedAnew(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		_, leg := s.up(a, "1001")
		leg.Renegotiate([]media.Codec{{Name: "G729", ClockRate: 8000}})
		a.respond(a.expect("INVITE"), "200 OK", "", newer(sdp(a, 4000, "18")))
		a.expect("ACK")
		wantEvents(t, s, incoming1, "mismatch")
	})
}

func TestRenegotiateWaitsForTheACK(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0 8"))
		synctest.Wait()
		leg := s.x.legs[0]
		leg.Answer(nil)
		c.take(a.expect("SIP/2.0 200"))
		leg.Renegotiate([]media.Codec{media.PCMA})
		a.silent()
		c.send("ACK", "")
		a.respond(a.expect("INVITE"), "200 OK", "", newer(sdp(a, 4000, "8")))
		a.expect("ACK")
	})
}

func TestOurRequestThatIsNeverAnsweredEndsTheCall(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		_, leg := s.up(a, "1001")
		leg.Info("text/plain", []byte("x"))
		time.Sleep(33 * time.Second)
		a.until("BYE", "INFO")
		wantEvents(t, s, incoming1, "ended answered (network) cause 102")
	})
}
