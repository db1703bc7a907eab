package pbxtest

import (
	"net/netip"
	"strings"
)

// splitList takes a comma-separated list apart, but not inside quotes or angle brackets.
func splitList(s string) []string {
	var all []string
	quoted, angle, start := false, false, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == ',' && !angle:
			all = append(all, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	if rest := strings.TrimSpace(s[start:]); rest != "" {
		all = append(all, rest)
	}
	return all
}

// AddrOf is the URI of a name-addr or addr-spec (RFC 3261 §20).
func AddrOf(value string) string {
	if i := indexOutsideQuotes(value, '<'); i >= 0 {
		if j := strings.IndexByte(value[i:], '>'); j > 0 {
			return value[i+1 : i+j]
		}
		return ""
	}
	addr, _, _ := strings.Cut(value, ";")
	return strings.TrimSpace(addr)
}

// NameOf is the display name of a name-addr, unquoted.
func NameOf(value string) string {
	i := indexOutsideQuotes(value, '<')
	if i < 0 {
		return ""
	}
	name := strings.TrimSpace(value[:i])
	if len(name) >= 2 && name[0] == '"' && name[len(name)-1] == '"' {
		name = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(name[1 : len(name)-1])
	}
	return name
}

func indexOutsideQuotes(s string, what byte) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted && s[i] == what:
			return i
		}
	}
	return -1
}

// Param is a parameter of a header value; of a name-addr those behind the ">". "" if it is not there or has no value.
func Param(value, name string) string {
	v, _ := param(value, name)
	return v
}

// HasParam reports whether the parameter is there, also without a value.
func HasParam(value, name string) bool {
	_, ok := param(value, name)
	return ok
}

func param(value, name string) (string, bool) {
	if i := indexOutsideQuotes(value, '<'); i >= 0 {
		j := strings.IndexByte(value[i:], '>')
		if j < 0 {
			return "", false
		}
		value = value[i+j:]
	}
	for {
		i := indexOutsideQuotes(value, ';')
		if i < 0 {
			return "", false
		}
		value = value[i+1:]
		end := indexOutsideQuotes(value, ';')
		if end < 0 {
			end = len(value)
		}
		k, v, _ := strings.Cut(value[:end], "=")
		if strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.Trim(strings.TrimSpace(v), `"`), true
		}
	}
}

// UserOf is the user part of a URI, "" if there is none.
func UserOf(uri string) string {
	_, rest, _ := strings.Cut(uri, ":")
	user, _, found := strings.Cut(rest, "@")
	if !found {
		return ""
	}
	user, _, _ = strings.Cut(user, ":")
	return user
}

// hostPortOf is the address that a URI names; invalid if it is not a literal one.
func hostPortOf(uri string) netip.AddrPort {
	_, rest, _ := strings.Cut(uri, ":")
	if _, host, found := strings.Cut(rest, "@"); found {
		rest = host
	}
	rest, _, _ = strings.Cut(rest, ";")
	rest, _, _ = strings.Cut(rest, "?")
	if a, err := netip.ParseAddrPort(rest); err == nil {
		return a
	}
	if a, err := netip.ParseAddr(strings.Trim(rest, "[]")); err == nil {
		return netip.AddrPortFrom(a, 5060)
	}
	return netip.AddrPort{}
}
