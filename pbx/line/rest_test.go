package line

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
)

func TestSessionTimerIsGrantedAndWeRefreshByUPDATE(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"), "Supported: timer", "Session-Expires: 90;refresher=uas", "Allow: INVITE, ACK, BYE, CANCEL, UPDATE")
		a.expect("SIP/2.0 100")
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
		a.expect("SIP/2.0 100")
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
		a.expect("SIP/2.0 100")
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
		a.expect("SIP/2.0 100")
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
		a.expect("SIP/2.0 100")
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

func TestMESSAGEIsAnsweredWhenItWasDelivered(t *testing.T) {
	play(t, func(s *scene) {
		var reply func(pbx.Outcome)
		s.x.message = func(m pbx.Message, r func(pbx.Outcome)) { reply = r }
		a := s.phone("1000", "192.0.2.10")
		c := &call{p: a, id: "m", local: "<sip:1000@pbx.test>;tag=1", remote: "<sip:1001@pbx.test>", target: "sip:1001@pbx.test"}
		c.send("MESSAGE", "hello", "Authorization: Test 1000", "Content-Type: text/plain")
		a.silent()
		wantEvents(t, s, `message from 1000 to 1001 text/plain "hello"`)
		reply(pbx.Outcome{Kind: pbx.Answered, Status: 200})
		a.expect("SIP/2.0 200")
		c.send("MESSAGE", "hello", "Authorization: Test 1000", "Content-Type: text/plain")
		synctest.Wait()
		reply(pbx.NotFound)
		a.expect("SIP/2.0 404")
	})
}

func TestMESSAGEIsSentToAPhone(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		to := s.bind(b)
		got := make(chan pbx.Outcome, 2)
		send := func(ctx context.Context) {
			got <- s.line.Message(ctx, to, pbx.Message{From: pbx.Identity{Number: "1000"}, To: "1001", ContentType: "text/plain", Body: []byte("hi")})
		}
		go send(context.Background())
		m := b.expect("MESSAGE sip:1001@192.0.2.20:5060")
		if !strings.HasPrefix(header(m, "From"), "<sip:1000@pbx.test>;tag=") || body(m) != "hi" || header(m, "Contact") != "" {
			t.Errorf("sent\n%s", m)
		}
		b.respond(m, "202 Accepted", "b", "")
		if o := <-got; !o.OK() || o.Status != 202 {
			t.Errorf("outcome %v", o)
		}
		go send(context.Background())
		b.respond(b.expect("MESSAGE"), "415 What", "b", "")
		if o := <-got; o.OK() || o.Status != 415 {
			t.Errorf("outcome %v", o)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		go send(ctx)
		if o := <-got; o.OK() || !o.Unsure {
			t.Errorf("outcome %v", o)
		}
	})
}

func TestPhonesAreQualifiedByOPTIONS(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		s.bind(b)
		s.line.Start()
		time.Sleep(990 * time.Millisecond)
		m := b.expect("OPTIONS sip:1001@192.0.2.20:5060")
		b.respond(m, "405 Whatever", "b", "") // any final response will do
		synctest.Wait()
		if m := s.reg.marked(); len(m) != 1 || !strings.HasSuffix(m[0], "true") {
			t.Errorf("marks %v", m)
		}
		time.Sleep(93 * time.Second) // the next one is not answered
		synctest.Wait()
		if m := s.reg.marked(); len(m) != 2 || !strings.HasSuffix(m[1], "false") {
			t.Errorf("marks %v", m)
		}
		s.line.stopQualify()
	}, func(o *Options) { o.Qualify = time.Minute })
}

func TestPanicEndsOneCallOnly(t *testing.T) {
	play(t, func(s *scene) {
		a, b := s.phone("1000", "192.0.2.10"), s.phone("1002", "192.0.2.11")
		c, _ := s.up(b, "1001")
		s.x.incoming = func(*pbx.Leg) { panic("a plan gone wrong") }
		s.x.panics = 1
		a.invite("1001", sdp(a, 4000, "0"))
		a.expect("SIP/2.0 100")
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
