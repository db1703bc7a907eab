package line

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
)

var spoken = []media.Codec{media.PCMU, media.PCMA, media.Telephone}

func TestErrorInfoIsAnAnnouncementToDial(t *testing.T) {
	for _, tc := range []struct {
		transport, domain, prompt, want string
	}{
		{"udp", "pbx.test", "rejected", "<sip:announcement.rejected@pbx.test>"},
		{"tcp", "pbx.test", "rejected", "<sip:announcement.rejected@pbx.test>"},
		{"udp", "", "closed", "<sip:announcement.closed@192.0.2.1>"},
		{"tcp", "", "closed", "<sip:announcement.closed@192.0.2.1;transport=tcp>"},
		{"udp", "pbx.test", "digits:10\r\n>", "<sip:announcement.digits%3A10%3E@pbx.test>"},
	} {
		t.Run(tc.want, func(t *testing.T) {
			play(t, func(s *scene) {
				a := s.phoneOver(tc.transport, "1000", "192.0.2.10")
				c := a.invite("1001", sdp(a, 4000, "0"))
				synctest.Wait()
				s.x.legs[0].Refuse(pbx.Outcome{Kind: pbx.Screened, Status: 403, Announced: tc.prompt})
				m := c.take(a.expect("SIP/2.0 403 Forbidden"))
				wantHeader(t, m, "Error-Info", tc.want)
				if got := headerLines(m, "Error-Info"); len(got) != 1 {
					t.Errorf("Error-Info %q", got)
				}
				if tc.prompt == "closed" {
					return
				}
				c = &call{p: a, id: "why", local: "<sip:1000@pbx.test>;tag=7", remote: tc.want, target: uri(tc.want)}
				c.send("INVITE", sdp(a, 4000, "0"), "Authorization: Test 1000")
				synctest.Wait()
				log := s.x.log()
				if want := "incoming announcement." + strings.ReplaceAll(tc.prompt, "\r\n", "") + " from 1000 hops 70"; log[len(log)-1] != want {
					t.Errorf("%q, want %q", log[len(log)-1], want)
				}
				s.x.legs[1].Refuse(pbx.NotFound)
				a.expect("SIP/2.0 404")
			}, func(o *Options) { o.Domain = tc.domain })
		})
	}
}

func TestAnonymityDisallowed(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"), "Privacy: id")
		synctest.Wait()
		s.x.legs[0].Refuse(pbx.Outcome{Kind: pbx.Screened, Status: 433, Announced: "anonymous-rejected"})
		m := c.take(a.expect("SIP/2.0 433 Anonymity Disallowed"))
		wantHeader(t, m, "Error-Info", "<sip:announcement.anonymous-rejected@pbx.test>")
	})
}

func TestAutomatonIsSaidInContact(t *testing.T) {
	play(t, func(s *scene) {
		const plain, machine = "<sip:ringback@192.0.2.1>", `<sip:ringback@192.0.2.1>;automata;automaton;+sip.rendering="no"`
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("announcement.rejected", sdp(a, 4000, "0"))
		synctest.Wait()
		leg := s.x.legs[0]
		leg.Progress(pbx.Progress{Status: 181})
		wantHeader(t, a.expect("SIP/2.0 181"), "Contact", plain)
		leg.Automaton()
		leg.Automaton()
		leg.Progress(pbx.Progress{Status: 180})
		wantHeader(t, a.expect("SIP/2.0 180"), "Contact", machine)
		leg.Answer(nil)
		ok := c.take(a.expect("SIP/2.0 200"))
		wantHeader(t, ok, "Contact", machine)
		c.send("ACK", "")
		c.send("INVITE", newer(sdp(a, 4000, "0")))
		wantHeader(t, a.expect("SIP/2.0 200"), "Contact", machine) // as long as the dialog
		c.send("ACK", "")
		leg.Hangup(pbx.Hangup)
		a.respond(a.expect("BYE"), "200 OK", "", "")
		synctest.Wait()
		leg.Automaton() // it has ended
	})
}

// A conference that asks for a PIN is known to be one only after it: what is answered from then on says so.
func TestFocusIsSaidInContact(t *testing.T) {
	play(t, func(s *scene) {
		const plain, focus = "<sip:ringback@192.0.2.1>", "<sip:ringback@192.0.2.1>;isfocus"
		a := s.phone("1000", "192.0.2.10")
		at := a.invite("800", sdp(a, 4000, "0"))
		after := a.invite("801", sdp(a, 4000, "0"))
		synctest.Wait()
		s.x.legs[0].Focus()
		s.x.legs[0].Answer(nil)
		wantHeader(t, at.take(a.expect("SIP/2.0 200")), "Contact", focus)
		at.send("ACK", "")
		s.x.legs[1].Answer(nil)
		wantHeader(t, after.take(a.expect("SIP/2.0 200")), "Contact", plain)
		after.send("ACK", "")
		s.x.legs[1].Focus()
		s.x.legs[1].Focus()
		for _, c := range []*call{at, after} {
			for _, method := range []string{"INVITE", "UPDATE"} {
				c.send(method, newer(sdp(a, 4000, "0")))
				wantHeader(t, a.expect("SIP/2.0 200"), "Contact", focus)
				if method == "INVITE" {
					c.send("ACK", "")
				}
			}
		}
		for _, leg := range s.x.legs {
			leg.Hangup(pbx.Hangup)
			a.respond(a.expect("BYE"), "200 OK", "", "")
		}
		synctest.Wait()
		s.x.legs[0].Focus() // it has ended
	})
}

