package line

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
)

func TestIncomingCallIsAnsweredAndHungUpByCaller(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0 8"))
		time.Sleep(200 * time.Millisecond) // RFC 3261 §17.2.1
		synctest.Wait()
		if len(a.trying) != 1 || strings.Contains(header(a.trying[0].text, "To"), "tag=") {
			t.Errorf("one 100 without a To-tag must come after 200 ms: %v", a.trying)
		}
		leg := s.x.legs[0]
		leg.Progress(pbx.Progress{Status: 180})
		ringing := a.expect("SIP/2.0 180 Ringing")
		if body(ringing) != "" {
			t.Error("180 without early media has a body")
		}
		if err := leg.Answer([]media.Codec{media.PCMU}); err != nil {
			t.Fatal(err)
		}
		ok := c.take(a.expect("SIP/2.0 200 OK"))
		if tagIn(header(ringing, "To")) != tagIn(header(ok, "To")) {
			t.Error("the To-tag changed")
		}
		wantHeader(t, ok, "Contact", "<sip:ringback@192.0.2.1>")
		wantHeader(t, ok, "Allow", allow)
		if !strings.Contains(body(ok), "m=audio 20000 RTP/AVP 0") {
			t.Errorf("no answer in\n%s", ok)
		}
		if s.media.last().now().Remote.String() != "192.0.2.10:4000" {
			t.Errorf("agreed %+v", s.media.last().now())
		}
		c.send("ACK", "")
		c.send("BYE", "", "Reason: Q.850;cause=16")
		a.expect("SIP/2.0 200 OK")
		wantEvents(t, s, "incoming 1001 from 1000 hops 70", "ended answered (caller) cause 16")
	})
}

func TestUnauthenticatedRequestsThatActAreChallenged(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		for _, m := range []string{"INVITE", "MESSAGE", "REGISTER", "SUBSCRIBE", "PUBLISH", "REFER"} {
			c := &call{p: a, id: "x" + s.id(), local: "<sip:1000@pbx.test>;tag=1", remote: "<sip:1001@pbx.test>", target: "sip:1001@pbx.test"}
			c.send(m, "")
			a.expect("SIP/2.0 401")
			time.Sleep(40 * time.Second)
			a.silent() // once a request, ACKed or not: its source may be forged
		}
		a.times("SIP/2.0 401", time.Now())
		wantEvents(t, s)
	})
}

func TestRequestsRefusedBeforeAnythingIsMade(t *testing.T) {
	long := "Authorization: Test 1000"
	for _, tc := range []struct {
		name, method, uri, body string
		headers                 []string
		status                  string
		want                    [2]string
	}{
		{"unknown method", "JUMP", "sip:1001@pbx.test", "", nil, "501", [2]string{"Allow", allow}},
		{"REFER", "REFER", "sip:1001@pbx.test", "", []string{long, "Refer-To: <sip:1002@pbx.test>"}, "405", [2]string{"Allow", allow}},
		{"unknown event", "SUBSCRIBE", "sip:1001@pbx.test", "", []string{long, "Event: foo"}, "489", [2]string{}},
		{"PUBLISH", "PUBLISH", "sip:1001@pbx.test", "", []string{long, "Event: foo"}, "489", [2]string{}},
		{"NOTIFY without a subscription", "NOTIFY", "sip:1001@pbx.test", "", []string{"Event: foo", "Subscription-State: active"}, "481", [2]string{}},
		{"unknown scheme", "INVITE", "nobody:1001", "", nil, "416", [2]string{}},
		{"unknown option", "INVITE", "sip:1001@pbx.test", "", []string{long, "Require: foo, 100rel, bar"}, "420", [2]string{"Unsupported", "foo, bar"}},
		{"unknown proxy option", "OPTIONS", "sip:pbx.test", "", []string{"Proxy-Require: foo"}, "420", [2]string{"Unsupported", "foo"}},
		{"no hops left", "INVITE", "sip:1001@pbx.test", "", []string{long, "Max-Forwards: 0"}, "483", [2]string{}},
		{"no hops left for a message", "MESSAGE", "sip:1001@pbx.test", "", []string{long, "Max-Forwards: 0"}, "483", [2]string{}},
		{"unknown body", "INVITE", "sip:1001@pbx.test", "x", []string{long, "Content-Type: text/foo"}, "415", [2]string{"Accept", "application/sdp"}},
		{"encoded body", "INVITE", "sip:1001@pbx.test", "x", []string{long, "Content-Type: application/sdp", "Content-Encoding: gzip"}, "415", [2]string{"Accept-Encoding", "identity"}},
		{"caller takes no SDP", "INVITE", "sip:1001@pbx.test", "", []string{long, "Accept: text/plain"}, "406", [2]string{}},
		{"session too short", "INVITE", "sip:1001@pbx.test", "", []string{long, "Supported: timer", "Session-Expires: 30"}, "422", [2]string{"Min-SE", "90"}},
		{"no user in the URI", "INVITE", "sip:pbx.test", "", []string{long}, "484", [2]string{}},
		{"BYE outside a dialog", "BYE", "sip:1001@pbx.test", "", nil, "481", [2]string{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			play(t, func(s *scene) {
				a := s.phone("1000", "192.0.2.10")
				c := &call{p: a, id: "r1", local: "<sip:1000@pbx.test>;tag=1", remote: "<sip:1001@pbx.test>", target: tc.uri}
				mf := "Max-Forwards: 70"
				hs := tc.headers
				for _, h := range hs {
					if strings.HasPrefix(h, "Max-Forwards") {
						mf = h
					}
				}
				var rest []string
				for _, h := range hs {
					if h != mf {
						rest = append(rest, h)
					}
				}
				c.seq = 1
				c.branch = "z9hG4bKr1"
				text := tc.method + " " + tc.uri + " SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKr1\n" + mf + "\nFrom: " + c.local +
					"\nTo: " + c.remote + "\nCall-ID: r1\nCSeq: 1 " + tc.method + "\nContact: <sip:1000@192.0.2.10>\n" + strings.Join(rest, "\n")
				a.send(strings.TrimSpace(text) + "\n\n" + tc.body)
				res := a.expect("SIP/2.0 " + tc.status)
				if tc.want[0] != "" {
					wantHeader(t, res, tc.want[0], tc.want[1])
				}
				if tc.status == "489" && !strings.Contains(res, "\r\nAllow-Events:") {
					t.Error("no Allow-Events")
				}
				if tagIn(header(res, "To")) == "" {
					t.Error("no To-tag")
				}
				wantEvents(t, s)
			})
		})
	}
}

