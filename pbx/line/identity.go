package line

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/dialog"
	"ringback/pbx/line/wire"
)

// anonymous is the From of who wants to be hidden (RFC 3323 §4.1.1.3). No other header of ours names the caller.
const anonymous = `"Anonymous" <` + nobody + ">"

// hidden reports whether the caller asks that nobody learns who he is (RFC 5079 §3): Privacy id or user (RFC 3323 §4.2,
// RFC 3325 §9.3), full as drafts before them had it, or the From that phones write for it (RFC 3261 §8.1.1.3). The other
// values of Privacy are what a B2BUA does for everybody: no header and no address of the caller's gets through.
func hidden(req *sip.Request) bool {
	for _, h := range req.Headers() {
		if !named(h, "Privacy") {
			continue
		}
		for _, v := range strings.FieldsFunc(h.Value(), func(r rune) bool { return r == ';' || r == ',' || r == ' ' || r == '\t' }) {
			if v = strings.ToLower(v); v == "id" || v == "user" || v == "full" {
				return true
			}
		}
	}
	from := req.From()
	return strings.EqualFold(from.Address.Host, "anonymous.invalid") || strings.EqualFold(from.Address.User, "anonymous") ||
		strings.EqualFold(from.DisplayName, "anonymous")
}

// from is the From of our request on behalf of id, without a tag.
func (l *Line) from(id pbx.Identity, to wire.Hop) string {
	if id.Hidden || id.Number == "" {
		return anonymous
	}
	return nameAddr(id.Name, id.Number, l.domain(to))
}

// nameAddr is a name-addr for a number at a host.
func nameAddr(name, number, host string) string {
	var b strings.Builder
	b.Grow(len(name) + len(number) + len(host) + 12)
	if name = dialog.Clean(name); name != "" {
		b.WriteByte('"')
		for i := 0; i < len(name); i++ {
			if name[i] == '"' || name[i] == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(name[i])
		}
		b.WriteString(`" `)
	}
	b.WriteString("<sip:")
	writeUser(&b, number)
	b.WriteByte('@')
	b.WriteString(host)
	b.WriteByte('>')
	return b.String()
}

// writeUser writes the user part of a URI, with % escapes where it needs them (RFC 3261 §25.1).
func writeUser(b *strings.Builder, s string) {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.!~*'()&=+$,;?/", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
}
