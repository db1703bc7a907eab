package features

import (
	"context"
	"time"

	"ringback/pbx"
)

// Services that make a call. It is the caller's own in every respect: his class of service and his screening hold.

// hideNumber is a call whose target is not shown who calls.
func hideNumber(c *codeCall) pbx.Target {
	return c.call(func(r *route, number string) (string, string) {
		r.from.Hidden = true
		return number, "no number to call"
	})
}

func speedDial(c *codeCall) pbx.Target {
	return c.call(func(_ *route, key string) (string, string) {
		return c.caller.Services.SpeedDials[key], c.caller.Number + " has no such speed dial"
	})
}

func redial(c *codeCall) pbx.Target {
	return c.call(func(r *route, _ string) (string, string) {
		if r.Recent == nil {
			return "", "nobody has noted it"
		}
		return r.Recent.LastDialled(c.caller.Number), c.caller.Number + " has called nobody yet"
	})
}

// returnCall does not call who has hidden his number: the bill, or a phone's display, would tell it.
func returnCall(c *codeCall) pbx.Target {
	return c.call(func(r *route, _ string) (string, string) {
		last, called := r.lastCaller(c.caller.Number)
		switch {
		case !called:
			return "", "nobody has called " + c.caller.Number + " yet"
		case last.Hidden:
			return "", "the last caller hides his number"
		}
		return last.Number, "the last caller has no number"
	})
}

// lastCaller is who called an extension last.
func (r *route) lastCaller(extension string) (pbx.Identity, bool) {
	if r.Recent == nil {
		return pbx.Identity{}, false
	}
	return r.Recent.LastCaller(extension)
}

// call goes on to the number that is found for the argument. Where there is none, "", the caller hears an error, and the plan says why;
// where the argument is missing he is asked for it first, and what follows is planned then.
func (c *codeCall) call(find func(r *route, argument string) (number, whyNone string)) pbx.Target {
	if c.argument != "" || c.takes == NoArgument {
		number, whyNone := find(c.route, c.argument)
		if number != "" {
			return pbx.Because(c.label(), c.dial(c.route, number))
		}
		return pbx.Because(whyNone, c.act(func(context.Context, string) (string, error) { return "", errRefused }))
	}
	return pbx.Service(c.String(), func(ctx context.Context, t *pbx.Talk) pbx.Target {
		argument, there := c.ask(ctx, t)
		if !there {
			return nil
		}
		r := c.route.again()
		if number, _ := find(r, argument); number != "" {
			return c.dial(r, number)
		}
		return confirm(ctx, t, promptError)
	})
}

// dial calls a number. A speed dial may also stand for another code, but not for a speed dial: two could stand for each other.
func (c *codeCall) dial(r *route, number string) pbx.Target {
	if s, argument := codesOf(r.Directory.Office()).find(number); s != nil && c.takes == ASpeedDial && s.takes != ASpeedDial {
		return s.plan(&codeCall{codeService: s, route: r, caller: c.caller, argument: argument})
	}
	return r.dial(c.caller, number)
}

// again is the making of another plan for the same caller, now.
func (r *route) again() *route { return r.begin(r.from, time.Now()) }

func myNumber(c *codeCall) pbx.Target {
	return c.act(func(context.Context, string) (string, error) { return promptDigits + c.caller.Number, nil })
}
