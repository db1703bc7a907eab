package pbx

import (
	"context"
	"fmt"
	"slices"
)

// Target is a node of a plan: somewhere a call can go. Targets are values without state: the same one may be
// carried out, printed and tested, also at the same time.
type Target interface {
	// Reach offers the call and waits until a leg has answered, nobody is left to try, or ctx is done. It returns at
	// once with the winner; what still rings, or answers too late, is the line's to cancel or hang up, with the cause
	// of ctx. An answered leg outlives ctx. A service of the PBX that answers by itself (echo, announcement)
	// returns no leg and the kind Answered when it is over.
	// Targets carry out those below them by Call.Reach, so that the record tells of them.
	Reach(ctx context.Context, c *Call) (*Leg, Outcome)
	// Node is the target with everything below it.
	Node() Node
	// String is one line for people, such as "ring 1000 for 30s", about this node alone.
	String() string
}

// leaf is the node of a target with nothing below it.
func leaf(kind string, t Target) Node { return Node{Type: kind, Text: t.String(), Target: t} }

// inner is the node of a target with others below it.
func inner(kind string, t Target, below []Target) Node {
	n := leaf(kind, t)
	n.Then = make([]Node, len(below))
	for i, b := range below {
		n.Then[i] = b.Node()
	}
	return n
}

// Because gives a target the reason why it is part of the plan. Nothing else changes.
func Because(reason string, t Target) Target {
	if reason == "" {
		return t
	}
	return because{t, reason}
}

type because struct {
	Target
	reason string
}

func (b because) Node() Node {
	n := b.Target.Node()
	if n.Reason == "" {
		n.Reason = b.reason
	} else {
		n.Reason = b.reason + "; " + n.Reason
	}
	return n
}

// bare is t without its reasons.
func bare(t Target) Target {
	for {
		b, ok := t.(because)
		if !ok {
			return t
		}
		t = b.Target
	}
}

// Refuse ends the call with an outcome.
func Refuse(o Outcome) Target { return refuse{o} }

type refuse struct{ Outcome }

func (r refuse) Reach(context.Context, *Call) (*Leg, Outcome) { return nil, r.Outcome }
func (r refuse) Node() Node                                   { return leaf("refuse", r) }
func (r refuse) String() string {
	if r.Kind == Redirected && len(r.Contacts) > 0 {
		return fmt.Sprintf("answer %d: call %s", r.Status, r.Contacts[0].Number)
	}
	return fmt.Sprintf("refuse: %s", r.Outcome)
}

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
	if b, ok := t.(because); ok {
		return because{Else(b.Target, branches...), b.reason}
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
	leg, o := c.Reach(ctx, e.try)
	if leg != nil || o.OK() || ctx.Err() != nil {
		return leg, o
	}
	for _, b := range e.branches {
		if slices.Contains(b.On, o.Kind) {
			return c.Reach(ctx, b.Then)
		}
	}
	return nil, o
}

// String is that of the attempt: what follows is below it.
func (e otherwise) String() string { return e.try.String() }

// Node is that of the attempt, with the branches behind what is below it.
func (e otherwise) Node() Node {
	n := e.try.Node()
	below := make([]Node, 0, len(n.Then)+len(e.branches))
	below = append(below, n.Then...)
	for _, b := range e.branches {
		then := b.Then.Node()
		then.On = b.On
		below = append(below, then)
	}
	n.Then = below
	return n
}

// InOrder tries one target after the other until one answers. A 6xx speaks for the person who is looked for, and ends
// it; so does the end of ctx. If nobody answers it ends with the best outcome (RFC 3261 §16.7 step 6).
func InOrder(targets ...Target) Target {
	if len(targets) == 1 {
		return targets[0]
	}
	return inOrder(targets)
}

type inOrder []Target

func (s inOrder) Reach(ctx context.Context, c *Call) (*Leg, Outcome) {
	return oneByOne(ctx, c, s, func(o Outcome) bool { return o.Status >= 600 })
}

// oneByOne tries targets until one answers, or an outcome is final.
func oneByOne(ctx context.Context, c *Call, targets []Target, final func(Outcome) bool) (*Leg, Outcome) {
	best := NotRegistered
	for i, t := range targets {
		leg, o := c.Reach(ctx, t)
		if leg != nil || o.OK() || ctx.Err() != nil || final(o) {
			return leg, o
		}
		if i == 0 {
			best = o
		} else {
			best = better(best, o)
		}
	}
	return nil, best
}

func (s inOrder) Node() Node   { return inner("in order", s, s) }
func (inOrder) String() string { return "one after the other" }
