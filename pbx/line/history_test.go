package line

import (
	"slices"
	"strings"
	"testing"

	"ringback/pbx"
	"ringback/pbx/line/wire"
)

// headerLines are all values of a header in SIP text.
func headerLines(m, name string) (all []string) {
	head, _, _ := strings.Cut(m, "\r\n\r\n")
	for _, l := range strings.Split(head, "\r\n")[1:] {
		if k, v, ok := strings.Cut(l, ": "); ok && strings.EqualFold(k, name) {
			all = append(all, v)
		}
	}
	return all
}

var always = pbx.Diversion{From: "1003", To: "1002", Reason: "unconditional", Status: 302}
var busy = pbx.Diversion{From: "1002", To: "1001", Reason: "user-busy", Status: 486}

func TestForwardedCallSaysHowItCame(t *testing.T) {
	hidden := func(d pbx.Diversion) pbx.Diversion { d.Hidden = true; return d }
	for _, tc := range []struct {
		name               string
		via                []pbx.Diversion
		set                func(*pbx.Invitation)
		history, diversion []string
	}{
		{"not forwarded", nil, nil, nil, nil},
		{"once", []pbx.Diversion{{From: "1002", To: "1001", Reason: "no-answer", Status: 408}}, nil, []string{
			"<sip:1002@pbx.test?Reason=SIP%3Bcause%3D408>;index=1",
			"<sip:1001@pbx.test;cause=408>;index=1.1;mp=1",
			"<sip:1001@192.0.2.20:5060>;index=1.1.1;rc=1.1",
		}, []string{"<sip:1002@pbx.test>;reason=no-answer;counter=1;privacy=off"}},
		{"twice", []pbx.Diversion{always, busy}, nil, []string{
			"<sip:1003@pbx.test?Reason=SIP%3Bcause%3D302>;index=1",
			"<sip:1002@pbx.test;cause=302?Reason=SIP%3Bcause%3D486>;index=1.1;mp=1",
			"<sip:1001@pbx.test;cause=486>;index=1.1.1;mp=1.1",
			"<sip:1001@192.0.2.20:5060>;index=1.1.1.1;rc=1.1.1",
		}, []string{"<sip:1002@pbx.test>;reason=user-busy;counter=1;privacy=off", "<sip:1003@pbx.test>;reason=unconditional;counter=1;privacy=off"}},
		{"by somebody who hides", []pbx.Diversion{always, hidden(busy)}, nil, []string{
			"<sip:1003@pbx.test?Reason=SIP%3Bcause%3D302>;index=1",
			"<sip:anonymous@anonymous.invalid;cause=302?Reason=SIP%3Bcause%3D486>;index=1.1;mp=1",
			"<sip:1001@pbx.test;cause=486>;index=1.1.1;mp=1.1",
			"<sip:1001@192.0.2.20:5060>;index=1.1.1.1;rc=1.1.1",
		}, []string{"<sip:anonymous@anonymous.invalid>;reason=user-busy;counter=1;privacy=full",
			"<sip:1003@pbx.test>;reason=unconditional;counter=1;privacy=off"}},
		{"to a group", []pbx.Diversion{{From: "1003", To: "600", Reason: "time-of-day", Status: 404}}, nil, []string{
			"<sip:1003@pbx.test?Reason=SIP%3Bcause%3D404>;index=1",
			"<sip:600@pbx.test;cause=404>;index=1.1;mp=1",
			"<sip:1001@pbx.test>;index=1.1.1;mp=1.1",
			"<sip:1001@192.0.2.20:5060>;index=1.1.1.1;rc=1.1.1",
		}, []string{"<sip:1003@pbx.test>;reason=time-of-day;counter=1;privacy=off"}},
		{"by another number of the diverter", []pbx.Diversion{{From: "1003", To: "2002", Reason: "unconditional", Status: 302}, busy}, nil, []string{
			"<sip:1003@pbx.test?Reason=SIP%3Bcause%3D302>;index=1",
			"<sip:2002@pbx.test;cause=302>;index=1.1;mp=1",
			"<sip:1002@pbx.test?Reason=SIP%3Bcause%3D486>;index=1.1.1;mp=1.1",
			"<sip:1001@pbx.test;cause=486>;index=1.1.1.1;mp=1.1.1",
			"<sip:1001@192.0.2.20:5060>;index=1.1.1.1.1;rc=1.1.1.1",
		}, []string{"<sip:1002@pbx.test>;reason=user-busy;counter=1;privacy=off", "<sip:1003@pbx.test>;reason=unconditional;counter=1;privacy=off"}},
		{"by a phone, whose response it is, of a phone that was not there", []pbx.Diversion{{From: "1003", To: "1002", Reason: "unavailable", Status: 503},
			{From: "1002", To: "1001", Reason: "deflection", Status: 302}}, nil, []string{
			"<sip:1003@pbx.test?Reason=SIP%3Bcause%3D503>;index=1",
			"<sip:1002@pbx.test;cause=503?Reason=SIP%3Bcause%3D302>;index=1.1;mp=1",
			"<sip:1001@pbx.test;cause=480>;index=1.1.1", // no mp: RFC 7044 §10.4
			"<sip:1001@192.0.2.20:5060>;index=1.1.1.1;rc=1.1.1",
		}, []string{"<sip:1002@pbx.test>;reason=deflection;counter=1;privacy=off", "<sip:1003@pbx.test>;reason=unavailable;counter=1;privacy=off"}},
		{"without a status, and with a number that needs escapes", []pbx.Diversion{{From: "*4#\r\nX: 1", To: "1001", Reason: "x;y"}}, nil, []string{
			"<sip:*4%23%0D%0AX%3A%201@pbx.test>;index=1",
			"<sip:1001@pbx.test;cause=404>;index=1.1;mp=1",
			"<sip:1001@192.0.2.20:5060>;index=1.1.1;rc=1.1",
		}, []string{"<sip:*4%23%0D%0AX%3A%201@pbx.test>;reason=unknown;counter=1;privacy=off"}},
		{"by the hidden caller himself", []pbx.Diversion{{From: "1002", To: "1000", Reason: "follow-me", Status: 404},
			{From: "1000", To: "1001", Reason: "unconditional", Status: 302}}, func(i *pbx.Invitation) { i.From.Hidden = true }, []string{
			"<sip:1002@pbx.test?Reason=SIP%3Bcause%3D404>;index=1",
			"<sip:anonymous@anonymous.invalid;cause=404?Reason=SIP%3Bcause%3D302>;index=1.1;mp=1",
			"<sip:1001@pbx.test;cause=302>;index=1.1.1;mp=1.1",
			"<sip:1001@192.0.2.20:5060>;index=1.1.1.1;rc=1.1.1",
		}, []string{"<sip:anonymous@anonymous.invalid>;reason=unconditional;counter=1;privacy=full",
			"<sip:1002@pbx.test>;reason=follow-me;counter=1;privacy=off"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			play(t, func(s *scene) {
				b := s.phone("1001", "192.0.2.20")
				d := s.dial(s.bind(b), func(i *pbx.Invitation) {
					i.Via = tc.via
					if tc.set != nil {
						tc.set(i)
					}
				})
				inv := b.expect("INVITE")
				if got := headerLines(inv, "History-Info"); !slices.Equal(got, tc.history) {
					t.Errorf("History-Info\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.history, "\n"))
				}
				if got := headerLines(inv, "Diversion"); !slices.Equal(got, tc.diversion) {
					t.Errorf("Diversion\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.diversion, "\n"))
				}
				wantHeader(t, inv, "To", "<sip:1001@pbx.test>")
				d.cancel(pbx.GaveUp)
				d.result()
			})
		})
	}
}

// The INVITE that a 422 has sent again says the same.
func TestRepeatedINVITEKeepsItsHistory(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b), func(i *pbx.Invitation) { i.Via = []pbx.Diversion{busy} })
		first := b.expect("INVITE")
		b.respond(first, "422 Session Interval Too Small", "b1", "", "Min-SE: 3600")
		b.expect("ACK")
		again := b.expect("INVITE")
		if got := headerLines(again, "History-Info"); len(got) != 3 || !slices.Equal(got, headerLines(first, "History-Info")) {
			t.Errorf("History-Info %q", got)
		}
		d.cancel(pbx.GaveUp)
		d.result()
	})
}

