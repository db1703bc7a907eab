package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// room adds a conference room and returns its number.
func (s *scene) room(more ...any) string {
	s.Helper()
	number := fmt.Sprint(lastNumber.Add(1))
	s.must(s.x.api(s.ctx, "POST", "/rooms", with(doc{"number": number, "name": "Room " + number, "enabled": true}, more...), nil))
	return number
}

// enters dials a room, is answered and plays a tone.
func (s *scene) enters(p *pbxtest.Phone, room string, tone float64) *pbxtest.CallLeg {
	s.Helper()
	l := s.dials(p, room)
	s.must(l.Answered(s.ctx))
	l.Play(tone)
	return l
}

// speaker is a member of a conference, with the tone that is his voice; 0: he is silent.
type speaker struct {
	*pbxtest.CallLeg
	tone float64
}

// hear waits until each member hears all others, and checks that none hears himself.
func (s *scene) hear(members ...speaker) {
	s.Helper()
	for _, m := range members {
		var others []float64
		for _, o := range members {
			if o.CallLeg != m.CallLeg && o.tone != 0 {
				others = append(others, o.tone)
			}
		}
		s.must(m.Hears(s.ctx, others...))
	}
	since := time.Now()
	for _, m := range members {
		s.eventually("packets come", func() bool { return m.Heard(since).Packets >= 25 })
		if h := m.Heard(since); m.tone != 0 && h.Hears(m.tone) {
			s.Errorf("%s hears itself, %.0f Hz at %.0f dB: %s", m, m.tone, h.Level(m.tone), h)
		}
	}
}

// leaves hangs up at the phone.
func (s *scene) leaves(l *pbxtest.CallLeg) {
	s.Helper()
	s.must(l.Hangup(s.ctx))
}

