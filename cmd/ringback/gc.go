package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// tuneGC sets how much garbage may gather by what is alive, anew after each collection. A small exchange has a live heap
// of a few megabytes; collecting it each time that has doubled (GOGC=100) would cost more than the calls do. Whoever
// sets GOGC knows better.
func tuneGC() {
	if os.Getenv("GOGC") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	now := 0
	var adjust func()
	adjust = func() {
		metrics.Read(live)
		percent := gcPercent(live[0].Value.Uint64())
		if percent < now-now/8 || percent > now+now/8 { // setting it stops the world for a moment
			debug.SetGCPercent(percent)
			now = percent
		}
		afterGC(adjust)
	}
	adjust()
}

// gcPercent allows 16 MiB of garbage while up to 32 MiB are alive, so that ten thousand phones fit into 80 MiB, and from
// there on more and more, until it is three times what is alive: under load that is mostly what finished calls keep (about
// 2 kB each), and to look through it less often pays.
func gcPercent(live uint64) int {
	const mib = 1 << 20
	switch {
	case live < 4*mib:
		return 400 // the runtime takes 4 MiB for the least that is alive
	case live < 32*mib:
		return int(16 * mib * 100 / live)
	case live < 64*mib:
		return 50 + int((live-32*mib)*250/(32*mib))
	}
	return 300
}

// afterGC calls f once, after the next collection.
func afterGC(f func()) {
	runtime.AddCleanup(new([16]byte), func(struct{}) { f() }, struct{}{})
}
