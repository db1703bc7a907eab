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
		total := max(live+live*uint64(percent)/100, 4<<20*uint64(percent)/100)
		if percent < 50 || percent > 400 || live > 64<<20 && percent != 300 {
			t.Fatalf("%d alive: %d %%", live, percent)
		}
		if total+500_000 < before || live > 0 && total > before+4_500_000 {
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
