package line

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
)

func TestOutgoingCallIsAnsweredAndHungUp(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE sip:1001@192.0.2.20:5060 SIP/2.0")
		wantHeader(t, inv, "Max-Forwards", "69")
		wantHeader(t, inv, "To", "<sip:1001@pbx.test>")
		wantHeader(t, inv, "Contact", "<sip:ringback@192.0.2.1>")
		wantHeader(t, inv, "Supported", asks)
		if f := header(inv, "From"); !strings.HasPrefix(f, `"Alice" <sip:1000@pbx.test>;tag=`) {
			t.Errorf("From %q", f)
		}
		if !strings.Contains(body(inv), "m=audio 20000") {
			t.Error("no offer")
		}
		b.respond(inv, "100 Trying", "", "")
		b.respond(inv, "180 Ringing", "b1", "")
		b.respond(inv, "200 OK", "b1", sdp(b, 5000, "0"))
		leg, o := d.result()
		if leg == nil || !o.OK() {
			t.Fatalf("outcome %v", o)
		}
		if got := d.statuses(); !slices.Equal(got, []int{180}) {
			t.Errorf("progress %v", got)
		}
		ack := b.expect("ACK sip:1001@192.0.2.20:5060 SIP/2.0")
		wantHeader(t, ack, "CSeq", strings.Replace(header(inv, "CSeq"), "INVITE", "ACK", 1))
		if s.media.last().now().Remote != netip.MustParseAddrPort("192.0.2.20:5000") {
			t.Errorf("agreed %+v", s.media.last().now())
		}
		leg.Hangup(pbx.Hangup)
		bye := b.expect("BYE")
		wantHeader(t, bye, "Reason", "Q.850;cause=16")
		if header(bye, "CSeq") == header(inv, "CSeq") {
			t.Error("CSeq did not rise")
		}
		b.respond(bye, "200 OK", "", "")
		wantEvents(t, s, "ended answered (system) cause 16")
	})
}

func TestCalleesBYEEndsTheLegWithItsReason(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		c, _ := s.out(b)
		c.send("BYE", "", `Reason: Q.850;cause=27;text="moved"`)
		b.expect("SIP/2.0 200")
		wantEvents(t, s, "ended answered (callee) cause 27")
	})
}

func TestAlertInfoAndAnswerAfterAreSetOnlyByTheInvitation(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b), func(i *pbx.Invitation) { i.AlertInfo, i.AnswerAfter = "<http://pbx.test/ring>;info=x", 0 })
		inv := b.expect("INVITE")
		wantHeader(t, inv, "Alert-Info", "<http://pbx.test/ring>;info=x")
		wantHeader(t, inv, "Call-Info", "<sip:pbx.test>;answer-after=0")
		d.cancel(pbx.GaveUp)
		d.result()
		time.Sleep(time.Minute)
		b.times("INVITE", time.Now())
		e := s.dial(s.bind(b))
		inv = b.expect("INVITE")
		if header(inv, "Alert-Info") != "" || header(inv, "Call-Info") != "" {
			t.Error("forced answer without being told")
		}
		e.cancel(pbx.GaveUp)
		e.result()
	})
}

func TestRefusalsBecomeOutcomes(t *testing.T) {
	for _, tc := range []struct {
		status string
		more   []string
		want   pbx.Outcome
	}{
		{"486 Busy Here", []string{`Reason: Q.850;cause=17`}, pbx.Outcome{Kind: pbx.Busy, Status: 486, Cause: 17}},
		{"603 Decline", nil, pbx.Outcome{Kind: pbx.Declined, Status: 603}},
		{"480 Gone", []string{"Retry-After: 20 (lunch)"}, pbx.Outcome{Kind: pbx.Declined, Status: 480, RetryAfter: 20 * time.Second}},
		{"407 Who", []string{"Proxy-Authenticate: Digest realm=\"x\", nonce=\"y\""}, pbx.Outcome{Kind: pbx.Failed, Status: 500}},
		{"401 Who", []string{"WWW-Authenticate: Digest realm=\"x\", nonce=\"y\""}, pbx.Outcome{Kind: pbx.Failed, Status: 500}},
		{"302 Moved", []string{"Contact: <sip:1003@x>;q=0.2, <sip:1002@x>;q=0.9"}, pbx.Outcome{Kind: pbx.Redirected, Status: 302, Contacts: []pbx.Redirection{
			{Number: "1002", Host: "x", URI: "sip:1002@x", Q: 900}, {Number: "1003", Host: "x", URI: "sip:1003@x", Q: 200}}}},
		{"404 No", []string{"Error-Info: <sip:why@x>"}, pbx.Outcome{Kind: pbx.Failed, Status: 404, ErrorInfo: []string{"<sip:why@x>"}}},
	} {
		t.Run(tc.status, func(t *testing.T) {
			play(t, func(s *scene) {
				b := s.phone("1001", "192.0.2.20")
				d := s.dial(s.bind(b))
				inv := b.expect("INVITE")
				b.respond(inv, tc.status, "b1", "", tc.more...)
				leg, o := d.result()
				if leg != nil || o.Kind != tc.want.Kind || o.Status != tc.want.Status || o.Cause != tc.want.Cause ||
					o.RetryAfter != tc.want.RetryAfter || !slices.Equal(o.Contacts, tc.want.Contacts) || !slices.Equal(o.ErrorInfo, tc.want.ErrorInfo) {
					t.Errorf("outcome %+v, want %+v", o, tc.want)
				}
				b.expect("ACK")
				time.Sleep(time.Minute)
				b.silent() // nothing is tried again with credentials
				wantEvents(t, s)
			})
		})
	}
}

