package pbx

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"ringback/media"
)

// Ring offers the call to all phones of an extension at once, for at most wait. Where none is registered it ends
// at once as Unreachable.
func Ring(extension string, wait time.Duration) Target { return ring{extension, wait} }

type ring struct {
	extension string
	wait      time.Duration
}

func (r ring) String() string { return fmt.Sprintf("ring %s for %s", r.extension, r.wait) }

func (r ring) Reach(ctx context.Context, c *Call) (*Leg, Outcome) {
	contacts := c.sb.line.Contacts(r.extension)
	if c.only != nil && r.extension == c.Dialled {
		contacts = slices.DeleteFunc(contacts, func(to Contact) bool { return !slices.Contains(c.only, to.ID) })
	}
	if len(contacts) == 0 {
		return nil, NotRegistered
	}
	if len(contacts) > MaxBranches {
		contacts = contacts[:MaxBranches]
	}
	if c.MaxForwards <= 0 {
		return nil, TooManyHops
	}
	ctx, stop := context.WithTimeoutCause(ctx, r.wait, RangOut)
	defer stop()
	inv := Invitation{CallID: c.ID, From: c.From, Codecs: transcodable(c.Offered()), AnswerAfter: -1, MaxForwards: c.MaxForwards - 1}
	// A 6xx speaks for the person, so it ends the other contacts of this extension, and only those.
	leg, o := first(ctx, contacts, func(ctx context.Context, to Contact) (*Leg, Outcome) {
		return c.dial(ctx, inv, to)
	}, func(o Outcome) bool { return o.Status >= 600 })
	return leg, o
}

// transcodable is what one side can do, and behind it what the PBX can make of that by transcoding.
func transcodable(offered []media.Codec) []media.Codec {
	if !slices.ContainsFunc(offered, media.Codec.Linear) {
		return offered
	}
	all := slices.Clone(offered)
	for _, c := range []media.Codec{media.PCMU, media.PCMA} {
		if !slices.ContainsFunc(all, c.Same) {
			all = append(all, c)
		}
	}
	return all
}

// dial offers the call to one phone and passes on its news. A phone that never gave a sign is Unreachable, not NoAnswer.
func (c *Call) dial(ctx context.Context, inv Invitation, to Contact) (*Leg, Outcome) {
	var alive atomic.Bool
	var early atomic.Pointer[Leg]
	inv.To = to
	inv.Progress = func(p Progress) {
		alive.Store(true)
		if p.Early != nil {
			early.Store(p.Early)
		}
		c.Progress(p)
	}
	leg, o := c.sb.line.Dial(ctx, inv)
	if leg == nil {
		c.silence(early.Load())
		if o.Kind == NoAnswer && !alive.Load() {
			o.Kind, o.By = Unreachable, Network
		}
	}
	return leg, o
}
