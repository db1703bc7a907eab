package pbx_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
)

// Goroutines that have carried out a plan carry out others, also after a defect, and end when there are none for a while.
func TestPlansShareGoroutines(t *testing.T) {
	p := service(func(context.Context, *pbx.Call) (*pbx.Leg, pbx.Outcome) {
		time.Sleep(time.Second)
		panic("defect")
	})
	with(t, plan(p), func(r *rig) {
		before := runtime.NumGoroutine()
		burst := func() {
			for i := range 1000 {
				r.Call(fmt.Sprint(1000+i), "x")
			}
			synctest.Wait()
		}
		burst()
		many := runtime.NumGoroutine()
		if many < before+900 {
			t.Errorf("%d goroutines for 1000 plans", many-before)
		}
		pass(1500 * time.Millisecond)
		burst()
		if now := runtime.NumGoroutine(); now > many+10 {
			t.Errorf("%d goroutines more for as many plans", now-many)
		}
		pass(10 * time.Second)
		if now := runtime.NumGoroutine(); now > before+10 { // others of the process come and go
			t.Errorf("%d goroutines left", now-before)
		}
		if n := r.sb.Stats().Panics; n != 2000 {
			t.Errorf("%d panics", n)
		}
	})
}
