package line

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

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
