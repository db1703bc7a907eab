package line

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
)

// reliable starts a call whose caller requires or supports 100rel.
func reliableCall(s *scene, header, offer string) (*phone, *call, *pbx.Leg) {
	a := s.phone("1000", "192.0.2.10")
	if offer == "sdp" {
		offer = sdp(a, 4000, "0")
	}
	c := a.invite("1001", offer, header)
	synctest.Wait()
	return a, c, s.x.legs[0]
}

func prackOf(m string) string { return "RAck: " + header(m, "RSeq") + " " + header(m, "CSeq") }

func TestRequired100relMakesEveryProvisionalReliable(t *testing.T) {
	play(t, func(s *scene) {
		a, c, leg := reliableCall(s, "Require: 100rel", "sdp")
		leg.Progress(pbx.Progress{Status: 180})
		leg.Progress(pbx.Progress{Status: 181})
		one := c.take(a.expect("SIP/2.0 180"))
		wantHeader(t, one, "Require", "100rel")
		a.silent() // RFC 3262 §3: the next one waits for the PRACK
		c.send("PRACK", "", prackOf(one))
		wantHeader(t, a.expect("SIP/2.0 200"), "CSeq", "2 PRACK")
		two := a.expect("SIP/2.0 181")
		if header(two, "RSeq") == header(one, "RSeq") {
			t.Error("RSeq did not rise")
		}
		c.send("PRACK", "", prackOf(one)) // not the one that waits
		a.expect("SIP/2.0 481")
		c.send("PRACK", "", prackOf(two))
		a.expect("SIP/2.0 200")
		leg.Answer(nil)
		wantHeader(t, a.expect("SIP/2.0 200"), "CSeq", "1 INVITE")
		c.send("ACK", "")
		c.sendSeq("ACK", 1, "")
		synctest.Wait()
	})
}

func TestSupported100relIsUsedForSDPOnly(t *testing.T) {
	play(t, func(s *scene) {
		a, c, leg := reliableCall(s, "Supported: 100rel", "sdp")
		leg.Progress(pbx.Progress{Status: 180})
		if m := a.expect("SIP/2.0 180"); header(m, "RSeq") != "" {
			t.Error("180 without SDP is reliable")
		}
		leg.Progress(pbx.Progress{Status: 183, Codecs: []media.Codec{media.PCMU}})
		early := c.take(a.expect("SIP/2.0 183"))
		if header(early, "RSeq") == "" || body(early) == "" {
			t.Errorf("183 not reliable:\n%s", early)
		}
		leg.Answer(nil)
		a.silent() // RFC 3262 §5: no 2xx before the PRACK of a response with SDP
		c.send("PRACK", "", prackOf(early))
		a.expect("SIP/2.0 200")
		ok := a.expect("SIP/2.0 200")
		wantHeader(t, ok, "CSeq", "1 INVITE")
		if body(ok) != "" {
			t.Error("the answer is repeated in the 200")
		}
		c.sendSeq("ACK", 1, "")
		synctest.Wait()
		wantEvents(t, s, "incoming 1001 from 1000 hops 70")
	})
}

func TestUnacknowledgedReliableProvisionalIsRepeatedAndEndsWith504(t *testing.T) {
	play(t, func(s *scene) {
		a, _, leg := reliableCall(s, "Require: 100rel", "sdp")
		start := time.Now()
		leg.Progress(pbx.Progress{Status: 180})
		time.Sleep(31900 * time.Millisecond)
		at := a.times("SIP/2.0 180", start)
		want := []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond, 3500 * time.Millisecond, 7500 * time.Millisecond, 15500 * time.Millisecond, 31500 * time.Millisecond}
		if len(at) != len(want) {
			t.Fatalf("sent at %v", at)
		}
		for i := range at {
			if d := at[i] - want[i]; d < 0 || d > 200*time.Millisecond {
				t.Errorf("sent at %v, want %v", at, want)
			}
		}
		time.Sleep(2 * time.Second)
		a.expect("SIP/2.0 504")
		wantEvents(t, s, "incoming 1001 from 1000 hops 70", "ended failed 504 (network) cause 0")
		time.Sleep(40 * time.Second)
		a.times("SIP/2.0 504", start)
	})
}

func TestPRACKMayCarryANewOffer(t *testing.T) {
	play(t, func(s *scene) {
		a, c, leg := reliableCall(s, "Supported: 100rel", "sdp")
		leg.Progress(pbx.Progress{Status: 183, Codecs: []media.Codec{media.PCMU}})
		early := c.take(a.expect("SIP/2.0 183"))
		c.send("PRACK", strings.Replace(sdp(a, 4444, "0"), "7 7", "7 8", 1), prackOf(early))
		if m := a.expect("SIP/2.0 200"); !strings.Contains(body(m), "m=audio 20000") {
			t.Errorf("no answer in\n%s", m)
		}
		if p := s.media.last().now().Remote.Port(); p != 4444 {
			t.Errorf("agreed on port %d", p)
		}
		leg.Refuse(pbx.NotFound)
		a.expect("SIP/2.0 404")
	})
}

// RFC 3262 §3: a response without SDP does not hold up the 200, and its PRACK is still taken: before the ACK, and after it.
func TestPRACKThatTheACKHasOvertaken(t *testing.T) {
	for _, first := range []string{"PRACK", "ACK"} {
		t.Run(first, func(t *testing.T) {
			play(t, func(s *scene) {
				a, c, leg := reliableCall(s, "Require: 100rel", "sdp")
				leg.Progress(pbx.Progress{Status: 180})
				ringing := c.take(a.expect("SIP/2.0 180"))
				leg.Answer(nil)
				a.expect("SIP/2.0 200")
				if first == "ACK" {
					c.sendSeq("ACK", 1, "")
				}
				c.send("PRACK", "", prackOf(ringing))
				wantHeader(t, a.expect("SIP/2.0 200"), "CSeq", "2 PRACK")
				c.send("PRACK", "", prackOf(ringing)) // it has been acknowledged
				wantHeader(t, a.expect("SIP/2.0 481"), "CSeq", "3 PRACK")
				c.sendSeq("ACK", 1, "")
				c.send("PRACK", "", "RAck: 0 0 INVITE")
				a.expect("SIP/2.0 481")
				c.send("BYE", "")
				a.expect("SIP/2.0 200")
			})
		})
	}
}
