package features

import (
	"slices"
	"time"

	"ringback/pbx"
)

// AlwaysForward sends every call on, and rings no phone of the subscriber, unless the call comes from where it would be sent.
func AlwaysForward(r *route, ext *pbx.Extension, inside plan) pbx.Target {
	f := &ext.Services.Always
	if !f.On || r.isCaller(f.To) {
		return inside(r)
	}
	return r.forward(ext, f, "forward always", causeAlways, r.wait)
}

// Forward sends calls on that the subscriber cannot or does not take; those for which he has no forward may leave a message, if he has
// voicemail. All its branches judge the same attempt: what becomes of the call at the number it is sent to is not judged again here.
func Forward(r *route, ext *pbx.Extension, inside plan) pbx.Target {
	s := &ext.Services
	own := r
	if r.wait == 0 && r.hasTime(&s.NoAnswer) {
		shorter := *r
		shorter.wait = seconds(s.NoAnswer.After)
		own = &shorter
	}
	if r.leave == nil && !r.applies(&s.Busy) && !r.applies(&s.NoAnswer) && !r.applies(&s.Unreachable) {
		return inside(own)
	}
	return pbx.Else(inside(own), r.branches(ext)...)
}

// branches are where calls go on that the subscriber has not taken, by their outcome.
func (r *route) branches(ext *pbx.Extension) []pbx.Branch {
	s := &ext.Services
	busy, unanswered, unreachable := r.applies(&s.Busy), r.applies(&s.NoAnswer), r.applies(&s.Unreachable)
	all := make([]pbx.Branch, 0, 4)
	var rest []pbx.Kind // that no forward takes
	switch {
	case busy:
		why := causeBusy
		if s.DoNotDisturb.On {
			why = causeDisturbed
		}
		all = append(all, pbx.On(r.forward(ext, &s.Busy, "forward when busy", why, 0), pbx.Busy, pbx.Declined))
	case r.leave != nil:
		all = append(all, pbx.On(r.leave(pbx.GreetBusy), pbx.Busy))
		rest = append(rest, pbx.Declined)
	}
	if s.DoNotDisturb.On { // then nothing else can come of it
		return all
	}
	if unanswered {
		kinds := []pbx.Kind{pbx.NoAnswer, pbx.Unreachable}
		if unreachable {
			kinds = kinds[:1]
		}
		all = append(all, pbx.On(r.forward(ext, &s.NoAnswer, "forward on no answer", causeNoAnswer, 0), kinds...))
	} else {
		rest = append(rest, pbx.NoAnswer)
	}
	if unreachable {
		all = append(all, pbx.On(r.forward(ext, &s.Unreachable, "forward when unreachable", causeUnavailable, 0), pbx.Unreachable))
	} else if !unanswered {
		rest = append(rest, pbx.Unreachable)
	}
	if r.leave != nil && len(rest) > 0 {
		all = append(all, pbx.On(r.leave(pbx.GreetUnavailable), rest...))
	}
	return all
}

// applies reports whether a forward is on, and would not send the call back to who makes it, nor to a mailbox while others may still
// take it.
func (r *route) applies(f *pbx.Forward) bool {
	return f.On && !r.isCaller(f.To) && !(r.others && isTarget(f.To))
}

// forward is where f sends the call, for the subscriber who set it. wait is how long the target rings where f does not say it.
func (r *route) forward(ext *pbx.Extension, f *pbx.Forward, what string, why cause, wait time.Duration) pbx.Target {
	if f.Ring > 0 {
		wait = seconds(f.Ring)
	}
	if f.Answer == "redirect" && !r.passedBy(f.To) {
		return r.because(what, f.Set, pbx.Refuse(pbx.Outcome{Kind: pbx.Redirected, By: pbx.System, Status: 302, ToCaller: true,
			Contacts: []pbx.Redirection{{Number: f.To, Local: true, Q: 1000}}}))
	}
	g := pbx.GreetUnavailable
	if slices.Contains(busyReasons, why.reason) {
		g = pbx.GreetBusy
	}
	return r.missed(f.To, r.because(what, f.Set, r.divert(ext, f.To, why, wait)), g)
}
