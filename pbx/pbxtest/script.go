package pbxtest

import (
	"context"
	"time"

	"ringback/pbx"
)

// Script is what a Handset does with a call: it blocks until the phone has answered or failed. It may ring by
// Party.Ring and send early media by Party.Early. Once ctx is done nobody waits for its outcome any more.
type Script func(ctx context.Context, p *Party) pbx.Outcome

// wait reports whether d has passed before ctx was done.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Answer rings at once and answers after d.
func Answer(d time.Duration) Script {
	return Ringing(0, d, pbx.Outcome{Kind: pbx.Answered, By: pbx.Callee, Status: 200})
}

// Reject rings at once and fails with a SIP status after d: 486, 480, 603 …
func Reject(status int, d time.Duration) Script {
	return Ringing(0, d, pbx.Outcome{Kind: pbx.KindOf(status), By: pbx.Callee, Status: status})
}

// Busy refuses at once with 486, without ringing.
func Busy() Script {
	return func(context.Context, *Party) pbx.Outcome {
		return pbx.Outcome{Kind: pbx.Busy, By: pbx.Callee, Status: 486}
	}
}

// Ringing rings after one time and comes to an outcome after another.
func Ringing(ring, end time.Duration, o pbx.Outcome) Script {
	return func(ctx context.Context, p *Party) pbx.Outcome {
		if !wait(ctx, ring) {
			return causeOf(ctx)
		}
		p.Ring()
		if !wait(ctx, end) {
			return causeOf(ctx)
		}
		return o
	}
}

// RingForever rings until it is cancelled.
func RingForever() Script {
	return func(ctx context.Context, p *Party) pbx.Outcome {
		p.Ring()
		<-ctx.Done()
		return causeOf(ctx)
	}
}

// Vanish gives no sign at all: after 32 s (64·T1, RFC 3261 §17.1.1.2) it counts as unreachable.
func Vanish() Script {
	return func(ctx context.Context, p *Party) pbx.Outcome {
		if !wait(ctx, 32*time.Second) {
			return causeOf(ctx)
		}
		return pbx.Outcome{Kind: pbx.Unreachable, By: pbx.Network, Status: 408}
	}
}

// Redirect answers 302 with other numbers at the PBX, best first.
func Redirect(numbers ...string) Script {
	var contacts []pbx.Redirection
	for i, n := range numbers {
		contacts = append(contacts, pbx.Redirection{Number: n, Host: "pbx", Local: true, URI: "sip:" + n + "@pbx", Q: 1000 - i})
	}
	return RedirectTo(contacts...)
}

// RedirectTo answers 302 with other contacts.
func RedirectTo(contacts ...pbx.Redirection) Script {
	return func(context.Context, *Party) pbx.Outcome {
		return pbx.Outcome{Kind: pbx.Redirected, By: pbx.Callee, Status: 302, Contacts: contacts}
	}
}

// EarlyMedia sends 183 with sound after one time, and then plays on.
func EarlyMedia(d time.Duration, then Script) Script {
	return func(ctx context.Context, p *Party) pbx.Outcome {
		if !wait(ctx, d) {
			return causeOf(ctx)
		}
		p.Early(183)
		return then(ctx, p)
	}
}

// AnswerLate rings, and answers as soon as it is cancelled: the crossing of CANCEL and 200.
func AnswerLate() Script {
	return func(ctx context.Context, p *Party) pbx.Outcome {
		p.Ring()
		<-ctx.Done()
		return pbx.Outcome{Kind: pbx.Answered, By: pbx.Callee, Status: 200}
	}
}

// Press is then, and presses keys some time after it has answered.
func Press(keys string, after time.Duration, then Script) Script {
	return afterwards(then, after, func(p *Party) { p.Press(keys) })
}

// Bye is then, and hangs up some time after it has answered; 0: in the same moment.
func Bye(after time.Duration, then Script) Script {
	return afterwards(then, after, (*Party).Bye)
}

func afterwards(then Script, after time.Duration, do func(*Party)) Script {
	return func(ctx context.Context, p *Party) pbx.Outcome {
		o := then(ctx, p)
		if o.OK() {
			go func() {
				timer := time.NewTimer(after)
				defer timer.Stop()
				select {
				case <-timer.C:
					do(p)
				case <-p.Done():
				}
			}()
		}
		return o
	}
}

// Behave does what pbx.Simulate takes a phone to do.
func Behave(b pbx.Behaviour) Script {
	return behave(b, (*Party).Ring)
}

// BehaveEarly is Behave with early media instead of ringing.
func BehaveEarly(b pbx.Behaviour) Script {
	return behave(b, func(p *Party) { p.Early(183) })
}

func behave(b pbx.Behaviour, sign func(*Party)) Script {
	then := func(ctx context.Context, p *Party) pbx.Outcome {
		rang := time.Duration(0)
		if !b.Silent && (b.Status == 0 || b.Rings < b.Ends) {
			if !wait(ctx, b.Rings) {
				return causeOf(ctx)
			}
			sign(p)
			rang = b.Rings
		}
		switch {
		case b.Status != 0:
			if !wait(ctx, b.Ends-rang) {
				return causeOf(ctx)
			}
			return pbx.Outcome{Kind: pbx.KindOf(b.Status), By: pbx.Callee, Status: b.Status, Contacts: b.Contacts}
		case b.Silent:
			return Vanish()(ctx, p)
		default:
			<-ctx.Done()
			return causeOf(ctx)
		}
	}
	if b.HangsUp > 0 {
		then = Bye(b.HangsUp, then)
	}
	if b.Accepts > 0 {
		then = Press("1", b.Accepts, then)
	}
	return then
}
