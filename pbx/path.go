package pbx

import (
	"context"
	"time"
)

// maxPath bounds what a record tells of a call's way.
const maxPath = 200

// passed is one step of a call's way, not rendered yet.
type passed struct {
	t         Target
	at, until time.Time
	o         Outcome
	done      bool
}

// Reach carries out t for the call and notes its way through it. It is how targets carry out those below them.
func (c *Call) Reach(ctx context.Context, t Target) (*Leg, Outcome) {
	t = bare(t)
	switch t.(type) {
	case otherwise, fork, inOrder: // what is below them tells it all
		return t.Reach(ctx, c)
	}
	i := c.enter(t)
	leg, o := t.Reach(ctx, c)
	c.leave(i, o)
	return leg, o
}

func (c *Call) enter(t Target) int {
	now := time.Now()
	c.sb.mu.Lock()
	defer c.sb.mu.Unlock()
	if len(c.path) >= maxPath {
		return -1
	}
	if c.path == nil {
		c.path = c.steps[:0]
	}
	c.path = append(c.path, passed{t: t, at: now})
	return len(c.path) - 1
}

func (c *Call) leave(i int, o Outcome) {
	if i < 0 {
		return
	}
	now := time.Now()
	c.sb.mu.Lock()
	defer c.sb.mu.Unlock()
	c.path[i].until, c.path[i].o, c.path[i].done = now, o, true
}

// rendered is the way, for the record.
func rendered(path []passed) []Passed {
	all := make([]Passed, len(path))
	for i, p := range path {
		all[i] = Passed{Node: p.t.String(), At: p.at.UTC()}
		if p.done {
			all[i].Until, all[i].Outcome = p.until.UTC(), p.o.String()
		}
	}
	return all
}
