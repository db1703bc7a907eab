package e2e

import (
	"slices"
	"testing"
	"time"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// A mailbox takes the call whenever nobody does, keeps what the caller says, and lights the lamp of a phone that has subscribed.
func TestVoicemail(t *testing.T) {
	ways := map[string]func(s *scene, owner string) (dial string){
		"no answer": func(s *scene, owner string) string {
			s.registered(owner).OnCall(pbxtest.AutoRing())
			s.services(owner, "voicemail", doc{"on": true, "after": 5})
			return owner
		},
		"busy": func(s *scene, owner string) string {
			s.registered(owner).OnCall(pbxtest.AutoReject(486, 0))
			return owner
		},
		"declined": func(s *scene, owner string) string {
			s.registered(owner).OnCall(pbxtest.AutoReject(603, 0))
			return owner
		},
		"do not disturb": func(s *scene, owner string) string {
			s.registered(owner)
			s.services(owner, "do_not_disturb", on)
			return owner
		},
		"not registered": func(_ *scene, owner string) string { return owner },
		"always": func(s *scene, owner string) string {
			s.registered(owner)
			s.services(owner, "forward_always", to(pbx.MailboxTarget+owner))
			return owner
		},
		"straight": func(s *scene, owner string) string {
			s.registered(owner)
			return "*99" + owner
		},
	}
	t.Parallel()
	for name, way := range ways {
		transport := "udp" // each way by one of them: the other tests have both
		if name == "busy" || name == "always" || name == "straight" {
			transport = "tcp"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playOn(t, shared, transport, func(s *scene) {
				owner := s.extension()
				s.mailbox(owner)
				lamp := s.another(owner)
				s.watches(lamp, "message-summary", owner)
				bob := s.phone()
				if name == "straight" {
					bob = s.phone(codecs("G722", "telephone-event"))
				}
				l := s.dials(bob, way(s, owner))
				s.leavesMessage(l, 440)
				m := s.holds(owner, 1)[0]
				if m.From != bob.User() || m.Heard || m.Length < said {
					s.Errorf("the message is %+v", m)
				}
				if sum, err := lamp.Lamp(s.ctx, true); err != nil || sum.Voice() != (pbxtest.Count{New: 1}) {
					s.Error(sum, err)
				}
				r, _ := s.wav("/mailboxes/" + owner + "/messages/" + m.ID + "/sound")
				if len(r.Channels) != 1 || r.Total(0, 440) < said || len(r.When(0, beep...)) > 0 {
					s.Error(r)
				}
			})
		})
	}
}

// mailboxOf dials *97 and says the PIN. The keys lead to the main menu.
func (s *scene) mailboxOf(p *pbxtest.Phone, keys string) *pbxtest.CallLeg {
	s.Helper()
	l := s.dials(p, "*97")
	s.must(l.Answered(s.ctx))
	s.must(l.HearsInOrder(s.ctx, soundPIN...))
	s.must(l.Press(s.ctx, pin+"#"+keys))
	return l
}

// Who has messages hears them by *97, with its PIN; the lamp goes on with a new one, and off when it was saved or deleted. The phone
// has not subscribed.
func TestMessageHeard(t *testing.T) {
	play(t, func(s *scene) {
		owner := s.extension()
		s.mailbox(owner)
		bob, carol := s.phone(), s.phone(codecs("PCMA", "telephone-event"))
		s.leavesMessage(s.dials(bob, "*99"+owner), 440)
		alice := s.registered(owner, codecs("G722", "telephone-event"))
		if sum, err := alice.Lamp(s.ctx, true); err != nil || sum.Voice().New != 1 {
			s.Fatal(sum, err)
		}
		l := s.mailboxOf(alice, "1")
		s.must(l.HearsInOrder(s.within(20), append(spelt(bob.User()), []float64{440})...))
		s.must(l.Press(s.ctx, "9")) // save
		if sum, err := alice.Lamp(s.ctx, false); err != nil || sum.Voice() != (pbxtest.Count{Old: 1}) {
			s.Error(sum, err)
		}
		s.leavesMessage(s.dials(carol, "*99"+owner), 620)
		if sum, err := alice.Lamp(s.ctx, true); err != nil || sum.Voice() != (pbxtest.Count{New: 1, Old: 1}) {
			s.Error(sum, err)
		}
		s.must(l.Press(s.ctx, "**")) // back, and goodbye
		s.must(l.Ended(s.ctx))

		l = s.mailboxOf(alice, "1#") // the new one comes first
		s.must(l.HearsTone(s.within(20), 620))
		s.must(l.Press(s.ctx, "7")) // delete
		s.must(l.Hangup(s.ctx))
		left := s.holds(owner, 1)
		if left[0].From != bob.User() || !left[0].Heard {
			s.Errorf("%+v is left", left)
		}
		if sum, err := alice.Lamp(s.ctx, false); err != nil || sum.Voice() != (pbxtest.Count{Old: 1}) {
			s.Error(sum, err)
		}
	})
}

