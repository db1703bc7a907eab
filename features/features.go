// Package features turns what is dialled, and what the called subscriber has switched on, into a plan: a pbx.Target.
// One file a feature. The order of the lists below is all that is said about how features interact.
//
// Plans are built from the directory in memory: no I/O, no waiting, any goroutine.
package features

import "ringback/pbx"

// Feature wraps the target of a call to ext, or returns it unchanged where it is switched off.
type Feature func(ext *pbx.Extension, t pbx.Target) pbx.Target

// Terminating is every feature of a called subscriber, innermost first.
var Terminating = []Feature{}

// Router makes the plan of each call.
type Router struct {
	Directory pbx.Directory
	Codes     Codes
}

// Route is the plan of call c.
func (r Router) Route(c *pbx.Call) pbx.Target { return r.Plan(c.From, c.Dialled) }

// Plan is where a call from a party to a dialled number goes.
func (r Router) Plan(from pbx.Identity, dialled string) pbx.Target {
	if t := r.Codes.target(from, dialled); t != nil {
		return t
	}
	ext := r.Directory.Extension(dialled)
	if ext == nil || !ext.Enabled {
		return pbx.Refuse(pbx.NotFound)
	}
	t := pbx.Ring(ext.Number, ext.Ring)
	for _, wrap := range Terminating {
		t = wrap(ext, t)
	}
	return t
}
