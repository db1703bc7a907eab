package line

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/wire"
	"ringback/pbx/pbxtest/memnet"
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

func TestSUBSCRIBEIsRefused(t *testing.T) {
	for _, tc := range []struct {
		name, event, to string
		expires         int
		more            []string
		status          string
		header          [2]string
	}{
		{"no event", "", "1000", 600, nil, "489", [2]string{"Allow-Events", "message-summary, conference"}},
		{"unknown event", "presence.winfo", "1000", 600, nil, "489", [2]string{"Allow-Events", "message-summary, conference"}},
		{"event in other letters", "Message-Summary", "1000", 600, nil, "489", [2]string{}},
		{"malformed event", "message-summary;id=1;id=2", "1000", 600, nil, "489", [2]string{}},
		{"too brief", "message-summary", "1000", 59, nil, "423", [2]string{"Min-Expires", "60"}},
		{"no duration", "message-summary", "1000", -1, []string{"Expires: soon"}, "400", [2]string{}},
		{"cannot read it", "message-summary", "1000", 600, []string{"Accept: application/pidf+xml, text/*"}, "406", [2]string{"Accept", "application/simple-message-summary"}},
		{"mailbox of another", "message-summary", "1001", 600, nil, "403", [2]string{}},
		{"mailbox of nobody", "message-summary", "4711", 600, nil, "403", [2]string{}},
		{"mailbox without a number", "message-summary", "%20", 600, nil, "403", [2]string{}},
		{"no such room", "conference", "801", 600, nil, "404", [2]string{}},
		{"extension it does not know", "message-summary", "1000", 600, []string{"Require: eventlist"}, "420", [2]string{"Unsupported", "eventlist"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			watched(t, func(s *scene, b *board) {
				a := s.phone("1000", "192.0.2.10")
				a.subscribe(tc.event, tc.to, tc.expires, tc.more...)
				res := a.expect("SIP/2.0 " + tc.status)
				if tc.header[0] != "" {
					wantHeader(t, res, tc.header[0], tc.header[1])
				}
				a.silent()
				if n := s.line.Stats().Subscriptions; n != 0 {
					t.Errorf("%d subscriptions", n)
				}
			})
		})
	}
}

func TestSUBSCRIBEOfAnExtensionWithoutMailboxIs404(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1002", "192.0.2.10")
		a.subscribe("message-summary", "1002", 600)
		a.expect("SIP/2.0 404")
	})
}

func TestSUBSCRIBENeedsCredentialsAndContact(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		head := "SUBSCRIBE sip:1000@pbx.test SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK%s\nMax-Forwards: %d\nFrom: <sip:1000@pbx.test>;tag=x\n" +
			"To: <sip:1000@pbx.test>\nCall-ID: c%s\nCSeq: 1 SUBSCRIBE\nEvent: message-summary\n%s"
		a.send(fmt.Sprintf(head, "1", 70, "1", "Contact: <sip:1000@192.0.2.10>"))
		a.expect("SIP/2.0 401")
		a.send(fmt.Sprintf(head, "2", 70, "2", "Authorization: Test 1000"))
		a.expect("SIP/2.0 400")
		a.send(fmt.Sprintf(head, "3", 70, "3", "Authorization: Test 1000\nContact: *"))
		a.expect("SIP/2.0 400")
		a.send(fmt.Sprintf(head, "4", 0, "4", "Authorization: Test 1000\nContact: <sip:1000@192.0.2.10>"))
		a.expect("SIP/2.0 483")
		a.silent()
	})
}

// What the phone can read: nothing said, the type, or a range it is in.
func TestAcceptOfSUBSCRIBE(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		for _, accept := range []string{"X: y", "Accept: text/plain, application/simple-message-summary;q=0.5", "Accept: */*", "Accept: Application/*",
			"Accept: application/sdp\nAccept: application/Simple-Message-Summary"} {
			c := a.subscribe("message-summary", "1000", 0, accept)
			c.granted(0)
			c.notified("terminated;reason=timeout")
		}
	})
}

