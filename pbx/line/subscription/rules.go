package subscription

import (
	"math"
	"strings"
	"time"
)

// Rules are how an event package deals with subscriptions.
type Rules struct {
	Default time.Duration // for a SUBSCRIBE without Expires
	Min     time.Duration // the least that is granted, unless nothing is asked for
	Max     time.Duration // the most
	Pause   time.Duration // between two NOTIFYs, but for those that a SUBSCRIBE or the end demands
}

// Grant is how long a subscription lasts for which a phone has asked for so long: as long or shorter, never longer (RFC 6665
// §4.2.1.1). ok is false if the SUBSCRIBE is to be answered 423 with r.Min, which may be done to one that asks for less than the
// notifier's minimum, if that is not nothing and less than an hour.
func (r *Rules) Grant(asked time.Duration) (granted time.Duration, ok bool) {
	if asked > 0 && asked < time.Hour && asked < r.Min {
		return 0, false
	}
	return min(max(asked, 0), r.Max), true
}

// ParseExpires reads a header Expires, delta-seconds (RFC 3261 §20.19). A number that is too large is the largest there is.
func ParseExpires(s string) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, false
	}
	n := int64(0)
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+int64(c-'0'), math.MaxUint32)
	}
	return time.Duration(n) * time.Second, true
}
