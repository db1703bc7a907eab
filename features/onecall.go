package features

import "ringback/pbx"

// OneCall is call waiting switched off: the subscriber's phones are busy while he has a call.
func OneCall(r *route, ext *pbx.Extension, inside plan) pbx.Target {
	s := &ext.Services.OneCall
	if !s.On {
		return inside(r)
	}
	return r.because("call waiting is off", s.Set, pbx.OneCall(ext.Number, inside(r)))
}
