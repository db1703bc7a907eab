package line

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"unicode"
	"unicode/utf8"

	"ringback/pbx"
)

// clean holds a message that we have sent against what may be in one: lines of known headers, and nothing that a terminal or a
// parser would take for more than text.
func clean(t *testing.T, m string) {
	t.Helper()
	known := map[string]bool{}
	for _, h := range strings.Split("Via From To Call-ID CSeq Server Contact Reason Error-Info Retry-After Content-Length Content-Type Max-Forwards "+
		"User-Agent Accept Allow Supported History-Info Diversion Session-Expires Min-SE Allow-Events Event Subscription-State Expires Min-Expires", " ") {
		known[h] = true
	}
	head, _, _ := strings.Cut(m, "\r\n\r\n")
	if !utf8.ValidString(head) {
		t.Errorf("not UTF-8: %q", head)
	}
	for _, l := range strings.Split(head, "\r\n")[1:] {
		if name, _, _ := strings.Cut(l, ":"); !known[name] {
			t.Errorf("a header that is not ours: %q", l)
		}
		if strings.ContainsFunc(l, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }) {
			t.Errorf("a control character: %q", l)
		}
		if len(l) > maxText+100 {
			t.Errorf("%d bytes: %.100q", len(l), l)
		}
	}
}

// What a phone may put into a refusal, and what a caller gets of it.
func TestHostileRefusals(t *testing.T) {
	many := func(n int, format string) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(format, i))
		}
		return strings.Join(all, ", ")
	}
	for name, headers := range map[string][]string{
		"150 contacts":            {"Contact: " + many(75, "<sip:%d@x>;q=0.5"), "Contact: " + many(75, "<sip:%d@y>")},
		"2,000 contacts":          {"Contact: " + many(500, "<sip:%d@x>"), "Contact: " + many(500, "<sip:%d@y>"), "Contact: " + many(500, "<sip:%d@z>"), "Contact: " + many(500, "<sip:%d@a>")},
		"10,000 contacts":         {"Contact: " + many(4000, "<sip:%d@x>")},
		"the same contact often":  {"Contact: " + many(100, "<sip:1002@x;x=y>;q=0.%d")},
		"a long contact":          {"Contact: <sip:" + strings.Repeat("1", 900) + "@x>"},
		"a contact of 30 kB":      {"Contact: <sip:1002@" + strings.Repeat("x", 30000) + ">"},
		"a long parameter":        {"Contact: <sip:1002@x;a=" + strings.Repeat("x", 700) + ">"},
		"many parameters":         {"Contact: <sip:1002@x>" + strings.Repeat(";a=b", 1000)},
		"a long display name":     {`Contact: "` + strings.Repeat("x", 3000) + `" <sip:1002@x>`},
		"q":                       {"Contact: <sip:1@x>;q=NaN, <sip:2@x>;q=Inf, <sip:3@x>;q=-1, <sip:4@x>;q=1e9, <sip:5@x>;q=0x1, <sip:6@x>;q, <sip:7@x>;q=0.9999"},
		"embedded headers":        {"Contact: <sip:1002@x?X-Evil=1%0D%0AX-Evil%3A%201&Replaces=a&Route=%3Csip:e%3E&body=v%3D0>"},
		"NUL, CR and LF escaped":  {"Contact: <sip:10%0002%0d%0aX-Evil%3A%201@x>, <sip:%1b%5b2J@x>, <sip:%7f@x>"},
		"markup escaped":          {"Contact: <sip:%3Cscript%3Ealert(1)%3C/script%3E@x>, <sip:%22%3E@x>"},
		"escapes that are none":   {"Contact: <sip:1%@x>, <sip:1%zz@x>, <sip:%@x>, <sip:1002@x>"},
		"Unicode":                 {"Contact: <sip:\u202e2001@x>, <sip:%E2%80%AE2001@x>, <sip:%ff%fe@x>, <sip:é@x>"},
		"other schemes":           {"Contact: <javascript:alert(1)>, <data:text/html;base64,xx>, <http://x/?a=b>, <tel:" + strings.Repeat("1", 700) + ">"},
		"not a contact":           {"Contact: <<<>>>, ;;;, <sip:>, \"", "Contact:", "Contact: ,,,"},
		"Reason":                  {`Reason: Q.850;cause=999999999999999999;text="` + strings.Repeat("x", 600) + `"`, `Reason: SIP;cause=-1;text="\"`, "Reason: \x01\x7f", "Reason: Q.850;cause=17"},
		"Error-Info":              {"Error-Info: <sip:" + strings.Repeat("x", 600) + "@x>", "Error-Info: \x01<sip:a@x>\x00", "Error-Info: 1", "Error-Info: 2", "Error-Info: 3"},
		"Retry-After":             {"Retry-After: 99999999999999999999", "Retry-After: -1"},
		"History-Info, Diversion": {"History-Info: <sip:1@x>;index=\x01", "Diversion: <sip:evil@x>;reason=\x01", "Privacy: \x01"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, status := range []string{"302 Moved", "486 Busy\tHere\x01", "600 " + strings.Repeat("x", 700)} {
				play(t, func(s *scene) {
					a, b := s.phone("1000", "192.0.2.10"), s.phone("1001", "192.0.2.20")
					a.invite("1001", sdp(a, 4000, "0"))
					synctest.Wait()
					d := s.dial(s.bind(b))
					b.respond(b.expect("INVITE"), status, "b1", "", headers...)
					synctest.Wait()
					select {
					case <-d.done:
					default: // the response was no message: as if there had been none
						d.cancel(pbx.GaveUp)
					}
					_, o := d.result()
					if len(o.Contacts) > maxContacts || len(o.Reason) > maxReasons || len(o.ErrorInfo) > maxReasons {
						t.Errorf("%d contacts, %d reasons, %d ErrorInfo", len(o.Contacts), len(o.Reason), len(o.ErrorInfo))
					}
					if name == "2,000 contacts" && status == "302 Moved" && len(o.Contacts) != maxContacts {
						t.Errorf("%d contacts are followed", len(o.Contacts))
					}
					seen := map[string]bool{}
					for _, r := range o.Contacts {
						if r.Q < 0 || r.Q > 1000 || seen[r.URI] || strings.ContainsFunc(r.Number+r.Host+r.URI, unicode.IsControl) {
							t.Errorf("%+v", r)
						}
						seen[r.URI] = true
					}
					o.ToCaller = true
					s.x.legs[0].Refuse(o)
					clean(t, a.next())
				})
			}
		})
	}
}

