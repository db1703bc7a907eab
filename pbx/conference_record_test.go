package pbx_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// tapedMeeting is meeting, of a switchboard that records.
func tapedMeeting(room pbx.Room, s *shelf, rooms *[]*pbxtest.Room) func(*pbx.Options) {
	meets, tapes := meeting(room, rooms), taped(s, nil)
	return func(o *pbx.Options) {
		tapes(o)
		meets(o)
	}
}

func TestConferenceIsRecordedWhileItMeets(t *testing.T) {
	var rooms []*pbxtest.Room
	s := new(shelf)
	withOptions(t, tapedMeeting(pbx.Room{Record: true}, s, &rooms), func(r *rig) {
		a := r.comes("1001", "800")
		pass(time.Minute)
		if len(s.all()) != 0 || r.sb.Conferences()[0].Recorded {
			t.Error("one alone is recorded")
		}
		b := r.comes("1002", "800")
		r.hears(a, "conf-recorded")
		r.hears(b, "conf-recorded")
		pass(promptLength)
		r.hears(a, "room: 1002")
		c := r.comes("1003", "800")
		r.hears(b, "room: 1001 1003")
		r.hears(c, "conf-recorded")
		if !rooms[0].Frames(100) || !r.sb.Conferences()[0].Recorded {
			t.Error("nobody records")
		}
		c.Bye()
		b.Bye()
		synctest.Wait()
		if rooms[0].Frames(1) || r.sb.Conferences()[0].Recorded || !s.all()[0].kept {
			t.Error("one who is left alone is recorded")
		}
		b = r.comes("1002", "800") // a second recording
		r.hears(b, "conf-recorded")
		if rooms[0].Frames(50); len(s.all()) != 2 {
			t.Error("not recorded again")
		}
		a.Bye()
		b.Bye()
		synctest.Wait()
		for i, tape := range s.all() {
			w := tape.what
			if w.Room != "800" || w.By != "room 800" || w.Call != "" || w.Channels != 1 || w.Started.IsZero() || !tape.kept || tape.late || tape.frames != []int{100, 50}[i] {
				t.Errorf("%+v", tape)
			}
		}
		for _, c := range r.journal.ended {
			if c.Recorded != nil {
				t.Errorf("%+v", c)
			}
		}
	})
}

func TestConferenceIsRecordedByKey(t *testing.T) {
	var rooms []*pbxtest.Room
	s := &shelf{keeps: 3 * time.Second}
	withOptions(t, tapedMeeting(pbx.Room{}, s, &rooms), func(r *rig) {
		mod, a := r.comes("1000", "8001"), r.comes("1001", "800")
		a.Press("5")
		synctest.Wait()
		r.hears(a, "conf-menu")
		if len(s.all()) != 0 {
			t.Error("somebody who is no moderator has begun a recording")
		}
		pass(promptLength)
		mod.Press("5")
		synctest.Wait()
		r.hears(mod, "conf-recorded")
		r.hears(a, "conf-recorded")
		pass(promptLength)
		mod.Press("5")
		synctest.Wait()
		r.hears(mod, "recording-off")
		r.hears(a, "room: 1000")
		mod.Press("5") // while the disk is still at it
		synctest.Wait()
		r.hears(mod, "conf-recorded")
		mod.Press("55")
		synctest.Wait()
		if rooms[0].Frames(1); len(s.all()) != 3 || s.all()[2].frames != 1 || s.all()[0].what.By != "1000" {
			t.Errorf("%d tapes", len(s.all()))
		}
		a.Bye()
		mod.Bye()
		pass(time.Minute)
	})
	withOptions(t, meeting(pbx.Room{}, &rooms), func(r *rig) { // without a store
		mod := r.comes("1000", "8001")
		mod.Press("5")
		synctest.Wait()
		r.hears(mod, "error")
		mod.Bye()
	})
	withOptions(t, tapedMeeting(pbx.Room{}, s, &rooms), func(r *rig) { // alone: as soon as somebody comes
		mod := r.comes("1000", "8001")
		mod.Press("5")
		synctest.Wait()
		r.hears(mod, "recording-on")
		a := r.comes("1001", "800")
		r.hears(a, "conf-recorded")
		a.Bye()
		mod.Bye()
		pass(time.Minute)
	})
}

