package subscription

import (
	"strconv"
	"strings"
	"time"
)

// EventName names an event package and, if the phone has given it one, the subscription: the header Event (RFC 6665 §8.2.1). Two are the
// same if they are so byte by byte.
type EventName struct {
	Package string
	ID      string
	HasID   bool
}

// maxEvent bounds a header Event, in bytes.
const maxEvent = 256

// ParseEvent reads a header Event. Parameters other than id are not kept: those that a package defines say what the phone wants
// of it, and none here has any.
func ParseEvent(s string) (e EventName, ok bool) {
	if len(s) > maxEvent {
		return e, false
	}
	name, rest, more := strings.Cut(s, ";")
	if e.Package = trim(name); !isToken(e.Package) {
		return EventName{}, false
	}
	for more {
		var param string
		param, rest, more = cutParam(rest)
		name, v, equals := strings.Cut(param, "=")
		name, v = trim(name), trim(v)
		if !isToken(name) || equals && !isToken(v) && !isQuoted(v) {
			return EventName{}, false
		}
		if strings.EqualFold(name, "id") {
			if e.HasID || !equals || !isToken(v) {
				return EventName{}, false
			}
			e.ID, e.HasID = v, true
		}
	}
	e.Package, e.ID = strings.Clone(e.Package), strings.Clone(e.ID)
	return e, true
}

// String is the header that goes with every NOTIFY of the subscription: the id "MUST" be there if the SUBSCRIBE had one (RFC 6665
// §8.2.1).
func (e EventName) String() string {
	if !e.HasID {
		return e.Package
	}
	return e.Package + ";id=" + e.ID
}

// Header is Subscription-State (RFC 6665 §8.2.3) of a NOTIFY that leaves now.
func (s *State) Header(now time.Time) string {
	if s.Phase == Active {
		left := max((s.Expires.Sub(now)+time.Second-1)/time.Second, 1)
		return "active;expires=" + strconv.FormatInt(int64(left), 10)
	}
	v := "terminated"
	if s.Reason != "" {
		v += ";reason=" + string(s.Reason)
	}
	if s.RetryAfter > 0 {
		v += ";retry-after=" + strconv.FormatInt(int64((s.RetryAfter+time.Second-1)/time.Second), 10)
	}
	return v
}

// cutParam cuts at the first semicolon that is in no quoted string.
func cutParam(s string) (param, rest string, more bool) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

func trim(s string) string { return strings.Trim(s, " \t") }

// isToken: RFC 3261 §25.1.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte("-.!%*_+`'~", c) < 0 {
			return false
		}
	}
	return s != ""
}

func isQuoted(s string) bool {
	return len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' && strings.IndexFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) < 0
}
