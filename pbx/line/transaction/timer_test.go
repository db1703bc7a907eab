package transaction

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestTimerResolution(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{})
		defer l.Close()
		rng := rand.New(rand.NewPCG(1, 2))
		start := time.Now()
		fired, stopped := 0, 0
		for i := range 20000 {
			time.Sleep(time.Duration(rng.IntN(3)) * time.Millisecond)
			d := time.Duration(rng.Int64N(int64(200 * time.Second))) // several turns of the wheel
			if i%3 == 0 {
				d = time.Duration(rng.Int64N(int64(time.Second)))
			}
			armed := time.Now()
			tm := l.After(d, func() {
				fired++
				if late := time.Since(armed) - d; late < 0 || late >= 2*resolution {
					t.Errorf("armed at %v for %v: %v late", armed.Sub(start), d, late)
				}
			})
			if i%7 == 0 && tm.Stop() {
				stopped++
				if tm.Stop() {
					t.Error("stopped twice")
				}
			}
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if fired+stopped != 20000 || l.wheel.armed != 0 {
			t.Errorf("%d fired, %d stopped, %d armed", fired, stopped, l.wheel.armed)
		}
	})
}

func TestTimerFromTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{})
		defer l.Close()
		start, n := time.Now(), 0
		var again func()
		again = func() {
			if n++; n < 100 {
				l.After(100*time.Millisecond, again)
			}
		}
		l.After(100*time.Millisecond, again)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n != 100 {
			t.Errorf("fired %d times in %v", n, time.Since(start))
		}
	})
}

// A timer that is stopped by another one of the same tick is not called.
func TestTimerStopsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{})
		defer l.Close()
		var second atomic.Pointer[Timer]
		l.After(time.Second, func() {
			if !second.Load().Stop() {
				t.Error("it was not called yet")
			}
		})
		second.Store(l.After(time.Second, func() { t.Error("called after Stop") }))
		time.Sleep(2 * time.Second)
	})
}

// The goroutine sleeps over days, not from tick to tick, and Close ends it at once.
func TestTimerSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{})
		l.After(48*time.Hour, func() {})
		time.Sleep(time.Hour)
		l.Close()
		if l.After(time.Second, func() { t.Error("armed after Close") }).Stop() {
			t.Error("armed after Close")
		}
		time.Sleep(time.Minute)
	})
}
