package digest

import (
	"math/bits"
	"sync"
	"time"
)

// usedTable remembers the nonces that came with right credentials, and the counts used of each. It is a hash table of
// small buckets and never grows: the nonce issued first makes room. What was put out must not become good again,
// so each bucket knows the newest nonce it has put out, its floor, and takes no older one that it does not know.
type usedTable struct{ buckets []usedBucket }

const ways = 4 // entries a bucket

type usedBucket struct {
	mu      sync.Mutex
	floor   int64
	entries [ways]usedNonce
}

// usedNonce is a nonce used by one user. Bit i of window is set once count top-i was used.
type usedNonce struct {
	stamp  int64
	window uint64
	top    uint32
	user   uint32
}

func newUsedTable(size int) *usedTable {
	return &usedTable{make([]usedBucket, roundUp(max(size/ways, 1)))}
}

func roundUp(n int) int { return 1 << bits.Len(uint(n-1)) }

func (t *usedTable) bucket(stamp int64, user uint32) *usedBucket {
	h := (uint64(stamp) ^ uint64(user)<<32) * 0x9e3779b97f4a7c15 // stamps are spread well enough for Fibonacci hashing
	return &t.buckets[(h>>32)&uint64(len(t.buckets)-1)]
}

func (b *usedBucket) find(stamp int64, user uint32) *usedNonce {
	for i := range b.entries {
		if e := &b.entries[i]; e.stamp == stamp && e.user == user {
			return e
		}
	}
	return nil
}

// known reports whether user has proved itself with that nonce before.
func (t *usedTable) known(stamp int64, user uint32) bool {
	b := t.bucket(stamp, user)
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.find(stamp, user) != nil
}

// spent, instead of a count, uses up all of a nonce.
const spent = ^uint32(0)

// use takes a count of a nonce not older than lifetime: OK, Replayed, or Stale for a nonce that was put out.
func (t *usedTable) use(stamp int64, user, nc uint32, now int64, lifetime time.Duration) Verdict {
	b := t.bucket(stamp, user)
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.find(stamp, user)
	if e == nil {
		if stamp <= b.floor {
			return Stale
		}
		e = b.room(now, lifetime)
		if e == nil || e.stamp > stamp {
			return Stale // it would be put out itself at once
		}
		b.floor = max(b.floor, e.stamp)
		*e = usedNonce{stamp: stamp, user: user, top: nc, window: 1}
		if nc == spent {
			e.window = ^uint64(0)
		}
		return OK
	}
	if nc > e.top {
		if d := nc - e.top; d < 64 {
			e.window <<= d
		} else {
			e.window = 0
		}
		e.window |= 1
		e.top = nc
		return OK
	}
	bit := e.top - nc
	if bit >= 64 || e.window>>bit&1 != 0 {
		return Replayed
	}
	e.window |= 1 << bit
	return OK
}

// room is the entry to overwrite: an unused one, or the one issued first. One that has expired counts as unused: it is
// refused for its age whether it is known or not.
func (b *usedBucket) room(now int64, lifetime time.Duration) *usedNonce {
	oldest := &b.entries[0]
	for i := range b.entries {
		e := &b.entries[i]
		if e.stamp < now-int64(lifetime) {
			e.stamp = 0
			return e
		}
		if e.stamp < oldest.stamp {
			oldest = e
		}
	}
	return oldest
}
