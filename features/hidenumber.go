package features

import "ringback/pbx"

// HideNumber keeps the caller's number from whom he calls (RFC 3323, RFC 3325). Of a call that he sends on, it is his own number as
// a forwarder that is kept, see divert.
func HideNumber(r *route, by *pbx.Extension, _ string, inside plan) pbx.Target {
	s := &by.Services.HideNumber
	if !s.On || len(r.via) > 0 {
		return inside(r)
	}
	hidden := *r
	hidden.from.Hidden = true
	return r.because("the caller hides his number", s.Set, inside(&hidden))
}
