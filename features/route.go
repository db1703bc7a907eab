package features

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ringback/pbx"
)

// Router makes the plan of each call.
type Router struct {
	Directory pbx.OfficeDirectory
	Settings  pbx.Settings // what feature codes change, and PINs
	Recent    *pbx.Recent
	Messages  pbx.MessageStore // nil: there are no mailboxes
	Zone      *time.Location   // of schedules that name none; nil: UTC
}

// MaxDepth is how many times a call may be sent on.
const MaxDepth = 10

// maxTargets bounds the places of a plan: places of places of places multiply (RFC 5393).
const maxTargets = 200

// Route is the plan of call c, now. What an extension dials is remembered for its redial, unless it is a code.
func (r *Router) Route(c *pbx.Call) pbx.Target {
	t, code := r.plan(c.From, c.Dialled, time.Now())
	if !code && r.Recent != nil && r.Directory.Extension(c.From.Number) != nil {
		r.Recent.Dialled(c.From.Number, c.Dialled)
	}
	return t
}

// Plan is where a call from a party to a dialled number goes at a time.
func (r *Router) Plan(from pbx.Identity, dialled string, at time.Time) pbx.Target {
	t, _ := r.plan(from, dialled, at)
	return t
}

func (r *Router) plan(from pbx.Identity, dialled string, at time.Time) (_ pbx.Target, code bool) {
	rt := r.begin(from, at)
	caller := r.Directory.Extension(from.Number)
	if t := rt.code(caller, dialled); t != nil {
		return t, true
	}
	return rt.dial(caller, dialled), false
}

// begin is the making of the plan of one call.
func (r *Router) begin(from pbx.Identity, at time.Time) *route {
	rt := &route{Router: r, at: at, from: from, left: new(atomic.Int32), shown: new(sync.Map)}
	rt.left.Store(maxTargets)
	return rt
}

// route is how a call comes to the part of the plan that is being made. It is copied to be changed.
type route struct {
	*Router
	at      time.Time
	from    pbx.Identity    // as the called party is shown it
	called  string          // the number by which the call came to the subscriber, or group
	via     []pbx.Diversion // by which the call came here, oldest first
	passed  []string        // extensions, groups and rooms that it came by: none may come again
	wait    time.Duration   // how long phones ring; 0: as their extension says
	confirm time.Duration   // who answers has to press 1 within this time; 0: need not
	// onRedirect is what the phones that ring next may do by a 3xx, nil: nothing.
	onRedirect func(pbx.Outcome) pbx.Target
	// leave lets the caller leave a message for the subscriber whose features are being asked, if nobody takes his call; nil: he may not.
	leave  func(pbx.Greeting) pbx.Target
	others bool          // may still take the call, as in find-me and ring groups: no mailbox takes it
	menus  int           // that the call has come by
	shown  *sync.Map     // numbers of the menus that the plan has below them what they lead to
	left   *atomic.Int32 // places that the call may still have, also those that it is redirected to while it is under way
}

// dial is a call to a number by an extension, nil if somebody else makes it, with the permissions of that extension.
func (r *route) dial(by *pbx.Extension, number string) pbx.Target {
	if t := announcement(number); t != nil {
		return t
	}
	if by == nil {
		return r.number(number)
	}
	return r.originating(len(Originating), by, number)
}

// originating is what the first n of the caller's features make of a call.
func (r *route) originating(n int, by *pbx.Extension, number string) pbx.Target {
	if n == 0 {
		return r.number(number)
	}
	return Originating[n-1](r, by, number, func(r *route) pbx.Target { return r.originating(n-1, by, number) })
}

