package features

import (
	"slices"
	"time"

	"ringback/pbx"
)

// cause is why a call is sent on: the word of RFC 5806 §4, and the status that stands for it in the Reason of History-Info
// (RFC 7044 §10.2), where no phone has given one: that of RFC 4458 §2.2, as RFC 7544 §5 maps the words.
type cause struct {
	reason string
	status int
}

var (
	causeAlways      = cause{"unconditional", 302}
	causeBusy        = cause{"user-busy", 486}
	causeNoAnswer    = cause{"no-answer", 408}
	causeUnavailable = cause{"unavailable", 503}
	causeDisturbed   = cause{"do-not-disturb", 404}
	causeClosed      = cause{"time-of-day", 404}
	causeFindMe      = cause{"follow-me", 404}
)

// causeRedirect is that of a redirection by a phone: its own response (RFC 7044 §10.2).
func causeRedirect(o pbx.Outcome) cause { return cause{"deflection", o.Status} }

// divert sends the call on from the number that it came to, as a call by the subscriber whose number that is (nil: of a
// group). wait is how long the target rings, 0: as long as it does anyway. The caller is told by 181, but not of what cannot be.
func (r *route) divert(by *pbx.Extension, to string, why cause, wait time.Duration) pbx.Target {
	switch {
	case r.passedBy(to):
		return r.end("the call has been at "+to+" already", pbx.Loop)
	case len(r.via) >= MaxDepth:
		return r.end("the call has been sent on too often", pbx.TooManyHops)
	case r.full():
		return r.end(tooManyPlaces, pbx.TooManyHops)
	}
	d := pbx.Diversion{From: r.called, To: to, Reason: why.reason, Status: why.status,
		Hidden: by != nil && by.Services.HideNumber.On}
	on := *r
	on.via = append(slices.Clip(r.via), d)
	on.wait, on.leave = wait, nil
	return pbx.Divert(d, on.dial(by, to))
}
