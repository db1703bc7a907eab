package features

import (
	"slices"

	"ringback/pbx"
)

// group is where calls to a ring group go: screened by the office, closed outside its hours, and when nobody of it answers, on to
// its overflow.
func (r *route) group(g *pbx.Group) pbx.Target {
	return r.screenedByOffice(func(r *route) pbx.Target {
		return r.closed(nil, &g.Closed, func(r *route) pbx.Target {
			t := r.because("ring group "+g.Name, g.Set, r.members(g))
			if g.Overflow == "" {
				return t
			}
			return pbx.Else(t, pbx.On(pbx.Because("overflow of "+g.Number, r.divert(nil, g.Overflow, causeNoAnswer, 0)),
				pbx.NoAnswer, pbx.Busy, pbx.Declined, pbx.Unreachable))
		})
	})
}

// members is the members of a group. One that the call has passed already, as when he forwards to his group, is left out.
func (r *route) members(g *pbx.Group) pbx.Target {
	limit := maxTargets
	if g.Strategy == pbx.RingAll {
		limit = pbx.MaxBranches
	}
	candidates := make([]pbx.Candidate, 0, min(len(g.Members), limit))
	looped := false
	for _, number := range g.Members {
		ext := r.Directory.Extension(number)
		if ext == nil || !ext.Enabled || r.isCaller(number) { // who calls his own group wants the others
			continue
		}
		if len(candidates) == limit || r.full() {
			break
		}
		if slices.Contains(r.passed, ext.Number) {
			looped = true
			continue
		}
		member := r.reaching(ext.Number, ext.Number)
		member.others = true
		member.wait = r.waitOr(seconds(g.Seconds))
		features := Member
		if g.KeepForwards {
			features = Terminating
		}
		candidates = append(candidates, pbx.Candidate{Extension: ext.Number, Target: member.extension(ext, features)})
	}
	switch {
	case len(candidates) == 0 && looped:
		return r.end("the call has been at all its members already", pbx.Loop)
	case len(candidates) == 0:
		return r.end("it has nobody to call", pbx.NotRegistered)
	case g.Strategy != pbx.RingAll:
		return pbx.Hunt(g.Number, g.Strategy, candidates...)
	}
	all := make([]pbx.Target, len(candidates))
	for i, c := range candidates {
		all[i] = c.Target
	}
	return pbx.Fork(all...)
}