// To is the number that the plan calls, also for a phone that is reached by several.
func TestToIsTheNumberThatIsCalled(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		to := s.bind(b)
		to.Number = "+4930 1001"
		d := s.dial(to, func(i *pbx.Invitation) {
			i.Via = []pbx.Diversion{{From: "1002", To: to.Number, Reason: "unconditional", Status: 302}}
		})
		inv := b.expect("INVITE sip:1001@192.0.2.20:5060")
		wantHeader(t, inv, "To", "<sip:+4930%201001@pbx.test>")
		if got := headerLines(inv, "History-Info"); len(got) != 3 || got[1] != "<sip:+4930%201001@pbx.test;cause=302>;index=1.1;mp=1" {
			t.Errorf("History-Info %q", got)
		}
		d.cancel(pbx.GaveUp)
		d.result()
	})
}

// FuzzHistory: whatever numbers and reasons there are, the INVITE stays one message with no header but its own.
func FuzzHistory(f *testing.F) {
	f.Add("1000", "1001", "user-busy", 486, true)
	f.Add("*4#;x=y?z", "<sip:x>\r\nX-Evil: 1", "\r\n", -1, false)
	f.Fuzz(func(t *testing.T, from, to, reason string, status int, hidden bool) {
		inv := &pbx.Invitation{From: pbx.Identity{Number: "1000"}, To: pbx.Contact{Extension: "1001", Number: to},
			Via: []pbx.Diversion{{From: from, To: to, Reason: reason, Status: status, Hidden: hidden}}}
		m := "INVITE sip:x@192.0.2.20 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n" +
			"Call-ID: 1\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n"
		n := 7
		for _, v := range history(inv, "pbx.test", "sip:x@192.0.2.20") {
			m += "History-Info: " + v + "\r\n"
			n++
		}
		for _, v := range diversions(inv, "pbx.test") {
			m += "Diversion: " + v + "\r\n"
			n++
		}
		if strings.Count(m, "\r") != n+1 || strings.Count(m, "\n") != n+1 {
			t.Fatalf("a line too many in\n%s", m)
		}
		if hidden && from != to && from != "" && len(from) > 8 && strings.Contains(m, "sip:"+from+"@") {
			t.Fatalf("%q shows in\n%s", from, m)
		}
		if d := diversions(inv, "pbx.test")[0]; !strings.Contains(m, ";cause=") || strings.Contains(m, "cause=-") || !strings.HasSuffix(d, "privacy=off") && !hidden {
			t.Fatalf("%s", m)
		}
		if _, bad := wire.Parse([]byte(m+"\r\n"), wire.Hop{Transport: "udp"}); bad != nil {
			t.Fatalf("%s in\n%s", bad.What, m)
		}
	})
}

func BenchmarkHistory(b *testing.B) {
	inv := &pbx.Invitation{From: pbx.Identity{Number: "1000"}, To: pbx.Contact{Number: "1001"}, Via: []pbx.Diversion{always, busy}}
	b.ReportAllocs()
	for b.Loop() {
		if len(history(inv, "pbx.test", "sip:1001@192.0.2.20:5060"))+len(diversions(inv, "pbx.test")) != 6 {
			b.Fatal("not all")
		}
	}
}
