package digest

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// failTable limits how fast passwords can be tried. It counts failures by source address (IPv6: its /64) and
// user name together. So a stranger who tries the passwords of 1000 from elsewhere does not lock 1000 out, and a phone
// with a wrong password does not lock out the office behind its NAT. Over the limit, attempts are answered by a
// challenge like any other, unchecked, but for one in Window/Failures: a guesser gets no more than Failures
// guesses a Window, and a phone whose password was put right is in after a few seconds. A nonce that the user has
// proved itself with is not held back at all, so a phone that is in stays in.
//
// Against one password tried on many names there is a second count, of the address alone and ten times as high. It
// holds back only names that have not been right from that address within a day.
//
// The table has a fixed size; an entry that says least makes room. Forgetting one gives a guesser a few guesses more.
type failTable struct {
	seed    maphash.Seed
	cost    int64 // nanoseconds that one failure weighs
	window  int64
	buckets []failBucket
}

const sprayFactor = 10

type failBucket struct {
	mu      sync.Mutex
	entries [ways]failEntry
}

// failEntry is a leaky bucket: full is when it will have run empty.
type failEntry struct {
	key  uint64
	full int64
	good int64 // when it was last right
}

type failKey struct {
	addr netip.Addr
	user string
}

func newFailTable(size, failures int, window time.Duration) *failTable {
	return &failTable{
		seed: maphash.MakeSeed(), cost: int64(window) / int64(failures), window: int64(window),
		buckets: make([]failBucket, roundUp(max(size/ways, 1))),
	}
}

// source is what an address is counted as.
func source(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if a.Is6() {
		p, _ := a.WithZone("").Prefix(64)
		return p.Addr()
	}
	return a
}

func (t *failTable) key(addr netip.Addr, user string) uint64 {
	return maphash.Comparable(t.seed, failKey{addr, user}) | 1 // 0 is an unused entry
}

// held reports whether an attempt shall not be looked at.
func (t *failTable) held(addr netip.Addr, user string, now int64) bool {
	e := t.get(t.key(addr, user))
	if e.full > now+t.window-t.cost {
		return true
	}
	if e.good != 0 && now-e.good < int64(24*time.Hour) {
		return false
	}
	return t.get(t.key(addr, "")).full > now+t.window-t.cost/sprayFactor
}

// failed counts a failure.
func (t *failTable) failed(addr netip.Addr, user string, now int64) {
	t.update(t.key(addr, user), now, func(e *failEntry) { e.full = max(e.full, now) + t.cost })
	t.update(t.key(addr, ""), now, func(e *failEntry) { e.full = max(e.full, now) + t.cost/sprayFactor })
}

// right notes that user has given the right password from addr.
func (t *failTable) right(addr netip.Addr, user string, now int64) {
	t.update(t.key(addr, user), now, func(e *failEntry) { e.full, e.good = 0, now })
}

func (t *failTable) bucket(key uint64) *failBucket {
	return &t.buckets[key>>32&uint64(len(t.buckets)-1)]
}

func (t *failTable) get(key uint64) failEntry {
	b := t.bucket(key)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.entries {
		if e.key == key {
			return e
		}
	}
	return failEntry{}
}

func (t *failTable) update(key uint64, now int64, f func(*failEntry)) {
	b := t.bucket(key)
	b.mu.Lock()
	defer b.mu.Unlock()
	least := &b.entries[0]
	for i := range b.entries {
		e := &b.entries[i]
		if e.key == key {
			f(e)
			return
		}
		if e.worth(now) < least.worth(now) {
			least = e
		}
	}
	*least = failEntry{key: key}
	f(least)
}

// worth orders entries by what forgetting them would lose.
func (e *failEntry) worth(now int64) int64 {
	if e.key == 0 {
		return -1
	}
	return max(e.full-now, 0) + e.good/int64(time.Hour)
}
