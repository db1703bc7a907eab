package line

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/line/digest"
	"ringback/pbx/line/wire"
)

func TestCANCELEndsRingingCallWith487AndKeepsItsReason(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		s.x.legs[0].Progress(pbx.Progress{Status: 180})
		ringing := a.expect("SIP/2.0 180")
		c.cancel("Reason: Q.850;cause=31")
		ok := a.expect("SIP/2.0 200")
		wantHeader(t, ok, "CSeq", "1 CANCEL")
		end := a.expect("SIP/2.0 487")
		if tagIn(header(end, "To")) != tagIn(header(ringing, "To")) {
			t.Error("487 has another To-tag")
		}
		wantEvents(t, s, "incoming 1001 from 1000 hops 70", "ended cancelled 487 (caller) cause 31")
		time.Sleep(40 * time.Second)
		a.times("SIP/2.0 487", time.Now())
	})
}

// overtaken lets the CANCEL of an INVITE in while the INVITE is still being checked, as another reader may.
type overtaken struct {
	guard
	s *scene
}

func (o overtaken) Check(req *sip.Request, from wire.Hop) digest.Result {
	if req.Method == sip.INVITE {
		cancel := sip.NewRequest(sip.CANCEL, req.Recipient)
		for _, name := range []string{"Via", "From", "To", "Call-ID"} {
			sip.CopyHeaders(name, req, cancel)
		}
		cancel.AppendHeader(&sip.CSeqHeader{SeqNo: req.CSeq().SeqNo, MethodName: sip.CANCEL})
		o.s.line.Receive(cancel, from)
	}
	return o.guard.Check(req, from)
}

func TestCANCELThatOvertakesItsINVITEEndsTheLegAtItsFirstNews(t *testing.T) {
	for name, news := range map[string]func(*pbx.Leg){
		"ringing":  func(l *pbx.Leg) { l.Progress(pbx.Progress{Status: 180}) },
		"answered": func(l *pbx.Leg) { l.Answer(nil) },
		"refused":  func(l *pbx.Leg) { l.Refuse(pbx.Outcome{Kind: pbx.Busy, Status: 486}) },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.line.o.Authenticator = overtaken{s: s}
				s.x.incoming = news
				a := s.phone("1000", "192.0.2.10")
				c := a.invite("1001", sdp(a, 4000, "0"))
				wantHeader(t, a.expect("SIP/2.0 200"), "CSeq", "1 CANCEL")
				c.take(a.expect("SIP/2.0 487"))
				c.sendSeq("ACK", 1, "")
				a.silent()
				if n := s.line.Stats().Legs; n != 0 {
					t.Errorf("%d legs", n)
				}
			})
		})
	}
}

func TestCANCELAfterThe200ChangesNothing(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		s.x.legs[0].Answer(nil)
		ok := a.expect("SIP/2.0 200")
		c.cancel()
		wantHeader(t, a.expect("SIP/2.0 200"), "CSeq", "1 CANCEL")
		c.take(ok)
		c.send("ACK", "")
		wantEvents(t, s, "incoming 1001 from 1000 hops 70")
		c.send("BYE", "")
		a.expect("SIP/2.0 200")
	})
}

func TestBYEOnEarlyDialogEndsTheINVITEWith487(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		s.x.legs[0].Progress(pbx.Progress{Status: 180})
		c.take(a.expect("SIP/2.0 180"))
		c.send("BYE", "")
		wantHeader(t, a.expect("SIP/2.0 200"), "CSeq", "2 BYE")
		wantHeader(t, a.expect("SIP/2.0 487"), "CSeq", "1 INVITE")
		wantEvents(t, s, "incoming 1001 from 1000 hops 70", "ended cancelled 487 (caller) cause 16")
		time.Sleep(40 * time.Second)
		a.times("SIP/2.0 487", time.Now())
	})
}

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

func TestINVITEThatExpiresEndsWith487(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		a.invite("1001", sdp(a, 4000, "0"), "Expires: 20")
		synctest.Wait()
		s.x.legs[0].Progress(pbx.Progress{Status: 180})
		a.expect("SIP/2.0 180")
		time.Sleep(19 * time.Second)
		a.silent()
		time.Sleep(1100 * time.Millisecond)
		a.expect("SIP/2.0 487")
		wantEvents(t, s, "incoming 1001 from 1000 hops 70", "ended cancelled 487 (caller) cause 0")
		time.Sleep(40 * time.Second)
		a.times("SIP/2.0 487", time.Now())
	})
}