// What a mailbox has is listed, changed, heard in pieces and removed by REST, and the lamp follows.
func TestMessagesByREST(t *testing.T) {
	play(t, func(s *scene) {
		owner := s.extension()
		s.mailbox(owner)
		alice, bob := s.registered(owner), s.phone()
		s.leavesMessage(s.dials(bob, "*99"+owner), 440)
		m := s.holds(owner, 1)[0]
		one := "/mailboxes/" + owner + "/messages/" + m.ID
		r, whole := s.wav(one + "/sound")
		if r.Total(0, 440) < said {
			s.Error(r)
		}
		s.inRanges(one+"/sound", whole)
		_, err := alice.Lamp(s.ctx, true)
		s.must(err)
		s.must(s.x.api(s.ctx, "PATCH", one, doc{"heard": true, "urgent": true}, nil))
		if _, err := alice.Lamp(s.ctx, false); err != nil {
			s.Error(err)
		}
		s.must(s.x.api(s.ctx, "PATCH", one, doc{"heard": false}, nil))
		sub := s.watches(alice, "message-summary", owner)
		_, err = sub.Until(s.ctx, "an urgent message", func(n *pbxtest.Notification) bool {
			return n.Summary.Voice() == pbxtest.Count{New: 1, UrgentNew: 1}
		})
		s.must(err)
		s.must(s.x.api(s.ctx, "DELETE", one, nil, nil))
		_, err = sub.Until(s.ctx, "no message", func(n *pbxtest.Notification) bool { return n.Summary.Voice() == pbxtest.Count{} })
		s.must(err)
		s.get(one+"/sound", "", 404)
	})
}

// A greeting that was recorded by phone is what the next caller hears; so is one that was sent by REST; and the words of the PBX once
// it is taken away.
func TestGreeting(t *testing.T) {
	play(t, func(s *scene) {
		owner := s.extension()
		s.mailbox(owner)
		alice, bob := s.registered(owner), s.phone()
		greets := func(says sound) {
			s.Helper()
			l := s.dials(bob, "*99"+owner)
			s.must(l.HearsInOrder(s.within(20), append(says, beep)...))
			s.must(l.Hangup(s.ctx))
		}
		greets(spelt(owner))
		l := s.mailboxOf(alice, "212") // greetings, the usual one, record
		s.must(l.HearsTone(s.within(20), beep...))
		s.says(l, 830, aMessage)
		s.must(l.Press(s.ctx, "#"))
		s.must(l.HearsInOrder(s.ctx, soundDone...))
		s.must(l.Press(s.ctx, "***"))
		s.must(l.Ended(s.ctx))
		greets(sound{{830}})
		path := "/mailboxes/" + owner + "/greetings/unavailable"
		r, whole := s.wav(path)
		if r.Total(0, 830) < said {
			s.Error(r)
		}
		s.inRanges(path, whole)
		s.upload(path, wavTone(1200))
		greets(sound{{1200}})
		s.must(s.x.api(s.ctx, "DELETE", path, nil, nil))
		greets(spelt(owner))
		if n := len(s.messages(owner)); n > 0 {
			s.Errorf("%d messages of who has said nothing", n)
		}
	})
}

