package features

import (
	"slices"
	"strings"

	"ringback/pbx"
)

// Announcements are the prompts that have a number, "announcement." and the name: a refusal names it in its Error-Info, and
// whoever was refused may call it to hear why (RFC 5359 §2.13).
var Announcements = []string{"rejected", "anonymous-rejected", "closed", "not-allowed", "no-such-number"}

// announcement is what answers at the number of an announcement; nil if it is none. Anybody may call it.
func announcement(number string) pbx.Target {
	name, ok := strings.CutPrefix(number, "announcement.")
	if !ok || !slices.Contains(Announcements, name) {
		return nil
	}
	return pbx.Announcement(name)
}
