package digest

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"hash/maphash"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/wire"
)

// libre, the stack of baresip, took part in no authentication with an unknown algorithm among its challenges before it
// learned SHA-256 (2024).
var md5Only = []string{"baresip v0.", "baresip v1.", "baresip v2.", "baresip v3.0.", "baresip v3.1.", "baresip v3.2.",
	"baresip v3.3.", "baresip v3.4.", "baresip v3.5.", "baresip v3.6.", "baresip v3.7.", "baresip v3.8.", "baresip v3.9.",
	"baresip v3.10."}

// New makes an Authenticator. It fails if an option makes no sense.
func New(o Options) (*Authenticator, error) {
	if o.Realm == "" || strings.ContainsAny(o.Realm, "\"\\\r\n") {
		return nil, fmt.Errorf("digest: realm %q is empty or has characters that need quoting", o.Realm)
	}
	if o.Directory == nil {
		return nil, fmt.Errorf("digest: no directory")
	}
	if len(o.Algorithms) == 0 {
		o.Algorithms = []Algorithm{MD5, SHA256}
	}
	for _, a := range o.Algorithms {
		if a != MD5 && a != SHA256 {
			return nil, fmt.Errorf("digest: unknown algorithm %q", a)
		}
	}
	if o.MD5Only == nil {
		o.MD5Only = md5Only
	}
	defaults(&o.NonceLifetime, 5*time.Minute)
	defaults(&o.Window, time.Minute)
	defaults(&o.Nonces, 65536)
	defaults(&o.Failures, 10)
	defaults(&o.FailureTable, 32768)

	a := &Authenticator{
		o: o, nonces: newIssuer(), used: newUsedTable(o.Nonces),
		fails: newFailTable(o.FailureTable, o.Failures, o.Window),
	}
	var secret [sha256.Size]byte
	rand.Read(secret[:])
	a.dummy = [2]string{hex.EncodeToString(secret[:md5.Size]), hex.EncodeToString(secret[:])}
	a.head = `Digest realm="` + o.Realm + `", nonce="`
	return a, nil
}

