// Package subscription is the notifier's side of one subscription (RFC 6665 §4.2): how long it lives, when a NOTIFY leaves and what
// its Subscription-State says, and what the answer to it means. It is pure: event and state in, state and effects out. No I/O, no
// clock, no goroutine. A State is a value that belongs to whoever holds it.
package subscription

import "time"

// Phase is how far a subscription is. What RFC 6665 §4.1.2 calls pending does not occur: whoever may watch is known when the
// SUBSCRIBE is answered.
type Phase uint8

const (
	New    Phase = iota // no SUBSCRIBE was taken yet
	Active              // "The subscription has been accepted" (RFC 6665 §4.1.3)
	Ending              // the NOTIFY that says terminated is still to be sent, or to be answered
	Gone                // there is no subscription any more
)

// Reason is why a subscription is terminated (RFC 6665 §4.1.3).
type Reason string

// The reasons that occur here.
const (
	Deactivated Reason = "deactivated" // subscribe again at once
	Probation   Reason = "probation"   // subscribe again later
	Rejected    Reason = "rejected"    // who watches may not, any more
	Timeout     Reason = "timeout"     // it was not refreshed, or the phone has ended it
	NoResource  Reason = "noresource"  // what was watched is not there any more
)

// State is one subscription. The zero value is a new one.
type State struct {
	Phase      Phase
	Reason     Reason        // from Ending on
	RetryAfter time.Duration // goes with Probation
	Expires    time.Time     // while Active

	waiting  bool      // a NOTIFY has not been answered yet
	final    bool      // that NOTIFY said terminated
	due      bool      // there is something to tell
	urgent   bool      // … and a SUBSCRIBE or the end of the subscription demands it now
	heard    bool      // the phone has subscribed since that NOTIFY left: it is there
	earliest time.Time // before it nothing leaves that is not urgent
	failed   int       // NOTIFYs in a row that were answered by an error which ends nothing
}

// Kind is what happens to a subscription.
type Kind uint8

const (
	Subscribed Kind = iota // a SUBSCRIBE was answered 200: the first one, a refresh, or with Granted 0 the last one
	Changed                // what is watched has changed
	Answered               // the NOTIFY has its final response, or has failed (Status 0)
	Woken                  // the time of Effects.Wake has come
	Ended                  // the PBX ends the subscription
)

// Event is what happens, and when.
type Event struct {
	Kind    Kind
	Now     time.Time
	Granted time.Duration // Subscribed: how long from now; 0 ends the subscription, or is a fetch if it is the first
	Status  int           // Answered; 0: no answer at all
	Reason  Reason        // Ended
	Retry   time.Duration // Answered: Retry-After, 0 if it had none. Ended: when the phone is to try again, with Probation
}

// Effects are what is to be done, in this order.
type Effects struct {
	Notify bool      // send a NOTIFY with what is watched as it is now, and Header as its Subscription-State
	Forget bool      // the subscription is over
	Wake   time.Time // when Woken is due; zero: never. It replaces the one before
}

// Bounds of what is tried again.
const (
	maxFailed  = 3                // errors in a row
	retryAfter = 10 * time.Second // where the phone did not say when
	maxRetry   = 10 * time.Minute // however long it said
)

// On is what becomes of a subscription.
func (s State) On(e Event, r Rules) (State, Effects) {
	switch e.Kind {
	case Subscribed:
		s = s.subscribed(e)
	case Changed:
		s.due = s.due || s.Phase == Active
	case Answered:
		s = s.answered(e)
	case Ended:
		if s.Phase == Active {
			s = s.end(e.Reason)
			s.RetryAfter = e.Retry
		}
	}
	return s.settle(e.Now, r)
}

// Live reports whether a SUBSCRIBE in the dialog still finds the subscription.
func (s *State) Live(now time.Time) bool { return s.Phase == Active && now.Before(s.Expires) }

// subscribed: "Upon successfully accepting or refreshing a subscription, notifiers MUST send a NOTIFY request immediately to
// communicate the current resource state to the subscriber" (RFC 6665 §4.2.1.2). Where nothing was granted that NOTIFY is the last
// one: the phone has unsubscribed (§4.1.2.3), or only asked once (§4.4.3).
func (s State) subscribed(e Event) State {
	if s.Phase > Active {
		return s
	}
	s.heard = s.waiting
	if e.Granted <= 0 {
		return s.end(Timeout)
	}
	s.Phase, s.Expires = Active, e.Now.Add(e.Granted)
	s.due, s.urgent = true, true
	return s
}

func (s State) end(why Reason) State {
	s.Phase, s.Reason = Ending, why
	s.due, s.urgent = true, true
	return s
}

func (s State) answered(e Event) State {
	if !s.waiting {
		return s
	}
	s.waiting = false
	switch {
	case s.final:
		s.Phase, s.due = Gone, false
	case s.heard && (e.Status == 0 || e.Status == 408):
		// It was lost on the way to where the phone was before, as through another port of its NAT: what the SUBSCRIBE demands goes
		// to where the phone is now.
	case Fatal(e.Status):
		s.Phase, s.due = Gone, false
	case e.Status >= 200 && e.Status < 300:
		s.failed = 0
	default:
		// RFC 6665 §4.2.2 has no word about the other errors: the request has failed, and the subscription goes on (RFC 5057
		// §5.1). What it told is still to be told.
		if s.failed++; s.failed >= maxFailed {
			s.Phase, s.due = Gone, false
			break
		}
		wait := retryAfter
		if e.Retry > 0 {
			wait = min(e.Retry, maxRetry)
		}
		s.due, s.urgent = true, s.Phase == Ending
		s.earliest = later(s.earliest, e.Now.Add(wait))
	}
	return s
}

// Fatal reports whether a NOTIFY that was answered so, or not at all (0), ends the subscription: "If the NOTIFY request fails due
// to expiration of SIP Timer F (transaction timeout), the notifier SHOULD remove the subscription", and it MUST if the answer is
// one of these (RFC 6665 §4.2.2). 408 is what a proxy says of a timeout.
func Fatal(status int) bool {
	switch {
	case status == 0, status == 404, status == 405, status == 408, status == 410, status == 416,
		status >= 480 && status <= 485, status == 489, status == 501, status == 604:
		return true
	}
	return false
}

// settle sends what is due, if it may be sent now, and says when to look again.
func (s State) settle(now time.Time, r Rules) (State, Effects) {
	if s.Phase == Active && !now.Before(s.Expires) {
		s = s.end(Timeout)
	}
	var fx Effects
	if s.Phase == Gone {
		fx.Forget = true
		return s, fx
	}
	// One NOTIFY at a time: what comes while it is not answered waits for the answer, and then the newest state goes.
	if s.due && !s.waiting && (s.urgent || !now.Before(s.earliest)) {
		s.due, s.urgent, s.heard, s.waiting = false, false, false, true
		s.final = s.Phase == Ending
		s.earliest = now.Add(r.Pause)
		fx.Notify = true
	}
	if s.Phase == Active { // the end of the others comes with an answer
		fx.Wake = s.Expires
		if s.due && !s.waiting && s.earliest.Before(fx.Wake) {
			fx.Wake = s.earliest
		}
	}
	return s, fx
}

// Missing is for whoever makes the NOTIFY that Effects asked for, and finds that what is watched is not there any more: it is the
// last one.
func (s State) Missing() State {
	if s.Phase == Active && s.waiting {
		s.Phase, s.Reason, s.final = Ending, NoResource, true
	}
	return s
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