func TestConferenceIsRecordedByAPI(t *testing.T) {
	var rooms []*pbxtest.Room
	s := new(shelf)
	withOptions(t, tapedMeeting(pbx.Room{}, s, &rooms), func(r *rig) {
		want := func(err, want error) {
			t.Helper()
			synctest.Wait()
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		want(r.sb.RecordConference("800", true, "admin"), pbx.ErrNoConference)
		a, b := r.comes("1001", "800"), r.comes("1002", "800")
		want(r.sb.RecordConference("800", false, "admin"), pbx.ErrNotRecorded)
		want(r.sb.RecordConference("800", true, "admin"), nil)
		want(r.sb.RecordConference("800", true, "admin"), pbx.ErrRecorded)
		r.hears(a, "conf-recorded")
		r.hears(b, "conf-recorded")
		want(r.sb.RecordConference("800", false, "admin"), nil)
		if len(s.all()) != 1 || !s.all()[0].kept || s.all()[0].what.By != "admin" {
			t.Error("not kept")
		}
		a.Bye()
		b.Bye()
	})
	withOptions(t, meeting(pbx.Room{}, &rooms), func(r *rig) {
		a := r.comes("1001", "800")
		if err := r.sb.RecordConference("800", true, "admin"); !errors.Is(err, pbx.ErrNoRecordings) {
			t.Error(err)
		}
		a.Bye()
	})
}

// A conference goes on without its recording, which is tried again only when somebody wants it.
func TestConferenceAndAFullDisk(t *testing.T) {
	for _, s := range []*shelf{{fails: errors.New("the disk is full")}, {room: 10}} {
		var rooms []*pbxtest.Room
		withOptions(t, tapedMeeting(pbx.Room{Record: true}, s, &rooms), func(r *rig) {
			a, b := r.comes("1001", "800"), r.comes("1002", "800")
			rooms[0].Frames(20)
			synctest.Wait()
			pass(promptLength)
			if rooms[0].Frames(1) || r.sb.Conferences()[0].Recorded {
				t.Error("still recorded")
			}
			c := r.comes("1003", "800")
			r.hears(a, "room: 1002 1003")
			r.hears(c, "room: 1001 1002")
			if err := r.sb.RecordConference("800", true, "admin"); err != nil {
				t.Error(err)
			}
			for _, p := range []*pbxtest.Party{a, b, c} {
				p.Bye()
			}
		})
	}
}

// The moderator whose key has begun a recording hears that it has failed, at its beginning or later; nobody else does.
func TestModeratorHearsThatARecordingFails(t *testing.T) {
	for _, s := range []*shelf{{fails: errors.New("the disk is full")}, {room: 200}} {
		var rooms []*pbxtest.Room
		withOptions(t, tapedMeeting(pbx.Room{}, s, &rooms), func(r *rig) {
			mod, a := r.comes("1000", "8001"), r.comes("1001", "800")
			mod.Press("5")
			synctest.Wait()
			if s.room > 0 {
				pass(promptLength)
				rooms[0].Frames(s.room + 1)
				synctest.Wait()
			}
			r.hears(mod, "error")
			r.hears(a, "room: 1000")
			pass(promptLength)
			r.hears(mod, "room: 1001")
			mod.Press("5") // again
			synctest.Wait()
			if list := r.sb.Conferences(); list[0].Recorded != (s.room > 0) {
				t.Errorf("%+v", list)
			}
			mod.Bye()
			a.Bye()
			synctest.Wait()
		})
	}
}

// Whoever shows conferences is told of each change, and sees it then.
func TestConferenceChangesAreTold(t *testing.T) {
	var rooms []*pbxtest.Room
	s := new(shelf)
	set := tapedMeeting(pbx.Room{}, s, &rooms)
	var mu sync.Mutex
	var sb *pbx.Switchboard
	var seen []pbx.ConferenceInfo
	withOptions(t, func(o *pbx.Options) {
		set(o)
		o.ConferenceChanged = func(room string) {
			c, ok := sb.Conference(room)
			mu.Lock()
			defer mu.Unlock()
			if room != "800" || ok != (len(c.Members) > 0) {
				t.Errorf("%s: %+v", room, c)
			}
			seen = append(seen, c)
		}
	}, func(r *rig) {
		sb = r.sb
		told := func(what string, changed bool, is func(pbx.ConferenceInfo) bool) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if changed != (len(seen) > 0) {
				t.Errorf("%s: told %d times", what, len(seen))
			} else if changed && !is(seen[len(seen)-1]) {
				t.Errorf("%s: %+v", what, seen[len(seen)-1])
			}
			seen = nil
		}
		a := r.Call("1001", "800")
		told("came", true, func(c pbx.ConferenceInfo) bool { return len(c.Members) == 1 && c.Number == "800" && c.Name == "Board" })
		b := r.Call("1002", "8001")
		told("came", true, func(c pbx.ConferenceInfo) bool {
			return len(c.Members) == 2 && c.Members[1].From.Number == "1002" && c.Members[1].Moderator && !c.Members[0].Moderator
		})
		a.Hold(true)
		told("held", true, func(c pbx.ConferenceInfo) bool { return c.Members[0].Held })
		a.Hold(false)
		told("back", true, func(c pbx.ConferenceInfo) bool { return !c.Members[0].Held })
		a.Press("1")
		told("muted himself", true, func(c pbx.ConferenceInfo) bool { return c.Members[0].Muted })
		a.Press("2")
		told("a key of moderators", false, nil)
		b.Press("4")
		told("not muted any more", true, func(c pbx.ConferenceInfo) bool { return !c.Members[0].Muted })
		b.Press("2")
		told("locked", true, func(c pbx.ConferenceInfo) bool { return c.Locked })
		r.sb.LockConference("800", false)
		told("open", true, func(c pbx.ConferenceInfo) bool { return !c.Locked })
		r.sb.LockConference("801", false)
		told("no such conference", false, nil)
		first, _ := r.sb.Conference("800")
		r.sb.MuteMember("800", first.Members[0].Call, true)
		told("muted", true, func(c pbx.ConferenceInfo) bool { return c.Members[0].Muted })
		b.Press("5")
		told("recorded", true, func(c pbx.ConferenceInfo) bool { return c.Recorded })
		b.Press("5")
		told("not recorded", true, func(c pbx.ConferenceInfo) bool { return !c.Recorded })
		b.Press("9")
		told("the menu", false, nil)
		r.sb.RemoveMember("800", first.Members[0].Call)
		told("removed", true, func(c pbx.ConferenceInfo) bool { return len(c.Members) == 1 })
		r.told(a, "hangup", 2*promptLength)
		b.Bye()
		told("over", true, func(c pbx.ConferenceInfo) bool { return len(c.Members) == 0 })
		if _, ok := r.sb.Conference("800"); ok {
			t.Error("still there")
		}
	})
}

