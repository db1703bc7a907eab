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