// What a caller says of where his call has been is taken by nobody, in whatever form.
func TestHostileHistory(t *testing.T) {
	play(t, func(s *scene) {
		a, b := s.phone("1000", "192.0.2.10"), s.phone("1001", "192.0.2.20")
		to := s.bind(b)
		var d *dialling
		s.x.incoming = func(leg *pbx.Leg) {
			d = s.dial(to, func(i *pbx.Invitation) { i.From, i.Via = leg.Party, []pbx.Diversion{busy} })
		}
		more := []string{"History-Info: <sip:evil@x>;index=1;index=1, <sip:evil", "history-info: ;;;", "Diversion: <sip:evil@x>;reason=\"\\\"",
			"DIVERSION:", "Privacy: history", "Reason: SIP;cause=302"}
		for range 60 {
			more = append(more, "History-Info: <sip:evil@x?Reason=SIP%3Bcause%3D302%0D%0AX:1>;index=1.1.1.1.1.1.1.1;mp=0")
		}
		a.invite("1002", sdp(a, 4000, "0"), more...)
		inv := b.expect("INVITE")
		if strings.Contains(inv, "evil") || len(headerLines(inv, "History-Info")) != 3 || len(headerLines(inv, "Diversion")) != 1 {
			t.Errorf("got\n%s", inv)
		}
		clean(t, inv)
		d.cancel(pbx.GaveUp)
		d.result()
	})
}

// INFO that is too long or has no length that fits is refused, and the call goes on.
func TestHostileINFO(t *testing.T) {
	play(t, func(s *scene) {
		a := s.tcp("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		for _, tc := range []struct{ kind, body, want string }{
			{"application/dtmf-relay", strings.Repeat("Signal=5\n", 6500), "413"},
			{"application/dtmf", strings.Repeat("5", maxInfo+1), "413"},
			{"application/dtmf;x=" + strings.Repeat("x", maxText), "5", "413"},
			{"application/dtmf\x01", "5", "400"},
			{"application/dtmf;a=\"\\", "5", "200"},
			{"", "5", "400"},
			{";;;", "5", "415"},
			{"application/dtmf-relay", "Signal=\x00\x01\x1b[2J\nDuration=" + strings.Repeat("9", 100), "200"},
		} {
			c.send("INFO", tc.body, "Content-Type: "+tc.kind)
			clean(t, a.expect("SIP/2.0 "+tc.want))
		}
		wantEvents(t, s, incoming1, `info application/dtmf;a="\ "5" key 5`,
			`info application/dtmf-relay "Signal=\x00\x01\x1b[2J\r\nDuration=`+strings.Repeat("9", 100)+`"`)
		c.send("BYE", "")
		a.expect("SIP/2.0 200")
	})
}
