package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// minHeap is what the heap may grow to before the collector runs at all. A small exchange has a live heap of a few
// megabytes; collecting it each time it has doubled would cost more than the calls do.
const minHeap = 16 << 20

// tuneGC keeps the collector from running more often than each minHeap bytes, and leaves it its own pace (GOGC=100)
// once the live heap is larger. Whoever sets GOGC knows better.
func tuneGC() {
	if os.Getenv("GOGC") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	now := 0
	var adjust func()
	adjust = func() {
		metrics.Read(live)
		percent := 100
		if n := live[0].Value.Uint64(); n > 0 && n < minHeap {
			percent = max(100, min(1000, int(minHeap*100/n)))
		}
		if percent < now-now/8 || percent > now+now/8 { // setting it stops the world for a moment
			debug.SetGCPercent(percent)
			now = percent
		}
		afterGC(adjust)
	}
	adjust()
}

// afterGC calls f once, after the next collection.
func afterGC(f func()) {
	runtime.AddCleanup(new([16]byte), func(struct{}) { f() }, struct{}{})
}
