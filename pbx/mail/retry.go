package mail

import "time"

// When what has failed is tried again (RFC 5321 §4.5.4.1: pauses grow, and one gives up after days). The first pauses are shorter
// than there: who is told of a message is waiting for it, and greylisting takes some minutes.
const (
	firstPause = time.Minute
	longest    = time.Hour
	giveUp     = 48 * time.Hour
)

// retry is how often something has failed in a row. It knows no clock.
type retry struct {
	failures int
	first    time.Time // of those failures
	next     time.Time // when it is to be tried again; zero: at once
}

// fail notes a failure.
func (r *retry) fail(now time.Time) {
	if r.failures == 0 {
		r.first = now
	}
	pause := longest
	if r.failures < 6 { // 32 minutes
		pause = firstPause << r.failures
	}
	r.failures++
	r.next = now.Add(pause)
}

// due reports whether it is to be tried.
func (r *retry) due(now time.Time) bool { return !now.Before(r.next) }

// over reports whether it has failed for so long that it is given up.
func (r *retry) over(now time.Time) bool { return r.failures > 0 && now.Sub(r.first) >= giveUp }
