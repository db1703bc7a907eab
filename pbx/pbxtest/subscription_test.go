package pbxtest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// notifier lets bob keep the state of what alice subscribes to, by hand.
type notifier struct {
	*pair
	m    *Message // her newest SUBSCRIBE
	tag  string
	cseq int
}

// accept answers a SUBSCRIBE.
func (n *notifier) accept(mods ...Mod) {
	n.Helper()
	var err error
	n.m, err = n.bob.Expect(n.ctx, "SUBSCRIBE")
	n.must(err)
	res := n.bob.Response(n.m, 200, "OK", append([]Mod{With("Expires", n.m.Get("Expires"))}, mods...)...)
	if n.tag == "" {
		n.tag = res.ToTag()
	}
	n.bob.Respond(n.m, 200, "OK", append([]Mod{With("Expires", n.m.Get("Expires"))}, mods...)...)
}

// notify tells alice.
func (n *notifier) notify(state, body string, mods ...Mod) *Transaction {
	n.cseq++
	m := n.bob.NewRequest("NOTIFY", "1000", With("Event", n.m.Get("Event")), With("Subscription-State", state))
	m.URI = AddrOf(n.m.Get("Contact"))
	m.Set("From", fmt.Sprintf("<%s>;tag=%s", AddrOf(n.m.Get("To")), n.tag)).Set("To", n.m.Get("From"))
	m.Set("Call-ID", n.m.CallID()).Set("CSeq", fmt.Sprintf("%d NOTIFY", n.cseq))
	if body != "" {
		m.SetBody(acceptable[packageOf(m.Get("Event"))], []byte(body))
	}
	for _, mod := range mods {
		mod(m)
	}
	return n.bob.Send(m)
}

func onNotifier(t *testing.T, f func(n *notifier)) {
	onPair(t, func(p *pair) {
		p.bob.Manual("SUBSCRIBE")
		f(&notifier{pair: p})
	})
}

const oneWaits, noneWaits = "Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n", "Messages-Waiting: no\r\nMessage-Account: sip:1001@example.test\r\nVoice-Message: 0/1 (0/0)\r\n"

func TestSubscription(t *testing.T) {
	onNotifier(t, func(n *notifier) {
		n.alice.spawn(func() {
			n.accept()
			n.notify("active;expires=600", oneWaits)
		})
		s, err := n.alice.Subscribe(n.ctx, "message-summary;id=7", "1001", 600)
		n.must(err)
		first, err := s.Next(n.ctx)
		n.must(err)
		if first.State != "active" || first.Expires != 600 || !first.Summary.Waiting || first.Summary.Voice().New != 1 || s.Granted() != 600 {
			n.Errorf("%+v", first)
		}
		n.notify("active;expires=500", noneWaits)
		sum, err := n.alice.Lamp(n.ctx, false)
		n.must(err)
		if sum.Account != "sip:1001@example.test" || sum.Voice() != (Count{Old: 1}) {
			n.Errorf("%+v", sum)
		}
		n.alice.spawn(func() {
			n.accept()
			n.notify("active;expires=300", noneWaits)
		})
		n.must(s.Refresh(n.ctx, 300))
		n.alice.spawn(func() {
			n.accept()
			n.notify("terminated;reason=timeout", noneWaits)
		})
		n.must(s.Unsubscribe(n.ctx))
		if len(s.Came()) != 4 || s.Active() {
			n.Error(s.Came())
		}
		n.alice.spawn(func() {
			n.tag, n.cseq = "", 0
			n.accept()
			n.notify("terminated;reason=timeout", oneWaits)
		})
		last, err := n.alice.Fetch(n.ctx, "message-summary", "1001")
		n.must(err)
		if last.State != "terminated" || !last.Summary.Waiting {
			n.Error(last)
		}
	})
}

