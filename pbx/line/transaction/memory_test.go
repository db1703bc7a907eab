//go:build !race

package transaction

import (
	"runtime"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// The race detector takes memory of its own, so this test is not built with it.

// TestMemoryOfFinished measures what a finished call keeps until its timers are over: INVITE and BYE, both as client and
// as server, 4 transactions (§17: up to 32 s each). Two calls' worth is bounded by 4 kB.
func TestMemoryOfFinished(t *testing.T) {
	a, b := pair(t)
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const calls = 5000
	before := heap()
	for range calls {
		id := newBranch()
		a.Send(newRequest(sip.INVITE, id), udp, answerer{})
		a.Send(newRequest(sip.BYE, id), udp, answerer{})
	}
	perCall := (heap() - before) / calls
	if n := a.Stats().Kinds[InviteClient].Alive; n != calls {
		t.Fatalf("%d INVITE client transactions alive", n)
	}
	t.Logf("%d bytes for the 4 transactions of a finished call", perCall)
	if perCall > 2048 {
		t.Errorf("%d bytes, more than 2048", perCall)
	}
	runtime.KeepAlive(b)
}
