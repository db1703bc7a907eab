package pbx_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

func TestElseChoosesByOutcome(t *testing.T) {
	plan := func(c *pbx.Call) pbx.Target {
		return pbx.Else(pbx.Else(pbx.Ring(c.Dialled, 5*time.Second),
			pbx.On(pbx.Ring("2000", 5*time.Second), pbx.Busy)),
			pbx.On(pbx.Ring("3000", 5*time.Second), pbx.NoAnswer, pbx.Unreachable))
	}
	for _, tc := range []struct {
		phone pbxtest.Script
		wants string
	}{{pbxtest.Busy(), "2000"}, {pbxtest.RingForever(), "3000"}, {pbxtest.Vanish(), "3000"}} {
		with(t, plan, func(r *rig) {
			r.Register("1001", tc.phone)
			r.Register("2000", pbxtest.Answer(0))
			r.Register("3000", pbxtest.Answer(0))
			alice := r.Call("1000", "1001")
			r.told(alice, "200", 10*time.Second)
			synctest.Wait()
			r.hears(alice, tc.wants)
			alice.Bye()
		})
	}
	with(t, plan, func(r *rig) { // what a branch ends with is not judged again
		r.Register("1001", pbxtest.Busy())
		r.Register("2000", pbxtest.RingForever())
		three := r.Register("3000", pbxtest.Answer(0))
		alice := r.Call("1000", "1001")
		r.told(alice, "refuse 480", time.Minute)
		if three.Last() != nil {
			t.Error("the no-answer branch judged the busy branch")
		}
	})
	with(t, plan, func(r *rig) { // nothing is tried after the caller has gone
		r.Register("1001", pbxtest.RingForever())
		three := r.Register("3000", pbxtest.Answer(0))
		alice := r.Call("1000", "1001")
		time.Sleep(time.Second)
		alice.Cancel()
		synctest.Wait()
		if three.Last() != nil {
			t.Error("a branch ran after the caller had gone")
		}
	})
}

func TestForkOfPlans(t *testing.T) {
	plan := func(*pbx.Call) pbx.Target {
		return pbx.Fork(pbx.Ring("2000", 5*time.Second), pbx.Ring("3000", 10*time.Second))
	}
	with(t, plan, func(r *rig) { // a 6xx of one extension does not stop the other
		r.Register("2000", pbxtest.Reject(603, time.Second))
		r.Register("3000", pbxtest.Answer(3*time.Second))
		alice := r.Call("1000", "1001")
		r.told(alice, "200", 10*time.Second)
		synctest.Wait()
		r.hears(alice, "3000")
		alice.Bye()
	})
	if got := pbx.Text(plan(nil)); got != "at once\n  ring 2000 for 5s\n  ring 3000 for 10s\n" {
		t.Error(got)
	}
}
