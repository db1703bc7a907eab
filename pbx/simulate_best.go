package pbx

import (
	"cmp"
	"slices"
)

// best is what the caller is told of several attempts that failed, by RFC 3261 §16.7 step 6; the first of equals.
func best(all []Outcome) Outcome {
	if len(all) == 0 {
		return NotRegistered
	}
	return slices.MinFunc(all, func(a, b Outcome) int { return cmp.Compare(tells(a), tells(b)) })
}

// tells is how little an outcome says about the person called.
func tells(o Outcome) int {
	switch {
	case o.Status >= 600:
		return 0
	case o.Kind == Cancelled:
		return 99
	case o.Kind == Unreachable && o.By == Network:
		return 98
	case slices.Contains(speaking, o.Kind):
		return 1 + slices.Index(speaking, o.Kind)
	case o.Status/100 == 4:
		return 1 + len(speaking)
	case o.Status == 503: // of one phone
		return 97
	default:
		return 2 + len(speaking)
	}
}

// speaking are the kinds that say something about the person, most first.
var speaking = []Kind{Redirected, Busy, Declined, NoAnswer, Screened}