func TestNoResponseIsUnreachableAndMarksTheBinding(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		_, o := d.result()
		if o.Kind != pbx.Unreachable {
			t.Errorf("outcome %v", o)
		}
		synctest.Wait()
		if m := s.reg.marked(); len(m) != 1 || !strings.HasSuffix(m[0], "false") {
			t.Errorf("marks %v", m)
		}
	})
}

func TestUnknownBindingIsUnreachable(t *testing.T) {
	play(t, func(s *scene) {
		_, o := s.dial(pbx.Contact{Extension: "1001", ID: "gone"}).result()
		if o.Kind != pbx.Unreachable {
			t.Errorf("outcome %v", o)
		}
	})
}

func TestCancelledDialReturnsAtOnceAndSendsCANCELWithReason(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE")
		b.respond(inv, "180 Ringing", "b1", "")
		d.pending(t)
		d.cancel(pbx.Elsewhere)
		if _, o := d.result(); o.Kind != pbx.Cancelled || o.Status != 200 {
			t.Errorf("outcome %+v", o)
		}
		cancel := b.expect("CANCEL sip:1001@192.0.2.20:5060")
		wantHeader(t, cancel, "Reason", `SIP;cause=200;text="Call completed elsewhere"`)
		wantHeader(t, cancel, "Via", header(inv, "Via"))
		b.respond(cancel, "200 OK", "b1", "")
		b.respond(inv, "487 Terminated", "b1", "")
		b.expect("ACK")
		wantEvents(t, s)
	})
}

func TestCANCELWaitsForTheFirstProvisional(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE")
		d.cancel(pbx.GaveUp)
		d.result()
		b.silent()
		b.respond(inv, "100 Trying", "", "")
		b.expect("CANCEL")
	})
}

func Test200CrossingTheCANCELGetsACKAndBYE(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE")
		b.respond(inv, "180 Ringing", "b1", "")
		synctest.Wait()
		d.cancel(pbx.GaveUp)
		d.result()
		b.expect("CANCEL")
		b.respond(inv, "200 OK", "b1", sdp(b, 5000, "0"))
		b.expect("ACK")
		b.respond(b.expect("BYE sip:1001@192.0.2.20:5060"), "200 OK", "", "")
		b.respond(inv, "200 OK", "b1", sdp(b, 5000, "0")) // its ACK was lost
		b.until("ACK", "CANCEL")
		wantEvents(t, s)
	})
}

func TestPathBecomesRoutes(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b, "<sip:192.0.2.20;lr>", "<sip:edge.example;lr>"))
		inv := b.expect("INVITE sip:1001@192.0.2.20:5060")
		i, j := strings.Index(inv, "<sip:192.0.2.20;lr>"), strings.Index(inv, "<sip:edge.example;lr>")
		if i < 0 || j < i {
			t.Errorf("routes of\n%s", inv)
		}
		d.cancel(pbx.GaveUp)
		d.result()
	})
}

func TestExtensionsCodecsFilterTheOffer(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1500", "192.0.2.20")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE")
		if !strings.Contains(body(inv), "m=audio 20000 RTP/AVP 8 ") {
			t.Errorf("offered\n%s", body(inv))
		}
		d.cancel(pbx.GaveUp)
		d.result()
		_, o := s.dial(s.bind(b), func(i *pbx.Invitation) { i.Codecs = []media.Codec{media.PCMU} }).result()
		if o.Status != 488 {
			t.Errorf("outcome %v", o)
		}
	})
}

func TestNATedPhoneIsReachedWhereItIsHeard(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE")
		b.respond(inv, "200 OK", "b1", sdp(b, 5000, "0"), "Contact: <sip:1001@10.1.1.1:5070>")
		leg, _ := d.result()
		b.expect("ACK sip:1001@10.1.1.1:5070 SIP/2.0")
		leg.Hangup(pbx.Hangup)
		b.respond(b.expect("BYE sip:1001@10.1.1.1:5070 SIP/2.0"), "200 OK", "", "")
	})
}

func TestINVITEIsRepeatedWithTheSessionIntervalOfA422(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE")
		b.respond(inv, "422 Too Small", "b1", "", "Min-SE: 3600")
		b.expect("ACK")
		again := b.expect("INVITE")
		wantHeader(t, again, "Session-Expires", "3600")
		wantHeader(t, again, "Min-SE", "3600")
		if header(again, "CSeq") == header(inv, "CSeq") || header(again, "Call-ID") != header(inv, "Call-ID") {
			t.Error("not the next request of the same call")
		}
		b.respond(again, "200 OK", "b2", sdp(b, 5000, "0"))
		if _, o := d.result(); !o.OK() {
			t.Errorf("outcome %v", o)
		}
		wantHeader(t, b.expect("ACK"), "CSeq", strings.Replace(header(again, "CSeq"), "INVITE", "ACK", 1))
	})
}

