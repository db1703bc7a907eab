package pbx_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// meeting is a plan in which 800 is a room, and 8001 its moderator's way in. rooms gets each mix that is opened.
func meeting(room pbx.Room, rooms *[]*pbxtest.Room) func(*pbx.Options) {
	room.Number, room.Name = "800", "Board"
	var mu sync.Mutex // two may open the room at a time
	return func(o *pbx.Options) {
		o.NewRoom = func() media.Room {
			r := pbxtest.NewRoom().(*pbxtest.Room)
			mu.Lock()
			defer mu.Unlock()
			*rooms = append(*rooms, r)
			return r
		}
		o.Route = func(c *pbx.Call) pbx.Target {
			return pbx.Service("conference 800", func(ctx context.Context, t *pbx.Talk) pbx.Target {
				t.Meet(ctx, &room, c.Dialled == "8001")
				return nil
			})
		}
	}
}

// comes is a call that is where it goes before the next one comes.
func (r *rig) comes(from, to string) *pbxtest.Party {
	p := r.Call(from, to)
	synctest.Wait()
	return p
}

func TestConferenceOfThree(t *testing.T) {
	var rooms []*pbxtest.Room
	withOptions(t, meeting(pbx.Room{}, &rooms), func(r *rig) {
		a := r.Call("1001", "800")
		synctest.Wait()
		r.hears(a, "conf-alone")
		pass(promptLength)
		r.hears(a, "music")
		b := r.Call("1002", "800")
		synctest.Wait()
		r.hears(a, "room: 1002")
		r.hears(b, "room: 1001")
		c := r.Call("1003", "800")
		synctest.Wait()
		r.hears(a, "room: 1002 1003")
		r.hears(c, "room: 1001 1002")
		list := r.sb.Conferences()
		if len(list) != 1 || list[0].Number != "800" || list[0].Name != "Board" || len(list[0].Members) != 3 || !list[0].Members[1].Speaking ||
			list[0].Members[2].From.Number != "1003" {
			t.Errorf("%+v", list)
		}
		b.Hold(true) // his phone may play its own music
		synctest.Wait()
		r.hears(a, "room: 1003")
		b.Hold(false)
		synctest.Wait()
		r.hears(a, "room: 1002 1003")
		b.Bye()
		synctest.Wait()
		r.hears(a, "room: 1003")
		c.Press("8")
		r.told(c, "hangup", time.Second)
		synctest.Wait()
		r.hears(a, "conf-alone")
		a.Bye()
		synctest.Wait()
		if got, want := rooms[0].Played(), []string{"conf-joined", "conf-joined", "conf-left", "conf-left"}; !slices.Equal(got, want) {
			t.Errorf("all heard %q, want %q", got, want)
		}
		if len(rooms) != 1 || !rooms[0].Closed() || len(r.sb.Conferences()) != 0 {
			t.Error("the conference is not over")
		}
	})
}

func TestConferenceKeys(t *testing.T) {
	var rooms []*pbxtest.Room
	withOptions(t, meeting(pbx.Room{Quiet: true}, &rooms), func(r *rig) {
		mod, a, b := r.comes("1000", "8001"), r.comes("1001", "800"), r.comes("1002", "800")
		press := func(p *pbxtest.Party, key, prompt string) {
			t.Helper()
			p.Press(key)
			synctest.Wait()
			r.hears(p, prompt)
			pass(promptLength)
		}
		press(a, "1", "conf-muted")
		r.hears(b, "room: 1000")
		press(a, "1", "conf-unmuted")
		r.hears(b, "room: 1000 1001")
		press(a, "2", "conf-menu")
		press(mod, "9", "conf-moderator-menu")
		press(mod, "4", "conf-all-muted")
		r.hears(b, "room: 1000")
		r.hears(mod, "room:")
		press(mod, "4", "conf-all-unmuted")
		r.hears(mod, "room: 1001 1002")
		press(mod, "2", "conf-now-locked")
		late := r.Call("1003", "800")
		synctest.Wait()
		r.hears(late, "conf-locked")
		r.told(late, "hangup", 2*promptLength)
		press(mod, "2", "conf-now-unlocked")
		mod.Press("3")
		synctest.Wait()
		r.hears(b, "conf-removed")
		r.told(b, "hangup", 2*promptLength)
		r.hears(mod, "room: 1001")
		a.Bye()
		mod.Bye()
	})
}

func TestConferenceWithModerator(t *testing.T) {
	var rooms []*pbxtest.Room
	withOptions(t, meeting(pbx.Room{WaitForModerator: true, EndWithModerator: true, Muted: true}, &rooms), func(r *rig) {
		a, b := r.comes("1001", "800"), r.comes("1002", "800")
		r.hears(a, "conf-wait-moderator")
		pass(promptLength)
		r.hears(b, "music")
		mod := r.Call("1000", "8001")
		synctest.Wait()
		r.hears(a, "room: 1000") // members come in muted
		r.hears(mod, "room:")
		mod.Bye()
		synctest.Wait()
		r.hears(a, "conf-ended")
		r.told(a, "hangup", 2*promptLength)
		r.told(b, "hangup", 2*promptLength)
	})
}

