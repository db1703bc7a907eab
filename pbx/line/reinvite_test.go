package line

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
)

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
		c := a.invite("1001", sdp(a, 4000, "18"))
		synctest.Wait()
		if err := s.x.legs[0].Answer([]media.Codec{{Name: "G729", ClockRate: 8000}}); err != nil {
			t.Fatal(err)
		}
		c.take(a.expect("SIP/2.0 200"))
		c.send("ACK", "")
		c.send("INVITE", newer(sdp(a, 4000, "9")))
		a.expect("SIP/2.0 200")
		c.send("ACK", "")
		wantEvents(t, s, incoming1, "mismatch")
	})
}

// From one codec that the PBX transcodes to another nobody else has to do anything.
func TestReINVITEFromG711ToG722IsNoMismatch(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		c.send("INVITE", newer(sdp(a, 4000, "9")))
		a.expect("SIP/2.0 200")
		c.send("ACK", "")
		wantEvents(t, s, incoming1)
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
