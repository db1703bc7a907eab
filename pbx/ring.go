package pbx

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"ringback/media"
)

// Ring offers the call to all phones of an extension at once, for at most wait. Where none is registered it ends
// at once as Unreachable.
func Ring(extension string, wait time.Duration) Target {
	return Ringing{Extension: extension, Wait: wait}
}

// Ringing is Ring with everything that may be said about it.
type Ringing struct {
	Extension string
	Number    string // that was called, where it is not Extension: for To and the records
	Wait      time.Duration
	From      *Identity     // shown to the phones; nil: the caller
	Via       []Diversion   // how the call came here, oldest first
	Confirm   time.Duration // who answers has to press 1 within this time; 0: need not
	AlertInfo string        // Alert-Info for the phones (RFC 3261 §20.4)
	// Redirected makes the plan for where a phone sends the call by a 3xx (RFC 3261 §8.1.3.4). The other phones ring on. It is
	// asked as the redirection comes, and must neither block nor return nil. Nil: it is not followed.
	Redirected func(Outcome) Target
}

// Node implements Target.
func (r Ringing) Node() Node { return leaf("ring", r) }

// String implements Target.
func (r Ringing) String() string {
	s := "ring " + r.Extension + " for " + r.Wait.String()
	if r.Confirm > 0 {
		s += ", to be confirmed by 1 within " + r.Confirm.String()
	}
	return s
}

// Reach implements Target.
func (r Ringing) Reach(ctx context.Context, c *Call) (*Leg, Outcome) {
	from := c.From
	if r.From != nil {
		from = *r.From
	}
	c.sb.recent.Called(r.Extension, from)
	if from.Hidden {
		c.hidden()
	}
	contacts := c.sb.line.Contacts(r.Extension)
	if c.only != nil && r.Extension == c.Dialled {
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
	ringsUntil := time.Now().Add(r.Wait)
	var ringing atomic.Int32 // phones of our own that have not failed
	ringing.Store(int32(len(contacts)))
	inv := Invitation{CallID: c.ID, From: from, Codecs: c.sb.recordable(c, r.Extension, transcodable(c.Offered())), AlertInfo: r.AlertInfo, AnswerAfter: -1,
		MaxForwards: c.MaxForwards - 1, Via: r.Via}
	if r.Confirm > 0 {
		inv.Codecs = withKeys(inv.Codecs)
	}
	// A 6xx speaks for the person, so it ends the other contacts of this extension, and only those.
	return first(ctx, contacts, func(branch context.Context, to Contact) (*Leg, Outcome) {
		if r.Number != "" {
			to.Number = r.Number
		}
		leg, o := c.dialUntil(branch, ringsUntil, inv, to)
		if leg != nil && r.Confirm > 0 {
			// Whoever answered in time may take his time to press the key, unless somebody else takes the call.
			leg, o = c.confirm(branch, leg, r.Confirm)
		}
		if leg == nil && ringing.Add(-1) == 0 {
			giveBack(ctx, r.Extension)
		}
		if leg == nil && o.Kind == Redirected && r.Redirected != nil && branch.Err() == nil {
			return c.Reach(branch, r.Redirected(o))
		}
		return leg, o
	}, func(o Outcome) bool { return o.Status >= 600 })
}

// withKeys adds telephone-event, where the caller did not offer it and we want to hear keys.
func withKeys(codecs []media.Codec) []media.Codec {
	if len(codecs) == 0 || slices.ContainsFunc(codecs, media.Codec.IsEvent) {
		return codecs
	}
	return append(slices.Clip(codecs), media.Telephone)
}

// transcodable is what one side can do, and behind it what the PBX can make of that by transcoding.
func transcodable(offered []media.Codec) []media.Codec {
	if !slices.ContainsFunc(offered, media.Codec.Linear) {
		return offered
	}
	ours := [...]media.Codec{media.PCMU, media.PCMA, media.G722}
	all := append(make([]media.Codec, 0, len(offered)+len(ours)), offered...)
	for _, c := range ours {
		if !slices.ContainsFunc(all, c.Same) {
			all = append(all, c)
		}
	}
	return all
}

// dialUntil is dial for as long as the phone may ring.
func (c *Call) dialUntil(ctx context.Context, until time.Time, inv Invitation, to Contact) (*Leg, Outcome) {
	ctx, stop := context.WithDeadlineCause(ctx, until, RangOut)
	defer stop()
	return c.dial(ctx, inv, to)
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
