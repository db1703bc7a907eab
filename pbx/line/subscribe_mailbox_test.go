package line

import (
	"strings"
	"testing"
	"time"

	"ringback/pbx"
)

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
type numbers struct{}

func (numbers) Extension(n string) *pbx.Extension {
	e := directory{}.Extension(n)
	if n == "1000" {
		e.Numbers = []string{"200"}
		e.Services.Voicemail.Box = "500"
	}
	return e
}
