package line

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
)

const incoming1 = "incoming 1001 from 1000 hops 70"

// newer is a description with the next version number of its o= line.
func newer(s string) string { return strings.Replace(s, "o=- 7 7", "o=- 7 8", 1) }

func TestReINVITEHoldsAndResumes(t *testing.T) {
	for _, tc := range []struct{ name, hold, answer string }{
		{"sendonly", "a=sendonly", "a=recvonly"},
		{"inactive", "a=inactive", "a=inactive"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			play(t, func(s *scene) {
				a := s.phone("1000", "192.0.2.10")
				c, _ := s.up(a, "1001")
				c.send("INVITE", newer(sdp(a, 4000, "0 8", tc.hold)))
				if m := a.expect("SIP/2.0 200"); !strings.Contains(body(m), tc.answer) {
					t.Errorf("answered\n%s", m)
				}
				c.send("ACK", "")
				c.send("INVITE", strings.Replace(sdp(a, 4000, "0 8"), "7 7", "7 9", 1))
				if m := a.expect("SIP/2.0 200"); strings.Contains(body(m), "recvonly") || strings.Contains(body(m), "inactive") {
					t.Errorf("still held:\n%s", m)
				}
				c.send("ACK", "")
				wantEvents(t, s, incoming1, "held true", "held false")
			})
		})
	}
}

func TestHoldByZeroAddress(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		c.send("INVITE", strings.Replace(newer(sdp(a, 4000, "0 8")), "c=IN IP4 192.0.2.10", "c=IN IP4 0.0.0.0", 1))
		a.expect("SIP/2.0 200")
		c.send("ACK", "")
		wantEvents(t, s, incoming1, "held true")
		if a := s.media.last().now(); a.Send {
			t.Errorf("still sending: %+v", a)
		}
	})
}

func TestReINVITEMovesMediaToANewAddress(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		c.send("INVITE", newer(sdp(a, 4100, "0 8")))
		a.expect("SIP/2.0 200")
		c.send("ACK", "")
		if p := s.media.last().now().Remote.Port(); p != 4100 {
			t.Errorf("media goes to %d", p)
		}
		wantEvents(t, s, incoming1)
	})
}

// A phone that connects from another network: its sound comes from there, whatever its SDP says.
func TestReINVITEFromANewConnectionMovesTheSourceOfSound(t *testing.T) {
	play(t, func(s *scene) {
		a := s.tcp("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		from := func(want string) {
			t.Helper()
			if got := s.media.last().now().Source.String(); got != want {
				t.Errorf("sound comes from %s, want %s", got, want)
			}
		}
		from("192.0.2.10")
		c.p = s.tcp("1000", "198.51.100.7")
		c.send("INVITE", newer(sdp(a, 4000, "0 8")))
		c.p.expect("SIP/2.0 200")
		c.send("ACK", "")
		from("198.51.100.7")
	})
}

func TestReINVITEToOtherCodecsIsAMismatch(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		c.send("INVITE", newer(sdp(a, 4000, "9")))
		a.expect("SIP/2.0 200")
		c.send("ACK", "")
		wantEvents(t, s, incoming1, "mismatch")
	})
}

func TestReINVITEWithoutSDPGetsOurOfferAndTakesTheAnswerFromACK(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		c.send("INVITE", "")
		m := a.expect("SIP/2.0 200")
		if !strings.Contains(body(m), "m=audio 20000") {
			t.Errorf("no offer in\n%s", m)
		}
		c.send("ACK", newer(sdp(a, 4200, "0")))
		synctest.Wait()
		if p := s.media.last().now().Remote.Port(); p != 4200 {
			t.Errorf("media goes to %d", p)
		}
	})
}

func TestReINVITEWithUnusableOfferIs488AndTheCallStays(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		c.send("INVITE", newer(sdp(a, 4000, "96", "a=rtpmap:96 SPEEX/32000")))
		m := a.expect("SIP/2.0 488")
		if header(m, "Warning") == "" {
			t.Error("no Warning")
		}
		seq := c.seq
		c.sendSeq("ACK", seq, "")
		time.Sleep(40 * time.Second)
		a.times("SIP/2.0 488", time.Now())
		wantEvents(t, s, incoming1)
		c.send("BYE", "")
		a.expect("SIP/2.0 200")
	})
}

func TestUnacknowledgedReINVITEEndsTheCall(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		c.send("INVITE", newer(sdp(a, 4000, "0 8")))
		time.Sleep(31900 * time.Millisecond)
		if n := len(a.times("SIP/2.0 200", time.Now())); n != 11 {
			t.Errorf("200 sent %d times", n)
		}
		time.Sleep(300 * time.Millisecond)
		a.respond(a.expect("BYE"), "200 OK", "", "")
		wantEvents(t, s, incoming1, "ended answered (network) cause 102")
	})
}

func TestReINVITEBeforeTheFinalResponseIs500WithRetryAfter(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		s.x.legs[0].Progress(pbx.Progress{Status: 180})
		c.take(a.expect("SIP/2.0 180"))
		c.send("INVITE", sdp(a, 4000, "0"))
		m := a.expect("SIP/2.0 500")
		if n, ok := seconds(header(m, "Retry-After")); !ok || n > 10 {
			t.Errorf("Retry-After %q", header(m, "Retry-After"))
		}
		time.Sleep(40 * time.Second)
		a.times("SIP/2.0 500", time.Now())
	})
}

func TestUPDATEWithOfferIsAnsweredAndHolds(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		c.send("UPDATE", newer(sdp(a, 4000, "0 8", "a=sendonly")))
		if m := a.expect("SIP/2.0 200"); !strings.Contains(body(m), "a=recvonly") {
			t.Errorf("answered\n%s", m)
		}
		wantEvents(t, s, incoming1, "held true")
	})
}

func TestUPDATEWithOfferWhileTheFirstWaitsIs500(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		s.x.legs[0].Progress(pbx.Progress{Status: 180})
		c.take(a.expect("SIP/2.0 180"))
		c.send("UPDATE", newer(sdp(a, 4002, "0")))
		if m := a.expect("SIP/2.0 500"); header(m, "Retry-After") == "" {
			t.Error("no Retry-After")
		}
	})
}

func TestEarlyUPDATEAfterAReliableAnswerIsAnswered(t *testing.T) {
	play(t, func(s *scene) {
		a, c, leg := reliableCall(s, "Supported: 100rel", "sdp")
		leg.Progress(pbx.Progress{Status: 183, Codecs: []media.Codec{media.PCMU}})
		early := c.take(a.expect("SIP/2.0 183"))
		c.send("PRACK", "", prackOf(early))
		a.expect("SIP/2.0 200")
		c.send("UPDATE", newer(sdp(a, 4002, "0")))
		if m := a.expect("SIP/2.0 200"); !strings.Contains(body(m), "m=audio 20000") {
			t.Errorf("answered\n%s", m)
		}
		leg.Refuse(pbx.NotFound)
		a.expect("SIP/2.0 404")
	})
}

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
		wantEvents(t, s, incoming1, `info application/dtmf-relay "Signal=5\r\nDuration=160\r\n"`, "key 5")
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
		leg.Renegotiate([]media.Codec{media.G722})
		a.respond(a.expect("INVITE"), "200 OK", "", newer(sdp(a, 4000, "9")))
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
