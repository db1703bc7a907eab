package features

import (
	"time"

	"ringback/pbx"
)

// Router makes the plan of each call.
type Router struct {
	Directory pbx.OfficeDirectory
	Settings  pbx.Settings // what feature codes change
	Recent    *pbx.Recent
	Zone      *time.Location // of schedules that name none; nil: UTC
}

// MaxDepth is how many times a call may be sent on.
const MaxDepth = 10

// maxTargets bounds a plan: places of places of places multiply.
const maxTargets = 200

// Route is the plan of call c, now.
func (r *Router) Route(c *pbx.Call) pbx.Target { return r.Plan(c.From, c.Dialled, time.Now()) }

// Plan is where a call from a party to a dialled number goes at a time.
func (r *Router) Plan(from pbx.Identity, dialled string, at time.Time) pbx.Target {
	left := maxTargets
	caller := r.Directory.Extension(from.Number)
	rt := &route{Router: r, at: at, from: from, left: &left}
	if t := rt.code(caller, dialled); t != nil {
		return t
	}
	return rt.dial(caller, dialled)
}

// route is the making of one plan, or of what is below a forward in it.
type route struct {
	*Router
	at   time.Time
	from pbx.Identity    // as the called party is shown it
	via  []pbx.Diversion // by which the call came here, oldest first
	left *int            // targets that the plan may still have
}

// dial is a call to a number by an extension, nil if somebody else makes it, with the permissions of that extension.
func (r *route) dial(by *pbx.Extension, number string) pbx.Target {
	t := r.number(number)
	if by == nil {
		return t
	}
	for _, wrap := range Originating {
		t = wrap(r, by, number, t)
	}
	return t
}

// number is where calls to a number go.
func (r *route) number(number string) pbx.Target {
	if *r.left--; *r.left < 0 {
		return pbx.Refuse(pbx.Loop)
	}
	if ext := r.Directory.Owner(number); ext != nil && ext.Enabled {
		return r.extension(ext, number)
	}
	return pbx.Refuse(pbx.NotFound)
}

// extension is where calls to an extension go.
func (r *route) extension(ext *pbx.Extension, number string) pbx.Target {
	ring := pbx.Ringing{Extension: ext.Number, Wait: ext.Ring, Via: r.via}
	if number != ext.Number {
		ring.Number = number
	}
	var t pbx.Target = ring
	for _, wrap := range Terminating {
		t = wrap(r, ext, t)
	}
	return t
}
