package features

import (
	"time"

	"ringback/pbx"
)

// confirmWithin is how long who answers for somebody else has for pressing 1.
const confirmWithin = 20 * time.Second

// FindMe looks for the subscriber at several places, a step after the other. Other numbers are called with all their own
// features; the own number is the own phones. The caller is told by 181 when the call leaves these.
func FindMe(r *route, ext *pbx.Extension, inside plan) pbx.Target {
	f := &ext.Services.FindMe
	if !f.On || len(f.Steps) == 0 {
		return inside(r)
	}
	var when pbx.Condition
	if f.Schedule != nil {
		if when = r.during(f.Schedule); when == nil { // a time that cannot be
			return inside(r)
		}
	}
	steps := make([]pbx.Target, 0, len(f.Steps))
	for i := range f.Steps {
		if r.full() {
			break
		}
		if t := r.step(ext, &f.Steps[i], inside); t != nil {
			steps = append(steps, t)
		}
	}
	if len(steps) == 0 {
		return inside(r)
	}
	t := r.because("find-me", f.Set, pbx.InOrder(steps...))
	if when == nil {
		return t
	}
	return pbx.When(when, r.at, t, inside(r))
}

// step is the places of one step at once; nil if it has none.
func (r *route) step(ext *pbx.Extension, s *pbx.Step, inside plan) pbx.Target {
	wait := r.waitOr(ext.Ring)
	if s.Seconds > 0 {
		wait = seconds(s.Seconds)
	}
	places := make([]pbx.Target, 0, min(len(s.Places), pbx.MaxBranches))
	for _, p := range s.Places[:min(len(s.Places), pbx.MaxBranches)] {
		if r.full() {
			break
		}
		if r.isCaller(p.Number) && r.self(p.Number) != ext.Number { // where he is not, it seems
			continue
		}
		if isTarget(p.Number) { // it would take the call from all others
			continue
		}
		there := *r
		if p.Confirm {
			there.confirm = confirmWithin
		}
		if r.self(p.Number) == ext.Number {
			there.wait = wait
			places = append(places, inside(&there))
		} else {
			there.others = true
			places = append(places, there.divert(ext, p.Number, causeFindMe, wait))
		}
	}
	if len(places) == 0 {
		return nil
	}
	return pbx.Fork(places...)
}