func defaults[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

func (a *Authenticator) check(req *sip.Request, from netip.Addr) Result {
	c, verdict := a.pick(req)
	r := Result{Verdict: verdict, User: c.username}
	if verdict == OK {
		r.Verdict, r.Extension = a.judge(req, &c, source(from))
	}
	a.counts[r.Verdict].Add(1)
	switch r.Verdict {
	case OK:
		r.OK = true
	case Malformed:
		r.Response = respond(req, 400, "Malformed Authorization")
	default:
		r.Response = a.challenge(req, r.Verdict == Stale || r.Verdict == Replayed)
	}
	return r
}

// pick finds the credentials to judge: the first for our realm in an algorithm we offer. A client has one for each
// realm (RFC 8760 §2.6), but some answer every challenge they got.
func (a *Authenticator) pick(req *sip.Request) (c credentials, v Verdict) {
	v = Challenged
	for _, h := range req.Headers() {
		if n := h.Name(); !strings.EqualFold(n, "Authorization") && !strings.EqualFold(n, "Proxy-Authorization") {
			continue
		}
		name, rest := scheme(h.Value())
		if !strings.EqualFold(name, "Digest") {
			continue
		}
		got, err := parseCredentials(rest)
		if err != nil {
			v = Malformed
			continue
		}
		if got.realm != a.o.Realm || !a.offers(got.algorithm) || got.qop != "" && !strings.EqualFold(got.qop, "auth") {
			continue
		}
		if got.username == "" || got.nonce == "" || got.uri == "" || got.response == "" {
			continue // IMS phones send empty ones to say who they are
		}
		if got.qop != "" && (got.count() == 0 || got.cnonce == "") {
			v = Malformed
			continue
		}
		return got, OK
	}
	return credentials{}, v
}

func (a *Authenticator) offers(algorithm string) bool {
	if algorithm == "" {
		algorithm = string(MD5)
	}
	for _, o := range a.o.Algorithms {
		if strings.EqualFold(algorithm, string(o)) {
			return true
		}
	}
	return false
}

// judge does the same work for an extension that does not exist, is disabled, or has another password.
func (a *Authenticator) judge(req *sip.Request, c *credentials, from netip.Addr) (Verdict, *pbx.Extension) {
	now := a.nonces.now()
	user := uint32(maphash.String(a.fails.seed, c.username))
	stamp, ours := a.nonces.open(c.nonce)
	known := ours && a.used.known(stamp, user)
	if !known && a.fails.held(from, c.username, now) {
		return Throttled, nil
	}

	sha := strings.EqualFold(c.algorithm, string(SHA256))
	ha1, exists := a.dummy[0], true
	if sha {
		ha1 = a.dummy[1]
	}
	ext := a.o.Directory.Extension(c.username)
	switch {
	case ext == nil || !ext.Enabled || ext.Number != c.username:
		exists = false
	case sha && ext.HA1SHA256 != "":
		ha1 = ext.HA1SHA256
	case !sha && ext.HA1MD5 != "":
		ha1 = ext.HA1MD5
	default:
		exists = false
	}
	right := c.proves(ha1, string(req.Method), sha)
	if !right || !exists || !sameTarget(c.uri, &req.Recipient) {
		a.fails.failed(from, c.username, now)
		return Failed, nil
	}
	if !known {
		a.fails.right(from, c.username, now)
	}
	if !ours || now-stamp > int64(a.o.NonceLifetime) {
		return Stale, nil
	}
	nc := spent
	if c.qop != "" {
		nc = c.count()
	}
	if v := a.used.use(stamp, user, nc, now, a.o.NonceLifetime); v != OK {
		return v, nil
	}
	return OK, ext
}

// proves computes the response of RFC 7616 §3.4.1 and compares it in constant time.
func (c *credentials) proves(ha1, method string, sha bool) bool {
	var space [512]byte
	var ha2 [2 * sha256.Size]byte
	b := append(space[:0], method...)
	b = append(b, ':')
	b = append(b, c.uri...)
	n := sum(ha2[:], b, sha)

	b = append(space[:0], ha1...)
	b = append(b, ':')
	b = append(b, c.nonce...)
	if c.qop != "" {
		b = append(b, ':')
		b = append(b, c.nc...)
		b = append(b, ':')
		b = append(b, c.cnonce...)
		b = append(b, ':')
		b = append(b, c.qop...)
	}
	b = append(b, ':')
	b = append(b, ha2[:n]...)
	var want, got [2 * sha256.Size]byte
	n = sum(want[:], b, sha)
	if len(c.response) != n {
		return false
	}
	for i := range n { // phones with upper-case hex
		got[i] = c.response[i]
		if got[i] >= 'A' && got[i] <= 'F' {
			got[i] += 'a' - 'A'
		}
	}
	return subtle.ConstantTimeCompare(want[:n], got[:n]) == 1
}

// sum writes the digest of b in hex and returns its length.
func sum(out, b []byte, sha bool) int {
	if sha {
		s := sha256.Sum256(b)
		return hex.Encode(out, s[:])
	}
	s := md5.Sum(b)
	return hex.Encode(out, s[:])
}

// sameTarget compares the uri parameter with the Request-URI as the package comment says.
func sameTarget(uri string, target *sip.Uri) bool {
	scheme, rest, _ := strings.Cut(uri, ":")
	if !strings.EqualFold(scheme, "sip") && !strings.EqualFold(scheme, "sips") {
		return uri == target.String()
	}
	user, _, ok := strings.Cut(rest, "@")
	if !ok {
		return true
	}
	user, _, _ = strings.Cut(user, ":") // a password
	return user == target.User || unescape(user) == unescape(target.User)
}

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// respond makes a response with the To tag that a retransmission of req would get, too: RFC 3261 §8.2.7 asks that of a
// server without a state, and a challenge may be sent by one.
func respond(req *sip.Request, status int, phrase string) *sip.Response {
	key := ""
	if id := req.CallID(); id != nil {
		key = string(*id)
	}
	return wire.NewResponse(req, status, phrase, wire.StatelessTag(key))
}

// challenge is the 401, one challenge an algorithm and all of the same nonce.
func (a *Authenticator) challenge(req *sip.Request, stale bool) *sip.Response {
	res := respond(req, 401, "Unauthorized")
	nonce := a.nonces.issue()
	only := a.md5Only(req)
	for _, alg := range a.o.Algorithms {
		if only && alg != MD5 {
			continue
		}
		v := a.head + nonce + `", algorithm=` + string(alg) + `, qop="auth"`
		if stale {
			v += ", stale=true"
		}
		res.AppendHeader(sip.NewHeader("WWW-Authenticate", v))
	}
	return res
}

func (a *Authenticator) md5Only(req *sip.Request) bool {
	if len(a.o.MD5Only) == 0 || !a.offers(string(MD5)) {
		return false
	}
	h := wire.Find(req, "User-Agent")
	if h == nil {
		return false
	}
	v := h.Value()
	for _, p := range a.o.MD5Only {
		if strings.HasPrefix(v, p) {
			return true
		}
	}
	return false
}
