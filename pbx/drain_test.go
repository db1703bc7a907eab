package pbx_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx/pbxtest"
)

func TestDrain(t *testing.T) {
	with(t, nil, func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(0))
		alice, carol := r.Call("1000", "1001"), r.Call("1002", "1001")
		synctest.Wait()
		done := make(chan error)
		go func() { done <- r.sb.Drain(r.T.Context(), 10*time.Second) }()
		synctest.Wait()
		late := r.Call("1003", "1001")
		r.told(late, "refuse 503", 0)
		alice.Bye()
		start := time.Now()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if time.Since(start) != 10*time.Second {
			t.Error("the grace was", time.Since(start))
		}
		r.told(carol, "hangup", 0)
		r.told(bob.Last(), "hangup", 0)
	})
	with(t, nil, func(r *rig) { // an idle exchange is drained at once
		if err := r.sb.Drain(r.T.Context(), time.Hour); err != nil {
			t.Error(err)
		}
	})
}
