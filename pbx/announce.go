package pbx

import "context"

// Announce plays a prompt to a caller who is not answered, as early media (183, RFC 3960 §3), where he can hear any, and
// then ends with o.
func Announce(prompt string, o Outcome) Target { return announce{prompt, o} }

type announce struct {
	prompt string
	o      Outcome
}

func (a announce) Node() Node     { return leaf("announce", a) }
func (a announce) String() string { return "announce " + a.prompt + ", then refuse: " + a.o.String() }

func (a announce) Reach(ctx context.Context, c *Call) (*Leg, Outcome) {
	caller := c.Caller()
	if caller == nil {
		return nil, a.o
	}
	if !c.claim(caller) { // another branch may still answer, and he hears that
		return nil, a.o
	}
	defer c.silence(caller)
	if !c.isServed() {
		caller.Progress(Progress{Status: 183, Codecs: spoken(c.Offered())})
	}
	if port := caller.Port(); port != nil && len(port.Formats()) > 0 {
		if t := c.sb.talk(c, caller); !t.Play(ctx, a.prompt) {
			<-ctx.Done() // it is, or it will be in a moment, as the caller has gone
			return nil, cause(ctx)
		}
	}
	return nil, a.o
}
