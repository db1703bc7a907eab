package line

import (
	"strings"
	"testing"
	"time"
)

// The life of a subscription (RFC 6665 §4.1.2): 200 and a NOTIFY at once; a NOTIFY of each change; refreshed in its dialog; ended by
// Expires 0 with a NOTIFY that says so; and then there is none.
func TestSubscriptionLives(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			watched(t, func(s *scene, b *board) {
				a := s.phoneOver(transport, "1000", "192.0.2.10")
				c := a.subscribe("message-summary", "1000", 600, "Accept: application/simple-message-summary")
				res := c.granted(600)
				if !strings.Contains(header(res, "Contact"), "<sip:ringback@192.0.2.1") || header(res, "Allow-Events") != "message-summary, conference" {
					t.Errorf("got\n%s", res)
				}
				n := c.notified("active;expires=600")
				wantHeader(t, n, "Event", "message-summary")
				wantHeader(t, n, "Content-Type", "application/simple-message-summary")
				if want := "Messages-Waiting: yes\r\nMessage-Account: sip:1000@pbx.test\r\nVoice-Message: 2/8 (0/2)\r\n"; body(n) != want {
					t.Errorf("body %q, want %q", body(n), want)
				}
				if want := "NOTIFY sip:1000@192.0.2.10:5060"; !strings.HasPrefix(n, want) {
					t.Errorf("got\n%s\nwant %s", n, want)
				}
				clean(t, n)
				a.silent()

				time.Sleep(10 * time.Second)
				s.messages(b, "1000", 0)
				if n = c.notified("active;expires=590"); !strings.HasPrefix(body(n), "Messages-Waiting: no\r\n") {
					t.Errorf("the lamp stays on: %q", body(n))
				}
				wantHeader(t, n, "CSeq", "2 NOTIFY")
				s.messages(b, "1001", 1) // of another
				a.silent()

				c.subscribe("message-summary", 1200)
				c.granted(1200)
				c.notified("active;expires=1200")

				c.subscribe("message-summary", 0)
				c.granted(0)
				n = c.notified("terminated;reason=timeout")
				if !strings.HasPrefix(body(n), "Messages-Waiting: no\r\n") {
					t.Errorf("the last NOTIFY says %q", body(n))
				}
				s.messages(b, "1000", 1)
				a.silent()
				c.subscribe("message-summary", 600)
				a.expect("SIP/2.0 481")
			})
		})
	}
}

// RFC 6665 §4.4.3.
func TestStateIsFetched(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.subscribe("message-summary", "1000", 0)
		c.granted(0)
		n := c.notified("terminated;reason=timeout")
		if !strings.Contains(body(n), "Voice-Message: 2/8 (0/2)\r\n") {
			t.Errorf("body %q", body(n))
		}
		if n := s.line.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions", n)
		}
	})
}

// Without Expires it is the package's default; more than the most becomes that.
func TestSubscriptionIsGrantedAnHour(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		for _, asked := range []int{-1, 3601, 4294967295} {
			c := a.subscribe("message-summary", "1000", asked)
			c.granted(3600)
			c.notified("active;expires=3600")
		}
	})
}

func TestSubscriptionThatIsNotRefreshedEnds(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.watching(60)
		time.Sleep(59900 * time.Millisecond)
		a.silent()
		time.Sleep(200 * time.Millisecond)
		c.notified("terminated;reason=timeout")
		c.subscribe("message-summary", 60)
		a.expect("SIP/2.0 481")
		if n := s.line.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions", n)
		}
	})
}
