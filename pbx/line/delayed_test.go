package line

import (
	"strings"
	"testing"
	"testing/synctest"

	"ringback/media"
	"ringback/pbx"
)

func TestDelayedOfferIsIn200AndItsAnswerInACK(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", "")
		synctest.Wait()
		leg := s.x.legs[0]
		leg.Progress(pbx.Progress{Status: 183, Codecs: []media.Codec{media.PCMU}})
		if m := a.expect("SIP/2.0 183"); body(m) != "" {
			t.Error("an offer in an unreliable response")
		}
		if err := leg.Answer([]media.Codec{media.PCMU}); err != nil {
			t.Fatal(err)
		}
		ok := c.take(a.expect("SIP/2.0 200"))
		if !strings.Contains(body(ok), "m=audio 20000 RTP/AVP 0") {
			t.Errorf("no offer in\n%s", ok)
		}
		c.send("ACK", sdp(a, 4000, "0"))
		synctest.Wait()
		if s.media.last().now().Remote.Port() != 4000 {
			t.Error("nothing agreed")
		}
	})
}

// Extension 1500 may use A-law only: what it cannot be offered it is refused, rather than answered without SDP.
func TestDelayedOfferWithoutAPermittedCodecIs488(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1500", "192.0.2.10")
		c := a.invite("1001", "")
		synctest.Wait()
		leg := s.x.legs[0]
		for _, codecs := range [][]media.Codec{{media.PCMU}, {media.PCMU, media.Telephone}, {media.Telephone}} {
			if leg.Answer(codecs) == nil {
				t.Fatalf("answered with %v", codecs)
			}
		}
		a.silent()
		leg.Refuse(pbx.NotAcceptable)
		wantHeader(t, c.take(a.expect("SIP/2.0 488")), "Warning", `305 ringback "Incompatible media format"`)
		c.sendSeq("ACK", c.seq, "")
	})
}

func TestDelayedOfferMayBeInReliable183AndItsAnswerInPRACK(t *testing.T) {
	play(t, func(s *scene) {
		a, c, leg := reliableCall(s, "Supported: 100rel", "")
		leg.Progress(pbx.Progress{Status: 183, Codecs: []media.Codec{media.PCMU}})
		early := c.take(a.expect("SIP/2.0 183"))
		if body(early) == "" || header(early, "RSeq") == "" {
			t.Fatalf("no offer in\n%s", early)
		}
		c.send("PRACK", sdp(a, 4000, "0"), prackOf(early))
		a.expect("SIP/2.0 200")
		if s.media.last().now().Remote.Port() != 4000 {
			t.Error("nothing agreed")
		}
		leg.Answer(nil)
		if m := a.expect("SIP/2.0 200"); body(m) != "" {
			t.Error("another offer in the 200")
		}
		c.sendSeq("ACK", 1, "")
		synctest.Wait()
		wantEvents(t, s, "incoming 1001 from 1000 hops 70")
	})
}

func TestDelayedOfferWithoutAnswerInACKEndsWithBYE(t *testing.T) {
	for name, answer := range map[string]string{"missing": "", "broken": "v=0\nnonsense\n"} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *scene) {
				a := s.phone("1000", "192.0.2.10")
				c := a.invite("1001", "")
				synctest.Wait()
				s.x.legs[0].Answer(nil)
				c.take(a.expect("SIP/2.0 200"))
				c.send("ACK", answer)
				bye := a.expect("BYE")
				if !strings.HasPrefix(header(bye, "Reason"), "SIP;cause=488") {
					t.Errorf("Reason %q", header(bye, "Reason"))
				}
				a.respond(bye, "200 OK", "", "")
				wantEvents(t, s, "incoming 1001 from 1000 hops 70", "ended answered (caller) cause 127")
			})
		})
	}
}
