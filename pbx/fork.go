package pbx

import "context"

// MaxBranches bounds the branches of one fork, and the phones of one extension that ring at a time (RFC 5393 §5.3). How many places a
// whole call may have is for whoever makes its plan to bound.
const MaxBranches = 32

// Fork tries all targets at once. The first that answers wins, the others are cancelled as completed elsewhere.
// If nobody answers it ends with the best outcome (RFC 3261 §16.7 step 6).
func Fork(targets ...Target) Target {
	if len(targets) == 1 {
		return targets[0]
	}
	return fork(targets)
}

type fork []Target

func (f fork) Reach(ctx context.Context, c *Call) (*Leg, Outcome) {
	return first(ctx, f[:min(len(f), MaxBranches)], c.Reach, nil)
}

func (f fork) Node() Node   { return inner("fork", f, f) }
func (fork) String() string { return "at once" }

// first runs try for each item at the same time, and returns the first success when every branch has come back. A
// failure for which final says so (nil: none) ends the others too. Every try must return soon after its ctx is done.
func first[T any](ctx context.Context, items []T, try func(context.Context, T) (*Leg, Outcome), final func(Outcome) bool) (*Leg, Outcome) {
	switch len(items) {
	case 0:
		return nil, NotRegistered
	case 1:
		return try(ctx, items[0])
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type result struct {
		leg *Leg
		o   Outcome
		i   int
	}
	results := make(chan result, len(items))
	for i, item := range items {
		go func() {
			defer func() {
				if p := recover(); p != nil {
					results <- result{nil, panicked(p), i}
				}
			}()
			leg, o := try(ctx, item)
			results <- result{leg, o, i}
		}()
	}
	var winner *Leg
	var won bool
	var best Outcome
	of := len(items) // whose outcome the best is; of equals it is the first in the list, whichever came first
	for range items {
		r := <-results
		switch {
		case r.o.OK() && !won:
			winner, best, won = r.leg, r.o, true
			cancel(Elsewhere)
		case r.leg != nil: // answered at the same moment, too late
			r.leg.Hangup(Elsewhere)
		case won:
		case of == len(items) || rank(r.o) < rank(best) || rank(r.o) == rank(best) && r.i < of:
			best, of = r.o, r.i
		}
		if !won && final != nil && final(r.o) {
			cancel(r.o)
		}
	}
	return winner, best
}

// better is the outcome that tells a caller more, by the order of RFC 3261 §16.7 step 6: 6xx before all others, then
// the lowest class; within 4xx what says most about the called person. Cancelled branches say nothing.
func better(a, b Outcome) Outcome {
	if rank(b) < rank(a) {
		return b
	}
	return a
}

func rank(o Outcome) int {
	switch {
	case o.Status >= 600:
		return 0
	case o.Kind == Cancelled:
		return 100
	case o.Kind == Redirected:
		return 1
	case o.Kind == Busy:
		return 2
	case o.Kind == Declined:
		return 3
	case o.Kind == NoAnswer:
		return 4
	case o.Kind == Screened:
		return 5
	case o.Kind == Unreachable && o.By == Network: // no response says less than one
		return 50
	case o.Status >= 400 && o.Status < 500:
		return 10
	case o.Status == 503: // one phone out of order is not the PBX out of order
		return 30
	default:
		return 20
	}
}
