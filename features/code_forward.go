package features

import (
	"context"

	"ringback/pbx"
)

// forwarding picks one of the forwards.
type forwarding func(*pbx.Services) *pbx.Forward

func always(s *pbx.Services) *pbx.Forward      { return &s.Always }
func whenBusy(s *pbx.Services) *pbx.Forward    { return &s.Busy }
func unanswered(s *pbx.Services) *pbx.Forward  { return &s.NoAnswer }
func unreachable(s *pbx.Services) *pbx.Forward { return &s.Unreachable }

// forwardOn forwards to the number that is dialled. How long it rings, and the like, stays as it was set elsewhere.
func forwardOn(which forwarding) func(*codeCall) pbx.Target {
	return func(c *codeCall) pbx.Target {
		return c.act(func(ctx context.Context, to string) (string, error) {
			if !c.mayForward(to) {
				return "", errRefused
			}
			return promptOn, c.change(ctx, func(s *pbx.Services) error {
				f := which(s)
				f.On, f.To, f.Set = true, to, c.set()
				return nil
			})
		})
	}
}

// forwardOff keeps the number, for the next time.
func forwardOff(which forwarding) func(*codeCall) pbx.Target {
	return func(c *codeCall) pbx.Target {
		return c.act(func(ctx context.Context, _ string) (string, error) {
			return promptOff, c.change(ctx, func(s *pbx.Services) error {
				f := which(s)
				f.On, f.Set = false, c.set()
				return nil
			})
		})
	}
}

// forwardToggle switches a forward off, or on again to the number that it had.
func forwardToggle(which forwarding) func(*codeCall) pbx.Target {
	return func(c *codeCall) pbx.Target {
		return c.act(func(ctx context.Context, _ string) (string, error) {
			prompt := promptOff
			err := c.change(ctx, func(s *pbx.Services) error {
				f := which(s)
				if !f.On {
					if !c.mayForward(f.To) {
						return errRefused
					}
					prompt = promptOn
				}
				f.On, f.Set = !f.On, c.set()
				return nil
			})
			return prompt, err
		})
	}
}

// mayForward reports whether the caller could forward calls to a number: sent there by him they would go somewhere, and not back to
// himself. That somebody there does not want to be disturbed just now is no reason against it.
func (c *codeCall) mayForward(to string) bool {
	if !isNumber(to) || len(to) > maxArgument {
		return false
	}
	r := c.route.again().reaching(c.caller.Number, c.caller.Number)
	r.from = pbx.Identity{} // a call by anybody
	return leads(r.divert(c.caller, to, causeAlways, 0))
}

// leads reports whether a plan leads anywhere, other than to a refusal that will be the same tomorrow.
func leads(plan pbx.Target) bool {
	n := plan.Node()
	for n.Type == "divert" && len(n.Then) == 1 {
		n = n.Then[0]
	}
	switch n.Type {
	case "refuse":
		_, o := n.Target.Reach(context.Background(), nil) // a refusal asks nothing of a call
		return o.Kind == pbx.Busy || o.Kind == pbx.Redirected
	case "announce":
		return false
	}
	return true
}
