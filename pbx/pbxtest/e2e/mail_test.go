package e2e

import (
	"bytes"
	"strings"
	"testing"

	"ringback/pbx/pbxtest"
)

// A new message is announced by e-mail, with the sound that the mailbox has; where the mailbox keeps nothing that was sent, it is
// empty then.
func TestMessageByMail(t *testing.T) {
	post, err := pbxtest.NewMailServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(post.Close)
	own(t, func(s *scene, _ func()) {
		owner, forwarding, bob := s.extension(), s.extension(), s.phone()
		s.mailbox(owner, "email", "alice@example.test", "attach", true)
		s.mailbox(forwarding, "email", "fwd@example.test", "attach", true, "delete_sent", true)
		for _, to := range []string{owner, forwarding} {
			s.leavesMessage(s.dials(bob, "*99"+to), 440)
		}
		m, err := post.Next(s.within(20), "alice@example.test")
		s.must(err)
		if m.From != "pbx@example.test" || !strings.Contains(m.Subject+m.Text, bob.User()) || strings.Contains(string(m.Text), pin) || len(m.Files) != 1 {
			s.Fatalf("%+v", m)
		}
		_, whole := s.wav("/mailboxes/" + owner + "/messages/" + s.holds(owner, 1)[0].ID + "/sound")
		if !bytes.Equal(m.Files[0].Content, whole) || !strings.HasPrefix(m.Files[0].Type, "audio/") || !strings.HasSuffix(m.Files[0].Name, ".wav") {
			s.Errorf("%s, %s: %d bytes, the message has %d", m.Files[0].Name, m.Files[0].Type, len(m.Files[0].Content), len(whole))
		}
		m, err = post.Next(s.within(20), "fwd@example.test")
		s.must(err)
		r, err := pbxtest.ReadWAV(m.Files[0].Content)
		s.must(err)
		if r.Total(0, 440) < said {
			s.Error(r)
		}
		s.holds(forwarding, 0)
	}, "--set", "mail.server="+post.Addr(), "--set", "mail.tls=none", "--set", "mail.from=pbx@example.test")
}