func TestConferenceIsFull(t *testing.T) {
	var rooms []*pbxtest.Room
	withOptions(t, meeting(pbx.Room{Limit: 2}, &rooms), func(r *rig) {
		a, b := r.comes("1001", "800"), r.comes("1002", "800")
		c := r.comes("1003", "800")
		r.hears(c, "conf-full")
		r.told(c, "hangup", 2*promptLength)
		a.Bye()
		b.Bye()
	})
}

func TestConferenceFromOutside(t *testing.T) {
	var rooms []*pbxtest.Room
	withOptions(t, meeting(pbx.Room{}, &rooms), func(r *rig) {
		a, b := r.comes("1001", "800"), r.comes("1002", "800")
		first := r.sb.Conferences()[0].Members[0].Call
		if !r.sb.MuteMember("800", first, true) || r.sb.MuteMember("800", "none", true) || r.sb.MuteMember("801", first, true) {
			t.Error("mute")
		}
		synctest.Wait()
		r.hears(b, "room:")
		if !r.sb.LockConference("800", true) || r.sb.LockConference("801", true) || !r.sb.Conferences()[0].Locked {
			t.Error("lock")
		}
		if !r.sb.RemoveMember("800", first) || r.sb.RemoveMember("800", "none") {
			t.Error("remove")
		}
		r.told(a, "hangup", promptLength+time.Second)
		if !r.sb.HangupCall(r.sb.Conferences()[0].Members[0].Call, pbx.Outcome{Kind: pbx.Answered, By: pbx.Admin, Cause: 16}) {
			t.Error("hangup")
		}
		r.told(b, "hangup", time.Second)
		synctest.Wait()
		if len(r.sb.Conferences()) != 0 {
			t.Error("left over")
		}
	})
}

// Members who are sent out go at once, whatever they hear, and how their calls ended is on record.
func TestConferenceMembersAreRemoved(t *testing.T) {
	var rooms []*pbxtest.Room
	withOptions(t, meeting(pbx.Room{Quiet: true}, &rooms), func(r *rig) {
		mod, a, b := r.comes("1000", "8001"), r.comes("1001", "800"), r.comes("1002", "800")
		b.Press("9")
		synctest.Wait()
		r.hears(b, "conf-menu")
		mod.Press("33")
		synctest.Wait()
		r.hears(a, "conf-removed")
		r.hears(b, "conf-removed")
		r.hears(mod, "conf-alone")
		r.told(a, "hangup", 2*promptLength)
		r.told(b, "hangup", 2*promptLength)
		synctest.Wait()
		if c := r.journal.last(t); c.Outcome != "answered" || c.EndedBy != "admin" || c.Reason != `SIP;cause=200;text="Removed from the conference"` {
			t.Errorf("%+v", c)
		}
		mod.Bye()
	})
}

// A locked room lets in who knows a moderator's PIN; where there is none, nobody.
func TestLockedConference(t *testing.T) {
	for _, pin := range []string{"", "hash"} {
		var rooms []*pbxtest.Room
		withOptions(t, meeting(pbx.Room{Quiet: true, ModeratorPINHash: pin}, &rooms), func(r *rig) {
			a := r.comes("1001", "8001")
			a.Press("2")
			synctest.Wait()
			b := r.comes("1002", "8001")
			if pin == "" {
				r.hears(b, "conf-locked")
				r.told(b, "hangup", 2*promptLength)
			} else {
				r.hears(b, "room: 1001")
				b.Bye()
			}
			a.Bye()
			synctest.Wait()
			c := r.comes("1003", "8001") // the next conference is open
			r.hears(c, "conf-alone")
			c.Bye()
		})
	}
}

// Whoever comes and goes and presses what: in the end nothing is left, and at each moment all hear all others that are not muted.
func TestConferenceInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var rooms []*pbxtest.Room
		withOptions(t, meeting(pbx.Room{Quiet: rapid.Bool().Draw(rt, "quiet"), WaitForModerator: rapid.Bool().Draw(rt, "wait")}, &rooms), func(r *rig) {
			var in []*pbxtest.Party
			for range rapid.IntRange(1, 20).Draw(rt, "steps") {
				switch rapid.IntRange(0, 3).Draw(rt, "what") {
				case 0:
					in = append(in, r.Call(rapid.SampledFrom([]string{"1001", "1002", "1003"}).Draw(rt, "who"), rapid.SampledFrom([]string{"800", "8001"}).Draw(rt, "as")))
				case 1:
					if len(in) > 0 {
						in[rapid.IntRange(0, len(in)-1).Draw(rt, "leaver")].Bye()
					}
				case 2:
					if len(in) > 0 {
						in[rapid.IntRange(0, len(in)-1).Draw(rt, "presser")].Press(rapid.SampledFrom([]string{"1", "2", "3", "4", "8", "9"}).Draw(rt, "key"))
					}
				default:
					pass(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "ms")) * time.Millisecond)
				}
			}
			pass(time.Minute)
			heard := 0
			for _, c := range r.sb.Conferences() {
				heard += len(c.Members)
			}
			up := 0
			for _, p := range in {
				if _, over := p.Ended(); !over {
					up++
				}
			}
			if heard != up {
				t.Errorf("%d members of %d calls", heard, up)
			}
			for _, p := range in {
				p.Bye()
			}
			synctest.Wait()
			for _, room := range rooms {
				if !room.Closed() || room.Stats().Members != 0 {
					t.Error("a room is left")
				}
			}
		})
	})
}
