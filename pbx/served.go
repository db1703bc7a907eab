package pbx

import (
	"context"
	"time"
)

// Prompts that call control itself plays. The sounds are Options.Prompt's.
const (
	PromptConfirm    = "press-1"    // to a phone that has to accept a call
	PromptRinging    = "ringing"    // to a caller who is answered already
	PromptBusy       = "busy"       // the same
	PromptCongestion = "congestion" // the same
)

// isServed reports whether a service of the PBX has answered the caller: what becomes of the plan he is told by tones.
func (c *Call) isServed() bool {
	c.sb.mu.Lock()
	defer c.sb.mu.Unlock()
	return c.served
}

// progressServed is news for a caller who is answered already: tones.
func (c *Call) progressServed(caller *Leg, p Progress, heard, ring bool) {
	switch {
	case heard:
		c.sb.connect(caller, p.Early)
	case ring:
		c.ring(caller, false)
	}
}

// tellFailure lets a caller who is answered already hear how the plan ended.
func (c *Call) tellFailure(ctx context.Context, o Outcome) {
	caller := c.Caller()
	if caller == nil || ctx.Err() != nil {
		return
	}
	prompt := PromptCongestion
	if o.Kind == Busy {
		prompt = PromptBusy
	}
	ctx, stop := context.WithTimeout(ctx, failureTone)
	defer stop()
	c.sb.talk(c, caller).Play(ctx, prompt)
}

// failureTone is how long that is heard at most.
const failureTone = 4 * time.Second
