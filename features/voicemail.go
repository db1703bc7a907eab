package features

import (
	"context"
	"slices"
	"strings"

	"ringback/pbx"
)

// Voicemail lets whoever nobody takes the call of leave a message. It is the last resort of Forward, Closed and AlwaysForward: they
// offer it where they judge an attempt (see missed). It does not take a call that others may still take.
func Voicemail(r *route, ext *pbx.Extension, inside plan) pbx.Target {
	s := &ext.Services.Voicemail
	if !s.On || r.others {
		return inside(r)
	}
	box := r.mailbox(ext.Box())
	if box == nil {
		return inside(r)
	}
	own := *r
	own.leave = func(g pbx.Greeting) pbx.Target { return r.because("voicemail", s.Set, r.message(box, g)) }
	if s.After > 0 && r.wait == 0 && !r.hasTime(&ext.Services.NoAnswer) {
		own.wait = seconds(s.After)
	}
	return inside(&own)
}

// mailbox is the one of that number, nil if there is none that is enabled.
func (r *route) mailbox(number string) *pbx.Mailbox {
	if r.Messages == nil {
		return nil
	}
	if box := r.Directory.Mailbox(number); box != nil && box.Enabled {
		return box
	}
	return nil
}

// hasTime reports whether a forward says how long the phones ring before it.
func (r *route) hasTime(f *pbx.Forward) bool { return r.applies(f) && f.After > 0 }

// notTaken are the ends of a call at a number that it was sent on to, after which a mailbox takes it. A number that refuses the caller,
// and says so, is none of them.
var notTaken = []pbx.Kind{pbx.NoAnswer, pbx.Busy, pbx.Declined, pbx.Unreachable, pbx.Looped, pbx.Failed}

// missed is t, where the call is sent on to a number, and if nobody takes it there, the mailbox of the subscriber who sent it.
func (r *route) missed(to string, t pbx.Target, g pbx.Greeting) pbx.Target {
	if r.leave == nil || r.target(to) != nil {
		return t
	}
	return pbx.Else(t, pbx.On(r.leave(g), notTaken...))
}

// target is the mailbox that a number is the target of; nil if it is none, or there is no such mailbox.
func (r *route) target(number string) *pbx.Mailbox {
	if box, ok := strings.CutPrefix(number, pbx.MailboxTarget); ok {
		return r.mailbox(box)
	}
	return nil
}

// isTarget reports whether a number is that of a mailbox, be it there or not.
func isTarget(number string) bool { return strings.HasPrefix(number, pbx.MailboxTarget) }

// toMailbox is where calls to the number of a mailbox go, screened by the office.
func (r *route) toMailbox(box *pbx.Mailbox) pbx.Target {
	if r.others {
		return r.end("no mailbox takes a call that others may still take", pbx.NotRegistered)
	}
	return r.screenedByOffice(func(r *route) pbx.Target {
		g := pbx.GreetUnavailable
		if n := len(r.via); n > 0 && slices.Contains(busyReasons, r.via[n-1].Reason) {
			g = pbx.GreetBusy
		}
		return r.because("mailbox "+box.Name, box.Set, r.message(box, g))
	})
}

// busyReasons are those of diversions by who is busy.
var busyReasons = []string{causeBusy.reason, causeDisturbed.reason}

// message lets the caller leave a message.
func (r *route) message(box *pbx.Mailbox, g pbx.Greeting) pbx.Target {
	switch {
	case r.full():
		return r.end(tooManyPlaces, pbx.TooManyHops)
	case r.menus >= maxMenus:
		return r.end("the call has been at too many menus", pbx.TooManyHops)
	}
	r.left.Add(-1)
	name := "voicemail " + box.Number
	if g == pbx.GreetBusy {
		name += ", busy greeting"
	}
	if box.Operator != "" {
		name += ", 0 calls " + box.Operator
	}
	return pbx.Service(name, func(ctx context.Context, t *pbx.Talk) pbx.Target {
		return (&deposit{r, t, box}).greet(ctx, g)
	})
}
