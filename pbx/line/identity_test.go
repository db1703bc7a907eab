package line

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"ringback/media"
	"ringback/pbx"
)

func TestIdentityIsTheAuthenticatedExtension(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := &call{p: a, id: "spoof", local: `"Boss" <sip:1999@pbx.test>;tag=1`, remote: "<sip:1001@pbx.test>", target: "sip:1001@pbx.test"}
		c.send("INVITE", sdp(a, 4000, "0"), "Authorization: Test 1000", "P-Asserted-Identity: <sip:1999@pbx.test>")
		synctest.Wait()
		if p := s.x.legs[0].Party; p.Number != "1000" || p.Name != "Phone 1000" || p.Hidden {
			t.Errorf("party %+v", p)
		}
	})
}

func TestHiddenCallerIsMarked(t *testing.T) {
	for _, tc := range []struct {
		from, privacy string
		hidden        bool
	}{
		{"<sip:1000@pbx.test>", "", false},
		{"<sip:1000@pbx.test>", "Privacy: id;critical", true},
		{"<sip:1000@pbx.test>", "Privacy: user", true},
		{"<sip:1000@pbx.test>", "Privacy: header; ID", true},
		{"<sip:1000@pbx.test>", "Privacy: full", true},
		{"<sip:1000@pbx.test>", "Privacy: none", false},
		{"<sip:1000@pbx.test>", "Privacy: header;session", false},
		{"<sip:1000@pbx.test>", "Privacy: identity", false},
		{`"Anonymous" <sip:anonymous@anonymous.invalid>`, "", true},
		{`<sip:thisis@Anonymous.Invalid>`, "Privacy: none", true},
		{`"Anonymous" <sip:Anonymous@pbx.test>`, "", true},
		{`"anonymous" <sip:1000@pbx.test>`, "", true}, // RFC 5079 §3
		{`Anonymous <sip:1000@pbx.test>`, "Privacy: none", true},
		{`"Anonymous Coward" <sip:1000@pbx.test>`, "", false},
		{"<sip:1000@pbx.test>", "Privacy:\t critical\t;id\nPrivacy: header", true},
		{"<sip:1000@pbx.test>", "Privacy:", false},
		{"<sip:1000@pbx.test>", "Privacy: ;;,;", false},
		{"<sip:1000@pbx.test>", "Privacy: \"id\"", false},
		{"<sip:1000@pbx.test>", "Privacy: history", false},
		{"<sip:1000@pbx.test>", "Privacy: " + strings.Repeat("x;", 3000) + "id", true},
	} {
		t.Run(tc.from+tc.privacy, func(t *testing.T) {
			play(t, func(s *scene) {
				a := s.phone("1000", "192.0.2.10")
				c := &call{p: a, id: "c", local: tc.from + ";tag=1", remote: "<sip:1001@pbx.test>", target: "sip:1001@pbx.test"}
				c.send("INVITE", sdp(a, 4000, "0"), "Authorization: Test 1000", strings.TrimSpace("X: 1\n"+tc.privacy))
				synctest.Wait()
				if p := s.x.legs[0].Party; p.Hidden != tc.hidden || p.Number != "1000" {
					t.Errorf("party %+v", p)
				}
				s.x.legs[0].Refuse(pbx.NotFound)
				a.expect("SIP/2.0 404")
			})
		})
	}
}

// discloses reports the traces that the caller 1000, Alice, at 192.0.2.10 has left in SIP text.
func discloses(m string) (traces []string) {
	for _, s := range []string{"sip:1000", "1000@", "Alice", "Phone 1000", "192.0.2.10", "call1"} {
		if strings.Contains(m, s) {
			traces = append(traces, s)
		}
	}
	for _, h := range []string{"P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "Reply-To", "Organization", "Subject", "Referred-By"} {
		if header(m, h) != "" {
			traces = append(traces, h)
		}
	}
	return traces
}

