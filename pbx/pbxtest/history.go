package pbxtest

import (
	"net/url"
	"slices"
	"strings"
)

// Past is an entry of History-Info (RFC 7044 §5): a number that the call was for.
type Past struct {
	Number  string // user part of the URI
	Index   string // such as "1.1"
	Origin  string // index of the entry it came from, of rc, mp or np: "" if none is given
	How     string // "rc", "mp", "np" or ""
	Cause   string // of the URI (RFC 4458): why the call was sent here
	Reason  string // of the URI, unescaped: why the call did not stay here
	Privacy string // of the URI, unescaped
}

// History is what History-Info says, in order.
func (m *Message) History() []Past {
	var all []Past
	for _, v := range m.All("History-Info") {
		uri, headers, _ := strings.Cut(AddrOf(v), "?")
		p := Past{Number: UserOf(uri), Index: Param(v, "index"), Cause: Param(uri, "cause")}
		for _, how := range []string{"rc", "mp", "np"} {
			if HasParam(v, how) {
				p.How, p.Origin = how, Param(v, how)
			}
		}
		if q, err := url.ParseQuery(headers); err == nil {
			p.Reason, p.Privacy = q.Get("Reason"), q.Get("Privacy")
		}
		all = append(all, p)
	}
	return all
}

// reasonsOfDiversion are those of RFC 5806 §4.
var reasonsOfDiversion = []string{"unknown", "user-busy", "no-answer", "unavailable", "unconditional", "time-of-day", "do-not-disturb", "deflection",
	"follow-me", "out-of-service", "away"}

// checkHistory holds what the INVITE tells of its past against the RFCs. It needs p.mu.
func (p *Phone) checkHistory(m *Message) {
	var have []string
	for i, e := range m.History() {
		parent, _, below := cutLast(e.Index)
		switch {
		case i == 0 && e.Index != "1":
			p.complainLocked("History-Info begins with the index %q (RFC 7044 §10.3)", e.Index)
		case i > 0 && (!below || !slices.Contains(have, parent)):
			p.complainLocked("History-Info has the index %q after %q (RFC 7044 §10.3)", e.Index, have)
		case slices.Contains(have, e.Index):
			p.complainLocked("History-Info has the index %q twice (RFC 7044 §10.3)", e.Index)
		}
		if e.Origin != "" && !slices.Contains(have, e.Origin) {
			p.complainLocked("History-Info has %s=%s, and no such entry before (RFC 7044 §5)", e.How, e.Origin)
		}
		have = append(have, e.Index)
	}
	for _, v := range m.All("History-Info") {
		if !strings.HasPrefix(v, "<") && NameOf(v) == "" {
			p.complainLocked("History-Info has no name-addr: %q (RFC 7044 §5)", v)
		}
	}
	for _, v := range m.All("Diversion") {
		if r := Param(v, "reason"); !slices.Contains(reasonsOfDiversion, r) {
			p.complainLocked("Diversion has the reason %q (RFC 5806 §4)", r)
		}
		if !strings.HasPrefix(v, "<") && NameOf(v) == "" {
			p.complainLocked("Diversion has no name-addr: %q (RFC 5806 §4)", v)
		}
	}
}

// cutLast takes an index apart before its last number.
func cutLast(index string) (parent, last string, found bool) {
	i := strings.LastIndexByte(index, '.')
	if i < 0 {
		return "", index, false
	}
	return index[:i], index[i+1:], true
}
