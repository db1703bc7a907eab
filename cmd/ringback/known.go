package main

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line"
	"ringback/pbx/line/digest"
	"ringback/pbx/line/wire"
)

// known is an Authenticator that remembers from which addresses requests were authenticated, so that they are not
// taken for a flood. Its table has a fixed size; addresses that meet in a slot displace each other.
type known struct {
	next  line.Authenticator
	slots [2048]atomic.Pointer[seen]
}

type seen struct {
	addr netip.Addr
	at   time.Time
}

const knownFor = 10 * time.Minute

var knownSeed = maphash.MakeSeed()

// Check implements line.Authenticator.
func (k *known) Check(req *sip.Request, from wire.Hop) digest.Result {
	r := k.next.Check(req, from)
	if r.OK {
		a := from.Remote.Addr().Unmap()
		slot := k.slot(a)
		if s := slot.Load(); s == nil || s.addr != a || time.Since(s.at) > knownFor/2 {
			slot.Store(&seen{a, time.Now()})
		}
	}
	return r
}

func (k *known) is(a netip.Addr) bool {
	s := k.slot(a.Unmap()).Load()
	return s != nil && s.addr == a.Unmap() && time.Since(s.at) < knownFor
}

func (k *known) slot(a netip.Addr) *atomic.Pointer[seen] {
	return &k.slots[maphash.Comparable(knownSeed, a)%uint64(len(k.slots))]
}