// A number that leads to the extension means its mailbox.
func TestMailboxOfAFurtherNumber(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.subscribe("message-summary", "200", 600)
		c.granted(600)
		if n := c.notified("active;expires=600"); !strings.Contains(n, "Message-Account: sip:1000@pbx.test\r\n") {
			t.Errorf("got\n%s", n)
		}
		time.Sleep(time.Minute)
		s.messages(b, "1000", 3)
		c.notified("active;expires=540")
	}, func(o *Options) { o.Directory = numbers{}; o.Authenticator = guardOf{numbers{}} })
}

// A phone that names nobody means its own mailbox.
func TestMailboxOfThePBX(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := &call{p: a, id: "own", local: "<sip:1000@pbx.test>;tag=own", remote: "<sip:1000@pbx.test>", target: "sip:pbx.test"}
		c.subscribe("message-summary", 0, "Authorization: Test 1000")
		c.granted(0)
		if n := c.notified("terminated;reason=timeout"); !strings.Contains(n, "Message-Account: sip:1000@pbx.test\r\n") {
			t.Errorf("got\n%s", n)
		}
		d := &call{p: a, id: "none", local: "<sip:1000@pbx.test>;tag=none", remote: "<sip:pbx.test>", target: "sip:pbx.test"}
		d.subscribe("conference", 600, "Authorization: Test 1000")
		a.expect("SIP/2.0 404")
	})
}

// Phones can be told to subscribe to what they dial to hear their messages; and messages may be kept in the mailbox of another.
func TestMailboxByOtherNames(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		for _, to := range []string{"*97", "%2A97", "500", "mailbox.500"} {
			c := a.subscribe("message-summary", to, 0)
			c.granted(0)
			if n := c.notified("terminated;reason=timeout"); !strings.Contains(n, "Message-Account: sip:1000@pbx.test\r\n") {
				t.Errorf("%s: got\n%s", to, n)
			}
		}
		for _, to := range []string{"*98", "*971001", "mailbox.1000", "mailbox.", "1001"} {
			a.subscribe("message-summary", to, 0)
			a.expect("SIP/2.0 403")
		}
		a.silent()
	}, func(o *Options) {
		o.Directory, o.Authenticator = numbers{}, guardOf{numbers{}}
		o.MyMailbox = func(n string) bool { return n == "*97" }
	})
}

// numbers is a directory in which 1000 has 200 as well, and its messages are kept in mailbox 500.
type numbers struct{ directory }

func (numbers) Extension(n string) *pbx.Extension {
	e := directory{}.Extension(n)
	if n == "1000" {
		e.Numbers = []string{"200"}
		e.Services.Voicemail.Box = "500"
	}
	return e
}

// The Event of a NOTIFY has the id of the SUBSCRIBE, and another id or event in the dialog is none of this subscription's (RFC 6665
// §8.2.1).
func TestEventID(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.subscribe("message-summary;id=4", "1000", 600)
		c.granted(600)
		wantHeader(t, c.notified("active;expires=600"), "Event", "message-summary;id=4")
		for _, event := range []string{"message-summary", "message-summary;id=5", "conference;id=4", "presence", ""} {
			c.subscribe(event, 600)
			a.expect("SIP/2.0 489")
		}
		a.silent()
		c.subscribe("message-summary ; ID=4;x=y", 600)
		c.granted(600)
		wantHeader(t, c.notified("active;expires=600"), "Event", "message-summary;id=4")
	})
}

