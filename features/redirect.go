package features

import (
	"slices"
	"strings"

	"ringback/pbx"
)

// Redirect treats redirections (3xx) from the subscriber's phones, as he wants it. By default they are followed as if he had set a
// forward: RFC 3261 §8.1.3.4.
func Redirect(r *route, ext *pbx.Extension, inside plan) pbx.Target {
	own, why := *r, ""
	switch ext.Services.Redirect {
	case pbx.PassOn:
		why = passedOn
		own.onRedirect = func(o pbx.Outcome) pbx.Target {
			o.ToCaller = true
			return pbx.Because(passedOn, pbx.Refuse(o))
		}
	case pbx.NoOther:
		why = "redirections by the phone are not followed"
		own.onRedirect = refused
	default:
		own.onRedirect = func(o pbx.Outcome) pbx.Target { return r.redirected(ext, o) }
	}
	return pbx.Because(why, inside(&own))
}

const passedOn = "redirections by the phone are for the caller to follow"

// RefuseRedirect lets a redirection count as the phone's refusal, whatever the subscriber wants.
func RefuseRedirect(r *route, ext *pbx.Extension, inside plan) pbx.Target {
	own := *r
	own.onRedirect = refused
	return inside(&own)
}

func refused(pbx.Outcome) pbx.Target {
	return pbx.Because("the phone redirects the call, which is not followed",
		pbx.Refuse(pbx.Outcome{Kind: pbx.Declined, By: pbx.Callee, Status: 480}))
}

// redirected follows a redirection, made while the call is under way: contacts of the same q at once, then those of the next.
func (r *route) redirected(ext *pbx.Extension, o pbx.Outcome) pbx.Target {
	to := slices.Clone(o.Contacts[:min(len(o.Contacts), pbx.MaxBranches)])
	slices.SortStableFunc(to, func(a, b pbx.Redirection) int { return b.Q - a.Q })
	if len(to) > 1 {
		all := *r
		all.others, r = true, &all
	}
	var steps, step []pbx.Target
	looped := false
	for i, contact := range to {
		switch {
		case r.full():
		case !r.mayFollow(ext, &contact):
		case r.passedBy(contact.Number):
			looped = true
		default:
			step = append(step, r.divert(ext, contact.Number, causeRedirect(o), r.wait))
		}
		if len(step) > 0 && (i == len(to)-1 || to[i+1].Q != contact.Q) {
			steps = append(steps, pbx.Fork(step...))
			step = nil
		}
	}
	switch {
	case len(steps) > 0:
		return pbx.Because("the phone redirects the call", pbx.InOrder(steps...))
	case looped:
		return pbx.Because("the phone redirects the call to where it has been already", pbx.Refuse(pbx.Loop))
	default:
		return refused(o)
	}
}

// mayFollow reports whether a contact is a number of ours, or one at a domain that is permitted, which the subscriber may call.
func (r *route) mayFollow(ext *pbx.Extension, to *pbx.Redirection) bool {
	foreign := func(host string) bool { return strings.EqualFold(host, to.Host) }
	if to.Number == "" || !to.Local && !slices.ContainsFunc(r.Directory.Office().RedirectHosts, foreign) {
		return false
	}
	if o := r.Directory.Owner(to.Number); o == nil || !o.Enabled {
		g, room, m := r.Directory.Group(to.Number), r.Directory.Room(to.Number), r.Directory.Menu(to.Number)
		if (g == nil || !g.Enabled) && (room == nil || !room.Enabled) && (m == nil || !m.Enabled) {
			return false
		}
	}
	return r.mayCall(ext, to.Number)
}
