package features

import (
	"time"

	"ringback/pbx"
)

// because gives t its reason: what was switched on, by whom and when.
func (r *route) because(what string, set pbx.Set, t pbx.Target) pbx.Target {
	if set.By == "" && set.At.IsZero() {
		return pbx.Because(what, t)
	}
	what += ", set"
	if set.By != "" {
		what += " by " + set.By
	}
	if !set.At.IsZero() {
		what += " on " + set.At.In(r.zone("")).Format("2 January 2006")
	}
	return pbx.Because(what, t)
}

// seconds is a number of seconds of a setting.
func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