// A message of less than two seconds is not kept; who ends his message by # is told that it is; what comes beyond the limit is not taken.
func TestMailboxKeeps(t *testing.T) {
	play(t, func(s *scene) {
		owner := s.extension()
		s.mailbox(owner, "max_messages", 1)
		bob := s.phone()
		speaks := func(d time.Duration) *pbxtest.CallLeg {
			s.Helper()
			l := s.dials(bob, "*99"+owner)
			s.must(l.Answered(s.ctx))
			s.must(l.Press(s.ctx, "#")) // straight to the beep
			s.must(l.HearsTone(s.ctx, beep...))
			s.says(l, 440, d)
			return l
		}
		s.must(speaks(time.Second / 2).Hangup(s.ctx))
		s.idle(bob.User())
		if n := len(s.messages(owner)); n > 0 {
			s.Errorf("%d messages of half a second", n)
		}
		l := speaks(aMessage)
		s.must(l.Press(s.ctx, "#"))
		s.must(l.Press(s.ctx, "1"))
		s.must(l.HearsInOrder(s.ctx, soundDone...))
		s.must(l.Ended(s.ctx))
		s.holds(owner, 1)
		l = s.dials(bob, "*99"+owner)
		s.must(l.Answered(s.ctx))
		s.must(l.Press(s.ctx, "#"))
		s.must(l.HearsInOrder(s.ctx, soundError...))
		s.must(l.Ended(s.ctx))
		s.holds(owner, 1)
	})
}

// Nobody hears the messages of another: without the PIN the call ends.
func TestMailboxNeedsPIN(t *testing.T) {
	play(t, func(s *scene) {
		owner := s.extension()
		s.mailbox(owner)
		s.leavesMessage(s.dials(s.phone(), "*99"+owner), 440)
		mallory := s.phone()
		l := s.dials(mallory, "*98"+owner)
		s.must(l.Answered(s.ctx))
		s.must(l.HearsInOrder(s.ctx, soundPIN...))
		s.must(l.Press(s.ctx, "0000#"))
		s.must(l.HearsInOrder(s.ctx, slices.Concat(soundError, soundPIN)...)) // asked again
		s.must(l.Hangup(s.ctx))
		if m := s.holds(owner, 1)[0]; m.Heard {
			s.Errorf("%+v", m)
		}
		s.code(mallory, "*99"+s.extension(), soundError) // no mailbox
	})
}

// A mailbox is where a menu leads, and what a group that nobody answers does.
func TestMailboxAsTarget(t *testing.T) {
	play(t, func(s *scene) {
		box, alice, bob := s.extension(), s.phone(), s.phone()
		s.mailbox(box)
		bob.OnCall(pbxtest.AutoReject(486, 0))
		l := s.asked(alice, s.menu("prompt", "digits:55", "keys", doc{"9": pbx.MailboxTarget + box}), spelt("55"))
		s.must(l.Press(s.ctx, "9"))
		s.leavesMessage(l, 440)
		s.holds(box, 1)
		s.leavesMessage(s.dials(alice, s.group("all", []*pbxtest.Phone{bob}, "overflow", pbx.MailboxTarget+box)), 440)
		s.holds(box, 2)
	})
}

// Several extensions may share a mailbox: the lamps of all go on, and *97 leads each of them there.
func TestSharedMailbox(t *testing.T) {
	play(t, func(s *scene) {
		box, other, bob := s.extension(), s.extension(), s.phone()
		s.mailbox(box)
		first, second := s.registered(box), s.registered(other)
		sub := s.another(other)
		s.must(first.LampIs(s.ctx, false))
		s.services(other, "voicemail", doc{"on": true, "box": box})
		s.must(second.LampIs(s.ctx, false))
		s.watches(sub, "message-summary", other)
		second.OnCall(pbxtest.AutoReject(486, 0))
		s.leavesMessage(s.dials(bob, other), 440)
		for _, p := range []*pbxtest.Phone{first, second, sub} {
			s.must(p.LampIs(s.ctx, true))
		}
		l := s.mailboxOf(second, "1#")
		s.must(l.HearsTone(s.ctx, 440))
		s.must(l.Press(s.ctx, "7"))
		s.must(l.Hangup(s.ctx))
		for _, p := range []*pbxtest.Phone{first, second, sub} {
			s.must(p.LampIs(s.ctx, false))
		}
	})
}