// Requests in the dialog that are no SUBSCRIBE change nothing.
func TestOtherRequestsInTheDialogOfASubscription(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.watching(600)
		for _, tc := range [][2]string{{"OPTIONS", "200"}, {"BYE", "481"}, {"INVITE", "481"}, {"NOTIFY", "481"}, {"MESSAGE", "481"}, {"INFO", "481"},
			{"REFER", "405"}, {"PUBLISH", "489"}, {"JUMP", "501"}} {
			c.send(tc[0], "", "Event: message-summary")
			a.expect("SIP/2.0 " + tc[1])
			if tc[0] == "INVITE" {
				a.send(strings.NewReplacer("INVITE sip:", "ACK sip:", " INVITE\n", " ACK\n").Replace(c.request))
			}
		}
		c.sendSeq("SUBSCRIBE", 1, "", "Event: message-summary", "Expires: 600") // older than what came
		a.expect("SIP/2.0 500")
		c.subscribe("message-summary", 20)
		wantHeader(t, a.expect("SIP/2.0 423"), "Min-Expires", "60")
		c.subscribe("message-summary", 600, "Accept: text/plain")
		a.expect("SIP/2.0 406")
		c.subscribe("message-summary", 600, "Require: eventlist")
		a.expect("SIP/2.0 420")
		time.Sleep(time.Minute)
		s.messages(b, "1000", 5)
		c.notified("active;expires=540")

		stranger := *c
		stranger.local = "<sip:1000@pbx.test>;tag=other"
		stranger.subscribe("message-summary", 0)
		a.expect("SIP/2.0 481")
		unknown := *c
		unknown.remote = "<sip:1000@pbx.test>;tag=nobody"
		unknown.subscribe("message-summary", 0)
		a.expect("SIP/2.0 481")
	})
}

// A SUBSCRIBE in a call's dialog is refused so that the call stays (RFC 6665 §4.5.2, RFC 5057 §5.1).
func TestSUBSCRIBEInACallIsRefused(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c, _ := s.up(a, "1001")
		c.subscribe("message-summary", 600)
		a.expect("SIP/2.0 403")
		c.subscribe("presence", 600)
		a.expect("SIP/2.0 489")
		c.send("BYE", "")
		a.expect("SIP/2.0 200")
	})
}

// The same SUBSCRIBE again has the same response, and nothing follows.
func TestRepeatedSUBSCRIBE(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.subscribe("message-summary", "1000", 600)
		res := c.granted(600)
		n := c.notify("active;expires=600")
		a.send(c.request)
		if again := a.expect("SIP/2.0 200"); again != res {
			t.Errorf("got\n%s\nwant\n%s", again, res)
		}
		a.silent()
		a.respond(n, "200 OK", "", "")
		synctest.Wait()
		if n := s.line.Stats().Subscriptions; n != 1 {
			t.Errorf("%d subscriptions", n)
		}
	})
}

// Record-Route becomes the route set; it goes back in the 200.
func TestNotifyFollowsTheRouteSet(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.subscribe("message-summary", "1000", 600, "Record-Route: <sip:192.0.2.10:5060;lr;a=1>", "Record-Route: <sip:198.51.100.7;lr>")
		res := c.granted(600)
		if got := headerLines(res, "Record-Route"); len(got) != 2 || got[0] != "<sip:192.0.2.10:5060;lr;a=1>" {
			t.Errorf("Record-Route: %q", got)
		}
		n := c.notified("active;expires=600")
		if got := headerLines(n, "Route"); len(got) != 2 || got[0] != "<sip:192.0.2.10:5060;lr;a=1>" || got[1] != "<sip:198.51.100.7;lr>" {
			t.Errorf("Route: %q", got)
		}
	})
}

// A refresh has the phone found where it is now: its Contact, and where it is heard from.
func TestRefreshMovesTheTarget(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.watching(600)
		c.contact = "<sip:1000@192.0.2.10:5060;line=2>"
		c.subscribe("message-summary", 600)
		c.granted(600)
		if n := c.notified("active;expires=600"); !strings.HasPrefix(n, "NOTIFY sip:1000@192.0.2.10:5060;line=2 ") {
			t.Errorf("got\n%s", n)
		}
		// Behind a NAT: the Contact is an address that cannot be reached, and the port changes.
		c.contact = "<sip:1000@10.0.0.7:5062>"
		c.p = s.phoneAt("1000", "192.0.2.10:7777")
		c.subscribe("message-summary", 600)
		c.granted(600)
		if n := c.notified("active;expires=600"); !strings.HasPrefix(n, "NOTIFY sip:1000@10.0.0.7:5062 ") {
			t.Errorf("got\n%s", n)
		}
		a.silent()
	})
}

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

