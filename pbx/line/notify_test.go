package line

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
	"ringback/pbx/pbxtest/memnet"
)

// NOTIFY that is not answered ends the subscription once Timer F is over, and nothing is sent to that phone any more.
func TestPhoneThatDoesNotAnswerNOTIFY(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		began := time.Now()
		c := a.subscribe("message-summary", "1000", 600)
		c.granted(600)
		for i := range 5 { // they wait for the answer
			s.messages(b, "1000", i)
		}
		time.Sleep(31 * time.Second)
		if n := s.line.Stats().Subscriptions; n != 1 {
			t.Errorf("%d subscriptions before Timer F", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := s.line.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions after Timer F", n)
		}
		if at := a.times("NOTIFY", began); len(at) != 11 { // RFC 3261 §17.1.2: at 0, 0.5, 1.5, 3.5, 7.5 … 31.5
			t.Errorf("sent at %v", at)
		}
		s.messages(b, "1000", 9)
		a.silent()
	})
}

// Where the PBX has too much to do its phones lose no subscription: the NOTIFY goes when there is room again.
func TestNotifyWaitsForRoomInTheTransactionTable(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a, other := s.tcp("1000", "192.0.2.10"), s.tcp("1001", "192.0.2.20")
		c := a.watching(600)
		ring := other.invite("1002", sdp(other, 4000, "0")) // a transaction that lasts
		invite := ring.request
		synctest.Wait()
		time.Sleep(10 * time.Second)
		s.messages(b, "1000", 1)
		a.silent()
		ring.cancel()
		other.drain()
		other.send(strings.NewReplacer("INVITE sip:", "ACK sip:", " INVITE\n", " ACK\n").Replace(invite))
		time.Sleep(10*time.Second + 50*time.Millisecond)
		if n := c.notified("active;expires=580"); !strings.Contains(n, "Voice-Message: 1/0") {
			t.Errorf("got\n%s", n)
		}
		a.silent()
	}, func(o *Options) {
		o.MaxTx = 1
		o.Shed = func(*sip.Request, wire.Hop) bool { return false }
	})
}

// RFC 6665 §4.2.2.
func TestNotifyIsRefused(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.watching(600)
		time.Sleep(10 * time.Second)
		s.messages(b, "1000", 1)
		c.notified("active;expires=590", "481 Subscription Does Not Exist")
		s.messages(b, "1000", 2)
		time.Sleep(time.Minute)
		a.silent()
		c.subscribe("message-summary", 600)
		a.expect("SIP/2.0 481")

		c = a.watching(600)
		time.Sleep(10 * time.Second)
		s.messages(b, "1000", 3)
		a.respond(c.notify("active;expires=590"), "503 Later", "", "", "Retry-After: 20")
		s.messages(b, "1000", 4)
		time.Sleep(19 * time.Second)
		a.silent()
		time.Sleep(1100 * time.Millisecond)
		if n := c.notified("active;expires=570"); !strings.Contains(n, "Voice-Message: 4/0") {
			t.Errorf("got\n%s", n)
		}
	})
}

// However often a mailbox changes, there is one NOTIFY a second, and the last one is right.
func TestChangesAreToldTogether(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		a.watching(600)
		began, notifies, last := time.Now(), 0, ""
		for i := range 60 {
			if i < 40 {
				s.messages(b, "1000", i)
				s.messages(b, "1000", i)
			}
			time.Sleep(100 * time.Millisecond)
			for _, m := range a.drain() {
				notifies, last = notifies+1, m
				a.respond(m, "200 OK", "", "")
			}
		}
		if !strings.Contains(last, "Voice-Message: 39/0") {
			t.Errorf("the last one is\n%s", last)
		}
		if notifies < 3 || notifies > int(time.Since(began)/time.Second) {
			t.Errorf("%d NOTIFYs in %v", notifies, time.Since(began))
		}
	})
}

// A refresh that crosses a NOTIFY is answered at once; its own NOTIFY comes when the other was answered.
func TestRefreshCrossesNOTIFY(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.watching(600)
		time.Sleep(10 * time.Second)
		s.messages(b, "1000", 1)
		first := c.notify("active;expires=590")
		s.messages(b, "1000", 2)
		c.subscribe("message-summary", 1000)
		c.granted(1000)
		a.silent()
		a.respond(first, "200 OK", "", "")
		n := c.notified("active;expires=1000")
		if !strings.Contains(n, "Voice-Message: 2/0") {
			t.Errorf("got\n%s", n)
		}
		time.Sleep(5 * time.Second)
		a.silent()
	})
}

// Over a network that loses, doubles and reorders, the phone gets to know the last state, as long as its subscription lives.
func TestLampsOverABadNetwork(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.watching(3600)
		s.net.SetDefault(memnet.Link{Loss: 0.3, Duplicate: 0.2, Reorder: 0.3, Delay: 20 * time.Millisecond})
		newest, last := 0, ""
		answer := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); {
				time.Sleep(50 * time.Millisecond)
				synctest.Wait()
				for _, m := range a.drain() {
					if !strings.HasPrefix(m, "NOTIFY") {
						t.Fatalf("got\n%s", m)
					}
					var seq int
					fmt.Sscanf(header(m, "CSeq"), "%d", &seq)
					if seq > newest {
						newest, last = seq, body(m)
					}
					a.respond(m, "200 OK", "", "")
				}
			}
		}
		for i := 1; i <= 20; i++ {
			s.messages(b, "1000", i)
			answer(700 * time.Millisecond)
		}
		answer(40 * time.Second)
		if !strings.Contains(last, "Voice-Message: 20/0") {
			t.Errorf("the phone shows %q", last)
		}
		s.net.SetDefault(memnet.Link{})
		c.subscribe("message-summary", 0)
		c.granted(0)
		c.notified("terminated;reason=timeout")
	})
}
