package wire

import (
	"testing"
	"testing/synctest"
	"time"
)

// Reads that come every gap, n of them; how long the reader paused in all.
func paused(p *pace, n int, gap time.Duration) (pauses time.Duration) {
	for range n {
		start := time.Now()
		p.before()
		took := time.Since(start)
		pauses += took
		time.Sleep(max(gap-took, 0))
		p.after()
	}
	return pauses
}

func TestReaderPausesOnlyUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace
		if d := paused(&p, 500, 10*time.Millisecond); d != 0 {
			t.Error("paused at 100 datagrams a second:", d)
		}
		if d := paused(&p, 5000, 100*time.Microsecond); d < 200*time.Millisecond {
			t.Error("did not pause at 10,000 a second:", d)
		}
		paused(&p, 10, time.Second)
		if d := paused(&p, 10, time.Second); d != 0 {
			t.Error("still paused when the load was over:", d)
		}
	})
}
