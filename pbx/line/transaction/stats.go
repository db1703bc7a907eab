package transaction

import "sync/atomic"

// Stats are counters for the monitoring; what is not said to be a level counts since New.
type Stats struct {
	Kinds [4]Kind // by InviteServer …

	RetransmissionsIn  uint64 // requests that came again, final responses that came again
	RetransmissionsOut uint64
	Timeouts           uint64 // Timers B, F, H; and users that did not answer
	TransportErrors    uint64
	Merged             uint64 // answered 482
	Shed               uint64 // answered 503 without a transaction
	Strays             uint64 // responses that matched nothing
	Timers             int    // level: armed on the wheel

	ResponsesIn  [700]uint64 // by status code, with retransmissions
	ResponsesOut [700]uint64 // by status code, without
}

// Kind counts the transactions of one kind.
type Kind struct {
	Alive int64 // level
	Total uint64
}

// The kinds of transaction, as indices of Stats.Kinds.
const (
	InviteServer = iota
	NonInviteServer
	InviteClient
	NonInviteClient
)

type stats struct {
	alive                                                     [4]atomic.Int64
	total                                                     [4]atomic.Uint64
	againIn, againOut, timeouts, errors, merged, shed, strays atomic.Uint64
	in, out                                                   [700]atomic.Uint64
}

// Stats may be called from anywhere.
func (l *Layer) Stats() Stats {
	s := &l.stats
	r := Stats{
		RetransmissionsIn: s.againIn.Load(), RetransmissionsOut: s.againOut.Load(), Timeouts: s.timeouts.Load(),
		TransportErrors: s.errors.Load(), Merged: s.merged.Load(), Shed: s.shed.Load(), Strays: s.strays.Load(),
	}
	for i := range r.Kinds {
		r.Kinds[i] = Kind{s.alive[i].Load(), s.total[i].Load()}
	}
	for i := range r.ResponsesIn {
		r.ResponsesIn[i], r.ResponsesOut[i] = s.in[i].Load(), s.out[i].Load()
	}
	l.wheel.mu.Lock()
	r.Timers = l.wheel.armed
	l.wheel.mu.Unlock()
	return r
}

func count(a *[700]atomic.Uint64, code int) {
	if code >= 0 && code < len(a) {
		a[code].Add(1)
	}
}
