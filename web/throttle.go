package web

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// throttle counts failures by address in a table that never grows: an address that meets another in its slot takes
// it over, so that a flood from many addresses costs memory to nobody and patience only to itself.
type throttle struct {
	limit  int
	window time.Duration
	seed   maphash.Seed

	mu    sync.Mutex
	slots [1024]failures
}

type failures struct {
	addr  netip.Addr
	since time.Time
	count int
}

func newThrottle(limit int, window time.Duration) *throttle {
	return &throttle{limit: limit, window: window, seed: maphash.MakeSeed()}
}

// fail counts one failure and says how long the address has to wait: 0 while it is within its limit.
func (t *throttle) fail(a netip.Addr) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, s := time.Now(), t.slot(a)
	if s.addr != a || now.Sub(s.since) >= t.window {
		s.addr, s.since, s.count = a, now, 0
	}
	s.count++
	if s.count <= t.limit {
		return 0
	}
	return t.window - now.Sub(s.since)
}

// wait says how long an address has to wait now.
func (t *throttle) wait(a netip.Addr) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.slot(a)
	if s.addr != a || s.count < t.limit {
		return 0
	}
	return max(0, t.window-time.Since(s.since))
}

func (t *throttle) slot(a netip.Addr) *failures {
	return &t.slots[maphash.Comparable(t.seed, a)%uint64(len(t.slots))]
}
