package pbx_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// Whatever phones do and whenever they do it: every call ends, every phone is left in peace, nobody hears anybody, and
// each attempt has exactly one record.
func TestNothingIsLeftAfterAnySchedule(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ms := func(name string) time.Duration {
			return time.Duration(rapid.IntRange(0, 50).Draw(rt, name)) * 100 * time.Millisecond
		}
		script := func() pbxtest.Script {
			var s pbxtest.Script
			switch rapid.IntRange(0, 7).Draw(rt, "phone") {
			case 0:
				s = pbxtest.Answer(ms("answer"))
			case 1:
				s = pbxtest.Busy()
			case 2:
				s = pbxtest.RingForever()
			case 3:
				s = pbxtest.Vanish()
			case 4:
				s = pbxtest.AnswerLate()
			case 5:
				s = pbxtest.Reject(rapid.SampledFrom([]int{401, 404, 480, 486, 500, 503, 600, 603}).Draw(rt, "status"), ms("reject"))
			case 6:
				s = pbxtest.Redirect("sip:x@192.0.2.9")
			default:
				s = pbxtest.Answer(0)
			}
			if rapid.Bool().Draw(rt, "early media") {
				s = pbxtest.EarlyMedia(ms("early"), s)
			}
			return s
		}
		var target func(depth int) pbx.Target
		target = func(depth int) pbx.Target {
			ring := pbx.Ring(rapid.SampledFrom([]string{"1001", "1002", "1003"}).Draw(rt, "extension"), ms("wait"))
			if depth == 0 {
				return ring
			}
			switch rapid.IntRange(0, 8).Draw(rt, "target") {
			case 0:
				return pbx.Fork(target(depth-1), target(depth-1))
			case 3:
				return pbx.OneCall("1001", target(depth-1))
			case 4:
				return pbx.Ringing{Extension: "1002", Wait: ms("wait"), Confirm: ms("confirm")}
			case 5:
				then := target(depth - 1)
				return pbx.Service("menu", func(ctx context.Context, t *pbx.Talk) pbx.Target {
					if key, _ := t.Keys(ctx, "menu", 1, time.Minute); key == "9" {
						return nil
					}
					return then
				}, then)
			case 6:
				return pbx.Conference("conference 800", &pbx.Room{Number: "800"}, false, nil)
			case 7:
				return pbx.Announce("sorry", pbx.NotFound)
			case 1:
				return pbx.Else(target(depth-1), pbx.On(target(depth-1), pbx.Busy, pbx.Declined, pbx.Failed), pbx.On(target(depth-1), pbx.NoAnswer, pbx.Unreachable))
			case 2:
				return pbx.Echo()
			default:
				return ring
			}
		}
		plan := target(2)
		withOptions(t, func(o *pbx.Options) {
			o.Route = func(*pbx.Call) pbx.Target { return plan }
			o.NewRoom = pbxtest.NewRoom
		}, func(r *rig) {
			var phones []*pbxtest.Handset
			for _, ext := range []string{"1001", "1001", "1002", "1003"} {
				phones = append(phones, r.Register(ext, script()))
			}
			var callers []*pbxtest.Party
			for range rapid.IntRange(1, 3).Draw(rt, "calls") {
				callers = append(callers, r.Call("1000", "1001"))
				time.Sleep(ms("between"))
			}
			// Anybody presses keys and hangs up at any time, some twice.
			for range rapid.IntRange(0, 6).Draw(rt, "hangups") {
				time.Sleep(ms("until"))
				if key := rapid.SampledFrom([]string{"", "1", "8", "9"}).Draw(rt, "key"); key != "" {
					callers[rapid.IntRange(0, len(callers)-1).Draw(rt, "presses")].Press(key)
				}
				if rapid.Bool().Draw(rt, "caller hangs up") {
					c := callers[rapid.IntRange(0, len(callers)-1).Draw(rt, "who")]
					if c.Answered() {
						c.Bye()
					} else {
						c.Cancel()
					}
				} else if p := phones[rapid.IntRange(0, len(phones)-1).Draw(rt, "phone")]; p.Last() != nil && p.Last().Answered() {
					p.Last().Bye()
				}
			}
			time.Sleep(3 * time.Minute)
			for _, c := range callers {
				if c.Answered() {
					c.Bye()
				}
			}
			synctest.Wait()
			for _, p := range phones {
				for _, call := range p.Calls() {
					if call.Hears() != "" {
						rt.Errorf("%s still hears %s", call.Number, call.Hears())
					}
				}
			}
			if len(r.journal.ended) != len(callers) {
				rt.Errorf("%d records of %d calls", len(r.journal.ended), len(callers))
			}
		})
	})
}
