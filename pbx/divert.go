package pbx

import "context"

// Divert tells the caller that the call is being forwarded (181, RFC 3261 §21.1.3), and goes on to t.
func Divert(d Diversion, t Target) Target { return divert{d, t} }

type divert struct {
	Diversion
	to Target
}

func (d divert) Reach(ctx context.Context, c *Call) (*Leg, Outcome) {
	c.Progress(Progress{Status: 181})
	return c.Reach(ctx, d.to)
}

func (d divert) Node() Node { return inner("divert", d, []Target{d.to}) }
func (d divert) String() string {
	return "forward from " + d.From + " to " + d.To + " (" + d.Reason + ")"
}

// Redirectable follows a redirection of t: route makes the plan for where the phone sends the call. It is asked as the
// redirection comes, and must neither block nor return nil.
func Redirectable(t Target, route func([]Redirection) Target) Target { return redirectable{t, route} }

type redirectable struct {
	t     Target
	route func([]Redirection) Target
}

func (r redirectable) Reach(ctx context.Context, c *Call) (*Leg, Outcome) {
	leg, o := c.Reach(ctx, r.t)
	if leg != nil || o.Kind != Redirected || ctx.Err() != nil {
		return leg, o
	}
	return c.Reach(ctx, r.route(o.Contacts))
}

// Node is that of what may redirect: that it may be sent on is true of every phone.
func (r redirectable) Node() Node {
	n := r.t.Node()
	n.Target = r // Simulate wants to know
	return n
}

func (r redirectable) String() string { return r.t.String() }

// Route is what route makes of a redirection, for Simulate.
func (r redirectable) Route(to []Redirection) Target { return r.route(to) }