// Over a stream NOTIFY goes by the phone's connection, and by its new one when it has registered again.
func TestNotifyOverANewConnection(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.tcp("1000", "192.0.2.10")
		to := s.bind(a)
		s.reg.mu.Lock()
		e := s.reg.bindings[to.ID]
		e.hop.Conn = 1 // it has registered by the connection that it subscribes by, the first one
		s.reg.bindings[to.ID] = e
		s.reg.mu.Unlock()
		c := a.subscribe("message-summary", "1000", 600)
		c.granted(600)
		c.notified("active;expires=600")
		_ = a.stream.Close()
		time.Sleep(10 * time.Second)
		stream, err := s.net.Dial(context.Background(), netip.MustParseAddrPort("192.0.2.10:40001"), netip.MustParseAddrPort(pbxAddr+":5060"))
		if err != nil {
			t.Fatal(err)
		}
		a.stream = stream
		go a.readStream(stream)
		a.send("OPTIONS sip:pbx.test SIP/2.0\nVia: SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bKo\nMax-Forwards: 70\nFrom: <sip:1000@pbx.test>;tag=o\nTo: <sip:pbx.test>\nCall-ID: o\nCSeq: 1 OPTIONS\n\n")
		a.expect("SIP/2.0 200")
		s.reg.mu.Lock()
		e.hop.Remote, e.hop.Conn, e.b.Updated = stream.LocalAddr().(*net.TCPAddr).AddrPort(), 2, time.Now()
		s.reg.bindings[to.ID] = e
		s.reg.mu.Unlock()
		s.messages(b, "1000", 7)
		if n := c.notified("active;expires=590"); !strings.Contains(n, "Voice-Message: 7/0") {
			t.Errorf("got\n%s", n)
		}
	})
}

// A phone that refreshes by a new connection is told there, whatever connection it registered by before.
func TestNotifyGoesByTheConnectionOfTheRefresh(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.tcp("1000", "192.0.2.10")
		to := s.bind(a)
		s.reg.mu.Lock()
		e := s.reg.bindings[to.ID]
		e.hop.Conn, e.b.Updated = 1, time.Now()
		s.reg.bindings[to.ID] = e
		s.reg.mu.Unlock()
		time.Sleep(time.Second)
		c := a.watching(600)
		_ = a.stream.Close()
		time.Sleep(10 * time.Second)
		stream, err := s.net.Dial(context.Background(), netip.MustParseAddrPort("192.0.2.10:40001"), netip.MustParseAddrPort(pbxAddr+":5060"))
		if err != nil {
			t.Fatal(err)
		}
		a.stream = stream
		go a.readStream(stream)
		c.subscribe("message-summary", 600)
		c.granted(600)
		c.notified("active;expires=600")
		time.Sleep(10 * time.Second)
		s.messages(b, "1000", 7)
		c.notified("active;expires=590")
	})
}

// Behind a NAT whose port has changed the phone is where it has registered since.
func TestNotifyGoesWhereThePhoneHasRegisteredSince(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		to := s.bind(a)
		c := a.subscribe("message-summary", "1000", 600)
		c.contact = "<sip:1000@10.0.0.7:5062>"
		c.granted(600)
		c.notified("active;expires=600")
		c.subscribe("message-summary", 600) // from now on with a Contact that cannot be reached
		c.granted(600)
		c.notified("active;expires=600")
		time.Sleep(10 * time.Second)
		moved := s.phoneAt("1000", "192.0.2.10:7777")
		s.reg.mu.Lock()
		e := s.reg.bindings[to.ID]
		e.hop.Remote, e.b.Updated = moved.addr, time.Now()
		s.reg.bindings[to.ID] = e
		s.reg.mu.Unlock()
		s.messages(b, "1000", 7)
		c.p = moved
		c.notified("active;expires=590")
		a.silent()
	})
}

// What is watched goes: the last NOTIFY says so, and puts out the lamp.
func TestMailboxThatIsRemovedEndsItsSubscriptions(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.watching(600)
		time.Sleep(10 * time.Second)
		b.set(func() { delete(b.boxes, "1000") })
		s.line.MailboxChanged("1000")
		n := c.notified("terminated;reason=noresource")
		if body(n) != "Messages-Waiting: no\r\nMessage-Account: sip:1000@pbx.test\r\n" {
			t.Errorf("got\n%s", n)
		}
		if n := s.line.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions", n)
		}
	})
}