// number is where calls to a number go.
func (r *route) number(number string) pbx.Target {
	switch {
	case r.passedBy(number):
		return r.end("the call has been at "+number+" already", pbx.Loop)
	case r.full():
		return r.end(tooManyPlaces, pbx.TooManyHops)
	}
	ext, group, room, menu := r.Directory.Owner(number), r.Directory.Group(number), r.Directory.Room(number), r.Directory.Menu(number)
	switch {
	case ext != nil && ext.Enabled:
		return r.reaching(ext.Number, number).extension(ext, Terminating)
	case group != nil && group.Enabled:
		return r.reaching(group.Number, number).group(group)
	case room != nil && room.Enabled:
		return r.reaching(room.Number, number).room(room)
	case menu != nil && menu.Enabled:
		return r.atMenu(number).menu(menu)
	case r.target(number) != nil:
		return r.reaching(number, number).toMailbox(r.target(number))
	case ext != nil:
		return r.end("extension "+ext.Number+" is disabled", noSuchNumber)
	case group != nil:
		return r.end("ring group "+number+" is disabled", noSuchNumber)
	case room != nil:
		return r.end("conference room "+number+" is disabled", noSuchNumber)
	case menu != nil:
		return r.end("menu "+number+" is disabled", noSuchNumber)
	case isTarget(number):
		return r.end("there is no such mailbox", noSuchNumber)
	case IsCode(r.Directory.Office(), number):
		return r.end(number+" is a feature code, which only an extension that dials it reaches", noSuchNumber)
	}
	return r.end("nobody has the number "+number, noSuchNumber)
}

var noSuchNumber = pbx.Outcome{Kind: pbx.Failed, By: pbx.System, Status: 404, Announced: "no-such-number"}

const tooManyPlaces = "the call has too many places to go to"

// end is where the call cannot go further.
func (r *route) end(why string, o pbx.Outcome) pbx.Target {
	r.left.Add(-1)
	return pbx.Because(why, pbx.Refuse(o))
}

// reaching is r as it comes to an extension, group or room, by a number of it.
func (r *route) reaching(self, number string) *route {
	to := *r
	to.called, to.onRedirect, to.leave = number, nil, nil
	to.passed = append(slices.Clip(r.passed), self)
	return &to
}

// passedBy reports whether the call has come by whom the number reaches.
func (r *route) passedBy(number string) bool { return slices.Contains(r.passed, r.self(number)) }

// self is the extension that a number is of; the number itself if it is none's.
func (r *route) self(number string) string {
	if ext := r.Directory.Owner(number); ext != nil {
		return ext.Number
	}
	return number
}

// isCaller reports whether a number reaches the extension that calls. A call is not sent back to it: so who forwards all calls to his
// secretary can be called by her.
func (r *route) isCaller(number string) bool {
	return r.from.Number != "" && r.self(number) == r.from.Number && r.Directory.Extension(r.from.Number) != nil
}

// full reports whether the call has as many places to go to as it may have.
func (r *route) full() bool { return r.left.Load() <= 0 }

// extension is where calls to an extension go that has these features.
func (r *route) extension(ext *pbx.Extension, features []Feature) pbx.Target {
	if len(features) == 0 {
		return r.ring(ext)
	}
	outer, inner := features[len(features)-1], features[:len(features)-1]
	return outer(r, ext, func(r *route) pbx.Target { return r.extension(ext, inner) })
}

// ring is the phones of an extension.
func (r *route) ring(ext *pbx.Extension) pbx.Target {
	if r.left.Add(-1) < 0 { // at once, as several redirections of a call may be planned at a time
		return r.end(tooManyPlaces, pbx.TooManyHops)
	}
	ring := pbx.Ringing{Extension: ext.Number, Wait: r.waitOr(ext.Ring), Via: r.via, Confirm: r.confirm, Redirected: r.onRedirect}
	if r.called != ext.Number {
		ring.Number = r.called
	}
	if r.from.Hidden {
		from := r.from
		ring.From = &from
	}
	return ring
}

// waitOr is how long phones ring that otherwise would ring for d.
func (r *route) waitOr(d time.Duration) time.Duration {
	if r.wait > 0 {
		return r.wait
	}
	return d
}
