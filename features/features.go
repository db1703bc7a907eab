// Package features turns what is dialled, and what subscribers have switched on, into a plan: a pbx.Target.
// One file a feature. The order of the lists below is all that is said about how features interact; docs/features.md says it
// in words, pair by pair.
//
// A call passes the Originating features of whoever makes it, from the last to the first; then those Terminating features of
// the called subscriber, from the last to the first; then it rings. A feature that sends the call to another number does so as
// the subscriber, with his Originating features, and from there on all begins anew (route.go). A number may also be that of a
// ring group (group.go), a conference room (room.go), a menu (menu.go) or a mailbox (voicemail.go), or what is dialled a feature
// code (codes.go).
//
// Plans are built from the directory in memory: no I/O, no waiting, any goroutine. A plan is made whole when the call comes. Only
// what is true at the moment is asked as the call comes by: is a phone registered, the line free, the office open?
package features

import "ringback/pbx"

// Feature is what a called subscriber may have switched on. Where it is off it returns inside(r), as if it were not there; where it is
// on, something around that, or something else instead.
type Feature func(r *route, ext *pbx.Extension, inside plan) pbx.Target

// CallerFeature is the same of the subscriber who makes a call to a number.
type CallerFeature func(r *route, by *pbx.Extension, number string, inside plan) pbx.Target

// plan makes the target of what is inside of a feature, on a route that the feature may have changed. It is made only if it is
// asked for: what a forward replaces costs nothing.
type plan func(*route) pbx.Target

var (
	// Terminating is every feature of a called subscriber, innermost first. Innermost of all the phones ring.
	Terminating []Feature
	// Member is the features of a subscriber that hold where he is called as a member of a ring group that does not keep its
	// members' forwards.
	Member []Feature
	// Originating is every feature of whoever makes a call, innermost first. A forward is made by the subscriber who set it.
	Originating []CallerFeature
)

// The lists are set here since features call numbers, which have features: a loop that the language does not allow in
// the values of variables.
func init() {
	Terminating = []Feature{Redirect, OneCall, FindMe, DoNotDisturb, Forward, Closed, AlwaysForward, Voicemail, ScreenIncoming}
	Member = []Feature{RefuseRedirect, OneCall, DoNotDisturb}
	Originating = []CallerFeature{ClassOfService, ScreenOutgoing, HideNumber}
}