// The subscriptions of an extension that is deleted end; those of others go on.
func TestForgottenExtensionIsToldNothing(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a, other := s.phone("1000", "192.0.2.10"), s.phone("1001", "192.0.2.20")
		c, d := a.watching(600), other.watching(600)
		room := a.subscribe("conference", "800", 600)
		room.granted(600)
		room.notified("active;expires=600")
		s.line.Forget("1000")
		for range 2 {
			n := a.expect("NOTIFY")
			wantHeader(t, n, "Subscription-State", "terminated;reason=rejected")
			if body(n) != "" {
				t.Errorf("who may not watch is told\n%s", n)
			}
			a.respond(n, "200 OK", "", "")
		}
		synctest.Wait()
		c.subscribe("message-summary", 600)
		a.expect("SIP/2.0 481")
		d.subscribe("message-summary", 600)
		d.granted(600)
		d.notified("active;expires=600")
		s.line.Forget("4711")
	})
}

// An extension that was disabled cannot refresh.
func TestRefreshOfADisabledExtension(t *testing.T) {
	off := &switched{}
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.watching(600)
		off.off = true
		c.subscribe("message-summary", 600)
		a.expect("SIP/2.0 403")
		if n := c.notified("terminated;reason=rejected"); body(n) != "" {
			t.Errorf("who may not watch is told\n%s", n)
		}
	}, func(o *Options) { o.Directory = off })
}

type switched struct{ off bool }

func (d *switched) Extension(n string) *pbx.Extension {
	e := directory{}.Extension(n)
	e.Enabled = !d.off
	return e
}

func TestTooManySubscriptions(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		b.set(func() {
			for i := range maxWatches {
				b.rooms[strconv.Itoa(8000+i)] = pbx.ConferenceInfo{}
			}
		})
		for i := range maxWatches {
			c := a.subscribe("conference", strconv.Itoa(8000+i), 600)
			c.granted(600)
			c.notified("active;expires=600")
		}
		a.subscribe("message-summary", "1000", 600)
		wantHeader(t, a.expect("SIP/2.0 503"), "Retry-After", "60")

		// A phone that has been restarted subscribes to what it was subscribed to.
		c := a.subscribe("conference", "8007", 600)
		c.granted(600)
		c.notified("active;expires=600")
		if n := s.line.Stats().Subscriptions; n != maxWatches {
			t.Errorf("%d subscriptions", n)
		}
		a.silent()

		other := s.phone("1001", "192.0.2.20") // has a bound of its own
		other.watching(600)
		third := s.phone("1002", "192.0.2.30")
		third.subscribe("conference", "800", 600)
		wantHeader(t, third.expect("SIP/2.0 503"), "Retry-After", "60")
		s.line.events.endAll(0)
		for range maxWatches {
			a.respond(a.expect("NOTIFY"), "200 OK", "", "")
		}
		other.respond(other.expect("NOTIFY"), "200 OK", "", "")
	}, func(o *Options) { o.MaxSub = maxWatches + 1 })
}

// A phone that tries again and again does not fill the log.
func TestTooManySubscriptionsAreLoggedOnceAMinute(t *testing.T) {
	var log strings.Builder
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		a.watching(600)
		for minute := 1; minute <= 2; minute++ {
			for range 5 {
				a.subscribe("conference", "800", 600)
				a.expect("SIP/2.0 503")
			}
			if n := strings.Count(log.String(), "too many subscriptions"); n != minute {
				t.Errorf("logged %d times in %d minutes", n, minute)
			}
			time.Sleep(time.Minute)
		}
	}, func(o *Options) {
		o.MaxSub = 1
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
}

// While draining nobody new is taken; who is there goes on. At the end everybody is told to come back later.
func TestSubscriptionsAsThePBXGoesDown(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.watching(600)
		s.line.Drain()
		a.subscribe("message-summary", "1000", 600)
		wantHeader(t, a.expect("SIP/2.0 503"), "Retry-After", "30")
		c.subscribe("message-summary", 600)
		c.granted(600)
		c.notified("active;expires=600")
		s.line.HangupAll(pbx.GoingDown)
		n := a.expect("NOTIFY")
		state, after, _ := strings.Cut(header(n, "Subscription-State"), ";retry-after=")
		if d, err := strconv.Atoi(after); err != nil || d < 30 || d > 60 || state != "terminated;reason=probation" {
			t.Errorf("got\n%s", n)
		}
		a.respond(n, "200 OK", "", "")
	})
}

