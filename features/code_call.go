package features

import (
	"context"
	"time"

	"ringback/pbx"
)

// Services that make a call. It is the caller's own in every respect: his class of service and his screening hold.

// hideNumber is a call whose target is not shown who calls.
func hideNumber(c *codeCall) pbx.Target {
	return c.call(func(r *route, number string) (string, bool) {
		r.from.Hidden = true
		return number, isNumber(number)
	})
}

func speedDial(c *codeCall) pbx.Target {
	return c.call(func(_ *route, key string) (string, bool) {
		number := c.caller.Services.SpeedDials[key]
		return number, number != ""
	})
}

func redial(c *codeCall) pbx.Target {
	return c.call(func(r *route, _ string) (string, bool) {
		if r.Recent == nil {
			return "", false
		}
		number := r.Recent.LastDialled(c.caller.Number)
		return number, number != ""
	})
}

// returnCall does not call who has hidden his number: the bill, or a phone's display, would tell it.
func returnCall(c *codeCall) pbx.Target {
	return c.call(func(r *route, _ string) (string, bool) {
		last, ok := r.lastCaller(c.caller.Number)
		return last.Number, ok && !last.Hidden
	})
}

// lastCaller is who called an extension last, as far as that can be called or blocked.
func (r *route) lastCaller(extension string) (pbx.Identity, bool) {
	if r.Recent == nil {
		return pbx.Identity{}, false
	}
	last, ok := r.Recent.LastCaller(extension)
	return last, ok && last.Number != ""
}

// call goes on to the number that is found for the argument. Where there is none the caller hears an error; where the argument is
// missing he is asked for it first, and what follows is planned then.
func (c *codeCall) call(find func(r *route, argument string) (number string, ok bool)) pbx.Target {
	if c.argument != "" || c.codeService.argument == NoArgument {
		if number, ok := find(c.route, c.argument); ok {
			return pbx.Because(c.label(), c.route.dial(c.caller, number))
		}
		return c.act(func(context.Context, string) (string, error) { return "", errRefused })
	}
	return pbx.Service(c.String(), func(ctx context.Context, t *pbx.Talk) pbx.Target {
		argument, there := c.ask(ctx, t)
		if !there {
			return nil
		}
		r := c.route.again()
		if number, ok := find(r, argument); ok {
			return r.dial(c.caller, number)
		}
		return confirm(ctx, t, promptError)
	})
}

// again is the making of another plan for the same caller, now.
func (r *route) again() *route { return r.begin(r.from, time.Now()) }

func myNumber(c *codeCall) pbx.Target {
	return c.act(func(context.Context, string) (string, error) { return promptDigits + c.caller.Number, nil })
}
