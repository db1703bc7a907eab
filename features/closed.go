package features

import "ringback/pbx"

// Closed treats calls outside opening hours.
func Closed(r *route, ext *pbx.Extension, inside plan) pbx.Target {
	return r.closed(ext, &ext.Services.Closed, inside)
}

// closed is open inside the hours of c, for a subscriber, or for a group, which is nobody.
func (r *route) closed(by *pbx.Extension, c *pbx.Closed, inside plan) pbx.Target {
	if c.Hours == "" {
		return inside(r)
	}
	hours := r.Directory.Hours(c.Hours)
	if hours == nil { // nobody has said when it is open
		return inside(r)
	}
	var closed pbx.Target
	if c.To != "" {
		closed = r.missed(c.To, r.divert(by, c.To, causeClosed, 0), pbx.GreetUnavailable)
	} else {
		closed = pbx.Announce("closed", pbx.Outcome{Kind: pbx.Screened, By: pbx.System, Status: 480, Announced: "closed"})
	}
	return pbx.When(r.open(hours), r.at, inside(r), r.because("outside "+c.Hours+" hours", c.Set, closed))
}
