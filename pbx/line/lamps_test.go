package line

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
)

// A phone that has not subscribed is told all the same: with each change, and as soon as it has registered.
func TestLampOfAPhoneThatHasNotSubscribed(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		to := s.bind(a, "<sip:192.0.2.10:5060;lr;p=1>")
		s.line.BindingAdded(to.ID)
		n := a.expect("NOTIFY sip:1000@192.0.2.10:5060 ")
		wantHeader(t, n, "Event", "message-summary")
		wantHeader(t, n, "Subscription-State", "terminated")
		wantHeader(t, n, "To", "<sip:1000@pbx.test>")
		wantHeader(t, n, "Route", "<sip:192.0.2.10:5060;lr;p=1>")
		wantHeader(t, n, "Content-Type", "application/simple-message-summary")
		if from := header(n, "From"); !strings.HasPrefix(from, "<sip:1000@pbx.test>;tag=") {
			t.Errorf("From: %s", from)
		}
		if want := "Messages-Waiting: yes\r\nMessage-Account: sip:1000@pbx.test\r\nVoice-Message: 2/8 (0/2)\r\n"; body(n) != want {
			t.Errorf("body %q", body(n))
		}
		a.respond(n, "200 OK", "x", "")
		time.Sleep(2 * time.Second)
		s.messages(b, "1000", 0)
		if n = a.expect("NOTIFY"); !strings.HasPrefix(body(n), "Messages-Waiting: no\r\n") {
			t.Errorf("body %q", body(n))
		}
		a.respond(n, "200 OK", "x", "")
		synctest.Wait()
		a.silent()
	})
}

// Those who have subscribed get no other NOTIFY, however they are known: by the address they are heard from, or by their Contact.
func TestLampOfAPhoneThatHasSubscribedStaysWithItsSubscription(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			watched(t, func(s *scene, b *board) {
				a := s.phoneOver(transport, "1000", "192.0.2.10")
				to := s.bind(a)
				other := s.phone("1000", "192.0.2.20")
				s.bind(other)
				a.watching(600)
				s.line.BindingAdded(to.ID)
				a.silent()
				time.Sleep(2 * time.Second)
				s.messages(b, "1000", 3)
				n := a.expect("NOTIFY")
				wantHeader(t, n, "Subscription-State", "active;expires=598")
				a.respond(n, "200 OK", "", "")
				n = other.expect("NOTIFY")
				wantHeader(t, n, "Subscription-State", "terminated")
				other.respond(n, "200 OK", "x", "")
				a.silent()
			})
		})
	}
}

// Behind a proxy all phones are heard from one address: that one of them has subscribed says nothing of the others.
func TestLampsBehindAProxy(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10") // the proxy, and whoever is behind it
		first, second := s.bind(a, "<sip:192.0.2.10:5060;lr>"), s.bind(a, "<sip:192.0.2.10:5060;lr>")
		s.reg.mu.Lock()
		e := s.reg.bindings[second.ID]
		e.b.Contact = "sip:1000@10.0.0.2"
		s.reg.bindings[second.ID] = e
		s.reg.mu.Unlock()
		a.watching(600)
		s.line.BindingAdded(first.ID)
		a.silent()
		s.line.BindingAdded(second.ID)
		a.respond(a.expect("NOTIFY sip:1000@10.0.0.2 "), "200 OK", "x", "")
		a.silent()
	})
}

// One NOTIFY at a time to each phone, one a second at most, and the last one is right.
func TestLampsAreToldTogether(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		s.bind(a)
		s.messages(b, "1000", 1)
		n := a.expect("NOTIFY")
		for i := range 10 {
			s.messages(b, "1000", i)
			synctest.Wait()
		}
		a.silent() // the first one is not answered
		a.respond(n, "200 OK", "x", "")
		time.Sleep(900 * time.Millisecond)
		a.silent()
		time.Sleep(200 * time.Millisecond)
		if n = a.expect("NOTIFY"); !strings.Contains(body(n), "Voice-Message: 9/0") {
			t.Errorf("body %q", body(n))
		}
		a.respond(n, "200 OK", "x", "")
		time.Sleep(5 * time.Second)
		a.silent()
	})
}

