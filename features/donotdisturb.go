package features

import "ringback/pbx"

// DoNotDisturb answers busy instead of ringing the subscriber anywhere.
func DoNotDisturb(r *route, ext *pbx.Extension, inside plan) pbx.Target {
	s := &ext.Services.DoNotDisturb
	if !s.On {
		return inside(r)
	}
	return r.because("do not disturb", s.Set, pbx.Refuse(pbx.Disturbed))
}
