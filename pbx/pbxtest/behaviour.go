package pbxtest

import (
	"context"
	"time"
)

// Behaviour is what a phone does with an incoming call. It runs in a goroutine of its own; ctx ends with the phone,
// and when the caller gives up.
type Behaviour func(ctx context.Context, l *CallLeg)

// OnCall says what the phone does with calls to come; nil: they wait for Incoming.
func (p *Phone) OnCall(b Behaviour) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onCall = b
}

// AutoAnswer rings and answers after d.
func AutoAnswer(d time.Duration) Behaviour {
	return func(ctx context.Context, l *CallLeg) {
		l.Ring()
		if wait(ctx, d) {
			_ = l.Answer(ctx)
		}
	}
}

// AutoReject rings, and refuses with a status after d. With d = 0 it does not ring.
func AutoReject(status int, d time.Duration, mods ...Mod) Behaviour {
	return func(ctx context.Context, l *CallLeg) {
		if d > 0 {
			l.Ring()
			if !wait(ctx, d) {
				return
			}
		}
		l.Refuse(status, mods...)
	}
}

// AutoRedirect refuses with a 3xx to some targets, as CallLeg.Redirect does.
func AutoRedirect(status int, to ...string) Behaviour {
	return func(_ context.Context, l *CallLeg) { l.Redirect(status, to...) }
}

// AutoRing rings and does nothing more.
func AutoRing() Behaviour { return func(_ context.Context, l *CallLeg) { l.Ring() } }

// AutoIgnore does not respond at all.
func AutoIgnore() Behaviour { return func(context.Context, *CallLeg) {} }

// AutoEarly sends early media, a tone of that frequency, and goes on after d.
func AutoEarly(frequency float64, d time.Duration, then Behaviour) Behaviour {
	return func(ctx context.Context, l *CallLeg) {
		l.EarlyMedia()
		l.Play(frequency)
		if wait(ctx, d) {
			then(ctx, l)
		}
	}
}
