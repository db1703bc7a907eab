package media

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// An engine that closes closes its captures; what a sink does wrong costs that frame; and it may change what is heard, and end it.
func TestCaptureEnds(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		a := l.caller(0, ulaw, 440, 3000)
		var frames atomic.Int64
		self := make(chan Capture, 1)
		var x Capture
		self <- l.engine.NewCapture(1, func([]int16) {
			switch frames.Add(1) {
			case 5:
				x = <-self
				x.Hear(0, a.stream)
			case 10:
				panic("a sink")
			case 20:
				x.Close()
			}
		})
		pause(time.Second)
		if n := frames.Load(); n != 20 {
			t.Errorf("%d frames", n)
		}
		if n := l.engine.panics.Swap(0); n != 1 {
			t.Errorf("%d panics", n)
		}
		for _, c := range l.engine.clocks.all {
			if _, _, wait := c.take(nil, l.engine.now()); wait >= 0 {
				t.Errorf("a clock without captures waits for %v", wait)
			}
		}
		y := l.tape(1)
		y.hear(a)
		l.engine.Close()
		if err := y.Hear(0, a.stream); !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
		if err := l.engine.NewCapture(1, nil).Hear(0, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("a closed engine: %v", err)
		}
		y.Close()
	})
}

// Where the machine stood still, a second of it at most is made up for: a recording is as long as what it is of.
func TestCaptureKeepsTime(t *testing.T) {
	for still, want := range map[time.Duration]time.Duration{
		60 * time.Millisecond:  3 * time.Second,
		500 * time.Millisecond: 3 * time.Second,
		time.Second:            3 * time.Second,
		2 * time.Second:        2 * time.Second,
	} {
		virtual(t, Options{}, func(l *lab) {
			frames := 0
			c := l.engine.NewCapture(1, func([]int16) {
				if frames++; frames == 10 {
					time.Sleep(still)
				}
			})
			pause(3 * time.Second)
			c.Close()
			synctest.Wait()
			if got := time.Duration(frames) * 20 * time.Millisecond; (got - want).Abs() > 100*time.Millisecond {
				t.Errorf("%v stood still: %v of %v are there", still, got, want)
			}
		})
	}
}
