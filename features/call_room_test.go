package features

import (
	"slices"
	"testing"
	"testing/synctest"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// board is a conference room 800 with PINs, or without.
func (x *exchange) board(pin, moderator bool) *pbx.Room {
	r := &pbx.Room{Number: "800", Name: "Board", Enabled: true, Quiet: true}
	if pin {
		r.PINHash = "4711"
	}
	if moderator {
		r.ModeratorPINHash = "0815"
	}
	x.rooms["800"] = r
	return r
}

// types presses keys of a phone, a moment between two.
func (x *exchange) types(p *pbxtest.Party, keys string) {
	for _, k := range keys {
		p.Press(string(k))
		synctest.Wait()
	}
}

// roles are the moderators and the other members of the conference, by their numbers.
func (x *exchange) roles() (moderators, members []string) {
	for _, c := range x.sb.Conferences() {
		for _, m := range c.Members {
			if m.Moderator {
				moderators = append(moderators, m.From.Number)
			} else {
				members = append(members, m.From.Number)
			}
		}
	}
	return moderators, members
}

// Who hides his number hides it in a conference as well: for all calls or for this one; with a PIN or without.
func TestHiddenMembersOfARoom(t *testing.T) {
	for _, pin := range []bool{false, true} {
		calls(t, func(x *exchange) {
			x.board(pin, false)
			x.of("1001").HideNumber.On = true
			for _, call := range [][2]string{{"1001", "800"}, {"1002", "*67800"}, {"1003", "800"}} {
				p := x.Call(call[0], call[1])
				synctest.Wait()
				defer p.Bye()
				if pin {
					x.types(p, "4711#")
				}
			}
			members := x.sb.Conferences()[0].Members
			for i, hidden := range []bool{true, true, false} {
				if len(members) != 3 || members[i].From.Hidden != hidden {
					t.Fatalf("PIN %v: %+v", pin, members)
				}
			}
		})
	}
}

func TestRoomWithoutPIN(t *testing.T) {
	calls(t, func(x *exchange) {
		x.board(false, false)
		x.of("1001").Class = "internal"
		alice := x.Call("1001", "800")
		synctest.Wait()
		x.told(alice, "focus", "200 PCMU PCMA telephone-event")
		x.of("1002").Always = pbx.Forward{On: true, To: "800"}
		bob := x.Call("1003", "1002") // sent on to it
		synctest.Wait()
		if alice.Hears() != "room: 1003" || bob.Hears() != "room: 1001" {
			t.Error(alice.Hears(), bob.Hears())
		}
		if mods, _ := x.roles(); len(mods) != 2 {
			t.Error("not everybody is a moderator:", mods)
		}
		alice.Bye()
		bob.Bye()
	})
}

func TestRoomAsksForPIN(t *testing.T) {
	calls(t, func(x *exchange) {
		x.board(true, true)
		alice, bob, carol := x.Call("1001", "800"), x.Call("1002", "800"), x.Call("1003", "800")
		synctest.Wait()
		x.told(alice, "200 PCMU PCMA telephone-event")
		if alice.Hears() != "conf-enter-pin" {
			t.Error(alice.Hears())
		}
		x.types(alice, "4711#")
		x.told(alice, "200 PCMU PCMA telephone-event", "focus")
		x.types(bob, "0815#")
		x.types(carol, "#") // there is a PIN, so nothing is none
		if carol.Hears() != "error" {
			t.Error(carol.Hears())
		}
		after(2 * s)
		x.types(carol, "4712#")
		after(4 * s)
		x.types(carol, "12345#")
		after(6 * s)
		if h := carol.Hears(); h != "not-allowed" && h != "" {
			t.Error(h)
		}
		after(10 * s)
		if _, over := carol.Ended(); !over {
			t.Error("still there after three wrong ones:", carol.Told())
		}
		mods, members := x.roles()
		if !slices.Equal(mods, []string{"1002"}) || !slices.Equal(members, []string{"1001"}) || alice.Hears() != "room: 1002" {
			t.Error(mods, members, alice.Hears())
		}
		if want := []string{"800:4711", "800:0815", "800:", "800:4712", "800:12345"}; !slices.Equal(x.pins.asked, want) {
			t.Errorf("%q was asked for", x.pins.asked)
		}
		alice.Bye()
		bob.Bye()
	})
}

// Where only moderators have a PIN, # alone lets in, and so does silence.
func TestRoomWithModeratorPIN(t *testing.T) {
	calls(t, func(x *exchange) {
		x.board(false, true)
		alice, bob, carol := x.Call("1001", "800"), x.Call("1002", "800"), x.Call("1003", "800")
		synctest.Wait()
		x.types(alice, "#")
		x.types(bob, "0815#")
		after(20 * s)
		mods, members := x.roles()
		if !slices.Equal(mods, []string{"1002"}) || !slices.Equal(members, []string{"1001", "1003"}) {
			t.Error(mods, members)
		}
		alice.Bye()
		bob.Bye()
		carol.Bye()
	})
}

// Whoever hangs up while he is asked has not been there.
func TestRoomCallerGoesWhileAsked(t *testing.T) {
	calls(t, func(x *exchange) {
		x.board(true, false)
		alice := x.Call("1001", "800")
		synctest.Wait()
		x.types(alice, "47")
		alice.Bye()
		synctest.Wait()
		if len(x.sb.Conferences()) != 0 || len(x.pins.asked) != 0 {
			t.Error(x.sb.Conferences(), x.pins.asked)
		}
	})
}

func TestRoomThatIsDisabled(t *testing.T) {
	calls(t, func(x *exchange) {
		x.board(false, false).Enabled = false
		x.told(x.Call("1001", "800"), "refuse 404 see no-such-number")
	})
}

func newRoom() media.Room { return pbxtest.NewRoom() }

// A phone may redirect to a room as to any number of the PBX, unless it is disabled.
func TestRedirectToARoom(t *testing.T) {
	for _, enabled := range []bool{true, false} {
		calls(t, func(x *exchange) {
			x.board(false, false).Enabled = enabled
			x.Register("1000", pbxtest.Redirect("800"))
			alice := x.Call("1001", "1000")
			if synctest.Wait(); !enabled {
				x.told(alice, "refuse 480")
				return
			}
			x.told(alice, "181", "focus", "200 PCMU PCMA telephone-event")
			alice.Bye()
		})
	}
}
