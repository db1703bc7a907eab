// Package features turns what is dialled, and what the called subscriber has switched on, into a plan: a pbx.Target.
// One file a feature. The order of the lists below is all that is said about how features interact.
//
// Plans are built from the directory in memory: no I/O, no waiting, any goroutine.
package features

import "ringback/pbx"

// Terminating is every feature of a called subscriber, innermost first.
var Terminating = []Feature{}

// Feature wraps the target of a call to ext, or returns it unchanged where it is switched off.
type Feature func(r *route, ext *pbx.Extension, t pbx.Target) pbx.Target

// Originating is every feature of whoever makes a call, innermost first. A forward is made by the subscriber who set it.
var Originating = []CallerFeature{}

// CallerFeature wraps the target of a call by ext to a number, or returns it unchanged.
type CallerFeature func(r *route, ext *pbx.Extension, number string, t pbx.Target) pbx.Target
