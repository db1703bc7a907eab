package e2e

import (
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// recorded is a recording as the API shows it.
type recorded struct {
	ID, Call, Room, From, To, By, Problem string

	Length   time.Duration `json:"length_ns"`
	Bytes    int
	Channels int
}

// recordings waits until there are so many that the query finds.
func (s *scene) recordings(query string, count int) []recorded {
	s.Helper()
	var l struct{ Items []recorded }
	s.eventually("there are recordings of "+query, func() bool {
		s.must(s.x.api(s.ctx, "GET", "/recordings?"+query, nil, &l))
		return len(l.Items) == count
	})
	return l.Items
}

// heardBoth fails unless the caller's tone is left and the other's right, each for so long, and neither on the other side.
func (s *scene) heardBoth(r recorded, least time.Duration) []byte {
	s.Helper()
	w, b := s.wav("/recordings/" + r.ID + "/sound")
	if len(w.Channels) != 2 || w.Total(0, 440) < least || w.Total(1, 620) < least || len(w.When(0, 620)) > 0 || len(w.When(1, 440)) > 0 {
		s.Errorf("%+v: %s", r, w)
	}
	if len(b) != r.Bytes || r.Channels != 2 || (r.Length-w.Length()).Abs() > 20*time.Millisecond || r.Problem != "" {
		s.Errorf("%+v has %d bytes: %s", r, len(b), w)
	}
	return b
}

// callID is the ID of a call that is up, by the caller's number.
func (s *scene) callID(from string) string {
	s.Helper()
	id := ""
	s.eventually("the call is in the list", func() bool {
		found, err := s.x.about(s.ctx, "/calls", []string{"from"}, from)
		s.must(err)
		if len(found) > 0 {
			id, _ = found[0]["id"].(string)
		}
		return id != ""
	})
	return id
}

// inRecord are the recordings that the record of the newest call names.
func (s *scene) inRecord(from, to string) []string {
	s.Helper()
	s.record(from, to)
	var found struct {
		Items []struct {
			Recorded []struct{ ID, By, Problem string }
		}
	}
	s.must(s.x.api(s.ctx, "GET", "/cdrs?from="+from+"&to="+to, nil, &found))
	var all []string
	for _, r := range found.Items[0].Recorded {
		if r.Problem != "" {
			s.Errorf("%+v", r)
		}
		all = append(all, r.ID)
	}
	return all
}

// All calls that an extension answers, or makes: the caller left, who is called right, over hold; the record names the recording.
func TestRecordedByPolicy(t *testing.T) {
	play(t, func(s *scene) {
		for _, policy := range []string{"incoming", "outgoing"} {
			alice, bob := s.phone(codecs("PCMA", "telephone-event")), s.phone()
			whose := bob
			if policy == "outgoing" {
				alice = s.phone(codecs("G722", "telephone-event"))
				whose = alice
			}
			s.services(whose.User(), "record", doc{policy: true})
			caller, callee := s.up(alice, bob)
			s.talk(caller, callee)
			s.must(callee.Hold(s.ctx))
			s.music(caller)
			s.must(callee.Resume(s.ctx))
			s.talk(caller, callee)
			s.over(caller, callee)
			r := s.recordings("number="+bob.User(), 1)[0]
			b := s.heardBoth(r, 500*time.Millisecond)
			if r.From != alice.User() || r.To != bob.User() || r.By != "policy of "+whose.User() {
				s.Errorf("%+v", r)
			}
			if ids := s.inRecord(alice.User(), bob.User()); len(ids) != 1 || ids[0] != r.ID {
				s.Errorf("the record names %q, the recording is %s", ids, r.ID)
			}
			s.inRanges("/recordings/"+r.ID+"/sound", b)
			s.must(s.x.api(s.ctx, "DELETE", "/recordings/"+r.ID, nil, nil))
			s.get("/recordings/"+r.ID+"/sound", "", 404)
			// Not the calls the other way round.
			caller, callee = s.up(bob, alice)
			s.talk(caller, callee)
			s.over(caller, callee)
			if ids := s.inRecord(bob.User(), alice.User()); len(ids) != 0 {
				s.Errorf("the record names %q", ids)
			}
		}
	})
}

// *1 begins and ends a recording, whoever of both presses it, and is heard by nobody; other keys go through, in order. Keys as events
// and by INFO.
func TestRecordedOnDemand(t *testing.T) {
	play(t, func(s *scene) {
		for _, byInfo := range []bool{false, true} {
			press := func(l *pbxtest.CallLeg, keys string) {
				s.Helper()
				if byInfo {
					s.must(l.PressByInfo(s.ctx, keys))
				} else {
					s.must(l.Press(s.ctx, keys))
				}
			}
			alice, bob := s.phone(), s.phone()
			wants := bob
			if byInfo {
				wants = alice
			}
			s.services(wants.User(), "record", doc{"on_demand": true})
			caller, callee := s.up(alice, bob)
			who, other, tone := callee, caller, 620.0
			if byInfo {
				who, other, tone = caller, callee, 440.0
			}
			s.talk(caller, callee)
			press(who, "*1")
			s.must(who.HearsInOrder(s.ctx, soundOn...))
			s.says(who, tone, 2*time.Second)
			who.Play(tone)
			press(who, "*5")
			s.keysArrive(other, "*5")
			press(who, "*1")
			s.must(who.HearsInOrder(s.ctx, soundOff...))
			r := s.recordings("number="+bob.User(), 1)[0]
			if r.By != wants.User() {
				s.Errorf("%+v", r)
			}
			s.heardBoth(r, 500*time.Millisecond)
			s.talk(caller, callee)
			press(other, "*1") // may not: it goes through
			s.keysArrive(who, "*1")
			s.over(callee, caller)
			if keys := keysAt(other); keys != "*5" {
				s.Errorf("the keys %q have arrived", keys)
			}
			if ids := s.inRecord(alice.User(), bob.User()); len(ids) != 1 || ids[0] != r.ID {
				s.Errorf("the record names %q", ids)
			}
		}
	})
}

// keysArrive waits until a phone has got just these keys.
func (s *scene) keysArrive(l *pbxtest.CallLeg, keys string) {
	s.Helper()
	for end := time.Now().Add(patience); keysAt(l) != keys; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("%s got the keys %q and not %q", l, keysAt(l), keys)
		}
	}
}

