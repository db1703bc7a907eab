package line

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/dialog"
	"ringback/pbx/line/wire"
)

// maxContacts bounds the targets of a redirection that are kept.
const maxContacts = 10

// redirections are the targets of a phone's 3xx, best q first, each once (RFC 3261 §8.1.3.4). Headers in a URI (?Replaces=…)
// are not taken over: they would be put into a request of ours by somebody else.
func (l *Line) redirections(res *sip.Response, hop wire.Hop) []pbx.Redirection {
	var all []pbx.Redirection
	for _, h := range res.Headers() {
		c, ok := h.(*sip.ContactHeader)
		if !ok || c.Address.Wildcard {
			continue
		}
		if r, ok := l.redirection(c, hop); ok {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b pbx.Redirection) int { return b.Q - a.Q })
	var best []pbx.Redirection // its own memory: there may be many more
	for _, r := range all {
		same := func(b pbx.Redirection) bool { return b.URI == r.URI }
		if len(best) < maxContacts && !slices.ContainsFunc(best, same) {
			best = append(best, r)
		}
	}
	return best
}

// redirection is one target; ok is false if it cannot be made out.
func (l *Line) redirection(c *sip.ContactHeader, hop wire.Hop) (r pbx.Redirection, ok bool) {
	u := dialog.RequestURI(c.Address)
	full := u.String()
	if r.URI = bounded(full); r.URI != full {
		return r, false
	}
	r.Q = 1000
	for _, p := range c.Params {
		if strings.EqualFold(p.K, "q") {
			r.Q, _ = wire.QValue(p.V) // one that cannot be read comes last
		}
	}
	switch strings.ToLower(u.Scheme) {
	case "sip", "sips":
		r.Number = dialled(&u)
		r.Host = bounded(u.Host)
		r.Local = l.ours(u.Host, u.Port, hop)
		return r, u.Host != "" && (r.Number != "" || u.User == "")
	case "tel": // it names no host, so a number of the PBX it is, unless it has the context of another domain (RFC 3966 §5.1.5)
		r.Number = dialled(&u)
		r.Host = bounded(phoneContext(u.Raw()))
		r.Local = r.Host == "" || r.Host[0] == '+' || l.ours(r.Host, 0, hop)
		return r, r.Number != ""
	}
	return r, true // mailto, http: nothing to call, but the caller may know what to do with it
}

func phoneContext(tel string) string {
	for p := range strings.SplitSeq(tel, ";") {
		if k, v, _ := strings.Cut(p, "="); strings.EqualFold(k, "phone-context") {
			return v
		}
	}
	return ""
}

// ours reports whether host is this PBX, as the party at the other end of a hop may call it: by domain, realm, an address
// that we listen at or that is advertised; with a port of ours, or with none (0).
func (l *Line) ours(host string, port int, hop wire.Hop) bool {
	ports := []uint16{hop.Local.Port()}
	addrs := []netip.Addr{hop.Local.Addr().Unmap()}
	if l.o.Locals != nil {
		for _, transport := range [...]string{"udp", "tcp", "tls"} {
			for _, a := range l.o.Locals(transport) {
				ports, addrs = append(ports, a.Port()), append(addrs, a.Addr().Unmap())
			}
		}
	}
	if port != 0 && !slices.Contains(ports, uint16(port)) {
		return false
	}
	host = strings.TrimSuffix(host, ".")
	if host == "" {
		return false
	}
	if strings.EqualFold(host, l.o.Domain) || strings.EqualFold(host, l.o.Realm) {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil || addr.IsUnspecified() {
		return false
	}
	addr = addr.Unmap()
	reached, err := netip.ParseAddr(l.sender(hop).host)
	return slices.Contains(addrs, addr) || err == nil && reached == addr
}

// redirects are the Contacts that a caller is sent on to (RFC 3261 §21.3), nil if there are none to be called.
func (l *Line) redirects(to []pbx.Redirection, hop wire.Hop) []sip.Header {
	var all []sip.Header
	for _, r := range to[:min(len(to), maxContacts)] {
		uri := ""
		if r.URI != "" {
			var u sip.Uri
			if r.URI = bounded(r.URI); wire.ParseURI(r.URI, &u) != "" {
				continue
			}
			u = dialog.RequestURI(u)
			uri = u.String()
		} else if uri = l.uri(r.Number, hop); uri == "" {
			continue
		}
		v := "<" + uri + ">"
		if r.Q >= 0 && r.Q < 1000 {
			v += ";q=0." + strconv.Itoa(1000 + r.Q)[1:]
		}
		all = append(all, sip.NewHeader("Contact", v))
	}
	return all
}

// uri is a number of this PBX as the party at the other end of a hop can dial it, "" for no number.
func (l *Line) uri(number string, hop wire.Hop) string {
	if number == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString("sip:")
	writeUser(&b, number)
	b.WriteByte('@')
	b.WriteString(l.domain(hop))
	if l.o.Domain == "" { // an address, whose transport no DNS tells
		b.WriteString(transportParam(hop))
	}
	return b.String()
}

// announcement is the user part of the URI by which a prompt is dialled.
const announcement = "announcement."
