package line

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
)

// drain takes all that has come to the phone.
func (p *phone) drain() (all []string) {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.inbox {
		all = append(all, m.text)
	}
	p.inbox = nil
	return all
}

// orders are all ways in which three of the names can follow each other, and each twice.
func orders(names []string) (all [][]string) {
	for _, a := range names {
		all = append(all, []string{a, a})
		for _, b := range names {
			for _, c := range names {
				if a != b && b != c && a != c {
					all = append(all, []string{a, b, c})
				}
			}
		}
	}
	return all
}

// Whichever ends of a ringing call come at once, in whatever order: the INVITE gets one final response; 200 is followed by one
// BYE, and nothing else is.
func TestEndsOfAnIncomingCallInAnyOrder(t *testing.T) {
	ends := map[string]func(c *call, leg *pbx.Leg, got []string){
		"cancel": func(c *call, _ *pbx.Leg, _ []string) { c.cancelFirst() },
		"bye":    func(c *call, _ *pbx.Leg, _ []string) { c.send("BYE", "") },
		"answer": func(_ *call, leg *pbx.Leg, _ []string) { leg.Answer(nil) },
		"refuse": func(_ *call, leg *pbx.Leg, _ []string) { leg.Refuse(pbx.NotFound) },
		"drain":  func(c *call, _ *pbx.Leg, _ []string) { c.p.s.line.HangupAll(pbx.GoingDown) },
		"expiry": func(*call, *pbx.Leg, []string) { time.Sleep(21 * time.Second) },
		"prack": func(c *call, _ *pbx.Leg, got []string) {
			for _, m := range got {
				if strings.HasPrefix(m, "SIP/2.0 183") && header(m, "RSeq") != "" {
					c.send("PRACK", "", prackOf(m))
				}
			}
		},
	}
	names := []string{"answer", "bye", "cancel", "drain", "expiry", "prack", "refuse"}
	for _, rel := range []string{"Supported: x", "Supported: 100rel"} {
		for _, order := range orders(names) {
			play(t, func(s *scene) {
				a := s.phone("1000", "192.0.2.10")
				c := a.invite("1001", sdp(a, 4000, "0"), rel, "Expires: 20")
				synctest.Wait()
				leg := s.x.legs[0]
				leg.Progress(pbx.Progress{Status: 183, Codecs: []media.Codec{media.PCMU}})
				got := a.drain()
				c.take(got[0])
				for _, name := range order {
					ends[name](c, leg, got)
				}
				got = append(got, a.drain()...)
				finals := func() (all []string) {
					for _, m := range got {
						if status, _, _ := strings.Cut(m, "\r\n"); header(m, "CSeq") == "1 INVITE" && m[8] >= '2' && !slices.Contains(all, status) {
							all = append(all, status)
						}
					}
					return all
				}
				if len(finals()) == 0 {
					time.Sleep(40 * time.Second) // a PRACK that never comes
					got = append(got, a.drain()...)
				}
				if len(finals()) == 0 {
					leg.Refuse(pbx.NotFound) // only a PRACK has come
					got = append(got, a.drain()...)
				}
				c.sendSeq("ACK", 1, "")
				s.line.HangupAll(pbx.Hangup)
				got = append(got, a.drain()...)
				f, byes := finals(), 0
				if len(f) != 1 {
					s.t.Fatalf("%s, %q: final responses %q", rel, order, f)
				}
				for _, m := range got {
					if strings.HasPrefix(m, "BYE") && byes == 0 {
						byes++
						a.respond(m, "200 OK", "", "")
					}
				}
				answered := strings.HasPrefix(f[0], "SIP/2.0 200")
				theirs := slices.ContainsFunc(got, func(m string) bool { // a BYE of theirs that was taken
					return strings.HasPrefix(m, "SIP/2.0 200") && strings.HasSuffix(header(m, "CSeq"), " BYE")
				})
				if !answered && byes > 0 || answered && byes == 0 && !theirs {
					s.t.Fatalf("%s, %q: %s, and %d BYE", rel, order, f[0], byes)
				}
			})
			if t.Failed() {
				t.Fatalf("%s, %q", rel, order)
			}
		}
	}
}

