package subscription

import (
	"fmt"
	"testing"
	"time"
)

var (
	rules = Rules{Default: time.Hour, Min: time.Minute, Max: time.Hour, Pause: 5 * time.Second}
	start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

// teller plays one subscription against the clock.
type teller struct {
	t   *testing.T
	s   State
	now time.Time
	fx  Effects
}

func newTeller(t *testing.T) *teller { return &teller{t: t, now: start} }

func (p *teller) on(e Event) Effects {
	e.Now = p.now
	p.s, p.fx = p.s.On(e, rules)
	return p.fx
}

func (p *teller) subscribe(d time.Duration) Effects { return p.on(Event{Kind: Subscribed, Granted: d}) }
func (p *teller) answer(status int) Effects         { return p.on(Event{Kind: Answered, Status: status}) }
func (p *teller) pass(d time.Duration)              { p.now = p.now.Add(d) }

// wake lets time pass until the state wants to be woken.
func (p *teller) wake() Effects {
	p.t.Helper()
	if p.fx.Wake.IsZero() {
		p.t.Fatal("it does not want to be woken")
	}
	p.now = p.fx.Wake
	return p.on(Event{Kind: Woken})
}

func (p *teller) notifies(want string) {
	p.t.Helper()
	if !p.fx.Notify {
		p.t.Fatalf("no NOTIFY where one was due: %+v", p.s)
	}
	if got := p.s.Header(p.now); got != want {
		p.t.Errorf("Subscription-State: %q, want %q", got, want)
	}
}

func (p *teller) quiet() {
	p.t.Helper()
	if p.fx.Notify {
		p.t.Fatalf("a NOTIFY where none is due: %q", p.s.Header(p.now))
	}
}

func (p *teller) gone() {
	p.t.Helper()
	if !p.fx.Forget || p.fx.Notify || !p.fx.Wake.IsZero() {
		p.t.Fatalf("it is not gone: %+v after %+v", p.fx, p.s)
	}
}

// "Upon successfully accepting or refreshing a subscription, notifiers MUST send a NOTIFY request immediately" (RFC 6665 §4.2.1.2),
// however short the time since the one before.
func TestNotifyFollowsEachSUBSCRIBE(t *testing.T) {
	p := newTeller(t)
	p.subscribe(10 * time.Minute)
	p.notifies("active;expires=600")
	p.answer(200)
	p.quiet()
	p.pass(100 * time.Millisecond)
	p.subscribe(10 * time.Minute)
	p.notifies("active;expires=600")
	p.answer(200)
	if want := p.now.Add(10 * time.Minute); !p.fx.Wake.Equal(want) {
		t.Errorf("wakes at %v, want %v", p.fx.Wake, want)
	}
}

// The seconds that are left are rounded up: never more than was granted, never nothing.
func TestExpiresIsRoundedUp(t *testing.T) {
	p := newTeller(t)
	p.subscribe(10 * time.Minute)
	p.answer(200)
	p.pass(10*time.Minute - 300*time.Millisecond)
	p.on(Event{Kind: Changed})
	p.notifies("active;expires=1")
}

// Changes within the pause are told together, when it is over.
func TestChangesWaitForThePause(t *testing.T) {
	p := newTeller(t)
	p.subscribe(time.Hour)
	p.answer(200)
	for range 10 {
		p.pass(100 * time.Millisecond)
		p.on(Event{Kind: Changed})
		p.quiet()
	}
	if want := start.Add(rules.Pause); !p.fx.Wake.Equal(want) {
		t.Errorf("wakes at %v, want %v", p.fx.Wake, want)
	}
	p.wake()
	p.notifies("active;expires=3595")
	p.answer(200)
	p.quiet()
	p.pass(rules.Pause)
	p.on(Event{Kind: Changed})
	p.notifies("active;expires=3590")
}

// While a NOTIFY is not answered nothing else leaves; what came meanwhile is told once it is.
func TestOneNotifyAtATime(t *testing.T) {
	p := newTeller(t)
	p.subscribe(time.Hour)
	p.pass(7 * time.Second)
	p.on(Event{Kind: Changed})
	p.quiet()
	p.subscribe(time.Hour) // it crosses with the NOTIFY
	p.quiet()
	p.on(Event{Kind: Woken})
	p.quiet()
	p.answer(200)
	p.notifies("active;expires=3600")
	p.answer(200)
	p.quiet()
}

// A SUBSCRIBE with Expires 0 ends the subscription with a NOTIFY that says so (RFC 6665 §4.1.2.3); outside a dialog it asks for the
// state once (§4.4.3).
func TestUnsubscribeAndFetch(t *testing.T) {
	p := newTeller(t)
	p.subscribe(time.Hour)
	p.answer(200)
	p.subscribe(0)
	p.notifies("terminated;reason=timeout")
	p.answer(200)
	p.gone()

	p = newTeller(t)
	p.subscribe(0)
	p.notifies("terminated;reason=timeout")
	p.on(Event{Kind: Changed})
	p.quiet()
	p.answer(200)
	p.gone()
}

func TestUnsubscribeWhileANotifyIsUnderWay(t *testing.T) {
	p := newTeller(t)
	p.subscribe(time.Hour)
	p.subscribe(0)
	p.quiet()
	if p.s.Live(p.now) {
		t.Error("it can still be refreshed")
	}
	p.answer(200)
	p.notifies("terminated;reason=timeout")
	p.subscribe(time.Hour) // too late
	p.quiet()
	p.answer(500)
	p.gone()
}

// A subscription that is not refreshed ends by itself, with a last NOTIFY, at its time and not before.
func TestExpiry(t *testing.T) {
	p := newTeller(t)
	p.subscribe(time.Minute)
	p.answer(200)
	p.pass(time.Minute - time.Nanosecond)
	if p.on(Event{Kind: Woken}); !p.s.Live(p.now) {
		t.Error("it ended too soon")
	}
	p.quiet()
	p.wake()
	p.notifies("terminated;reason=timeout")
	if !p.fx.Wake.IsZero() {
		t.Error("it wants to be woken when it is over")
	}
	p.answer(0)
	p.gone()
}

func TestExpiryWhileANotifyIsUnderWay(t *testing.T) {
	p := newTeller(t)
	p.subscribe(time.Minute)
	p.pass(2 * time.Minute)
	p.on(Event{Kind: Woken})
	p.quiet()
	p.answer(200)
	p.notifies("terminated;reason=timeout")
	p.answer(200)
	p.gone()
}

// RFC 6665 §4.2.2: Timer F SHOULD, and 404, 405, 410, 416, 480 to 485, 489, 501 and 604 MUST remove the subscription; 408 is a
// timeout that a proxy has seen. Any other answer does not (RFC 5057 §5.1).
func TestAnswersToNotify(t *testing.T) {
	fatal := map[int]bool{0: true, 404: true, 405: true, 408: true, 410: true, 416: true, 480: true, 481: true, 482: true, 483: true, 484: true,
		485: true, 489: true, 501: true, 604: true}
	for status := range 700 {
		if status > 0 && status < 200 {
			continue
		}
		p := newTeller(t)
		p.subscribe(time.Hour)
		p.answer(status)
		if p.fx.Forget != fatal[status] {
			t.Errorf("%d: forgotten %v", status, p.fx.Forget)
		}
		if p.fx.Notify {
			t.Errorf("%d: a NOTIFY at once", status)
		}
		if !p.fx.Forget {
			wait := 10 * time.Second
			if status < 300 {
				wait = time.Hour
			}
			if want := start.Add(wait); !p.fx.Wake.Equal(want) {
				t.Errorf("%d: wakes at %v, want %v", status, p.fx.Wake, want)
			}
		}
	}
}

// What was not taken is told again, when the phone wants it or after a while; the third error in a row is enough.
func TestRetryAfter(t *testing.T) {
	p := newTeller(t)
	p.subscribe(time.Hour)
	p.on(Event{Kind: Answered, Status: 503, Retry: 30 * time.Second})
	p.quiet()
	p.pass(20 * time.Second)
	p.on(Event{Kind: Changed})
	p.quiet()
	p.wake()
	if d := p.now.Sub(start); d != 30*time.Second {
		t.Errorf("tried again after %v", d)
	}
	p.notifies("active;expires=3570")
	p.answer(500)
	p.wake()
	if d := p.now.Sub(start); d != 40*time.Second {
		t.Errorf("tried again after %v", d)
	}
	p.answer(400)
	p.gone()
}

func TestErrorsAreForgottenAfterASuccess(t *testing.T) {
	p := newTeller(t)
	p.subscribe(time.Hour)
	for range 20 {
		p.answer(500)
		p.wake()
		p.notifies(p.s.Header(p.now))
		p.answer(500)
		p.wake()
		p.answer(200)
		p.pass(rules.Pause)
		p.on(Event{Kind: Changed})
		p.notifies(p.s.Header(p.now))
	}
}

// However late the phone wants to be asked again: its SUBSCRIBE, and the end, are notified of at once.
func TestRetryAfterIsNoObstacle(t *testing.T) {
	p := newTeller(t)
	p.subscribe(5 * time.Minute)
	p.on(Event{Kind: Answered, Status: 503, Retry: 100 * time.Hour})
	p.pass(time.Minute)
	p.subscribe(5 * time.Minute)
	p.notifies("active;expires=300")
	p.on(Event{Kind: Answered, Status: 503, Retry: 100 * time.Hour})
	p.wake()
	if d := p.now.Sub(start); d != 6*time.Minute {
		t.Errorf("woken after %v, not when it expires", d)
	}
	p.notifies("terminated;reason=timeout")
}

func TestEndedByThePBX(t *testing.T) {
	for _, tc := range []struct {
		why   Reason
		retry time.Duration
		want  string
	}{
		{NoResource, 0, "terminated;reason=noresource"},
		{Rejected, 0, "terminated;reason=rejected"},
		{Deactivated, 0, "terminated;reason=deactivated"},
		{Probation, 1500 * time.Millisecond, "terminated;reason=probation;retry-after=2"},
	} {
		p := newTeller(t)
		p.subscribe(time.Hour)
		p.answer(200)
		p.on(Event{Kind: Ended, Reason: tc.why, Retry: tc.retry})
		p.notifies(tc.want)
		p.on(Event{Kind: Ended, Reason: Timeout})
		p.quiet()
		p.answer(200)
		p.gone()
	}
}

// What is watched may have gone by the time the NOTIFY is made: then that is the last one.
func TestMissing(t *testing.T) {
	p := newTeller(t)
	p.subscribe(time.Hour)
	p.s = p.s.Missing()
	p.notifies("terminated;reason=noresource")
	p.answer(200)
	p.gone()

	p = newTeller(t)
	p.subscribe(time.Hour)
	p.answer(200)
	if p.s.Missing() != p.s {
		t.Error("it ends without a NOTIFY")
	}
}

// Every event in every state that can be reached within seven events, with every answer: whatever comes in whatever order, these hold.
func TestEveryState(t *testing.T) {
	events := []Event{
		{Kind: Subscribed, Granted: time.Minute}, {Kind: Subscribed}, {Kind: Changed}, {Kind: Woken},
		{Kind: Answered, Status: 200}, {Kind: Answered, Status: 481}, {Kind: Answered, Status: 503, Retry: 7 * time.Second}, {Kind: Answered},
		{Kind: Ended, Reason: NoResource}, {Kind: Ended, Reason: Probation, Retry: time.Second},
	}
	steps := []time.Duration{0, 3 * time.Second, time.Minute}
	type seen struct {
		s   State
		now time.Time
	}
	visited := map[seen]bool{}
	level := []seen{{State{}, start}}
	for range 7 {
		var next []seen
		for _, at := range level {
			for _, d := range steps {
				for _, e := range events {
					e.Now = at.now.Add(d)
					s, fx := at.s.On(e, rules)
					if err := check(at.s, s, fx, e); err != nil {
						t.Fatalf("%+v on %+v becomes %+v with %+v: %v", at.s, e, s, fx, err)
					}
					n := seen{s, e.Now}
					if !visited[n] && len(visited) < 300_000 {
						visited[n] = true
						next = append(next, n)
					}
				}
			}
		}
		level = next
	}
	if len(visited) < 1000 {
		t.Errorf("only %d states were looked at", len(visited))
	}
}

func check(before, after State, fx Effects, e Event) error {
	switch {
	case after.Phase < before.Phase:
		return fmt.Errorf("the phase went back")
	case fx.Notify && before.waiting && e.Kind != Answered:
		return fmt.Errorf("two NOTIFYs at a time")
	case fx.Notify && before.final:
		return fmt.Errorf("a NOTIFY after the last one")
	case fx.Notify && !after.waiting:
		return fmt.Errorf("a NOTIFY that is not waited for")
	case fx.Notify && after.final != (after.Phase == Ending):
		return fmt.Errorf("the NOTIFY and the phase do not agree")
	case fx.Forget != (after.Phase == Gone):
		return fmt.Errorf("forgotten, and not gone")
	case fx.Forget && (fx.Notify || !fx.Wake.IsZero()):
		return fmt.Errorf("it is gone and goes on")
	case after.Phase == Active && (fx.Wake.IsZero() || fx.Wake.After(after.Expires)):
		return fmt.Errorf("nobody sees it expire")
	case after.Phase == Active && !fx.Wake.After(e.Now):
		return fmt.Errorf("it wants to be woken in the past")
	case after.Phase == Ending && !after.waiting:
		return fmt.Errorf("it never ends")
	case after.Phase == Active && after.due && !after.waiting && fx.Wake.Equal(after.Expires) && after.earliest.Before(after.Expires):
		return fmt.Errorf("what is due is never told")
	case e.Kind == Subscribed && e.Granted > 0 && before.Phase <= Active && !before.waiting && before.Live(e.Now) && !fx.Notify:
		return fmt.Errorf("no NOTIFY for a SUBSCRIBE")
	}
	return nil
}

// A SUBSCRIBE that came while a NOTIFY was under way says that the phone is there: that nobody answered the NOTIFY ends nothing
// then, but the next one that nobody answers does.
func TestSUBSCRIBEWhileANotifyIsLost(t *testing.T) {
	for _, lost := range []int{0, 408} {
		p := newTeller(t)
		p.subscribe(time.Hour)
		p.notifies("active;expires=3600")
		p.pass(20 * time.Second)
		p.subscribe(time.Hour)
		p.quiet()
		p.pass(12 * time.Second)
		p.answer(lost)
		p.notifies("active;expires=3588")
		p.answer(lost)
		p.gone()

		p = newTeller(t)
		p.subscribe(time.Hour)
		p.subscribe(0)
		p.answer(lost)
		p.notifies("terminated;reason=timeout")
		p.answer(lost)
		p.gone()

		p = newTeller(t)
		p.subscribe(time.Hour)
		p.answer(200)
		p.subscribe(time.Hour) // while none was under way
		p.answer(lost)
		p.gone()
	}
}
