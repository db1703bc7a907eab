package line

import (
	"fmt"
	"testing"
)

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