// Whoever comes, goes and presses 5: what is recorded is what is wanted, tapes are all kept, and never two at a time.
func TestConferenceRecordingInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var rooms []*pbxtest.Room
		s := &shelf{begins: 50 * time.Millisecond, keeps: time.Second}
		wanted := rapid.Bool().Draw(rt, "policy")
		steps := rapid.SliceOfN(rapid.IntRange(0, 4), 1, 20).Draw(rt, "steps")
		withOptions(t, tapedMeeting(pbx.Room{Record: wanted, Quiet: true}, s, &rooms), func(r *rig) {
			mod := r.comes("1000", "8001") // stays
			var in []*pbxtest.Party
			for _, step := range steps {
				switch {
				case step == 0:
					in = append(in, r.comes("1001", "800"))
				case step == 1 && len(in) > 0:
					in[0].Bye()
					in = in[1:]
				case step == 2:
					mod.Press("5")
					wanted = !wanted
				case step == 3:
					if err := r.sb.RecordConference("800", !wanted, "admin"); err != nil {
						t.Error(err)
					}
					wanted = !wanted
				case step == 4:
					pass(20 * time.Millisecond)
				}
				synctest.Wait()
			}
			pass(time.Minute)
			running := 0
			for _, tape := range s.all() {
				if !tape.kept && !tape.dropped {
					running++
				}
			}
			want := 0
			if wanted && len(in) > 0 {
				want = 1
			}
			if running != want || rooms[0].Frames(1) != (want == 1) || r.sb.Conferences()[0].Recorded != (want == 1) {
				t.Errorf("%d recordings, want %d", running, want)
			}
			for _, p := range append(slices.Clone(in), mod) {
				p.Bye()
			}
			pass(time.Minute)
			for _, tape := range s.all() {
				if !tape.kept && !tape.dropped || tape.late {
					t.Errorf("%+v", tape)
				}
			}
		})
		if t.Failed() {
			rt.Fatalf("%v", steps)
		}
	})
}
