package e2e

import (
	"testing"
	"time"

	"ringback/pbx/pbxtest/real"
)

// baresip has the lamp: it subscribes by itself, and is told of each change. It leaves a message and hears one.
func TestBaresipVoicemail(t *testing.T) {
	playReal(t, "baresip", func(s *scene) {
		owner, bob := s.extension(), s.phone()
		s.mailbox(owner, "skip_pin", true)
		alice := real.StartBaresip(s.T, real.Account{User: owner, Password: password, Server: s.x.sip, Transport: s.transport, Tone: 620, Lamp: true})
		s.must(alice.AwaitLamp(false, 10*time.Second))
		s.leavesMessage(s.dials(bob, "*99"+owner), 440)
		s.must(alice.AwaitLamp(true, 10*time.Second))
		s.must(alice.Dial("*97"))
		s.must(alice.Await("CALL_ESTABLISHED", patience))
		s.must(alice.Press("1#"))
		s.must(alice.HasHeard(440, 20*time.Second))
		s.must(alice.Press("7"))
		s.must(alice.HasHeard(600, 10*time.Second)) // it is deleted
		s.must(alice.Hangup())
		s.must(alice.AwaitLamp(false, 10*time.Second))
		s.holds(owner, 0)
		// And it leaves one.
		s.must(alice.Await("CALL_CLOSED", patience))
		s.must(alice.Dial("*99" + owner))
		s.must(alice.Await("CALL_ESTABLISHED", patience))
		s.must(alice.Press("#"))
		s.must(alice.HasHeard(1000, 10*time.Second))
		s.talksFor(owner, int(aMessage/(20*time.Millisecond)))
		s.must(alice.Hangup())
		m := s.holds(owner, 1)[0]
		if r, _ := s.wav("/mailboxes/" + owner + "/messages/" + m.ID + "/sound"); r.Total(0, 620) < said {
			s.Error(r)
		}
		s.must(alice.AwaitLamp(true, 10*time.Second))
	})
}

// talksFor waits until the exchange has got so many packets more from the phone of an extension that calls.
func (s *scene) talksFor(from string, packets int) {
	s.Helper()
	got := func() int {
		var list struct {
			Items []struct {
				From      string
				FromPhone struct {
					In int `json:"packets_in"`
				} `json:"from_phone"`
			}
		}
		s.must(s.x.api(s.ctx, "GET", "/calls", nil, &list))
		for _, c := range list.Items {
			if c.From == from {
				return c.FromPhone.In
			}
		}
		s.Fatalf("%s calls nobody", from)
		return 0
	}
	for end, before := time.Now().Add(20*time.Second), got(); got() < before+packets; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("%d packets more did not come from %s", packets, from)
		}
	}
}

// baresip with G.722 and a phone with G.711 hear each other.
func TestBaresipWideband(t *testing.T) {
	playReal(t, "baresip", func(s *scene) {
		alice := s.phone(codecs("PCMU", "telephone-event"))
		b := real.StartBaresip(s.T, real.Account{User: s.extension(), Password: password, Server: s.x.sip, Transport: s.transport, Tone: 620, Codecs: "G722"})
		s.must(b.Dial(alice.User()))
		l, err := alice.Incoming(s.ctx)
		s.must(err)
		s.must(l.Answer(s.ctx))
		l.Play(440)
		s.must(l.Hears(s.ctx, 620))
		s.must(b.Hears(440, patience))
		s.must(l.Hangup(s.ctx))
		s.must(b.Await("CALL_CLOSED", patience))
		if n := alice.Count("INVITE"); n != 1 {
			s.Errorf("the phone got %d INVITEs", n)
		}
	})
}

// sipp subscribes to its own messages, is told, and ends it: ten at once.
func TestSippSubscribes(t *testing.T) {
	playReal(t, "sipp", func(s *scene) {
		number := s.extension()
		s.mailbox(number)
		s.must(s.sipp(real.Scenario{Name: "subscribe", Remote: s.x.sip, User: number, Waiting: "no", Calls: 10, Rate: 20}).Wait(20 * time.Second))
		s.leavesMessage(s.dials(s.phone(), "*99"+number), 440)
		s.holds(number, 1)
		s.must(s.sipp(real.Scenario{Name: "subscribe", Remote: s.x.sip, User: number, Waiting: "yes"}).Wait(20 * time.Second))
	})
}
