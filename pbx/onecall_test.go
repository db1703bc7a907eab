package pbx_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// oneCall is 1001 without call waiting, in a plan with somebody else.
func oneCall(seconds int) pbx.Target { return pbx.OneCall("1001", ring("1001", seconds)) }

func TestOneCallAtATime(t *testing.T) {
	with(t, plan(oneCall(20)), func(r *rig) {
		one := r.Register("1001", pbxtest.Answer(2*time.Second))
		a, b := r.Call("1000", "1001"), r.Call("1002", "1001") // in the same moment
		synctest.Wait()
		if n := len(one.Calls()); n != 1 {
			t.Error("calls offered:", n)
		}
		pass(3 * time.Second)
		if a.Answered() == b.Answered() {
			t.Error("exactly one must be connected", a.Told(), b.Told())
		}
		lucky, other := a, b
		if b.Answered() {
			lucky, other = b, a
		}
		r.told(other, "refuse 486", 0)
		r.refused(r.Call("1003", "1001"), "refuse 486", 0)
		lucky.Bye()
		synctest.Wait()
		r.connected(r.Call("1003", "1001"), "1001", 2*time.Second)
	})
	with(t, plan(pbx.Else(oneCall(20), pbx.On(ring("1002", 5), pbx.Busy))), func(r *rig) { // busy leads on
		r.Register("1001", pbxtest.Answer(0))
		r.Register("1002", pbxtest.Answer(0))
		alice := r.Call("1000", "1001")
		synctest.Wait()
		r.connected(r.Call("1003", "1001"), "1002", 0)
		r.went("0s-0s busy if 1001 has a call: busy 486 (system)\n0s-0s ring 1002 for 5s: answered (callee)\n")
		alice.Bye()
	})
}

func TestCallsThatAnExtensionMakesCount(t *testing.T) {
	p := func(c *pbx.Call) pbx.Target {
		if c.Dialled == "1001" {
			return oneCall(20)
		}
		return ring(c.Dialled, 20)
	}
	with(t, p, func(r *rig) {
		one := r.Register("1001", pbxtest.Answer(0))
		r.Register("1005", pbxtest.Answer(time.Second))
		out := r.Call("1001", "1005")
		synctest.Wait()
		r.refused(r.Call("1000", "1001"), "refuse 486", 0) // while it rings there
		pass(2 * time.Second)
		r.refused(r.Call("1000", "1001"), "refuse 486", 0) // while they talk
		r.refused(r.Call("1001", "1001"), "refuse 486", 0)
		out.Bye()
		synctest.Wait()
		r.connected(r.Call("1000", "1001"), "1001", 0)
		out = r.Call("1001", "1005")
		synctest.Wait()
		out.Cancel()
		synctest.Wait()
		r.connected(r.Call("1000", "1001"), "1001", 0)
		if n := len(one.Calls()); n != 2 {
			t.Error(n)
		}
	})
}

