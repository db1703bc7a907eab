package wire

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// limiter is a token bucket a source address in a table of fixed size, so that no number of sources makes it grow.
// IPv6 counts by /64. Where two sources meet in a full set, the one that was quiet longest is forgotten, which only
// ever gives it more.
type limiter struct {
	rate, burst float64
	seed        maphash.Seed
	sets        [limiterSets]struct {
		sync.Mutex
		bucket [4]bucket
	}
}

const limiterSets = 4096

type bucket struct {
	key  uint64 // hash of the address; 0: free
	last int64  // ns
	left float64
}

func newLimiter(rate float64, burst int) *limiter {
	return &limiter{rate: rate, burst: float64(burst), seed: maphash.MakeSeed()}
}

// allow takes one token of source.
func (l *limiter) allow(source netip.Addr, now time.Time) bool {
	if source.Is6() {
		p, _ := source.WithZone("").Prefix(64)
		source = p.Addr()
	}
	key := maphash.Comparable(l.seed, source) | 1
	t := now.UnixNano()
	s := &l.sets[key>>1%limiterSets]
	s.Lock()
	defer s.Unlock()
	b := &s.bucket[0]
	for i := range s.bucket {
		if s.bucket[i].key == key {
			b = &s.bucket[i]
			break
		}
		if s.bucket[i].last < b.last {
			b = &s.bucket[i]
		}
	}
	if b.key != key {
		*b = bucket{key: key, last: t, left: l.burst}
	}
	b.left = min(l.burst, b.left+l.rate*float64(t-b.last)/1e9)
	b.last = t
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