func TestOPTIONSIsAnsweredWithCapabilities(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := &call{p: a, id: "o", local: "<sip:1000@pbx.test>;tag=1", remote: "<sip:pbx.test>", target: "sip:pbx.test"}
		c.send("OPTIONS", "")
		m := a.expect("SIP/2.0 200")
		wantHeader(t, m, "Allow", allow)
		wantHeader(t, m, "Supported", supported)
		wantHeader(t, m, "Accept", accept)
	})
}

func TestREGISTERGoesToTheRegistrarOnceAuthenticated(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := &call{p: a, id: "o", local: "<sip:1000@pbx.test>;tag=1", remote: "<sip:1000@pbx.test>", target: "sip:pbx.test"}
		c.send("REGISTER", "", "Authorization: Test 1000")
		a.expect("SIP/2.0 200")
		if len(s.reg.seen) != 1 || s.reg.seen[0] != "1000" {
			t.Errorf("registrar saw %q", s.reg.seen)
		}
	})
}

func TestTelURIAndEscapedUserAreDialled(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		for _, tc := range []struct{ uri, number string }{
			{"tel:+49-30-1001;phone-context=x", "+49301001"},
			{"sip:%2A43@192.0.2.1", "*43"},
			{"sip:1001;phone-context=x@other.example", "1001"},
			{"sip:announcement.rejected@pbx.test", "announcement.rejected"},
			{"sip:announcement.digits%3A10@pbx.test;transport=tcp", "announcement.digits:10"},
			{"sip:*721002@pbx.test;user=phone", "*721002"},
			{"sip:%2a72%2b49301002%23@pbx.test", "*72+49301002#"},
			{"sip:#21#@pbx.test", "#21#"}, // phones that escape nothing
		} {
			c := &call{p: a, id: "n" + s.id(), local: "<sip:1000@pbx.test>;tag=1", remote: "<" + tc.uri + ">", target: tc.uri}
			c.send("INVITE", sdp(a, 4000, "0"), "Authorization: Test 1000")
			synctest.Wait()
			log := s.x.log()
			if want := "incoming " + tc.number + " from 1000 hops 70"; log[len(log)-1] != want {
				t.Errorf("%s: %q, want %q", tc.uri, log[len(log)-1], want)
			}
			s.x.legs[len(s.x.legs)-1].Refuse(pbx.NotFound)
			a.expect("SIP/2.0 404")
			c.remote += ";tag=x"
			c.sendSeq("ACK", c.seq, "")
			synctest.Wait()
		}
		time.Sleep(40 * time.Second)
		synctest.Wait()
		a.mu.Lock()
		a.inbox = nil
		a.mu.Unlock()
	})
}

func TestPreloadedRouteToUsIsTakenOff(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"), "Route: <sip:192.0.2.1;lr>")
		synctest.Wait()
		s.x.legs[0].Answer(nil)
		c.take(a.expect("SIP/2.0 200"))
		c.send("ACK", "", "Route: <sip:192.0.2.1;lr>")
		s.x.legs[0].Hangup(pbx.Hangup)
		bye := a.expect("BYE sip:1000@192.0.2.10:5060 SIP/2.0")
		if header(bye, "Route") != "" {
			t.Error("BYE has a Route")
		}
		a.respond(bye, "200 OK", "", "")
	})
}