// What a notifier does wrong is complained of.
func TestBadNotify(t *testing.T) {
	onNotifier(t, func(n *notifier) {
		n.alice.spawn(func() {
			n.accept(With("Expires", "900"))
			n.notify("active;expires=600", oneWaits)
		})
		s, err := n.alice.Subscribe(n.ctx, "message-summary;id=7", "1001", 600)
		n.must(err)
		for _, bad := range []struct {
			state, body string
			mod         Mod
		}{
			{"active;expires=600", oneWaits, With("Event", "message-summary")},
			{"active;expires=901", oneWaits, With("X", "y")},
			{"active", oneWaits, With("X", "y")},
			{"", oneWaits, Without("Subscription-State")},
			{"sleeping", oneWaits, With("X", "y")},
			{"active;expires=600", "", With("X", "y")},
			{"active;expires=600", "Voice-Message: 1/0\r\n", With("X", "y")},
			{"active;expires=600", oneWaits, With("Contact", "<sip:a@b>, <sip:c@d>")},
			{"active;expires=600", oneWaits, With("Allow-Events", "dialog")},
			{"active;expires=600", oneWaits, With("From", "<sip:1002@example.test>;tag="+n.tag)},
			{"active;expires=600", oneWaits, func(m *Message) { m.URI = "sip:1000@example.test" }},
			{"active;expires=600", oneWaits, With("CSeq", "77 NOTIFY")},
			{"active;expires=600", oneWaits, With("CSeq", "3 NOTIFY")},
			{"active;expires=600", oneWaits, With("To", "<sip:1000@example.test>;tag=nobody")},
		} {
			before := len(n.alice.Complaints())
			tx := n.notify(bad.state, bad.body, bad.mod)
			_, err := tx.Final(n.ctx)
			n.must(err)
			if len(n.alice.Complaints()) == before {
				n.Errorf("no complaint of\n%s", tx.Request.Bytes())
			}
			n.alice.mu.Lock()
			s.remoteCSeq = uint32(n.cseq)
			n.alice.mu.Unlock()
		}
		n.notify("terminated;reason=noresource", noneWaits)
		n.must(s.Ended(n.ctx))
		res, err := n.notify("active;expires=600", oneWaits).Final(n.ctx)
		n.must(err)
		if c := n.alice.Complaints(); res.Status != 200 || !strings.Contains(c[len(c)-1], "after the last one") || !strings.Contains(c[0], "grants 900 s") {
			n.Error(c)
		}
		n.alice.complaints = nil
	})
}

// A phone answers as it is told: not at all, late, or 481. What nobody has asked for it takes as well.
func TestNotifyAnswers(t *testing.T) {
	onNotifier(t, func(n *notifier) {
		n.alice.spawn(func() {
			n.accept()
			n.notify("active;expires=600", oneWaits)
		})
		s, err := n.alice.Subscribe(n.ctx, "message-summary", "1001", 600)
		n.must(err)
		n.alice.OnNotify(func(*Notification) Reply { return Reply{Status: 200, After: 3 * time.Second} })
		start := time.Now()
		_, err = n.notify("active;expires=600", oneWaits).Final(n.ctx)
		n.must(err)
		if d := time.Since(start); d < 3*time.Second {
			n.Error("answered after ", d)
		}
		n.alice.OnNotify(func(*Notification) Reply { return Reply{} })
		if m, err := n.notify("active;expires=600", oneWaits).Final(n.ctx); err == nil {
			n.Error(m)
		}
		n.alice.OnNotify(func(*Notification) Reply { return Reply{Status: 481} })
		res, err := n.notify("active;expires=600", oneWaits).Final(n.ctx)
		n.must(err)
		if res.Status != 481 || s.Active() {
			n.Error(res)
		}
		n.alice.OnNotify(nil)
		n.bob.Send(n.bob.NewRequest("NOTIFY", "1000", With("Event", "message-summary"), With("Subscription-State", "active"),
			Body("application/simple-message-summary", noneWaits)))
		u, err := n.alice.Unsolicited(n.ctx, "message-summary")
		n.must(err)
		if u.Summary.Waiting {
			n.Error(u)
		}
		_, err = n.alice.Lamp(n.ctx, false)
		n.must(err)
	})
}

func TestParseSummary(t *testing.T) {
	good := "Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 4/8 (1/2)\r\nFax-Message:2 / 0\r\n\r\nTo: <alice@example.com>\r\n"
	s, err := ParseSummary([]byte(good)) // after the example of RFC 3842 §5.2
	if err != nil || !s.Waiting || s.Voice() != (Count{4, 8, 1, 2}) || s.Counts["fax-message"] != (Count{New: 2}) || s.Account != "sip:alice@vmail.example.com" {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{"", "Messages-Waiting: yes", "Messages-Waiting: yes\n", "Messages-Waiting: maybe\r\n", "Voice-Message: 1/0\r\n",
		"Messages-Waiting: no\r\nVoice-Message: 1/0\r\n", "Messages-Waiting: yes\r\nVoice-Message: 0/4\r\n", "Messages-Waiting: yes\r\nVoice-Message: 1\r\n",
		"Messages-Waiting: yes\r\nVoice-Message: 1/0 (2/0)\r\n", "Messages-Waiting: yes\r\nVoice-Message: 4294967296/0\r\n",
		"Messages-Waiting: yes\r\nVoice-Message: 1/0\r\nVoice-Message: 1/0\r\n", "Messages-Waiting: yes\r\nVoicemail: 1/0\r\n",
		"Messages-Waiting: yes\r\nVoice-Message: 1/0\r\nMessage-Account: sip:a@b\r\n"} {
		if s, err := ParseSummary([]byte(bad)); err == nil {
			t.Errorf("%q is taken as %+v", bad, s)
		}
	}
}
