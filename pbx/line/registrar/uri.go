package registrar

import (
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// normal is a form of a URI that is the same for equal URIs (RFC 3261 §19.1.4): scheme, host and parameters without
// regard to case and order, escapes of what needs none undone. It is stricter than the RFC in one way, which calls
// a URI with a parameter of its own equal to one without it and so is no equivalence: here every parameter counts.
func normal(u *sip.Uri) string {
	var b strings.Builder
	b.Grow(len(u.Scheme) + len(u.User) + len(u.Host) + 24 + 16*len(u.UriParams))
	b.WriteString(u.Scheme)
	b.WriteByte(':')
	if u.User != "" {
		b.WriteString(unescaped(u.User))
		if u.Password != "" {
			b.WriteByte(':')
			b.WriteString(unescaped(u.Password))
		}
		b.WriteByte('@')
	}
	b.WriteString(strings.ToLower(u.Host))
	if u.Port > 0 {
		var n [8]byte
		b.WriteByte(':')
		b.Write(strconv.AppendInt(n[:0], int64(u.Port), 10))
	}
	write := func(params sip.HeaderParams, sep byte) {
		if len(params) > 1 && !slices.IsSortedFunc(params, byName) {
			params = slices.SortedFunc(slices.Values(params), byName)
		}
		for _, p := range params {
			b.WriteByte(sep)
			b.WriteString(strings.ToLower(unescaped(p.K)))
			if p.V != "" {
				b.WriteByte('=')
				b.WriteString(strings.ToLower(unescaped(p.V)))
			}
		}
	}
	write(u.UriParams, ';')
	write(u.Headers, '?')
	return b.String()
}

func byName(a, b sip.HeaderKV) int {
	return strings.Compare(strings.ToLower(a.K), strings.ToLower(b.K))
}

// unescaped undoes the escapes of unreserved characters, and writes the others in upper case.
func unescaped(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				if unreserved(byte(n)) {
					b = append(b, byte(n))
				} else {
					b = append(b, strings.ToUpper(s[i:i+3])...)
				}
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// unreserved is alphanum / mark of RFC 3261 §25.1.
func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.!~*'()", c) >= 0
}

// escaped writes s as a pvalue of a URI parameter: paramchar = param-unreserved / unreserved / escaped.
func escaped(s string) string {
	clean := true
	for i := range len(s) {
		clean = clean && paramChar(s[i])
	}
	if clean {
		return s
	}
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if paramChar(s[i]) {
			b.WriteByte(s[i])
		} else {
			b.WriteString(string([]byte{'%', digits[s[i]>>4], digits[s[i]&15]}))
		}
	}
	return b.String()
}

func paramChar(c byte) bool { return unreserved(c) || strings.IndexByte("[]/:&+$", c) >= 0 }

// plain undoes all escapes.
func plain(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(n))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}