func TestProgressNeverComesAfterDialReturned(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE")
		b.respond(inv, "180 Ringing", "b1", "")
		synctest.Wait()
		d.cancel(pbx.GaveUp)
		d.result()
		b.respond(inv, "183 Progress", "b1", sdp(b, 5000, "0"))
		if got := d.statuses(); !slices.Equal(got, []int{180}) {
			t.Errorf("progress %v", got)
		}
	})
}

func TestTCPPhoneGetsRequestsOverItsConnection(t *testing.T) {
	play(t, func(s *scene) {
		b := s.tcp("1001", "192.0.2.20")
		b.send("OPTIONS sip:pbx.test SIP/2.0\nVia: SIP/2.0/TCP 192.0.2.20:40000;branch=z9hG4bKo\nMax-Forwards: 70\nFrom: <sip:1001@pbx.test>;tag=1\nTo: <sip:pbx.test>\nCall-ID: o\nCSeq: 1 OPTIONS\n")
		b.expect("SIP/2.0 200")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE sip:1001@192.0.2.20:5060;transport=tcp")
		if !strings.HasPrefix(header(inv, "Via"), "SIP/2.0/TCP 192.0.2.1") {
			t.Errorf("Via %q", header(inv, "Via"))
		}
		wantHeader(t, inv, "Contact", "<sip:ringback@192.0.2.1;transport=tcp>")
		b.respond(inv, "200 OK", "b1", sdp(b, 5000, "0"))
		leg, o := d.result()
		if !o.OK() {
			t.Fatal(o)
		}
		b.expect("ACK")
		leg.Hangup(pbx.Hangup)
		b.respond(b.expect("BYE"), "200 OK", "", "")
		_ = b.stream.Close()
	})
}

func TestTCPPhoneThatReconnectedGetsRequestsOverItsNewConnection(t *testing.T) {
	play(t, func(s *scene) {
		b := s.tcp("1001", "192.0.2.20")
		b.send("OPTIONS sip:pbx.test SIP/2.0\nVia: SIP/2.0/TCP 192.0.2.20:40000;branch=z9hG4bKo\nMax-Forwards: 70\nFrom: <sip:1001@pbx.test>;tag=1\nTo: <sip:pbx.test>\nCall-ID: o\nCSeq: 1 OPTIONS\n")
		b.expect("SIP/2.0 200")
		to := s.bind(b)
		d := s.dial(to)
		b.respond(b.expect("INVITE"), "200 OK", "b1", sdp(b, 5000, "0"))
		leg, _ := d.result()
		b.expect("ACK")
		_ = b.stream.Close()
		synctest.Wait()
		c, err := s.net.Dial(context.Background(), netip.MustParseAddrPort("192.0.2.20:40001"), netip.MustParseAddrPort(pbxAddr+":5060"))
		if err != nil {
			t.Fatal(err)
		}
		b.stream = c
		go b.readStream(c)
		b.send("OPTIONS sip:pbx.test SIP/2.0\nVia: SIP/2.0/TCP 192.0.2.20:40001;branch=z9hG4bKp\nMax-Forwards: 70\nFrom: <sip:1001@pbx.test>;tag=1\nTo: <sip:pbx.test>\nCall-ID: p\nCSeq: 1 OPTIONS\n")
		b.expect("SIP/2.0 200")
		s.reg.mu.Lock()
		e := s.reg.bindings[to.ID]
		e.hop.Remote = netip.MustParseAddrPort("192.0.2.20:40001")
		s.reg.bindings[to.ID] = e
		s.reg.mu.Unlock()
		leg.Hangup(pbx.Hangup)
		b.respond(b.expect("BYE"), "200 OK", "", "")
		_ = b.stream.Close()
	})
}

func TestHangupBeforeTheINVITELeftSendsNone(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		bound, hop, _ := s.reg.Binding(s.bind(b).ID)
		g, o := s.line.outgoing(pbx.Invitation{To: pbx.Contact{Extension: "1001", ID: "b1"}, AnswerAfter: -1}, bound, hop)
		if g == nil {
			t.Fatal(o)
		}
		s.line.HangupAll(pbx.Hangup)
		g.enter(g.call)
		b.silent()
	})
}

func TestPhoneIsCalledAtItsContactWhereThatIsItsOwnAddress(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		to := s.bind(b)
		s.reg.mu.Lock()
		e := s.reg.bindings[to.ID]
		e.hop.Remote = netip.MustParseAddrPort("192.0.2.20:33333") // it registered from another port
		s.reg.bindings[to.ID] = e
		s.reg.mu.Unlock()
		d := s.dial(to)
		b.expect("INVITE sip:1001@192.0.2.20:5060")
		d.cancel(pbx.GaveUp)
		d.result()
	})
}
