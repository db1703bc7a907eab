// Package digest authenticates requests: digest access authentication of RFC 3261 §22, RFC 7616 and RFC 8760.
//
// An Authenticator may be used from any number of goroutines, does no I/O, and never waits. What it remembers
// lives in tables of a fixed size: nothing a stranger sends makes it grow, and a challenge leaves nothing behind.
//
// # Why always 401
//
// Every request is challenged by 401 with WWW-Authenticate, never by 407. The PBX is a back-to-back user agent, so
// towards a phone it is the user agent server of every request, and RFC 3261 §22.2 gives that server the 401; 407 is
// for proxies (§22.3). It is also what suits phones best: with one realm and one header name a phone may use the
// nonce of its REGISTER for its next INVITE (§22.1) and save a round trip. Credentials are taken from Authorization
// and from Proxy-Authorization alike.
//
// # Why MD5 is offered first
//
// RFC 8760 §2.4 has the server list its challenges by preference, and a client take the first it supports. Many
// phones, and sipp, look at the first challenge only and know nothing but MD5, so the default order is MD5, SHA-256;
// phones that know both and prefer SHA-256 may choose it. Where every phone is new, set the order round, or SHA-256 only.
//
// # What is tolerated, and what is not
//
//   - No qop (RFC 2069 clients): accepted, but such a nonce is good for one request, as there is no count to tell
//     a replay by. The next request gets a fresh challenge with stale=true.
//   - The uri parameter: host, port and parameters are not compared with the Request-URI, since phones write their
//     outbound proxy, the bare domain, or what was there before a rewrite. A user part, if there is one, has to be
//     that of the Request-URI. Replays to another target are stopped by the nonce count, not by uri.
//   - -sess algorithms and auth-int are not offered, hence not accepted.
//   - Credentials of other realms or schemes are passed over. A Digest header that cannot be parsed is answered 400.
package digest

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/wire"
)

// Algorithm is the name of a hash in the algorithm parameter.
type Algorithm string

// The algorithms known.
const (
	MD5    Algorithm = "MD5"
	SHA256 Algorithm = "SHA-256"
)

// Options say how an Authenticator works. Realm and Directory are required; other zero values mean the default.
type Options struct {
	Realm     string // the realm that the directory's HA1s were made with
	Directory pbx.Directory

	Algorithms    []Algorithm   // offered, in this order; default MD5, SHA256
	NonceLifetime time.Duration // default 5 min; then stale=true
	Nonces        int           // nonces in use that are remembered; default 65,536 (24 bytes each)

	Failures     int           // failed attempts of one user name from one address in Window before it is throttled; default 10
	Window       time.Duration // default 1 min
	FailureTable int           // entries of the table of failures; default 32,768 (24 bytes each)

	// MD5Only are beginnings of the User-Agent of phones that give up when one challenge of several is in an algorithm
	// they do not know. They get the MD5 challenge alone, if MD5 is offered at all. nil means the phones known to be so.
	MD5Only []string
}

// Verdict says what Check made of a request.
type Verdict uint8

// The verdicts.
const (
	OK         Verdict = iota
	Challenged         // it carried no credentials for our realm
	Failed             // wrong user, password, or a disabled extension: nobody is told which
	Stale              // right credentials with a nonce that is too old or not ours
	Replayed           // right credentials with a nonce count that was used already, or is too far behind
	Throttled          // not looked at, after too many failures
	Malformed          // the header could not be parsed
)

func (v Verdict) String() string {
	return [...]string{"ok", "challenged", "failed", "stale", "replayed", "throttled", "malformed"}[min(int(v), 6)]
}

// Result is what Check found.
type Result struct {
	OK        bool
	Extension *pbx.Extension // who it is; nil unless OK
	Response  *sip.Response  // to send instead of going on: 401 with new challenges, or 400; nil if OK
	Verdict   Verdict
	User      string // user name claimed, "" if none; from the wire, so only for logs that escape
}

// Stats counts verdicts since New.
type Stats struct {
	OK, Challenged, Failed, Stale, Replayed, Throttled, Malformed uint64
}

// Authenticator checks credentials. Make it with New.
type Authenticator struct {
	o      Options
	nonces issuer
	used   *usedTable
	fails  *failTable
	dummy  [2]string // HA1s for whoever does not exist: MD5, SHA-256
	head   string    // what challenges begin with
	counts [7]counter
}

// Check decides whether req comes from an extension. ACK and CANCEL must not be given to it (RFC 3261 §22.1).
func (a *Authenticator) Check(req *sip.Request, from wire.Hop) Result {
	return a.check(req, from.Remote.Addr())
}

// Stats returns the counts so far.
func (a *Authenticator) Stats() Stats {
	n := func(v Verdict) uint64 { return a.counts[v].Load() }
	return Stats{n(OK), n(Challenged), n(Failed), n(Stale), n(Replayed), n(Throttled), n(Malformed)}
}
