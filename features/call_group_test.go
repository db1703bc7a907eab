package features

import (
	"fmt"
	"testing"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

func sales(strategy pbx.Strategy, members ...string) *pbx.Group {
	return &pbx.Group{Number: "600", Name: "Sales", Enabled: true, Strategy: strategy, Members: members, Seconds: 5}
}

func TestGroupRingsAll(t *testing.T) {
	calls(t, func(x *exchange) {
		x.groups["600"] = sales(pbx.RingAll, "1000", "1002", "1003", "1004", "1005")
		x.of("1002").DoNotDisturb.On = true
		x.of("1003").Always = pbx.Forward{On: true, To: "1009"} // his own, which the group does not keep
		x.of("1005").OneCall.On = true
		a, b, c := x.Register("1000", pbxtest.RingForever()), x.Register("1002", pbxtest.Answer(0)), x.Register("1003", pbxtest.Answer(3*s))
		x.Register("1004", pbxtest.Redirect("1009"))
		busy := x.Register("1005", pbxtest.Answer(0))
		never := x.Register("1009", pbxtest.Answer(0))
		x.Register("1008", pbxtest.Answer(0))
		other := x.Call("1005", "1008")
		after(s)
		alice := x.Call("1001", "600")
		after(5 * s)
		x.told(a.Last(), "cancel cancelled 200 (system)")
		x.rang(b, 0)
		x.rang(c, 1)
		x.rang(busy, 0)
		x.rang(never, 0)
		if alice.Hears() != "1003" {
			t.Error(alice.Told())
		}
		alice.Bye()
		other.Bye()
	})
}

func TestGroupOverflow(t *testing.T) {
	for name, script := range map[string]pbxtest.Script{"no answer": pbxtest.RingForever(), "busy": pbxtest.Busy(), "declined": pbxtest.Reject(603, 0), "not there": nil} {
		t.Run(name, func(t *testing.T) {
			calls(t, func(x *exchange) {
				x.groups["600"] = sales(pbx.RingAll, "1000", "1002")
				x.groups["600"].Overflow = "1003"
				if script != nil {
					x.Register("1000", script)
					x.Register("1002", script)
				}
				over := x.Register("1003", pbxtest.Answer(0))
				alice := x.Call("1001", "600")
				after(6 * s)
				if v := x.via(over); v != "600>1003 no-answer 408" {
					t.Error(v)
				}
				alice.Bye()
			})
		})
	}
}

func TestGroupRoundRobin(t *testing.T) {
	calls(t, func(x *exchange) {
		x.groups["600"] = sales(pbx.RoundRobin, "1000", "1002", "1003")
		for _, n := range x.groups["600"].Members {
			x.Register(n, pbxtest.Answer(0))
		}
		var order string
		for range 4 {
			alice := x.Call("1001", "600")
			after(since() + s)
			order += alice.Hears() + " "
			alice.Bye()
		}
		if order != "1000 1002 1003 1000 " {
			t.Error(order)
		}
	})
}

// One after the other, each for the group's time; the forward of a member holds where the group says so.
func TestGroupInOrderWithForwards(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			calls(t, func(x *exchange) {
				x.groups["600"] = sales(pbx.InTurn, "1000", "1002")
				x.groups["600"].KeepForwards = keep
				x.of("1000").NoAnswer = pbx.Forward{On: true, To: "1003", Ring: 4}
				first, second := x.Register("1000", pbxtest.RingForever()), x.Register("1002", pbxtest.Answer(0))
				own := x.Register("1003", pbxtest.RingForever())
				alice := x.Call("1001", "600")
				after(5*s + ms)
				x.told(first.Last(), "cancel no answer 480 (system)")
				if keep {
					x.rang(own, 1)
					x.rang(second, 0)
				} else {
					x.rang(own, 0)
					x.rang(second, 1)
				}
				after(10 * s)
				x.rang(second, 1)
				alice.Bye()
			})
		})
	}
}

func TestClosedByTheClock(t *testing.T) {
	calls(t, func(x *exchange) {
		x.hours["office"] = officeHours
		x.of("1000").Closed = pbx.Closed{Hours: "office"}
		x.of("1002").Closed = pbx.Closed{Hours: "office", To: "1003"}
		own, night := x.Register("1000", pbxtest.Answer(0)), x.Register("1003", pbxtest.Answer(0))
		alice := x.Call("1001", "1000") // on Saturday
		after(ms)
		if alice.Hears() != "closed" {
			t.Error(alice.Hears())
		}
		after(2 * s)
		x.told(alice, "183 early PCMU PCMA telephone-event", "refuse 480 see closed")
		x.rang(own, 0)
		bob := x.Call("1001", "1002")
		if v := x.via(night); v != "1002>1003 time-of-day 404" {
			t.Error(v)
		}
		bob.Bye()
		after((2*24+8)*60*60*s + ms) // on Monday
		alice = x.Call("1001", "1000")
		x.rang(own, 1)
		alice.Bye()
	})
}

// What is switched holds for the next call, and never for one that is under way.
func TestSettingsHoldForTheNextCall(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").NoAnswer = pbx.Forward{On: true, To: "1002", After: 5}
		old, changed := x.Register("1002", pbxtest.Answer(0)), x.Register("1003", pbxtest.Answer(0))
		x.Register("1000", pbxtest.RingForever())
		first := x.Call("1001", "1000")
		after(s)
		settings := *x.extensions["1000"]
		settings.Services.NoAnswer.To = "1003"
		x.extensions["1000"] = &settings
		second := x.Call("1004", "1000")
		after(7 * s)
		x.rang(old, 1)
		x.rang(changed, 1)
		first.Bye()
		second.Bye()
	})
}

func TestRedialIsNoted(t *testing.T) {
	calls(t, func(x *exchange) {
		recent := pbx.NewRecent()
		r := &Router{Directory: x.office, Recent: recent}
		r.Route(&pbx.Call{From: pbx.Identity{Number: "1001"}, Dialled: "1000"})
		r.Route(&pbx.Call{From: pbx.Identity{Number: "1001"}, Dialled: "*43"})
		r.Plan(pbx.Identity{Number: "1001"}, "1002", morning)
		if got := recent.LastDialled("1001"); got != "1000" {
			t.Error(got)
		}
		r.Route(&pbx.Call{From: pbx.Identity{Number: "0049"}, Dialled: "1000"})
		if got := recent.LastDialled("0049"); got != "" {
			t.Error("noted for no extension:", got)
		}
	})
}