// In no message of a whole call, forwarded by somebody else, is there anything of a caller who hides.
func TestHiddenCallerLeaksNowhere(t *testing.T) {
	play(t, func(s *scene) {
		a, b := s.phone("1000", "192.0.2.10"), s.phone("1001", "192.0.2.20")
		to := s.bind(b)
		var d *dialling
		s.x.incoming = func(leg *pbx.Leg) {
			d = s.dial(to, func(i *pbx.Invitation) { i.From, i.Via = leg.Party, []pbx.Diversion{busy} })
		}
		c := a.invite("1002", sdp(a, 4000, "0"), "Privacy: id", "P-Preferred-Identity: <sip:1000@pbx.test>", "Subject: Alice", "Organization: Alice",
			"Remote-Party-ID: \"Alice\" <sip:1000@pbx.test>", "Reply-To: <sip:1000@pbx.test>", "History-Info: <sip:1000@pbx.test>;index=1")
		inv := b.expect("INVITE")
		if f := header(inv, "From"); !strings.HasPrefix(f, anonymous+";tag=") {
			t.Errorf("From %q", f)
		}
		if len(headerLines(inv, "History-Info")) != 3 || len(headerLines(inv, "Diversion")) != 1 {
			t.Errorf("the forwarding does not show in\n%s", inv)
		}
		b.respond(inv, "200 OK", "b1", sdp(b, 4000, "0"))
		leg, _ := d.result()
		all := inv + b.expect("ACK")
		if err := s.x.legs[0].Answer([]media.Codec{media.PCMU}); err != nil {
			t.Fatal(err)
		}
		c.take(a.expect("SIP/2.0 200"))
		c.send("ACK", "")
		leg.Info("text/plain", []byte("x"))
		info := b.expect("INFO")
		b.respond(info, "200 OK", "", "")
		leg.Renegotiate([]media.Codec{media.PCMA})
		again := b.expect("INVITE")
		b.respond(again, "488 No", "", "")
		ack := b.expect("ACK")
		leg.Hangup(pbx.Hangup)
		bye := b.expect("BYE")
		b.respond(bye, "200 OK", "", "")
		if traces := discloses(all + info + again + ack + bye); traces != nil {
			t.Errorf("%q show in\n%s", traces, all+info+again+ack+bye)
		}
	})
}

func TestHiddenSenderOfAMessageLeaksNowhere(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		to := s.bind(b)
		done := make(chan pbx.Outcome, 1)
		go func() {
			done <- s.line.Message(context.Background(), to, pbx.Message{From: pbx.Identity{Number: "1000", Name: "Alice", Hidden: true}, To: "1001",
				ContentType: "text/plain", Body: []byte("hello")})
		}()
		m := b.expect("MESSAGE")
		if traces := discloses(m); traces != nil || !strings.HasPrefix(header(m, "From"), anonymous+";tag=") {
			t.Errorf("%q show in\n%s", traces, m)
		}
		b.respond(m, "200 OK", "b1", "")
		if o := <-done; !o.OK() {
			t.Error(o)
		}
	})
}

func TestNamesAndNumbersAreEscaped(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b), func(i *pbx.Invitation) {
			i.From = pbx.Identity{Number: "*4#x y", Name: "A \"b\" \\ c\r\nX-Evil: 1"}
		})
		inv := b.expect("INVITE")
		if f := header(inv, "From"); !strings.HasPrefix(f, `"A \"b\" \\ cX-Evil: 1" <sip:*4%23x%20y@pbx.test>;tag=`) {
			t.Errorf("From %q", f)
		}
		if header(inv, "X-Evil") != "" {
			t.Error("a header was smuggled in")
		}
		d.cancel(pbx.GaveUp)
		d.result()
	})
}

func TestNothingOfTheCallersINVITEIsPassedOn(t *testing.T) {
	play(t, func(s *scene) {
		a, b := s.phone("1000", "192.0.2.10"), s.phone("1001", "192.0.2.20")
		to := s.bind(b)
		var d *dialling
		s.x.incoming = func(leg *pbx.Leg) { d = s.dial(to, func(i *pbx.Invitation) { i.From = leg.Party }) }
		c := a.invite("1001", sdp(a, 4000, "0"), "Alert-Info: <http://x>;info=alert-autoanswer", "Call-Info: <sip:x>;answer-after=0", "X-Foo: 1",
			"P-Asserted-Identity: <sip:1999@pbx.test>", "Diversion: <sip:1999@pbx.test>", "History-Info: <sip:1999@pbx.test>;index=1",
			"Remote-Party-ID: <sip:1999@pbx.test>", "Subject: secret", "Answer-Mode: Auto")
		synctest.Wait()
		inv := b.expect("INVITE")
		for _, h := range []string{"Alert-Info", "Call-Info", "X-Foo", "P-Asserted-Identity", "Diversion", "History-Info", "Remote-Party-ID", "Subject", "Answer-Mode"} {
			if header(inv, h) != "" {
				t.Errorf("%s was passed on", h)
			}
		}
		if header(inv, "Call-ID") == c.id || strings.Contains(inv, "192.0.2.10") {
			t.Errorf("the caller's side shows in\n%s", inv)
		}
		d.cancel(pbx.GaveUp)
		d.result()
	})
}
