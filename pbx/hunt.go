package pbx

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"
)

// Candidate is a member of a Hunt: how it is reached, and which extension it is.
type Candidate struct {
	Extension string
	Target    Target
}

// Hunt tries candidates one after the other, in an order that is found as the call comes by. group names whose turn it
// is that goes round. A candidate that does not take the call is passed over, whatever he says: a 6xx speaks for himself. If
// nobody answers it ends with the best outcome.
func Hunt(group string, strategy Strategy, candidates ...Candidate) Target {
	return hunt{group, strategy, candidates}
}

type hunt struct {
	group      string
	strategy   Strategy
	candidates []Candidate
}

func (h hunt) Reach(ctx context.Context, c *Call) (*Leg, Outcome) {
	return oneByOne(ctx, c, h.ordered(c.sb), func(Outcome) bool { return false })
}

func (h hunt) ordered(s *Switchboard) []Target {
	all := slices.Clone(h.candidates)
	if len(all) == 0 {
		return nil
	}
	switch h.strategy {
	case RoundRobin:
		s.mu.Lock()
		turn := s.turns[h.group] % len(all)
		s.turns[h.group] = turn + 1
		s.mu.Unlock()
		all = append(all[turn:], all[:turn]...)
	case LongestIdle:
		since := make(map[string]time.Time, len(all))
		s.mu.Lock()
		for _, m := range all {
			if u := s.usage[m.Extension]; u != nil {
				if since[m.Extension] = u.idle; u.calls > 0 {
					since[m.Extension] = time.Now()
				}
			}
		}
		s.mu.Unlock()
		slices.SortStableFunc(all, func(a, b Candidate) int { return since[a.Extension].Compare(since[b.Extension]) })
	case Random:
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	targets := make([]Target, len(all))
	for i, m := range all {
		targets[i] = m.Target
	}
	return targets
}

func (h hunt) Node() Node {
	targets := make([]Target, len(h.candidates))
	for i, m := range h.candidates {
		targets[i] = m.Target
	}
	return inner("hunt", h, targets)
}

func (h hunt) String() string { return "one after the other, " + string(h.strategy) }
