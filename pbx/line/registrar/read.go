package registrar

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/wire"
)

// Bounds of one REGISTER.
const (
	maxContacts  = 10
	maxURI       = 512
	maxInstance  = 256
	maxPath      = 10
	maxMethods   = 32
	maxUserAgent = 128
)

// request is a REGISTER, read and found valid by itself.
type request struct {
	ext       *pbx.Extension
	from      wire.Hop
	host      string // of the address of record, for GRUUs
	callID    string
	cseq      uint32
	star      bool // Contact: *
	contacts  []contact
	path      []string
	methods   []string
	userAgent string
	gruu      bool // Supported: gruu
}

// contact is one Contact of a REGISTER.
type contact struct {
	uri, key string
	granted  time.Duration // 0: remove
	q        int
	instance string
	regID    int
	methods  []string
}

// refusal is why a REGISTER fails.
type refusal struct {
	status      int
	phrase      string
	unsupported string
	minExpires  time.Duration
	retryAfter  int   // seconds
	err         error // for Remove
}

func malformed(phrase string) *refusal { return &refusal{status: 400, phrase: phrase} }

// read does steps 3 to 6 of RFC 3261 §10.3 as far as they need no bindings. Steps 1 and 2 are its caller's.
// The strings of what is kept are the request's own no more.
func (r *Registrar) read(req *sip.Request, from wire.Hop, ext *pbx.Extension) (*request, *refusal) {
	to, id, cseq := req.To(), req.CallID(), req.CSeq()
	if to == nil || id == nil || cseq == nil {
		return nil, malformed("To, Call-ID or CSeq Missing")
	}
	if to.Address.Scheme != "sip" && to.Address.Scheme != "sips" {
		return nil, malformed("To Is No SIP URI")
	}
	// Step 5 would answer 404 for somebody else's address of record: that would tell who exists.
	if plain(to.Address.User) != ext.Number {
		return nil, &refusal{status: 403}
	}
	q := &request{ext: ext, from: from, callID: string(*id), cseq: cseq.SeqNo, host: to.Address.Host}
	if to.Address.Port > 0 {
		q.host += ":" + strconv.Itoa(to.Address.Port)
	}

	var expires, allow string
	var path bool
	var cs [maxContacts]*sip.ContactHeader
	n := 0
	for _, h := range req.Headers() {
		switch h := h.(type) {
		case *sip.ContactHeader:
			if n == maxContacts {
				return nil, malformed("Too Many Contacts")
			}
			cs[n] = h
			n++
			continue
		}
		switch name := h.Name(); {
		case is(name, "Expires"):
			expires = h.Value()
		case is(name, "Allow") && len(allow) < 512:
			allow += "," + h.Value()
		case is(name, "User-Agent"):
			q.userAgent = h.Value()
		case is(name, "Supported"), is(name, "k"):
			q.gruu = q.gruu || lists(h.Value(), "gruu")
			path = path || lists(h.Value(), "path")
		case is(name, "Path"):
			values, ok := routes(h.Value())
			if q.path = append(q.path, values...); !ok || len(q.path) > maxPath {
				return nil, malformed("Malformed Path")
			}
		}
	}
	if q.path != nil && !path {
		// RFC 3327 §5.3: the phone would not know where its calls go.
		return nil, &refusal{status: 420, unsupported: "path"}
	}
	granted := r.rules.Load().Default
	if expires != "" {
		s, err := strconv.ParseUint(strings.TrimSpace(expires), 10, 32)
		if err != nil {
			return nil, malformed("Malformed Expires")
		}
		granted = time.Duration(s) * time.Second
	}
	// Step 6: "if there are additional Contacts or an expiration time other than zero, the request is invalid".
	for i := range n {
		if cs[i].Address.Wildcard {
			if n > 1 || expires == "" || granted != 0 {
				return nil, malformed("Contact * Needs Expires 0 and No Other Contact")
			}
			q.star = true
			return q, nil
		}
	}
	for _, h := range cs[:n] {
		c, bad := r.readContact(h, granted)
		if bad != nil {
			return nil, bad
		}
		if c.granted > 0 && r.ownGRUU(&h.Address, ext.Number) {
			return nil, &refusal{status: 403, phrase: "A GRUU Is No Contact"} // RFC 5627 §5.1: it would be a loop
		}
		if q.contacts == nil {
			q.contacts = make([]contact, 0, n)
		}
		q.contacts = append(q.contacts, c)
	}
	if len(q.contacts) > 0 {
		q.methods = r.methods.of(allow)
		q.userAgent = shortened(q.userAgent, maxUserAgent)
	}
	return q, nil
}

