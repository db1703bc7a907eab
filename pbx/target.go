package pbx

import (
	"context"
	"fmt"
	"strings"
)

// Target is a node of a plan: somewhere a call can go. Targets are values without state: the same one may be
// carried out, printed and tested, also at the same time.
type Target interface {
	// Reach offers the call and waits until a leg has answered, nobody is left to try, or ctx is done. It returns at
	// once with the winner; what still rings, or answers too late, is the line's to cancel or hang up, with the cause
	// of ctx. An answered leg outlives ctx. A service of the PBX that answers by itself (echo, announcement)
	// returns no leg and the kind Answered when it is over.
	Reach(ctx context.Context, c *Call) (*Leg, Outcome)
	// String is one line for people, such as "ring 1000 for 30s".
	String() string
}

// Refuse ends the call with an outcome.
func Refuse(o Outcome) Target { return refuse{o} }

type refuse struct{ Outcome }

func (r refuse) Reach(context.Context, *Call) (*Leg, Outcome) { return nil, r.Outcome }
func (r refuse) String() string                               { return fmt.Sprintf("refuse: %s", r.Outcome) }

// Branch says what to try after some outcomes. Make it with On.
type Branch struct {
	On   []Kind
	Then Target
}

// On is the branch of an Else for outcomes of these kinds.
func On(then Target, kinds ...Kind) Branch { return Branch{kinds, then} }

// Else tries t and then, by its outcome, the first branch that names the kind. All branches judge the same attempt,
// like those of CPL's proxy node (RFC 3880 §6.1): what a branch ends with is not judged again here. Nothing is tried
// once ctx is done: the caller has gone, or somebody else has taken the call.
// Branches added to an Else become branches of the same attempt.
func Else(t Target, branches ...Branch) Target {
	if len(branches) == 0 {
		return t
	}
	if e, ok := t.(otherwise); ok {
		return otherwise{e.try, append(e.branches[:len(e.branches):len(e.branches)], branches...)}
	}
	return otherwise{t, branches}
}

type otherwise struct {
	try      Target
	branches []Branch
}

func (e otherwise) Reach(ctx context.Context, c *Call) (*Leg, Outcome) {
	leg, o := e.try.Reach(ctx, c)
	if leg != nil || o.OK() || ctx.Err() != nil {
		return leg, o
	}
	for _, b := range e.branches {
		for _, kind := range b.On {
			if kind == o.Kind {
				return b.Then.Reach(ctx, c)
			}
		}
	}
	return nil, o
}

func (e otherwise) String() string {
	var b strings.Builder
	b.WriteString(e.try.String())
	for _, branch := range e.branches {
		for i, kind := range branch.On {
			if i > 0 {
				b.WriteString(" or ")
			} else {
				b.WriteString("; on ")
			}
			b.WriteString(kind.String())
		}
		b.WriteString(": ")
		b.WriteString(branch.Then.String())
	}
	return b.String()
}
