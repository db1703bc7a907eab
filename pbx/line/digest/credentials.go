package digest

import (
	"errors"
	"strings"
)

// Bounds of an Authorization header.
const (
	maxParams = 32
	maxValue  = 512
)

var errMalformed = errors.New("malformed Authorization")

// credentials are the parameters of a Digest Authorization (RFC 7616 §3.4). The strings are parts of the header's
// own; quoted ones are without their quotes and otherwise verbatim, as the digest is computed over them.
type credentials struct {
	username, realm, nonce, uri, response string
	algorithm, cnonce, nc, qop            string
}

// scheme takes the authentication scheme off the value of an Authorization header.
func scheme(v string) (name, rest string) {
	v = strings.TrimLeft(v, " \t")
	i := strings.IndexAny(v, " \t")
	if i < 0 {
		return v, ""
	}
	return v[:i], v[i+1:]
}

// parseCredentials parses what follows the scheme: auth-param *(COMMA auth-param) (RFC 3261 §25.1). Empty list elements
// are passed over, as are parameters of other names. A parameter that comes twice is an error: two
// readers might each take another one.
func parseCredentials(s string) (c credentials, err error) {
	for n := 0; ; {
		s = strings.TrimLeft(s, " \t\r\n,")
		if s == "" {
			return c, nil
		}
		if n++; n > maxParams {
			return c, errMalformed
		}
		i := 0
		for i < len(s) && isToken(s[i]) {
			i++
		}
		name := s[:i]
		s = strings.TrimLeft(s[i:], " \t\r\n")
		if name == "" || len(name) > maxValue || s == "" || s[0] != '=' {
			return c, errMalformed
		}
		var value string
		if value, s, err = parseValue(strings.TrimLeft(s[1:], " \t\r\n")); err != nil {
			return c, err
		}
		if p := c.param(name); p != nil {
			if *p != "" {
				return c, errMalformed
			}
			*p = value
		}
	}
}

// parseValue takes a token or a quoted-string, and what separates it from the next parameter.
func parseValue(s string) (value, rest string, err error) {
	if s != "" && s[0] == '"' {
		i := 1
		for ; i < len(s) && s[i] != '"'; i++ {
			if s[i] == '\\' {
				i++
			}
		}
		if i >= len(s) {
			return "", "", errMalformed
		}
		value, rest = s[1:i], s[i+1:]
	} else {
		i := strings.IndexAny(s, ", \t\r\n\"")
		if i < 0 {
			i = len(s)
		}
		value, rest = s[:i], s[i:]
	}
	rest = strings.TrimLeft(rest, " \t\r\n")
	if len(value) > maxValue || rest != "" && rest[0] != ',' {
		return "", "", errMalformed
	}
	return value, rest, nil
}

func (c *credentials) param(name string) *string {
	switch len(name) { // most names are told apart by their length
	case 2:
		if strings.EqualFold(name, "nc") {
			return &c.nc
		}
	case 3:
		if strings.EqualFold(name, "uri") {
			return &c.uri
		}
		if strings.EqualFold(name, "qop") {
			return &c.qop
		}
	case 5:
		if strings.EqualFold(name, "realm") {
			return &c.realm
		}
		if strings.EqualFold(name, "nonce") {
			return &c.nonce
		}
	case 6:
		if strings.EqualFold(name, "cnonce") {
			return &c.cnonce
		}
	case 8:
		if strings.EqualFold(name, "username") {
			return &c.username
		}
		if strings.EqualFold(name, "response") {
			return &c.response
		}
	case 9:
		if strings.EqualFold(name, "algorithm") {
			return &c.algorithm
		}
	}
	return nil
}

// isToken is the token of RFC 3261 §25.1.
func isToken(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("-.!%*_+`'~", b) >= 0
}

// count is the nonce count, 1 to 8 hex digits (RFC 7616 §3.4: 8); 0 if it is none.
func (c *credentials) count() uint32 {
	if len(c.nc) == 0 || len(c.nc) > 8 {
		return 0
	}
	var n uint32
	for i := range len(c.nc) {
		d, ok := unhex(c.nc[i])
		if !ok {
			return 0
		}
		n = n<<4 | uint32(d)
	}
	return n
}

func unhex(b byte) (byte, bool) {
	switch {
	case b >= '0' && b <= '9':
		return b - '0', true
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10, true
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10, true
	}
	return 0, false
}