func (r *Registrar) readContact(h *sip.ContactHeader, granted time.Duration) (c contact, bad *refusal) {
	u := &h.Address
	if u.Scheme != "sip" && u.Scheme != "sips" || u.Host == "" || u.Host == "*" {
		return c, malformed("Contact Is No SIP URI")
	}
	c = contact{uri: u.String(), key: normal(u), q: 1000}
	if len(c.uri) > maxURI {
		return c, malformed("Contact Too Long")
	}
	for _, p := range h.Params {
		switch {
		case is(p.K, "expires"):
			granted = time.Hour // "Malformed values SHOULD be treated as equivalent to 3600" (§20.10)
			if s, err := strconv.ParseUint(p.V, 10, 32); err == nil {
				granted = time.Duration(s) * time.Second
			}
		case is(p.K, "q"):
			ok := false
			if c.q, ok = wire.QValue(p.V); !ok {
				return c, malformed("Malformed q")
			}
		case is(p.K, "+sip.instance"):
			c.instance = strings.Trim(strings.Trim(p.V, `"`), "<>")
			if len(c.instance) > maxInstance || strings.ContainsAny(c.instance, "\"\\<>") {
				return c, malformed("Malformed Instance")
			}
			c.instance = strings.Clone(c.instance)
		case is(p.K, "reg-id"):
			// RFC 5626 §4.2: 1 to 2^31-1
			if n, err := strconv.ParseUint(p.V, 10, 31); err == nil {
				c.regID = int(n)
			}
		case is(p.K, "methods"):
			c.methods = r.methods.of(strings.Trim(p.V, `"`))
		}
	}
	if c.instance == "" {
		c.regID = 0 // RFC 5626 §6: without an instance it says nothing
	}
	switch rules := r.rules.Load(); {
	case granted == 0:
	case granted < rules.Min:
		return c, &refusal{status: 423, minExpires: rules.Min}
	case granted > rules.Max:
		granted = rules.Max
	}
	c.granted = granted
	return c, nil
}

// routes splits a Path header at its commas and checks each value: a name-addr of a SIP URI.
func routes(v string) (out []string, ok bool) {
	for v = strings.TrimSpace(v); v != ""; {
		end, quote, angle := 0, false, false
		for ; end < len(v); end++ {
			switch c := v[end]; {
			case c == '"' && !angle:
				quote = !quote
			case quote && c == '\\':
				end++
			case c == '<' && !quote:
				angle = true
			case c == '>':
				angle = false
			}
			if end < len(v) && v[end] == ',' && !quote && !angle {
				break
			}
		}
		end = min(end, len(v))
		value := strings.TrimSpace(v[:end])
		v = strings.TrimSpace(strings.TrimPrefix(v[end:], ","))
		open, shut := strings.IndexByte(value, '<'), strings.IndexByte(value, '>')
		var u sip.Uri
		if len(value) > maxURI || len(out) == maxPath || open < 0 || shut < open ||
			wire.ParseURI(value[open+1:shut], &u) != "" || u.Scheme != "sip" && u.Scheme != "sips" {
			return nil, false
		}
		out = append(out, strings.Clone(value))
	}
	return out, len(out) > 0
}

// lists reports whether a comma-separated list has an option tag.
func lists(v, tag string) bool {
	for v != "" {
		var one string
		one, v, _ = strings.Cut(v, ",")
		if is(strings.TrimSpace(one), tag) {
			return true
		}
	}
	return false
}

func is(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

// shortened cuts s to at most n bytes, between characters.
func shortened(s string, n int) string {
	if len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return s
}
