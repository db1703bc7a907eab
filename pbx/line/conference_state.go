package line

import (
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
	admit: anyRoom,
	body:  conferenceInfo,
})

// anyRoom: whoever has an extension may see who is in a room.
func anyRoom(l *Line, _ *pbx.Extension, number string) (string, int) {
	if _, ok := l.o.State.Conference(number); !ok {
		return "", 404
	}
	return number, 0
}