// conference is what is up in a room, as the API shows it; nil if nothing is.
func (s *scene) conference(room string) doc {
	s.Helper()
	found, err := s.x.about(s.ctx, "/conferences", []string{"number"}, room)
	s.must(err)
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

// memberOf is a member of what is up in a room, by his number.
func (s *scene) memberOf(room, number string) doc {
	s.Helper()
	for _, m := range s.conference(room)["members"].([]any) {
		if m := m.(map[string]any); m["from"] == number {
			return m
		}
	}
	s.Fatalf("%s is no member of %v", number, s.conference(room))
	return nil
}

// isFocus is whether a response says that it comes from a conference (RFC 4579 §4).
func isFocus(m *pbxtest.Message) bool {
	return m != nil && pbxtest.HasParam(m.Get("Contact"), "isfocus")
}

// conference_room5: each of five hears the four others and not itself; one leaves, and the others hear three.
func TestConferenceOfFive(t *testing.T) {
	play(t, func(s *scene) {
		room := s.room("quiet", true)
		var in []speaker
		for i, tone := range []float64{440, 620, 830, 1010, 1270} {
			in = append(in, speaker{s.enters(s.phone(), room, tone), tone})
			if l := in[i]; !isFocus(l.Final()) {
				s.Errorf("%s: the Contact of the 200 is %q", l, l.Final().Get("Contact"))
			}
		}
		s.hear(in...)
		s.eventually("all five are shown, and speak", func() bool {
			members := s.conference(room)["members"].([]any)
			return len(members) == 5 && !slices.ContainsFunc(members, func(m any) bool { return m.(map[string]any)["speaking"] != true })
		})
		s.leaves(in[2].CallLeg)
		in = slices.Delete(in, 2, 3)
		s.hear(in...)
		for len(in) > 2 {
			s.leaves(in[0].CallLeg)
			in = in[1:]
			s.hear(in...)
		}
		s.leaves(in[0].CallLeg)
		s.music(in[1].CallLeg) // alone
		s.leaves(in[1].CallLeg)
		s.eventually("the conference is over", func() bool { return s.conference(room) == nil })
	})
}

// Ten are there and three of them speak: all hear those, whoever it is.
func TestConferenceOfTen(t *testing.T) {
	play(t, func(s *scene) {
		room := s.room("quiet", true)
		in := make([]speaker, 10)
		for i, p := range s.crew(len(in)) {
			in[i] = speaker{s.dials(p, room), 0}
			s.must(in[i].Answered(s.ctx))
		}
		for _, first := range []int{0, 7} {
			for i, tone := range []float64{440, 620, 830} {
				in[first+i].tone = tone
				in[first+i].Play(tone)
			}
			s.hear(in...)
			for i := range 3 {
				in[first+i].tone = 0
				in[first+i].Play()
			}
		}
		for _, m := range in {
			s.leaves(m.CallLeg)
		}
	})
}

// conference_two_rooms: rooms do not hear one another.
func TestTwoConferences(t *testing.T) {
	play(t, func(s *scene) {
		one, two := s.room("quiet", true), s.room("quiet", true)
		a, b := speaker{s.enters(s.phone(), one, 440), 440}, speaker{s.enters(s.phone(), one, 620), 620}
		c, d := speaker{s.enters(s.phone(), two, 830), 830}, speaker{s.enters(s.phone(), two, 1010), 1010}
		s.hear(a, b)
		s.hear(c, d)
		s.leaves(a.CallLeg)
		s.hear(c, d)
		for _, l := range []speaker{b, c, d} {
			s.leaves(l.CallLeg)
		}
	})
}

// Both laws of G.711 meet.
func TestConferenceOfCodecs(t *testing.T) {
	play(t, func(s *scene) {
		room := s.room("quiet", true)
		var in []speaker
		for i, codec := range []string{"PCMU", "PCMA", "PCMU"} {
			tone := []float64{440, 620, 830}[i]
			in = append(in, speaker{s.enters(s.phone(codecs(codec, "telephone-event")), room, tone), tone})
		}
		s.hear(in...)
		for _, m := range in {
			s.leaves(m.CallLeg)
		}
	})
}

// The PIN, by keys of RFC 4733 and by INFO; three wrong ones end the call.
func TestConferencePIN(t *testing.T) {
	play(t, func(s *scene) {
		room := s.room("quiet", true, "pin", "4711", "moderator_pin", "0815")
		asked := func(p *pbxtest.Phone) *pbxtest.CallLeg {
			l := s.dials(p, room)
			s.must(l.Answered(s.ctx))
			s.must(l.HearsInOrder(s.ctx, soundPIN...))
			if isFocus(l.Final()) {
				s.Errorf("%s: the Contact says that it is a conference before it is one", l)
			}
			return l
		}
		alice, bob, mallory := s.phone(), s.phone(), s.phone()
		a, b, m := asked(alice), asked(bob), asked(mallory)
		s.must(a.Press(s.ctx, "4711#"))
		s.must(b.PressByInfo(s.ctx, "0815#"))
		a.Play(440)
		b.Play(620)
		s.hear(speaker{a, 440}, speaker{b, 620})
		if s.memberOf(room, alice.User())["moderator"] != false || s.memberOf(room, bob.User())["moderator"] != true {
			s.Errorf("the API shows %v", s.conference(room))
		}
		// A re-INVITE learns that it is a conference.
		res, err := a.Reinvite(s.ctx, pbxtest.Media{})
		if s.status(res, err, 200); !isFocus(res) {
			s.Errorf("%s: the Contact of a re-INVITE's 200 is %q", a, res.Get("Contact"))
		}
		for range 3 {
			s.must(m.Press(s.ctx, "1234#"))
			s.must(m.HearsInOrder(s.ctx, soundError...))
		}
		s.must(m.Ended(s.within(20)))
		if n := len(s.conference(room)["members"].([]any)); n != 2 {
			s.Errorf("%d members", n)
		}
		s.leaves(a)
		s.leaves(b)
	})
}

// Keys: one mutes himself; the moderator mutes, locks and removes. The API does the same.
func TestConferenceKeys(t *testing.T) {
	play(t, func(s *scene) {
		room := s.room("quiet", true, "moderator_pin", "0815")
		enters := func(p *pbxtest.Phone, pin string, tone float64) speaker {
			l := s.dials(p, room)
			s.must(l.Answered(s.ctx))
			s.must(l.HearsInOrder(s.ctx, soundPIN...))
			s.must(l.Press(s.ctx, pin+"#"))
			l.Play(tone)
			return speaker{l, tone}
		}
		turnedAway := func(p *pbxtest.Phone) {
			l := s.dials(p, room)
			s.must(l.Answered(s.ctx))
			s.must(l.HearsInOrder(s.ctx, soundPIN...))
			s.must(l.Press(s.ctx, "#"))
			s.must(l.HearsInOrder(s.ctx, refusal(7)...))
			s.must(l.Ended(s.within(20)))
		}
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		a, b := enters(alice, "0815", 440), enters(bob, "", 620)
		s.hear(a, b)
		press := func(m speaker, keys string, says sound) {
			s.Helper()
			s.must(m.Press(s.ctx, keys))
			s.must(m.HearsInOrder(s.ctx, says...))
		}
		press(b, "1", soundOff) // muted
		s.hear(a, speaker{b.CallLeg, 0})
		press(b, "1", soundOn)
		s.hear(a, b)
		press(a, "4", soundOff) // all others
		s.hear(a, speaker{b.CallLeg, 0})
		press(a, "4", soundOn)
		s.hear(a, b)
		press(a, "2", soundOn) // locked
		turnedAway(carol)
		press(a, "2", soundOff)
		c := enters(carol, "", 830)
		s.hear(a, b, c)
		press(a, "3", nil) // whoever came last
		s.must(c.HearsInOrder(s.ctx, soundError...))
		s.must(c.Ended(s.within(10)))
		s.hear(a, b)

		// The same by the API.
		at := "/conferences/" + room
		s.must(s.x.api(s.ctx, "PATCH", at, doc{"locked": true}, nil))
		turnedAway(carol)
		if s.conference(room)["locked"] != true {
			s.Errorf("the API shows %v", s.conference(room))
		}
		member := at + "/members/" + s.memberOf(room, bob.User())["call"].(string)
		s.must(s.x.api(s.ctx, "PATCH", member, doc{"muted": true}, nil))
		s.hear(a, speaker{b.CallLeg, 0})
		s.must(s.x.api(s.ctx, "PATCH", member, doc{"muted": false}, nil))
		s.hear(a, b)
		s.must(s.x.api(s.ctx, "DELETE", member, nil, nil))
		s.must(b.HearsInOrder(s.ctx, soundError...))
		s.must(b.Ended(s.within(10)))
		s.music(a.CallLeg)
		s.must(a.Press(s.ctx, "8")) // leaves
		s.must(a.Ended(s.ctx))
		s.eventually("the conference is over", func() bool { return s.conference(room) == nil })
		if err := s.x.api(s.ctx, "PATCH", at, doc{"locked": true}, nil); err == nil {
			s.Error("a conference that is over was locked")
		}
	})
}

// Who comes and who goes is heard by the others; whoever is alone, or waits for a moderator, hears music.
func TestConferenceComingsAndGoings(t *testing.T) {
	play(t, func(s *scene) {
		room := s.room()
		first := s.dials(s.phone(), room)
		s.must(first.Answered(s.ctx))
		s.music(first)
		second := s.dials(s.phone(), room)
		s.must(second.Answered(s.ctx))
		s.must(first.HearsInOrder(s.ctx, sound{{500}, {750}}...))
		third := s.dials(s.phone(), room)
		s.must(third.Answered(s.ctx))
		s.must(second.HearsInOrder(s.ctx, sound{{500}, {750}}...))
		s.must(third.Hears(s.ctx))
		s.leaves(third)
		s.must(first.HearsInOrder(s.ctx, sound{{750}, {500}}...))
		s.leaves(second)
		s.music(first)
		s.leaves(first)
	})
}

// A room holds as many as it says, and one that is disabled, or removed, is no number.
func TestConferenceRoomLimit(t *testing.T) {
	play(t, func(s *scene) {
		room := s.room("limit", 2, "quiet", true)
		carol := s.phone()
		a, b := speaker{s.enters(s.phone(), room, 440), 440}, speaker{s.enters(s.phone(), room, 620), 620}
		s.hear(a, b)
		s.spoken(carol, room, refusal(6))
		at := "/rooms/" + room
		s.must(s.x.api(s.ctx, "PUT", at, doc{"number": room, "enabled": false}, nil))
		s.refused(carol, room, 404)
		s.hear(a, b) // it goes on
		s.must(s.x.api(s.ctx, "DELETE", at, nil, nil))
		s.refused(carol, room, 404)
		s.leaves(a.CallLeg)
		s.leaves(b.CallLeg)
	})
}

// Until a moderator is there, members hear music; they come in muted, and go with him.
func TestConferenceWaitsForModerator(t *testing.T) {
	play(t, func(s *scene) {
		room := s.room("quiet", true, "moderator_pin", "0815", "wait_for_moderator", true, "end_with_moderator", true, "muted", true)
		enters := func(pin string, tone float64) speaker {
			l := s.dials(s.phone(), room)
			s.must(l.Answered(s.ctx))
			s.must(l.HearsInOrder(s.ctx, soundPIN...))
			s.must(l.Press(s.ctx, pin+"#"))
			l.Play(tone)
			return speaker{l, tone}
		}
		a, b := enters("", 440), enters("", 620)
		s.music(a.CallLeg)
		s.music(b.CallLeg)
		m := enters("0815", 830)
		s.hear(speaker{a.CallLeg, 0}, speaker{b.CallLeg, 0}, m)
		s.must(a.Press(s.ctx, "1"))
		s.must(a.HearsInOrder(s.ctx, soundOn...))
		s.hear(a, speaker{b.CallLeg, 0}, m)
		s.leaves(m.CallLeg)
		s.must(a.HearsInOrder(s.ctx, soundError...))
		s.must(a.Ended(s.within(10)))
		s.must(b.Ended(s.within(10)))
	})
}

// A member who puts the conference on hold hears nothing, and nobody hears him; then he is back.
func TestConferenceMemberHolds(t *testing.T) {
	play(t, func(s *scene) {
		room := s.room("quiet", true)
		a, b, c := speaker{s.enters(s.phone(), room, 440), 440}, speaker{s.enters(s.phone(), room, 620), 620}, speaker{s.enters(s.phone(), room, 830), 830}
		s.hear(a, b, c)
		for _, media := range []pbxtest.Media{{Direction: "sendonly"}, {Direction: "inactive"}} {
			s.offer(b.CallLeg, "INVITE", media)
			s.must(a.Hears(s.ctx, 830))
			s.must(c.Hears(s.ctx, 440))
			s.nothing(b.CallLeg)
			s.offer(b.CallLeg, "INVITE", pbxtest.Media{})
			s.hear(a, b, c)
		}
		for _, l := range []speaker{a, b, c} {
			s.leaves(l.CallLeg)
		}
	})
}
