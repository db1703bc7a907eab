package features

import (
	"testing"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// RFC 5359 §2.12: the first place does not answer, the second is not registered (480), the third is busy (486), the fourth answers.
func TestFindMe(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{
			{Places: []pbx.Place{{Number: "1000"}}, Seconds: 10},
			{Places: []pbx.Place{{Number: "1002"}}, Seconds: 10},
			{Places: []pbx.Place{{Number: "1003"}}, Seconds: 10},
			{Places: []pbx.Place{{Number: "1004"}}, Seconds: 10},
		}}
		desk, third, fourth := x.Register("1000", pbxtest.RingForever()), x.Register("1003", pbxtest.Busy()), x.Register("1004", pbxtest.Answer(3*s))
		alice := x.Call("1001", "1000")
		after(10*s - ms)
		x.told(alice, "180") // no 181: these are his own phones
		x.rang(third, 0)
		after(10 * s)
		x.told(desk.Last(), "cancel no answer 480 (system)")
		x.told(third.Last(), "failed busy 486 (callee)")
		x.told(alice, "180", "181", "180")
		if v := x.via(fourth); v != "1000>1004 follow-me 404" {
			t.Error(v)
		}
		after(13 * s)
		x.told(alice, "180", "181", "180", "200 PCMU PCMA telephone-event")
		if alice.Hears() != "1004" || fourth.Last().Hears() != "1001" {
			t.Error(alice.Hears(), fourth.Last().Hears())
		}
		fourth.Last().Bye()
		if r := x.last(); r.By != "1004" {
			t.Errorf("%+v", r)
		}
	})
}

func TestFindMeNobody(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "1000"}}, Seconds: 5}, {Places: []pbx.Place{{Number: "1002"}}, Seconds: 5}}}
		x.Register("1000", pbxtest.RingForever())
		x.Register("1002", pbxtest.RingForever())
		alice := x.Call("1001", "1000")
		after(10 * s)
		x.told(alice, "180", "181", "180", "refuse 480")
	})
}

func TestFindMeAtOnce(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "1000"}, {Number: "1002"}, {Number: "1003"}}}}}
		a, b, c := x.Register("1000", pbxtest.RingForever()), x.Register("1002", pbxtest.RingForever()), x.Register("1003", pbxtest.Answer(4*s))
		alice := x.Call("1001", "1000")
		after(4 * s)
		for _, h := range []*pbxtest.Handset{a, b} {
			x.told(h.Last(), "cancel cancelled 200 (system)")
		}
		if alice.Hears() != c.Contact.Extension {
			t.Error(alice.Hears())
		}
		alice.Bye()
	})
}

// A machine that answers for a place does not get the call: nobody presses 1 there. That also holds at the end of a forward of the
// place.
func TestFindMeConfirm(t *testing.T) {
	for name, pressed := range map[string]bool{"a person": true, "a machine": false} {
		t.Run(name, func(t *testing.T) {
			calls(t, func(x *exchange) {
				x.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{
					{Places: []pbx.Place{{Number: "1002", Confirm: true}}, Seconds: 10},
					{Places: []pbx.Place{{Number: "1000"}}, Seconds: 10},
				}}
				x.of("1002").Always = pbx.Forward{On: true, To: "1003"}
				mobile, desk := x.Register("1003", pbxtest.Answer(2*s)), x.Register("1000", pbxtest.Answer(s))
				alice := x.Call("1001", "1000")
				after(2*s + 500*ms) // in the question, not in the pause after it
				if alice.Answered() || mobile.Last().Hears() != "press-1" {
					t.Error(alice.Told(), mobile.Last().Hears())
				}
				if pressed {
					mobile.Last().Press("1")
				}
				after(30 * s)
				if pressed {
					x.rang(desk, 0)
				} else {
					x.rang(desk, 1)
				}
				if want := map[bool]string{true: "1003", false: "1000"}[pressed]; alice.Hears() != want {
					t.Errorf("hears %q", alice.Hears())
				}
				alice.Bye()
			})
		})
	}
}

// Saturday at midnight is outside the schedule, Monday morning is not. What counts is the time of the call, not of the setting.
func TestFindMeOnASchedule(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").FindMe = pbx.FindMe{On: true, Schedule: &pbx.Schedule{Days: []string{"mon"}, From: "08:00", To: "17:00"},
			Steps: []pbx.Step{{Places: []pbx.Place{{Number: "1002"}}}}}
		desk, mobile := x.Register("1000", pbxtest.Answer(0)), x.Register("1002", pbxtest.Answer(0))
		alice := x.Call("1001", "1000")
		x.rang(desk, 1)
		alice.Bye()
		after((24+24+8)*60*60*s + ms)
		alice = x.Call("1001", "1000")
		x.rang(mobile, 1)
		x.rang(desk, 1)
		alice.Bye()
	})
}

// Find-me with a forward: what nobody of the places took goes on.
func TestFindMeThenForward(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "1000"}}, Seconds: 5}, {Places: []pbx.Place{{Number: "1002"}}, Seconds: 5}}}
		x.of("1000").NoAnswer = pbx.Forward{On: true, To: "1003", After: 2}
		x.Register("1000", pbxtest.RingForever())
		x.Register("1002", pbxtest.RingForever())
		last := x.Register("1003", pbxtest.Answer(0))
		alice := x.Call("1001", "1000")
		after(10*s - ms)
		x.rang(last, 0)
		after(11 * s)
		x.rang(last, 1)
		alice.Bye()
	})
}