// A board that panics costs the subscription, and the request is answered.
func TestPanicInASubscription(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a, other := s.phone("1000", "192.0.2.10"), s.phone("1001", "192.0.2.20")
		c, d := a.watching(600), other.watching(600)
		s.bind(s.phone("1000", "192.0.2.30"))
		b.set(func() { b.broken = true })
		time.Sleep(time.Minute)
		s.line.MailboxChanged("1000") // twice: the watch, and then the lamp of the phone that has not subscribed
		synctest.Wait()
		a.silent()
		a.subscribe("message-summary", "1000", 600)
		a.expect("SIP/2.0 500")
		b.set(func() { b.broken = false })
		c.subscribe("message-summary", 600)
		a.expect("SIP/2.0 481")
		d.subscribe("message-summary", 600)
		d.granted(600)
		d.notified("active;expires=600")
		s.x.panics = 3
	})
}

// Without a board there are no event packages.
func TestNoPackages(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		a.subscribe("message-summary", "1000", 600)
		a.expect("SIP/2.0 489")
		s.line.MailboxChanged("1000")
		s.line.ConferenceChanged("800")
		s.line.BindingAdded("b1")
		s.line.Forget("1000")
		a.silent()
	})
}

// OPTIONS and the answer to a call say which events there are (RFC 6665 §4.4.4).
func TestAllowEvents(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		a.send("OPTIONS sip:pbx.test SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKo\nMax-Forwards: 70\nFrom: <sip:1000@pbx.test>;tag=o\nTo: <sip:pbx.test>\nCall-ID: o\nCSeq: 1 OPTIONS\n\n")
		res := a.expect("SIP/2.0 200")
		wantHeader(t, res, "Allow-Events", "message-summary, conference")
		if !strings.Contains(header(res, "Allow"), "SUBSCRIBE") {
			t.Errorf("Allow: %s", header(res, "Allow"))
		}
		c := a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		if err := s.x.legs[0].Answer(nil); err != nil {
			t.Fatal(err)
		}
		res = c.take(a.expect("SIP/2.0 200"))
		wantHeader(t, res, "Allow-Events", "message-summary, conference")
		c.send("ACK", "")
		c.send("BYE", "")
		a.expect("SIP/2.0 200")
	})
}

// An extension that is disabled while its SUBSCRIBE is being looked at is not forgotten for it.
func TestSUBSCRIBEOfAnExtensionThatHasJustBeenDisabled(t *testing.T) {
	off := &switched{}
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		off.off = true // the guard has not seen it
		a.subscribe("message-summary", "1000", 600)
		a.expect("SIP/2.0 403")
		a.silent()
		if n := s.line.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions", n)
		}
	}, func(o *Options) { o.Directory = off })
}

// A NOTIFY goes to a port of the phone's NAT that is not there any more; the phone refreshes from another one meanwhile, and is told
// there once the first NOTIFY has failed.
func TestPhoneThatRefreshesWhileANOTIFYIsLost(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.watching(600)
		time.Sleep(10 * time.Second)
		s.messages(b, "1000", 7)
		time.Sleep(20 * time.Second)
		a.drain() // not answered
		c.p = s.phoneAt("1000", "192.0.2.10:7777")
		c.contact = "<sip:1000@10.0.0.7:5062>"
		c.subscribe("message-summary", 600)
		c.granted(600)
		time.Sleep(13 * time.Second)
		a.drain()
		if n := c.notified("active;expires=588"); !strings.Contains(n, "Voice-Message: 7/0") {
			t.Errorf("got\n%s", n)
		}
		c.p.drain() // it came twice
		c.subscribe("message-summary", 600)
		c.granted(600)
		c.notified("active;expires=600")
	})
}
