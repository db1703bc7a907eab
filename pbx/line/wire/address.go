package wire

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// address is ( name-addr / addr-spec ) *( SEMI param ) of RFC 3261 §25.1.
type address struct {
	display string // without quotes, escapes as they came
	uri     sip.Uri
	params  sip.HeaderParams // names in lower case; quoted values with their quotes
}

// parse reads one address at s[i:] and gives the index after it: len(s), or in a list that of the comma.
func (a *address) parse(s string, i int, list bool) (next int, what string) {
	i = skip(s, i)
	start := i
	bracket := -1
	if i < len(s) && s[i] == '"' {
		end := quoted(s, i)
		if end < 0 {
			return 0, "unterminated quote"
		}
		a.display = s[i+1 : end-1]
		if bracket = skip(s, end); bracket == len(s) || s[bracket] != '<' {
			return 0, "display name without <URI>"
		}
	} else {
	scan:
		for ; i < len(s); i++ {
			switch s[i] {
			case '<':
				a.display = trim(s[start:i])
				bracket = i
				break scan
			case ':', ';':
				break scan
			case '"', '>':
				return 0, "display name"
			case ',':
				if !list {
					return 0, "comma in a display name without quotes"
				}
				break scan
			}
		}
	}
	if len(a.display) > maxDisplay {
		return 0, "display name too long"
	}
	if bracket >= 0 {
		end := strings.IndexByte(s[bracket:], '>')
		if end < 0 {
			return 0, "< without >"
		}
		if what = ParseURI(s[bracket+1:bracket+end], &a.uri); what != "" {
			return 0, what
		}
		i = bracket + end + 1
	} else {
		// "If no < and > are present, all parameters after the URI are header parameters, not URI parameters."
		// (§20.10) With a comma, question mark or semicolon in the URI they must be there.
		end := start
		for end < len(s) && class[s[end]]&isLWS == 0 && s[end] != ';' && !(list && s[end] == ',') {
			if s[end] == '?' {
				return 0, "URI with ? without <>"
			}
			end++
		}
		if end < len(s) && s[end] == ';' {
			// sip:user;x=y@host: the semicolon belongs to the user.
			if at := strings.IndexAny(s[end:], "@,\" \t"); at > 0 && s[end+at] == '@' {
				at += end
				for end = at; end < len(s) && class[s[end]]&isLWS == 0 && s[end] != ';' && !(list && s[end] == ','); end++ {
				}
			}
		}
		if what = ParseURI(s[start:end], &a.uri); what != "" {
			return 0, what
		}
		i = end
	}
	a.params, i, what = parseParams(s, i, list)
	return i, what
}

// parseParams reads *( SEMI generic-param ) at s[i:] up to the end, or in a list up to a comma.
func parseParams(s string, i int, list bool) (ps sip.HeaderParams, next int, what string) {
	for {
		if i = skip(s, i); i == len(s) || s[i] == ',' && list {
			return ps, i, ""
		}
		if s[i] != ';' {
			return nil, 0, "text after the value"
		}
		i = skip(s, i+1)
		start := i
		for i < len(s) && class[s[i]]&isToken != 0 {
			i++
		}
		if i == start {
			return nil, 0, "empty parameter"
		}
		p := sip.HeaderKV{K: lower(s[start:i])}
		if i = skip(s, i); i < len(s) && s[i] == '=' {
			i = skip(s, i+1)
			start = i
			if i < len(s) && s[i] == '"' {
				if i = quoted(s, i); i < 0 {
					return nil, 0, "unterminated quote"
				}
			} else {
				for i < len(s) && s[i] != ';' && s[i] != ',' && s[i] != '"' && class[s[i]]&isLWS == 0 {
					i++
				}
				if i == start {
					return nil, 0, "parameter without value"
				}
			}
			p.V = s[start:i]
		}
		if len(p.K)+len(p.V) > maxParam {
			return nil, 0, "parameter too long"
		}
		if ps == nil {
			ps = make(sip.HeaderParams, 0, min(strings.Count(s[i:], ";")+2, 8)) // one to spare, for received
		} else if len(ps) == maxParams {
			return nil, 0, "too many parameters"
		} else if ps.Has(p.K) {
			return nil, 0, "parameter twice" // §7.3.1: "any given parameter-name MUST NOT appear more than once"
		}
		ps = append(ps, p)
	}
}

// quoted gives the index after the quoted-string that begins at s[i], or -1.
func quoted(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return -1
}
