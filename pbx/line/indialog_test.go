package line

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
)

const incoming1 = "incoming 1001 from 1000 hops 70"

func TestRequestWithOldCSeqIs500(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		c.sendSeq("OPTIONS", 1, "")
		a.expect("SIP/2.0 500")
		c.send("OPTIONS", "")
		a.expect("SIP/2.0 200")
		wantEvents(t, s, incoming1)
	})
}

func TestRequestsForAnUnknownDialogAre481(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		good := c.local
		for _, m := range []string{"BYE", "INVITE", "UPDATE", "INFO", "MESSAGE", "PRACK", "OPTIONS"} {
			x := *c
			x.local = strings.Replace(good, "tag=", "tag=not", 1)
			x.send(m, "")
			a.expect("SIP/2.0 481")
			x = *c
			x.remote = "<sip:1001@pbx.test>;tag=nowhere"
			x.id = "other" + m
			x.send(m, "")
			a.expect("SIP/2.0 481")
		}
		time.Sleep(40 * time.Second)
		a.times("SIP/2.0 481", time.Now())
		wantEvents(t, s, incoming1)
	})
}

func TestTargetRefreshChangesWhereRequestsGo(t *testing.T) {
	for _, method := range []string{"UPDATE", "INVITE"} {
		t.Run(method, func(t *testing.T) {
			play(t, func(s *scene) {
				a := s.phone("1000", "192.0.2.10")
				c, leg := s.up(a, "1001")
				c.contact = "<sip:moved@192.0.2.10:5060;x=y>"
				c.send(method, newer(sdp(a, 4000, "0 8")))
				a.expect("SIP/2.0 200")
				if method == "INVITE" {
					c.send("ACK", "")
				}
				synctest.Wait()
				leg.Hangup(pbx.Hangup)
				a.respond(a.expect("BYE sip:moved@192.0.2.10:5060;x=y SIP/2.0"), "200 OK", "", "")
			})
		})
	}
}

func TestINFOIsAnsweredAndToldAndSent(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, leg := s.up(a, "1001")
		c.send("INFO", "Signal=5\nDuration=160\n", "Content-Type: application/dtmf-relay")
		a.expect("SIP/2.0 200")
		c.send("INFO", "x", "Content-Type: application/x-foo")
		wantHeader(t, a.expect("SIP/2.0 415"), "Accept", acceptInfo.Value())
		c.send("INFO", "", "Info-Package: foo")
		a.expect("SIP/2.0 469")
		leg.Info("application/dtmf-relay", []byte("Signal=6\r\n"))
		m := a.expect("INFO sip:1000@192.0.2.10:5060")
		wantHeader(t, m, "Content-Type", "application/dtmf-relay")
		if body(m) != "Signal=6\r\n" {
			t.Errorf("body %q", body(m))
		}
		a.respond(m, "200 OK", "", "")
		wantEvents(t, s, incoming1, `info application/dtmf-relay "Signal=5\r\nDuration=160\r\n" key 5`)
	})
}

// Whether a phone takes INFO is what its newest Allow says.
func TestAllowSaysWhetherThePhoneTakesINFO(t *testing.T) {
	play(t, func(s *scene) {
		for number, tc := range map[string]struct {
			allow []string
			takes bool
		}{
			"1002": {nil, true},
			"1003": {[]string{"Allow: INVITE, ACK, BYE, CANCEL, info"}, true},
			"1004": {[]string{"Allow: INVITE, ACK", "Allow: BYE, CANCEL"}, false},
		} {
			a := s.phone(number, "192.0.2."+number[3:])
			c := a.invite("1001", sdp(a, 4000, "0"), tc.allow...)
			synctest.Wait()
			leg := s.x.legs[len(s.x.legs)-1]
			if got := leg.TakesInfo(); got != tc.takes {
				t.Errorf("%q: %v", tc.allow, got)
			}
			leg.Refuse(pbx.NotFound)
			c.take(a.expect("SIP/2.0 404"))
		}
		b := s.phone("1005", "192.0.2.5")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE")
		b.respond(inv, "200 OK", "b1", sdp(b, 5000, "0"), "Allow: INVITE, ACK, BYE, CANCEL")
		b.expect("ACK")
		<-d.done
		if d.leg.TakesInfo() {
			t.Error("the 200 has no INFO in its Allow")
		}
		d.leg.Hangup(pbx.Hangup)
		b.respond(b.expect("BYE"), "200 OK", "", "")
	})
}

func TestMESSAGEInDialogGoesToTheOtherParty(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		c.send("MESSAGE", "hi", "Content-Type: text/plain")
		a.expect("SIP/2.0 200")
		wantEvents(t, s, incoming1, `message from 1000 to 1001 text/plain "hi"`)
	})
}

func TestUnknownMethodsInDialogAreRefused(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		for _, tc := range [][2]string{{"REFER", "405"}, {"SUBSCRIBE", "489"}, {"NOTIFY", "481"}, {"JUMP", "501"}} {
			c.send(tc[0], "", "Event: x", "Subscription-State: active", "Refer-To: <sip:1@x>")
			a.expect("SIP/2.0 " + tc[1])
		}
		wantEvents(t, s, incoming1)
	})
}

func TestSilentPhoneIsHungUp(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		s.up(a, "1001")
		s.media.last().dead()
		bye := a.expect("BYE")
		if !strings.Contains(header(bye, "Reason"), "RTP timeout") {
			t.Errorf("Reason %q", header(bye, "Reason"))
		}
		a.respond(bye, "200 OK", "", "")
		wantEvents(t, s, incoming1, "ended answered (network) cause 102")
	})
}