func TestNoCommonCodecIs488WithWarning(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		a.invite("1001", sdp(a, 4000, "96", "a=rtpmap:96 SPEEX/32000"))
		synctest.Wait()
		err := s.x.legs[0].Answer([]media.Codec{media.PCMU})
		if err == nil {
			t.Fatal("answered without a codec")
		}
		s.x.legs[0].Refuse(pbx.Outcome{Kind: pbx.Failed, Status: 488})
		wantHeader(t, a.expect("SIP/2.0 488"), "Warning", `305 ringback "Incompatible media format"`)
	})
}

func TestBrokenSDPIsRefusedWithWarning(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		a.invite("1001", "v=0\nthis is not SDP\n")
		m := a.next()
		if !strings.HasPrefix(m, "SIP/2.0 400") && !strings.HasPrefix(m, "SIP/2.0 488") {
			t.Errorf("got %s", m)
		}
		if header(m, "Warning") == "" {
			t.Error("no Warning")
		}
		wantEvents(t, s)
	})
}

// A client of RFC 2543 has neither branch nor tag, and need not have a Contact: it is called back at its From.
func TestOldClientWithoutContactIsServed(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		head := func(method string) string {
			return method + " sip:1001@pbx.test SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10\nFrom: <sip:1000@192.0.2.10>\nCall-ID: old\nCSeq: 7 " + method +
				"\nAuthorization: Test 1000\n"
		}
		a.send(head("INVITE") + "To: <sip:1001@pbx.test>\nContent-Type: application/sdp\n\n" + sdp(a, 4000, "0"))
		synctest.Wait()
		if err := s.x.legs[0].Answer(nil); err != nil {
			t.Fatal(err)
		}
		ok := a.expect("SIP/2.0 200")
		a.send(head("ACK") + "To: " + header(ok, "To"))
		s.x.legs[0].Hangup(pbx.Hangup)
		bye := a.expect("BYE sip:1000@192.0.2.10 SIP/2.0")
		wantHeader(t, bye, "To", "<sip:1000@192.0.2.10>")
		a.respond(bye, "200 OK", "", "")
	})
}

func TestMultipartBodyWithSDPIsAccepted(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		parts := "--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: application/sdp\n\n" + sdp(a, 4000, "0") + "--b--\n"
		c := &call{p: a, id: "mp", local: "<sip:1000@pbx.test>;tag=1", remote: "<sip:1001@pbx.test>", target: "sip:1001@pbx.test"}
		c.send("INVITE", parts, "Authorization: Test 1000", `Content-Type: multipart/mixed;boundary="b"`)
		synctest.Wait()
		if err := s.x.legs[0].Answer(nil); err != nil {
			t.Fatal(err)
		}
		c.take(a.expect("SIP/2.0 200"))
		c.send("ACK", "")
		if s.media.last().now().Remote.Port() != 4000 {
			t.Error("no agreement")
		}
	})
}

func TestNoPortsIs503WithRetryAfter(t *testing.T) {
	play(t, func(s *scene) {
		s.media.full = true
		a := s.phone("1000", "192.0.2.10")
		a.invite("1001", sdp(a, 4000, "0"))
		wantHeader(t, a.expect("SIP/2.0 503"), "Retry-After", "5")
	})
}

func TestDrainRefusesNewCallsAndKeepsOthers(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		s.line.Drain()
		a.invite("1001", sdp(a, 4000, "0"))
		wantHeader(t, a.expect("SIP/2.0 503"), "Retry-After", "30")
		time.Sleep(time.Minute)
		a.times("SIP/2.0 503", time.Now())
		c.send("BYE", "")
		a.expect("SIP/2.0 200")
	})
}

func TestRefusalCarriesStatusReasonAndErrorInfo(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		s.x.legs[0].Refuse(pbx.Outcome{Kind: pbx.Screened, Status: 433, Reason: []string{"Q.850;cause=21"}, ErrorInfo: []string{"<sip:why@pbx.test>"}})
		m := a.expect("SIP/2.0 433 Anonymity Disallowed")
		wantHeader(t, m, "Reason", "Q.850;cause=21")
		wantHeader(t, m, "Error-Info", "<sip:why@pbx.test>")
		wantEvents(t, s, "incoming 1001 from 1000 hops 70", "ended screened 433 (system) cause 0")
	})
}

func TestCalleesChallengeNeverReachesTheCaller(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		s.x.legs[0].Refuse(pbx.Outcome{Kind: pbx.Failed, Status: 407})
		a.expect("SIP/2.0 500")
	})
}