// 181 passes on, and 180 after it is news once more, however the caller wants them.
func TestForwardingIsToldAndRingingAfterIt(t *testing.T) {
	for _, rel := range []string{"", "Supported: 100rel", "Require: 100rel"} {
		t.Run(rel, func(t *testing.T) {
			play(t, func(s *scene) {
				a := s.phone("1000", "192.0.2.10")
				more := []string{"X: 1"}
				if rel != "" {
					more = []string{rel}
				}
				c := a.invite("1001", sdp(a, 4000, "0"), more...)
				synctest.Wait()
				leg := s.x.legs[0]
				for _, status := range []int{180, 181, 181, 180, 181} {
					leg.Progress(pbx.Progress{Status: status})
				}
				for _, want := range []string{"180 Ringing", "181 Call Is Being Forwarded", "180 Ringing", "181 Call Is Being Forwarded"} {
					m := c.take(a.expect("SIP/2.0 " + want))
					if reliable := header(m, "RSeq") != ""; reliable != strings.HasPrefix(rel, "Require") {
						t.Errorf("reliable: %v\n%s", reliable, m)
					} else if reliable {
						c.send("PRACK", "", "RAck: "+header(m, "RSeq")+" 1 INVITE")
						wantHeader(t, a.expect("SIP/2.0 200"), "CSeq", strconv.Itoa(c.seq)+" PRACK")
					}
				}
				a.silent()
				leg.Refuse(pbx.NotFound)
				a.expect("SIP/2.0 404")
			})
		})
	}
}

// An announcement before the answer is early media of the PBX itself, where the caller can have any; a refusal follows.
func TestAnnouncementAsEarlyMediaAndThenARefusal(t *testing.T) {
	for _, tc := range []struct {
		name, rel string
		offer     bool
		described bool // the 183 has SDP
		prack     bool // … and is acknowledged before the refusal
		repeated  bool
	}{
		{"offer", "X: 1", true, true, false, false},
		{"offer, 100rel", "Supported: 100rel", true, true, true, false},
		{"offer, 100rel that never acknowledges", "Supported: 100rel", true, true, false, true},
		{"offer, 100rel required", "Require: 100rel", true, true, true, false},
		{"no offer", "X: 1", false, false, false, false},
		{"no offer, 100rel", "Supported: 100rel", false, true, true, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			play(t, func(s *scene) {
				a := s.phone("1000", "192.0.2.10")
				body := ""
				if tc.offer {
					body = sdp(a, 4000, "8 0")
				}
				c := a.invite("1001", body, tc.rel)
				synctest.Wait()
				leg := s.x.legs[0]
				leg.Progress(pbx.Progress{Status: 183, Codecs: spoken})
				m := c.take(a.expect("SIP/2.0 183"))
				if got := strings.Contains(m, "m=audio 20000 RTP/AVP"); got != tc.described {
					t.Errorf("SDP: %v\n%s", got, m)
				}
				if reliable := header(m, "RSeq") != ""; reliable != (tc.prack || tc.repeated) {
					t.Errorf("reliable: %v\n%s", reliable, m)
				}
				if tc.prack {
					answer := ""
					if !tc.offer {
						answer = sdp(a, 4000, "0")
					}
					c.send("PRACK", answer, "RAck: "+header(m, "RSeq")+" 1 INVITE")
					a.expect("SIP/2.0 200")
				}
				agreed := len(leg.Port().Formats()) > 0
				if want := tc.offer || tc.prack; agreed != want {
					t.Errorf("can be heard: %v, want %v", agreed, want)
				}
				if tc.repeated {
					time.Sleep(700 * time.Millisecond)
					a.expect("SIP/2.0 183")
				}
				leg.Refuse(pbx.Outcome{Kind: pbx.Screened, Status: 403, Announced: "rejected"})
				c.take(a.expect("SIP/2.0 403"))
				time.Sleep(time.Minute)
				a.times("SIP/2.0 403", time.Now()) // only that, until its ACK
				wantEvents(t, s, incoming1, "ended screened 403 (system) cause 0")
			})
		})
	}
}
