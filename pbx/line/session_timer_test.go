package line

import (
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
)

func TestSessionTimerIsGrantedAndWeRefreshByUPDATE(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"), "Supported: timer", "Session-Expires: 90;refresher=uas", "Allow: INVITE, ACK, BYE, CANCEL, UPDATE")
		synctest.Wait()
		s.x.legs[0].Answer(nil)
		ok := c.take(a.expect("SIP/2.0 200"))
		wantHeader(t, ok, "Session-Expires", "90;refresher=uas")
		c.send("ACK", "")
		for range 3 {
			time.Sleep(45100 * time.Millisecond)
			u := a.expect("UPDATE sip:1000@192.0.2.10:5060")
			wantHeader(t, u, "Session-Expires", "90;refresher=uac")
			if body(u) != "" {
				t.Error("a refresh with an offer")
			}
			a.respond(u, "200 OK", "", "", "Session-Expires: 90;refresher=uac")
		}
		wantEvents(t, s, incoming1)
	})
}

func TestSessionIsRefreshedByReINVITEWithUnchangedSDP(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"), "Supported: timer", "Session-Expires: 90;refresher=uas")
		synctest.Wait()
		s.x.legs[0].Answer(nil)
		ok := c.take(a.expect("SIP/2.0 200"))
		c.send("ACK", "")
		time.Sleep(45 * time.Second)
		inv := a.expect("INVITE")
		if body(inv) != body(ok) {
			t.Errorf("the description changed:\n%s\n%s", body(ok), body(inv))
		}
		a.respond(inv, "200 OK", "", sdp(a, 4000, "0"), "Session-Expires: 90;refresher=uac")
		a.expect("ACK")
		wantEvents(t, s, incoming1)
	})
}

func TestSessionThatWeCannotRefreshEndsWithBYE(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"), "Supported: timer", "Session-Expires: 90;refresher=uas", "Allow: UPDATE")
		synctest.Wait()
		s.x.legs[0].Answer(nil)
		c.take(a.expect("SIP/2.0 200"))
		c.send("ACK", "")
		time.Sleep(90 * time.Second)
		a.until("BYE", "UPDATE")
		synctest.Wait()
		if n := len(s.x.outcomes); n != 1 || s.x.outcomes[0].By != pbx.Network {
			t.Errorf("outcomes %v", s.x.outcomes)
		}
	})
}

func TestSessionThatThePhoneDoesNotRefreshEndsWithBYE(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"), "Supported: timer", "Session-Expires: 120;refresher=uac")
		synctest.Wait()
		s.x.legs[0].Answer(nil)
		ok := c.take(a.expect("SIP/2.0 200"))
		wantHeader(t, ok, "Session-Expires", "120;refresher=uac")
		wantHeader(t, ok, "Require", "timer")
		c.send("ACK", "")
		time.Sleep(70 * time.Second)
		c.send("UPDATE", "", "Supported: timer", "Session-Expires: 120;refresher=uac") // the refresh
		wantHeader(t, a.expect("SIP/2.0 200"), "Session-Expires", "120;refresher=uac")
		time.Sleep(87 * time.Second)
		a.silent()
		time.Sleep(2 * time.Second) // 120 - min(32, 120/3)
		bye := a.expect("BYE")
		a.respond(bye, "200 OK", "", "")
		wantEvents(t, s, incoming1, "ended answered (network) cause 102")
	})
}

func TestSessionIntervalIsOursAtMost(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		a.invite("1001", sdp(a, 4000, "0"), "Supported: timer", "Session-Expires: 36000")
		synctest.Wait()
		s.x.legs[0].Answer(nil)
		wantHeader(t, a.expect("SIP/2.0 200"), "Session-Expires", "1800;refresher=uas")
	})
}

func TestPhoneWithoutSessionTimersGetsNone(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		time.Sleep(2 * time.Hour)
		a.silent()
		c.send("BYE", "")
		a.expect("SIP/2.0 200")
	})
}

func TestSmallSessionIntervalInReINVITEIs422(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		c.send("UPDATE", "", "Supported: timer", "Session-Expires: 30")
		wantHeader(t, a.expect("SIP/2.0 422"), "Min-SE", "90")
		wantEvents(t, s, incoming1)
	})
}

func TestOutgoingCallAsksForASessionTimerAndHonoursTheAnswer(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE")
		wantHeader(t, inv, "Session-Expires", "1800")
		b.respond(inv, "200 OK", "b1", sdp(b, 5000, "0"), "Require: timer", "Session-Expires: 600;refresher=uac", "Allow: UPDATE")
		d.result()
		b.expect("ACK")
		time.Sleep(299 * time.Second)
		b.silent()
		time.Sleep(2 * time.Second)
		b.respond(b.expect("UPDATE"), "200 OK", "", "", "Session-Expires: 600;refresher=uac")
	})
}

func TestRefreshThatIsTooSmallForThePhoneIsRepeatedWithItsMinSE(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		b.respond(b.expect("INVITE"), "200 OK", "b1", sdp(b, 5000, "0"), "Session-Expires: 600;refresher=uac", "Allow: UPDATE")
		d.result()
		b.expect("ACK")
		time.Sleep(300100 * time.Millisecond)
		b.respond(b.expect("UPDATE"), "422 Too Small", "", "", "Min-SE: 1200")
		again := b.expect("UPDATE")
		wantHeader(t, again, "Session-Expires", "1200;refresher=uac")
		wantHeader(t, again, "Min-SE", "1200")
		b.respond(again, "200 OK", "", "", "Session-Expires: 1200;refresher=uac")
		time.Sleep(599 * time.Second)
		b.silent()
		time.Sleep(1100 * time.Millisecond)
		b.respond(b.expect("UPDATE"), "200 OK", "", "", "Session-Expires: 1200;refresher=uac")
	})
}

func TestRefusedRefreshIsTriedAgainBeforeTheSessionEnds(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		b.respond(b.expect("INVITE"), "200 OK", "b1", sdp(b, 5000, "0"), "Session-Expires: 600;refresher=uac", "Allow: UPDATE")
		d.result()
		b.expect("ACK")
		time.Sleep(300100 * time.Millisecond)
		b.respond(b.expect("UPDATE"), "500 No", "", "")
		time.Sleep(150 * time.Second)
		b.respond(b.expect("UPDATE"), "500 No", "", "")
		time.Sleep(149 * time.Second)
		b.respond(b.expect("BYE"), "200 OK", "", "")
		wantEvents(t, s, "ended answered (network) cause 102")
	})
}

func TestUPDATEThatThePhoneDoesNotKnowBecomesReINVITE(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		b.respond(b.expect("INVITE"), "200 OK", "b1", sdp(b, 5000, "0"), "Session-Expires: 600;refresher=uac", "Allow: UPDATE")
		d.result()
		b.expect("ACK")
		time.Sleep(300100 * time.Millisecond)
		b.respond(b.expect("UPDATE"), "405 No", "", "")
		b.respond(b.expect("INVITE"), "200 OK", "", sdp(b, 5000, "0"), "Session-Expires: 600;refresher=uac")
		b.expect("ACK")
		wantEvents(t, s)
	})
}
