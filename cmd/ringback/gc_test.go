package main

import (
	"runtime"
	"testing"
)

// What may gather is never less than the live heap's half, nor does it jump.
func TestGCPercent(t *testing.T) {
	before := uint64(0)
	for live := uint64(0); live < 128<<20; live += 100_000 {
		percent := gcPercent(live)
		total := live + live*uint64(percent)/100
		if percent < 50 || percent > 1000 || live > 64<<20 && percent != 100 {
			t.Fatalf("%d alive: %d %%", live, percent)
		}
		if total+200_000 < before || live > 0 && total > before+2_000_000 {
			t.Fatalf("%d alive: the heap's limit jumps from %d to %d", live, before, total)
		}
		before = total
	}
}

func TestAfterGC(t *testing.T) {
	done := make(chan struct{})
	afterGC(func() { close(done) })
	runtime.GC()
	<-done
}