// A phone that does not want such a NOTIFY gets none until it registers anew; one that was busy gets the next.
func TestPhoneThatTakesNoUnsolicitedNOTIFY(t *testing.T) {
	for status, deaf := range map[string]bool{"405 No": true, "481 No": true, "489 No": true, "501 No": true, "403 No": true, "603 No": true,
		"480 Away": false, "486 Busy": false, "500 Broken": false, "503 Later": false, "408 Timeout": false, "200 OK": false, "302 There": false} {
		t.Run(status, func(t *testing.T) {
			watched(t, func(s *scene, b *board) {
				a := s.phone("1000", "192.0.2.10")
				to := s.bind(a)
				s.messages(b, "1000", 1)
				a.respond(a.expect("NOTIFY"), status, "x", "")
				time.Sleep(5 * time.Second)
				s.messages(b, "1000", 2)
				if deaf {
					time.Sleep(5 * time.Second)
					a.silent()
					s.line.BindingAdded(to.ID)
				}
				if n := a.expect("NOTIFY"); !strings.Contains(body(n), "Voice-Message: 2/0") {
					t.Errorf("body %q", body(n))
				} else {
					a.respond(n, "200 OK", "x", "")
				}
			})
		})
	}
}

// A phone that is not there costs one transaction at a time, and hears of the next change.
func TestLampOfAPhoneThatDoesNotAnswer(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		s.bind(a)
		for i := range 30 {
			s.messages(b, "1000", i)
			time.Sleep(time.Second)
		}
		ids := map[string]bool{}
		for _, m := range a.drain() {
			ids[header(m, "Call-ID")] = true
		}
		if len(ids) != 1 {
			t.Errorf("%d NOTIFYs under way", len(ids))
		}
		time.Sleep(3 * time.Second) // Timer F: now the newest state
		n := a.until("NOTIFY", "X")
		for _, m := range append(a.drain(), n) {
			if !ids[header(m, "Call-ID")] && !strings.Contains(body(m), "Voice-Message: 29/0") {
				t.Errorf("body %q", body(m))
			}
			a.respond(m, "200 OK", "x", "")
		}
		time.Sleep(5 * time.Second)
		a.drain()
	})
}

// A mailbox goes, and its messages with it: the lamp goes out, also that of a phone that has not subscribed.
func TestLampOfAMailboxThatIsRemoved(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		s.bind(a)
		s.messages(b, "1000", 1)
		a.respond(a.expect("NOTIFY"), "200 OK", "x", "")
		time.Sleep(5 * time.Second)
		b.set(func() { delete(b.boxes, "1000") })
		s.line.MailboxChanged("1000")
		n := a.expect("NOTIFY")
		if want := "Messages-Waiting: no\r\nMessage-Account: sip:1000@pbx.test\r\n"; body(n) != want {
			t.Errorf("body %q", body(n))
		}
		a.respond(n, "200 OK", "x", "")
		time.Sleep(5 * time.Second)
		a.silent()
	})
}

// A phone without a mailbox, no phone, no binding: nothing happens.
func TestNoLamp(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1002", "192.0.2.10")
		to := s.bind(a)
		s.line.BindingAdded(to.ID)
		s.line.BindingAdded("nobody")
		s.line.MailboxChanged("1001")
		s.reg.mu.Lock()
		s.reg.bindings["odd"] = entry{pbx.Binding{Extension: "1000", Contact: "", Transport: "udp"}, s.reg.bindings[to.ID].hop}
		s.reg.bindings["routed"] = entry{pbx.Binding{Extension: "1000", Contact: "sip:a@192.0.2.10", Path: []string{"<"}, Transport: "udp"}, s.reg.bindings[to.ID].hop}
		s.reg.mu.Unlock()
		s.line.MailboxChanged("1000")
		time.Sleep(5 * time.Second)
		a.silent()
	})
}

// What is kept of phones that want no NOTIFY does not grow with those that are gone.
func TestLampsOfPhonesThatAreGoneAreForgotten(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		to := s.bind(a)
		ls := &s.line.events.lamps
		for i := range 5000 {
			ls.get(fmt.Sprint("gone", i)).deaf = true
		}
		ls.get(to.ID).deaf = true
		for i := range 1100 {
			ls.get(fmt.Sprint("more", i)).deaf = true
		}
		ls.mu.Lock()
		n, kept := len(ls.all), ls.all[to.ID] != nil
		ls.mu.Unlock()
		if n > 1100+1024 || !kept {
			t.Errorf("%d lamps, that of a phone that is there: %v", n, kept)
		}
	})
}
