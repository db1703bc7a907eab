package pbx

import (
	"context"
	"time"
)

// confirm asks who answered to press 1. The caller does not hear him meanwhile.
func (c *Call) confirm(ctx context.Context, leg *Leg, wait time.Duration) (*Leg, Outcome) {
	accepted, o := false, Hangup
	defer func() { // also after a panic
		if !accepted {
			leg.Hangup(o)
		}
	}()
	c.silence(leg)
	t := c.sb.talk(c, leg)
	t.listen()
	defer t.end()
	done, _ := t.start(PromptConfirm)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case key := <-t.keys:
			if key == '1' {
				if port := leg.Port(); port != nil {
					port.Disconnect()
				}
				accepted = true
				return leg, Outcome{Kind: Answered, By: Callee, Status: 200}
			}
		case whole := <-done:
			if done = nil; whole {
				done, _ = t.start(PromptConfirm) // again and again: who has just picked up may have missed it
			}
		case <-timer.C:
			return nil, Unconfirmed
		case <-t.gone:
			return nil, Outcome{Kind: Declined, By: Callee, Status: 480}
		case <-ctx.Done():
			o = cause(ctx)
			return nil, o
		}
	}
}
