package features

import (
	"testing"
	"time"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

const ms, s = time.Millisecond, time.Second

// RFC 5359 §2.7.
func TestForwardAlways(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").Always = pbx.Forward{On: true, To: "1002"}
		own := x.Register("1000", pbxtest.Answer(0))
		other := x.Register("1002", pbxtest.Answer(2*s))
		alice := x.Call("1001", "1000")
		after(3 * s)
		x.told(alice, "181", "180", "200 PCMU PCMA telephone-event")
		x.rang(own, 0)
		if v := x.via(other); v != "1000>1002 unconditional 302" {
			t.Error(v)
		}
		if alice.Hears() != "1002" {
			t.Error(alice.Hears())
		}
		alice.Bye()
		if r := x.last(); r.By != "1002" || len(r.Path) != 2 || r.Path[0].Node != "forward from 1000 to 1002 (unconditional)" {
			t.Errorf("%+v", r)
		}
	})
}

// RFC 5359 §2.8, by what a phone may answer when it does not want the call.
func TestForwardWhenBusy(t *testing.T) {
	for _, status := range []int{486, 600, 480, 603} {
		calls(t, func(x *exchange) {
			x.of("1000").Busy = pbx.Forward{On: true, To: "1002", Ring: 5}
			x.of("1000").NoAnswer = pbx.Forward{On: true, To: "1003"} // must not be asked about 1002
			x.Register("1000", pbxtest.Reject(status, s))
			other, never := x.Register("1002", pbxtest.RingForever()), x.Register("1003", pbxtest.Answer(0))
			alice := x.Call("1001", "1000")
			after(s + ms)
			x.told(alice, "180", "181", "180")
			if v := x.via(other); v != "1000>1002 user-busy 486" {
				t.Error(v)
			}
			after(6*s + ms)
			x.told(alice, "180", "181", "180", "refuse 480")
			x.rang(never, 0)
			if r := x.last(); r.Outcome != "no answer" {
				t.Errorf("%+v", r)
			}
		})
	}
}

// RFC 5359 §2.9.
func TestForwardOnNoAnswer(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").NoAnswer = pbx.Forward{On: true, To: "1002", After: 10}
		own, other := x.Register("1000", pbxtest.RingForever()), x.Register("1002", pbxtest.Answer(s))
		alice := x.Call("1001", "1000")
		after(10*s - ms)
		x.told(alice, "180")
		x.rang(other, 0)
		after(10 * s)
		x.told(own.Last(), "cancel no answer 480 (system)")
		x.told(alice, "180", "181", "180")
		if v := x.via(other); v != "1000>1002 no-answer 408" {
			t.Error(v)
		}
		after(11 * s)
		if alice.Hears() != "1002" {
			t.Error(alice.Told())
		}
		other.Last().Bye()
	})
}

func TestForwardWhenUnreachable(t *testing.T) {
	for _, c := range []struct {
		name        string
		unreachable bool
		via         string
	}{
		{"by its own rule", true, "1000>1003 unavailable 503"},
		{"by that for no answer", false, "1000>1002 no-answer 408"},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls(t, func(x *exchange) {
				x.of("1000").NoAnswer = pbx.Forward{On: true, To: "1002"}
				x.of("1000").Unreachable = pbx.Forward{On: c.unreachable, To: "1003"}
				other := x.Register("1002", pbxtest.Answer(s))
				if c.unreachable {
					other = x.Register("1003", pbxtest.Answer(s))
				}
				alice := x.Call("1001", "1000")
				after(2 * s)
				if v := x.via(other); v != c.via {
					t.Error(v)
				}
				alice.Bye()
			})
		})
	}
	// A phone that is registered and gives no sign is not there either.
	calls(t, func(x *exchange) {
		x.of("1000").Unreachable = pbx.Forward{On: true, To: "1003"}
		x.Register("1000", pbxtest.Vanish())
		other := x.Register("1003", pbxtest.Answer(s))
		alice := x.Call("1001", "1000")
		after(30*s + ms)
		x.rang(other, 1)
		after(32 * s)
		alice.Bye()
	})
}

