package features

import (
	"context"
	"slices"

	"ringback/pbx"
)

// blockedName is the name of the rule that blocking by code keeps at the front of a subscriber's screening.
const blockedName = "blocked"

// maxBlocked bounds that rule.
const maxBlocked = 500

func block(c *codeCall) pbx.Target {
	return c.act(func(ctx context.Context, number string) (string, error) {
		return promptDone, c.block(ctx, number)
	})
}

// blockLastCaller blocks also a caller who hid his number: the subscriber is not told it.
func blockLastCaller(c *codeCall) pbx.Target {
	return c.act(func(ctx context.Context, _ string) (string, error) {
		last, ok := c.route.lastCaller(c.caller.Number)
		if !ok {
			return "", errRefused
		}
		return promptDone, c.block(ctx, last.Number)
	})
}

func (c *codeCall) block(ctx context.Context, number string) error {
	if !isNumber(number) {
		return errRefused
	}
	return c.change(ctx, func(s *pbx.Services) error {
		rule, others := takeBlocked(s.Incoming)
		if !slices.Contains(rule.Numbers, number) {
			if len(rule.Numbers) >= maxBlocked {
				return errRefused
			}
			rule.Numbers = append(slices.Clone(rule.Numbers), number)
			rule.Set = c.set()
		}
		s.Incoming = append([]pbx.Rule{rule}, others...)
		return nil
	})
}

// unblock says no other thing where the number was not blocked: else who has blocked a hidden caller could find out who it was.
func unblock(c *codeCall) pbx.Target {
	return c.act(func(ctx context.Context, number string) (string, error) {
		return promptDone, c.change(ctx, func(s *pbx.Services) error {
			rule, others := takeBlocked(s.Incoming)
			i := slices.Index(rule.Numbers, number)
			if i < 0 {
				return nil
			}
			rule.Numbers = slices.Delete(slices.Clone(rule.Numbers), i, i+1)
			rule.Set = c.set()
			if len(rule.Numbers) > 0 { // a rule that names nobody would be about everybody
				others = append([]pbx.Rule{rule}, others...)
			}
			s.Incoming = others
			return nil
		})
	})
}

// takeBlocked is the rule of blocked numbers, a new one if there is none, and the other rules. Whatever else bears its name, but has further
// conditions or another action, is somebody's own rule.
func takeBlocked(rules []pbx.Rule) (pbx.Rule, []pbx.Rule) {
	for i, r := range rules {
		plain := r.Prefixes == nil && r.Group == "" && !r.Anonymous && r.Trunk == "" && r.Schedule == nil && r.Hours == ""
		if r.Name == blockedName && r.Action == pbx.Reject && plain {
			return r, slices.Delete(slices.Clone(rules), i, i+1)
		}
	}
	return pbx.Rule{Name: blockedName, Action: pbx.Reject}, slices.Clone(rules)
}
