package pbx

import (
	"context"

	"ringback/media"
)

// Echo answers and sends the caller's sound back until the caller hangs up.
func Echo() Target { return echo{} }

type echo struct{}

func (echo) String() string { return "echo test" }
func (e echo) Node() Node   { return leaf("echo", e) }

func (echo) Reach(ctx context.Context, c *Call) (*Leg, Outcome) {
	prefer := c.Offered()
	if prefer == nil {
		prefer = []media.Codec{media.PCMU, media.PCMA, media.Telephone}
	}
	caller, o := c.Answer(prefer)
	if caller == nil {
		return nil, o
	}
	t := c.sb.talk(c, caller)
	if !t.listen() { // another branch has him
		return nil, Elsewhere
	}
	defer t.end()
	if port := caller.Port(); port != nil {
		port.Echo()
	}
	<-ctx.Done()
	return nil, o
}
