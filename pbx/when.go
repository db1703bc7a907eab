package pbx

import (
	"context"
	"time"
)

// Condition is a question about the time of a call.
type Condition interface {
	Holds(now time.Time) bool
	// String names what is asked, such as "office hours"; Yes and No name the answers, such as "open" and "closed".
	String() string
	Yes() string
	No() string
}

// When goes to yes if the condition holds as the call comes by, else to no. at is the time for which the plan is shown.
func When(cond Condition, at time.Time, yes, no Target) Target { return when{cond, at, yes, no} }

type when struct {
	cond    Condition
	at      time.Time
	yes, no Target
}

func (w when) Reach(ctx context.Context, c *Call) (*Leg, Outcome) {
	if w.cond.Holds(time.Now()) {
		return c.Reach(ctx, w.yes)
	}
	return c.Reach(ctx, w.no)
}

func (w when) Node() Node {
	n := inner("when", w, []Target{w.yes, w.no})
	n.Then[0].If, n.Then[1].If = w.cond.Yes(), w.cond.No()
	if w.cond.Holds(w.at) {
		n.Then[0].Chosen = true
	} else {
		n.Then[1].Chosen = true
	}
	return n
}

func (w when) String() string { return w.cond.String() }
