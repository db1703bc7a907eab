package line

import (
	"slices"
	"time"

	"ringback/pbx"
	"ringback/pbx/line/subscription"
)

// conferenceState is who is in a conference (RFC 4575).
var conferenceState = newPackage(eventPackage{
	name:        "conference",
	contentType: "application/conference-info+xml",
	rules: subscription.Rules{
		Default: time.Hour, // RFC 4575 §3.3
		Min:     time.Minute,
		Max:     time.Hour,
		Pause:   5 * time.Second, // to one subscriber (RFC 4575 §3.9)
	},
	admit: roomOf,
	body:  conferenceInfo,
})

// roomOf: whoever has an extension may see who is in a room; where it asks for a PIN, who is in it himself.
func roomOf(l *Line, ext *pbx.Extension, number string) (string, int) {
	c, ok := l.o.State.Conference(number)
	switch {
	case !ok:
		return "", 404
	case !maySee(&c, ext.Number):
		return "", 403
	}
	return number, 0
}

func maySee(c *pbx.ConferenceInfo, extension string) bool {
	return !c.Private || slices.ContainsFunc(c.Members, func(m pbx.MemberInfo) bool { return m.From.Number == extension })
}