func TestForwardLoopEndsAtOnce(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").Always = pbx.Forward{On: true, To: "1002"}
		x.of("1002").Always = pbx.Forward{On: true, To: "1000"}
		x.of("1002").Busy = pbx.Forward{On: true, To: "1003"}
		never := x.Register("1003", pbxtest.Answer(0))
		x.Register("1000", pbxtest.Answer(0))
		alice := x.Call("1001", "1000")
		x.told(alice, "181", "refuse 482")
		x.rang(never, 0)
		if since() > 0 {
			t.Error("it took", since())
		}
		if r := x.last(); r.Outcome != "looped" {
			t.Errorf("%+v", r)
		}
	})
}

// A loop is neither busy nor no answer for anybody's forward, whatever is around it.
func TestLoopIsNotBusy(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").NoAnswer = pbx.Forward{On: true, To: "1002", After: 5}
		x.of("1000").Busy = pbx.Forward{On: true, To: "1003"}
		x.of("1002").Always = pbx.Forward{On: true, To: "1000"}
		x.of("1002").Busy = pbx.Forward{On: true, To: "1003"}
		x.of("1002").NoAnswer = pbx.Forward{On: true, To: "1003"}
		x.Register("1000", pbxtest.RingForever())
		never := x.Register("1003", pbxtest.Answer(0))
		alice := x.Call("1001", "1000")
		after(5 * s)
		x.told(alice, "180", "181", "refuse 482")
		x.rang(never, 0)
	})
}

func TestForwardBy302(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").Busy = pbx.Forward{On: true, To: "1002", Answer: "redirect"}
		x.Register("1000", pbxtest.Busy())
		x.told(x.Call("1001", "1000"), "refuse 302 call 1002")
	})
}

// The steps of a call of many forwards, as the last phone is told them in History-Info and Diversion.
func TestDiversions(t *testing.T) {
	calls(t, func(x *exchange) {
		x.hours["office"] = &pbx.Hours{Name: "office", Mode: "night"}
		x.of("1000").Always = pbx.Forward{On: true, To: "1002"}
		x.of("1000").HideNumber.On = true
		x.of("1002").Busy = pbx.Forward{On: true, To: "1003"}
		x.of("1003").NoAnswer = pbx.Forward{On: true, To: "1004", After: 1}
		x.of("1004").Unreachable = pbx.Forward{On: true, To: "1005"}
		x.of("1005").DoNotDisturb.On = true
		x.of("1005").Busy = pbx.Forward{On: true, To: "1006"}
		x.of("1006").Closed = pbx.Closed{Hours: "office", To: "1007"}
		x.of("1007").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "1008"}}}}}
		x.of("1009").Incoming = []pbx.Rule{{Prefixes: []string{"1"}, Action: pbx.SendTo, To: "1010"}}
		x.Register("1002", pbxtest.Busy())
		x.Register("1003", pbxtest.RingForever())
		x.Register("1008", pbxtest.Redirect("1009"))
		last := x.Register("1010", pbxtest.Answer(0))
		alice := x.Call("1001", "2000")
		after(2 * s)
		want := "2000>1002 unconditional 302 hidden; 1002>1003 user-busy 486; 1003>1004 no-answer 408; 1004>1005 unavailable 503; " +
			"1005>1006 do-not-disturb 404; 1006>1007 time-of-day 404; 1007>1008 follow-me 404; 1008>1009 deflection 302; 1009>1010 unconditional 302"
		if v := x.via(last); v != want {
			t.Errorf("\ngot  %s\nwant %s", v, want)
		}
		alice.Bye()
	})
}

func TestDoNotDisturb(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").DoNotDisturb.On = true
		own, other := x.Register("1000", pbxtest.Answer(0)), x.Register("1002", pbxtest.Answer(0))
		x.told(x.Call("1001", "1000"), "refuse 486")
		x.of("1000").Busy = pbx.Forward{On: true, To: "1002"}
		alice := x.Call("1001", "1000")
		after(s)
		x.rang(own, 0)
		x.rang(other, 1)
		alice.Bye()
		x.of("1000").DoNotDisturb.On = false
		alice = x.Call("1001", "1000")
		x.rang(own, 1)
		alice.Bye()
	})
}

func TestOneCall(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").OneCall.On = true
		own := x.Register("1000", pbxtest.Answer(s))
		first, second := x.Call("1001", "1000"), x.Call("1002", "1000")
		after(2 * s)
		if first.Answered() == second.Answered() {
			t.Error(first.Told(), second.Told())
		}
		x.rang(own, 1)
		first.Bye()
		second.Bye()
		after(3 * s)
		third := x.Call("1002", "1000")
		after(5 * s)
		x.rang(own, 2)
		third.Bye()
	})
}
