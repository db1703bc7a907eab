package pbx

import (
	"context"
	"time"
)

// confirmPause is how long nothing is heard before the question is asked again.
const confirmPause = time.Second

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
	again := time.NewTimer(wait)
	again.Stop()
	defer again.Stop()
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
			if done = nil; whole { // again and again: who has just picked up may have missed it
				again.Reset(confirmPause)
			}
		case <-again.C:
			done, _ = t.start(PromptConfirm)
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