// The same of a call that we make: Dial returns, and each branch that has answered gets an ACK and, by and by, one BYE.
func TestEndsOfAnOutgoingCallInAnyOrder(t *testing.T) {
	respond := func(status, tag string) func(*scene, *phone, *dialling, string) {
		return func(_ *scene, b *phone, _ *dialling, inv string) {
			body := ""
			if status[0] == '2' {
				body = sdp(b, 5000, "0")
			}
			b.respond(inv, status, tag, body)
		}
	}
	ends := map[string]func(s *scene, b *phone, d *dialling, inv string){
		"180":       respond("180 Ringing", "b1"),
		"200 of b1": respond("200 OK", "b1"),
		"200 of b2": respond("200 OK", "b2"),
		"408":       respond("408 Request Timeout", "b1"),
		"487":       respond("487 Request Terminated", "b1"),
		"give up":   func(_ *scene, _ *phone, d *dialling, _ string) { d.cancel(pbx.GaveUp) },
		"drain":     func(s *scene, _ *phone, _ *dialling, _ string) { s.line.HangupAll(pbx.GoingDown) },
		"a moment":  func(*scene, *phone, *dialling, string) { synctest.Wait() },
	}
	names := []string{"180", "200 of b1", "200 of b2", "408", "487", "a moment", "drain", "give up"}
	for _, ringing := range []bool{false, true} {
		for _, order := range orders(names) {
			play(t, func(s *scene) {
				b := s.phone("1001", "192.0.2.20")
				d := s.dial(s.bind(b))
				inv := b.expect("INVITE")
				if ringing {
					b.respond(inv, "180 Ringing", "b1", "")
					synctest.Wait()
				}
				want := map[string]bool{} // tags that have answered
				over := false
				for _, name := range order {
					ends[name](s, b, d, inv)
					if _, tag, ok := strings.Cut(name, "200 of "); ok && !over {
						want[tag] = true
					}
					over = over || name[0] == '4' && len(want) == 0
				}
				got := b.drain()
				d.cancel(pbx.GaveUp)
				got = append(got, b.drain()...)
				if leg, _ := d.result(); leg == nil && s.line.Stats().Legs > 0 {
					s.t.Fatalf("%q, ringing %v: nobody has the leg that is up", order, ringing)
				}
				for range 3 { // a CANCEL that waited, BYEs
					for _, m := range got {
						if strings.HasPrefix(m, "BYE") {
							b.respond(m, "200 OK", "", "")
						}
						if strings.HasPrefix(m, "CANCEL") && !over && len(want) == 0 {
							over = true
							b.respond(inv, "487 Request Terminated", "b1", "")
						}
					}
					s.line.HangupAll(pbx.Hangup)
					got = append(got, b.drain()...)
				}
				acks, byes := map[string]bool{}, map[string]string{}
				for _, m := range got {
					tag := tagIn(header(m, "To"))
					switch method, _, _ := strings.Cut(m, " "); {
					case method == "ACK" && !over:
						acks[tag] = true
					case method == "BYE" && byes[tag] != "" && byes[tag] != header(m, "CSeq"):
						s.t.Fatalf("%q, ringing %v: two BYEs for %s", order, ringing, tag)
					case method == "BYE":
						byes[tag] = header(m, "CSeq")
					}
				}
				for tag := range want {
					if !acks[tag] || byes[tag] == "" {
						s.t.Fatalf("%q, ringing %v: %s answered, acknowledged %v, BYE %q", order, ringing, tag, acks[tag], byes[tag])
					}
				}
				if len(byes) > len(want) {
					s.t.Fatalf("%q, ringing %v: BYE for %v, answered %v", order, ringing, byes, want)
				}
			})
			if t.Failed() {
				t.Fatalf("%q, ringing %v", order, ringing)
			}
		}
	}
}