// keysAt are the keys that have come to a phone, as events or by INFO.
func keysAt(l *pbxtest.CallLeg) string {
	keys := l.KeysHeard()
	for _, m := range l.Infos() {
		keys += keyOfInfo(string(m.Body))
	}
	return keys
}

func keyOfInfo(body string) string {
	for _, k := range body[min(len(body), len("Signal=")):] {
		if k != ' ' {
			return string(k)
		}
	}
	return ""
}

// Where a policy says so, both parties are told, and then talk.
func TestRecordingIsAnnounced(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		s.services(bob.User(), "record", doc{"incoming": true, "announce": true})
		caller, callee := s.up(alice, bob)
		s.must(caller.HearsTone(s.ctx, 1400))
		s.must(callee.HearsTone(s.ctx, 1400))
		s.talk(caller, callee)
		s.over(caller, callee)
		s.recordings("number="+bob.User(), 1)
	})
}

// An administrator records a call, and ends that.
func TestRecordedByREST(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		caller, callee := s.up(alice, bob)
		s.talk(caller, callee)
		path := "/calls/" + s.callID(alice.User()) + "/recording"
		for range 2 {
			s.must(s.x.api(s.ctx, "PUT", path, nil, nil))
		}
		s.says(caller, 440, 2*time.Second)
		caller.Play(440)
		s.must(s.x.api(s.ctx, "DELETE", path, nil, nil))
		r := s.recordings("number="+bob.User(), 1)[0]
		s.heardBoth(r, 500*time.Millisecond)
		s.talk(caller, callee)
		s.over(caller, callee)
		if ids := s.inRecord(alice.User(), bob.User()); len(ids) != 1 || ids[0] != r.ID {
			s.Errorf("the record names %q", ids)
		}
	})
}

// A room that is recorded: one channel with all that is said in it; members are told.
func TestRoomIsRecorded(t *testing.T) {
	play(t, func(s *scene) {
		room := s.room("quiet", true, "record", true)
		alice := s.enters(s.phone(), room, 440)
		bob := s.enters(s.phone(), room, 620)
		s.must(alice.HearsTone(s.ctx, 620))
		s.must(bob.HearsTone(s.ctx, 440))
		s.says(bob, 620, 2*time.Second)
		s.leaves(alice)
		s.leaves(bob)
		r := s.recordings("room="+room, 1)[0]
		w, _ := s.wav("/recordings/" + r.ID + "/sound")
		if len(w.Channels) != 1 || r.Channels != 1 || w.Total(0, 440, 620) < time.Second || r.Room != room {
			s.Errorf("%+v: %s", r, w)
		}
	})
}
