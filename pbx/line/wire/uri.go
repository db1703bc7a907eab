package wire

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// ParseURI reads a URI (RFC 3261 §19.1) without brackets. One of a scheme other than sip and sips is kept as it is
// (sip.Uri.Raw). The host of an IPv6 reference keeps its brackets, as in sipgo. what is "" if s is well-formed,
// otherwise it says what is not.
func ParseURI(s string, u *sip.Uri) (what string) {
	if len(s) > maxURI {
		return "URI too long"
	}
	colon := -1
	for i := range len(s) {
		c := s[i]
		if class[c]&isURI == 0 {
			return "character in URI"
		}
		if c == ':' && colon < 0 {
			colon = i
		}
		if c == '%' && (i+2 >= len(s) || class[s[i+1]]&isHex == 0 || class[s[i+2]]&isHex == 0) {
			return "escape in URI"
		}
	}
	if colon <= 0 {
		return "URI without scheme"
	}
	switch scheme := s[:colon]; {
	case fold(scheme, "sip"):
		u.Scheme = "sip"
	case fold(scheme, "sips"):
		u.Scheme = "sips"
	default:
		if !token(scheme) || colon+1 == len(s) {
			return "URI scheme"
		}
		// sipgo refuses '.' and '+' in a scheme; only it can set Raw.
		var opaque sip.Uri // on its own, so that u does not escape
		if sip.ParseUri("x:"+s[colon+1:], &opaque) != nil {
			return "URI"
		}
		*u = opaque
		u.Scheme = lower(scheme)
		return ""
	}
	s = s[colon+1:]
	// No '@' may stand anywhere else, so what is before it belongs to the user, even ';' and '?'.
	if at := strings.IndexByte(s, '@'); at >= 0 {
		u.User = s[:at]
		if c := strings.IndexByte(u.User, ':'); c >= 0 {
			u.User, u.Password = u.User[:c], u.User[c+1:]
		}
		if u.User == "" {
			return "empty user in URI"
		}
		if s = s[at+1:]; strings.IndexByte(s, '@') >= 0 {
			return "second @ in URI"
		}
	}
	end := strings.IndexAny(s, ";?")
	if end < 0 {
		end = len(s)
	}
	host, port, what := hostPort(s[:end], true)
	if what != "" {
		return what + " in URI"
	}
	u.Host, u.Port = host, port
	s = s[end:]
	if q := strings.IndexByte(s, '?'); q >= 0 {
		if u.Headers, what = uriPairs(s[q+1:], "&"); what != "" {
			return what
		}
		s = s[:q]
	}
	if s != "" {
		if u.UriParams, what = uriPairs(s[1:], ";"); what != "" {
			return what
		}
	}
	return ""
}

// hostPort reads host [":" port]; brackets says whether an IPv6 host keeps them.
func hostPort(s string, brackets bool) (host string, port int, what string) {
	rest := ""
	if s != "" && s[0] == '[' {
		end := strings.IndexByte(s, ']')
		// Not parsed further: RFC 5118 §4.10 wants "[2001:db8:::192.0.2.1]" to be tolerated.
		if end < 3 || !all(s[1:end], isIPv6) || strings.IndexByte(s[:end], ':') < 0 {
			return "", 0, "IPv6 address"
		}
		host, rest = s[:end+1], s[end+1:]
		if !brackets {
			host = s[1:end]
		}
		if rest = trim(rest); rest != "" && rest[0] != ':' {
			return "", 0, "host"
		}
	} else {
		end := strings.IndexByte(s, ':')
		if end < 0 {
			end = len(s)
		}
		host, rest = trim(s[:end]), s[end:]
		if host == "" || len(host) > 255 || !all(host, isHost) {
			return "", 0, "host"
		}
	}
	if rest != "" {
		n, ok := number(trim(rest[1:]), 65535)
		if !ok || n == 0 {
			if strings.IndexByte(rest[1:], ':') >= 0 {
				return "", 0, "IPv6 address without brackets"
			}
			return "", 0, "port"
		}
		port = int(n)
	}
	return host, port, ""
}

func uriPairs(s, sep string) (sip.HeaderParams, string) {
	n := strings.Count(s, sep) + 1
	if n > maxParams {
		return nil, "too many parameters in URI"
	}
	ps := make(sip.HeaderParams, 0, n)
	for len(s) > 0 {
		var p string
		p, s, _ = strings.Cut(s, sep)
		k, v, _ := strings.Cut(p, "=")
		if k == "" {
			return nil, "empty parameter in URI"
		}
		if sep == ";" {
			k = lower(k)
		}
		ps = append(ps, sip.HeaderKV{K: k, V: v})
	}
	return ps, ""
}
