package features

import (
	"context"

	"ringback/pbx"
)

// Prompts that ask for a mailbox, and say that it is none.
const (
	promptMailbox   = "vm-enter-mailbox"
	promptNoMailbox = "vm-no-such-mailbox"
)

// myMailbox lets the caller hear the messages that his own callers have left.
func myMailbox(c *codeCall) pbx.Target {
	return pbx.Service(c.String(), func(ctx context.Context, t *pbx.Talk) pbx.Target {
		box := c.route.mailbox(c.caller.Box())
		if box == nil {
			return confirm(ctx, t, promptNoMailbox)
		}
		return c.route.visit(ctx, t, box, true)
	})
}

// anyMailbox lets whoever may hear its messages visit a mailbox from another phone.
func anyMailbox(c *codeCall) pbx.Target {
	return pbx.Service(c.String(), func(ctx context.Context, t *pbx.Talk) pbx.Target {
		number := c.argument
		for range pinAttempts {
			if number == "" {
				var there bool
				if number, there = t.Keys(ctx, promptMailbox, maxArgument, keyWait); !there {
					return nil
				}
			}
			if box := c.route.mailbox(number); box != nil {
				return c.route.visit(ctx, t, box, true)
			}
			if number = ""; !t.Play(ctx, promptNoMailbox) {
				return nil
			}
		}
		return confirm(ctx, t, promptGoodbye)
	})
}

// leaveMessage lets the caller leave a message without that a phone rings.
func leaveMessage(c *codeCall) pbx.Target {
	return c.call(func(r *route, number string) (string, string) {
		if r.mailbox(number) == nil {
			if ext := r.Directory.Owner(number); ext != nil {
				number = ext.Box()
			}
		}
		if r.mailbox(number) == nil {
			return "", "there is no mailbox " + number
		}
		return pbx.MailboxTarget + number, ""
	})
}
