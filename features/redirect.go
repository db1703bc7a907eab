package features

import (
	"slices"
	"strings"

	"ringback/pbx"
)

// Redirect treats redirections (3xx) from the subscriber's phones, as he wants it. By default they are followed as if he had set a
// forward: RFC 3261 §8.1.3.4.
func Redirect(r *route, ext *pbx.Extension, inside plan) pbx.Target {
	t := inside(r)
	switch ext.Services.Redirect {
	case pbx.PassOn:
		return pbx.Redirectable(t, func(to []pbx.Redirection) pbx.Target {
			return pbx.Refuse(pbx.Outcome{Kind: pbx.Redirected, By: pbx.Callee, Status: 302, Contacts: to, ToCaller: true})
		})
	case pbx.NoOther:
		return pbx.Redirectable(t, refused)
	default:
		return pbx.Redirectable(t, func(to []pbx.Redirection) pbx.Target { return r.redirected(ext, to) })
	}
}

// RefuseRedirect lets a redirection count as the phone's refusal, whatever the subscriber wants.
func RefuseRedirect(r *route, ext *pbx.Extension, inside plan) pbx.Target {
	return pbx.Redirectable(inside(r), refused)
}

func refused([]pbx.Redirection) pbx.Target {
	return pbx.Because("the phone redirects the call, which is not followed",
		pbx.Refuse(pbx.Outcome{Kind: pbx.Declined, By: pbx.Callee, Status: 480}))
}

// redirected follows a redirection, made while the call is under way: contacts of the same q at once, then those of the next.
func (r *route) redirected(ext *pbx.Extension, to []pbx.Redirection) pbx.Target {
	to = slices.Clone(to[:min(len(to), pbx.MaxBranches)])
	slices.SortStableFunc(to, func(a, b pbx.Redirection) int { return b.Q - a.Q })
	var steps, step []pbx.Target
	looped := false
	for i, contact := range to {
		switch {
		case r.full():
		case !r.mayFollow(ext, &contact):
		case r.passedBy(contact.Number):
			looped = true
		default:
			step = append(step, r.divert(ext, contact.Number, causeRedirect, r.wait))
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
		return refused(to)
	}
}

// mayFollow reports whether a contact is a number of ours, or one at a domain that is permitted, which the subscriber may call.
func (r *route) mayFollow(ext *pbx.Extension, to *pbx.Redirection) bool {
	foreign := func(host string) bool { return strings.EqualFold(host, to.Host) }
	if to.Number == "" || !to.Local && !slices.ContainsFunc(r.Directory.Office().RedirectHosts, foreign) {
		return false
	}
	if o := r.Directory.Owner(to.Number); o == nil || !o.Enabled {
		if g := r.Directory.Group(to.Number); g == nil || !g.Enabled {
			return false
		}
	}
	return r.mayCall(ext, to.Number)
}