// The reservation is released in every ending: the line is free right after.
func TestReservationIsReleased(t *testing.T) {
	alone := plan(oneCall(5))
	confirmed := ring("1001", 5)
	confirmed.Confirm = 10 * time.Second
	for _, tc := range []struct {
		name  string
		plan  func(*pbx.Call) pbx.Target
		phone pbxtest.Script
		end   func(r *rig, alice *pbxtest.Party)
	}{
		{"not registered", alone, nil, nil},
		{"busy", alone, pbxtest.Busy(), nil},
		{"no answer", alone, pbxtest.RingForever(), nil},
		{"answers too late", alone, pbxtest.AnswerLate(), nil},
		{"declined", alone, pbxtest.Reject(603, time.Second), nil},
		{"the caller cancels", alone, pbxtest.RingForever(), func(_ *rig, a *pbxtest.Party) { a.Cancel() }},
		{"the caller cancels in the moment of the answer", alone, pbxtest.Answer(time.Second), func(_ *rig, a *pbxtest.Party) { time.Sleep(time.Second); a.Cancel(); a.Bye() }},
		{"hangs up at once", alone, pbxtest.Bye(0, pbxtest.Answer(time.Second)), nil},
		{"hangs up", alone, pbxtest.Bye(time.Second, pbxtest.Answer(time.Second)), nil},
		{"the caller hangs up", alone, pbxtest.Answer(0), func(_ *rig, a *pbxtest.Party) { pass(time.Second); a.Bye() }},
		{"the caller vanishes", alone, pbxtest.Answer(0), func(_ *rig, a *pbxtest.Party) { pass(time.Second); a.Vanish() }},
		{"loses a race", plan(pbx.Fork(oneCall(5), ring("1002", 5))), pbxtest.Answer(time.Second), func(_ *rig, a *pbxtest.Party) { pass(2 * time.Second); a.Bye() }},
		{"rings while another answers", plan(pbx.Fork(oneCall(5), ring("1002", 5))), pbxtest.RingForever(), func(_ *rig, a *pbxtest.Party) { pass(2 * time.Second); a.Bye() }},
		{"is not confirmed", plan(pbx.OneCall("1001", confirmed)), pbxtest.Answer(time.Second), nil},
		{"hangs up instead of confirming", plan(pbx.OneCall("1001", confirmed)), pbxtest.Bye(time.Second, pbxtest.Answer(time.Second)), nil},
		{"confirms", plan(pbx.OneCall("1001", confirmed)), pbxtest.Press("1", time.Second, pbxtest.Bye(2*time.Second, pbxtest.Answer(time.Second))), nil},
		{"is hung up from outside", alone, pbxtest.Answer(0), func(r *rig, _ *pbxtest.Party) {
			pass(time.Second)
			r.sb.HangupCall(r.sb.Calls()[0].ID, pbx.Hangup)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for range 20 { // races have two ends
				with(t, tc.plan, func(r *rig) {
					if tc.phone != nil {
						r.Register("1001", tc.phone)
					}
					r.Register("1002", pbxtest.Answer(time.Second))
					alice := r.Call("1000", "1001")
					synctest.Wait()
					if tc.end != nil {
						tc.end(r, alice)
					}
					pass(time.Minute)
					if _, over := alice.Ended(); !over {
						t.Error("still up:", alice.Told())
					}
					if left := r.sb.InUse(); len(left) > 0 {
						t.Errorf("lines still in use: %v", left)
					}
					if n := len(r.journal.ended); n != 1 {
						t.Error("records:", n)
					}
				})
			}
		})
	}
}

// Who has sent his call on has a free line, and who took it has none.
func TestLineOfWhoRedirectsIsFree(t *testing.T) {
	follow := func(o pbx.Outcome) pbx.Target { return ring(o.Contacts[0].Number, 20) }
	p := func(c *pbx.Call) pbx.Target {
		if c.Dialled == "1002" {
			return pbx.OneCall("1002", ring("1002", 20))
		}
		return pbx.OneCall("1001", redirecting(ring("1001", 20), follow))
	}
	with(t, p, func(r *rig) {
		one := r.Register("1001", pbxtest.Redirect("1002"))
		r.Register("1002", pbxtest.Answer(0))
		alice := r.Call("1000", "1001")
		pass(time.Second)
		r.hears(alice, "1002")
		r.refused(r.Call("1003", "1002"), "refuse 486", 0)
		one.Set(pbxtest.Answer(0))
		r.connected(r.Call("1003", "1001"), "1001", 0)
		alice.Bye()
	})
	with(t, p, func(r *rig) { // also while it rings elsewhere
		one := r.Register("1001", pbxtest.Redirect("1002"))
		r.Register("1002", pbxtest.RingForever())
		alice := r.Call("1000", "1001")
		pass(time.Second)
		one.Set(pbxtest.Answer(0))
		r.connected(r.Call("1003", "1001"), "1001", 0)
		alice.Cancel()
	})
}
