package pbxtest

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// Challenge is a digest challenge (RFC 7616 §3.3).
type Challenge struct {
	Realm, Nonce, Opaque, Algorithm, QOP string
	Stale                                bool
	proxy                                bool
	count                                uint32 // of requests that used the nonce
}

// ParseChallenge reads the value of a WWW-Authenticate or Proxy-Authenticate header.
func ParseChallenge(value string) (*Challenge, error) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return nil, fmt.Errorf("scheme %q is not Digest", scheme)
	}
	c := &Challenge{Algorithm: "MD5"}
	for _, p := range splitList(rest) {
		k, v, found := strings.Cut(p, "=")
		if !found {
			return nil, fmt.Errorf("bad parameter %q", p)
		}
		v = strings.TrimSpace(v)
		k = strings.ToLower(strings.TrimSpace(k))
		quoted := strings.HasPrefix(v, `"`)
		v = strings.Trim(v, `"`)
		switch k {
		case "realm", "nonce", "opaque", "qop":
			if !quoted {
				return nil, fmt.Errorf("%s must be a quoted string (RFC 7616 §3.3)", k)
			}
		case "stale", "algorithm":
			if quoted {
				return nil, fmt.Errorf("%s must not be quoted (RFC 7616 §3.3)", k)
			}
		}
		switch k {
		case "realm":
			c.Realm = v
		case "nonce":
			c.Nonce = v
		case "opaque":
			c.Opaque = v
		case "algorithm":
			c.Algorithm = v
		case "qop":
			c.QOP = v
		case "stale":
			c.Stale = strings.EqualFold(v, "true")
		}
	}
	if c.Realm == "" || c.Nonce == "" {
		return nil, fmt.Errorf("realm or nonce is missing in %q", value)
	}
	return c, nil
}

func (c *Challenge) hash() func() hash.Hash {
	switch strings.ToUpper(c.Algorithm) {
	case "MD5":
		return md5.New
	case "SHA-256":
		return sha256.New
	}
	return nil
}

// Answer is the value of the Authorization header, with the next nonce count.
func (c *Challenge) Answer(user, password, method, uri string) string {
	c.count++
	return c.AnswerCount(user, password, method, uri, c.count)
}

// AnswerCount is Answer with a nonce count of one's own.
func (c *Challenge) AnswerCount(user, password, method, uri string, count uint32) string {
	h := func(s string) string {
		x := c.hash()()
		x.Write([]byte(s))
		return hex.EncodeToString(x.Sum(nil))
	}
	ha1 := h(user + ":" + c.Realm + ":" + password)
	ha2 := h(method + ":" + uri)
	b := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", algorithm=%s`, user, c.Realm, c.Nonce, uri, c.Algorithm)
	if c.QOP == "" {
		b += fmt.Sprintf(`, response="%s"`, h(ha1+":"+c.Nonce+":"+ha2))
	} else {
		nc, cnonce := fmt.Sprintf("%08x", count), token()
		b += fmt.Sprintf(`, response="%s", qop=auth, nc=%s, cnonce="%s"`, h(ha1+":"+c.Nonce+":"+nc+":"+cnonce+":auth:"+ha2), nc, cnonce)
	}
	if c.Opaque != "" {
		b += fmt.Sprintf(`, opaque="%s"`, c.Opaque)
	}
	return b
}

// token is an unguessable word for tags, branches and Call-IDs.
func token() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// challengeOf picks the topmost challenge that the phone can answer (RFC 8760 §2.4).
func challengeOf(m *Message, algorithms []string) (*Challenge, error) {
	name, proxy := "WWW-Authenticate", false
	if m.Status == 407 {
		name, proxy = "Proxy-Authenticate", true
	}
	var last error
	for _, v := range m.All(name) {
		c, err := ParseChallenge(v)
		if err != nil {
			last = err
			continue
		}
		c.proxy = proxy
		for _, a := range algorithms {
			if strings.EqualFold(a, c.Algorithm) {
				return c, nil
			}
		}
	}
	if last == nil {
		last = fmt.Errorf("no challenge for %v in the %d", algorithms, m.Status)
	}
	return nil, last
}
