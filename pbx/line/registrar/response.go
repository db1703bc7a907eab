package registrar

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

var phrases = map[int]string{
	400: "Bad Request", 403: "Forbidden", 420: "Bad Extension", 423: "Interval Too Brief",
	500: "Server Internal Error", 503: "Service Unavailable",
}

// respond makes a response. A REGISTER makes no dialog, so that its To tag has to be the same for retransmissions is all.
func respond(req *sip.Request, status int, phrase string) *sip.Response {
	key := ""
	if id := req.CallID(); id != nil {
		key = string(*id)
	}
	return wire.NewResponse(req, status, phrase, wire.StatelessTag(key))
}

func (r *Registrar) refuse(req *sip.Request, bad *refusal) *sip.Response {
	phrase := bad.phrase
	if phrase == "" {
		phrase = phrases[bad.status]
	}
	res := respond(req, bad.status, phrase)
	add := func(name, value string) { res.AppendHeader(sip.NewHeader(name, value)) }
	if bad.minExpires > 0 {
		add("Min-Expires", strconv.Itoa(int((bad.minExpires+time.Second-1)/time.Second)))
	}
	if bad.unsupported != "" {
		add("Unsupported", bad.unsupported)
	}
	if bad.retryAfter > 0 {
		add("Retry-After", strconv.Itoa(bad.retryAfter))
	}
	if r.o.Server != "" {
		add("Server", r.o.Server)
	}
	return res
}

// accept is the 200 of RFC 3261 §10.3 step 8: it "MUST contain Contact header field values enumerating all current
// bindings", each with the time it has left.
func (r *Registrar) accept(req *sip.Request, q *request, all []*binding) *sip.Response {
	res := respond(req, 200, "OK")
	now := time.Now()
	for _, b := range all {
		if b.live(now) {
			res.AppendHeader(sip.NewHeader("Contact", r.contactValue(q, b, now)))
		}
	}
	for _, p := range q.path {
		res.AppendHeader(sip.NewHeader("Path", p)) // RFC 3327 §5.3
	}
	res.AppendHeader(sip.NewHeader("Supported", "path, gruu"))
	res.AppendHeader(sip.NewHeader("Date", now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")))
	if r.o.Server != "" {
		res.AppendHeader(sip.NewHeader("Server", r.o.Server))
	}
	return res
}

func (r *Registrar) contactValue(q *request, b *binding, now time.Time) string {
	var s strings.Builder
	s.Grow(len(b.Contact) + len(b.Instance) + 64)
	s.WriteByte('<')
	s.WriteString(b.Contact)
	s.WriteString(">;expires=")
	s.WriteString(strconv.Itoa(int((b.Expires.Sub(now) + time.Second - 1) / time.Second)))
	if b.Q != 1000 {
		s.WriteString(";q=0.")
		s.WriteString(strconv.Itoa(1000 + b.Q)[1:])
	}
	if b.Instance == "" {
		return s.String()
	}
	s.WriteString(`;+sip.instance="<`)
	s.WriteString(b.Instance)
	s.WriteString(`>"`)
	if b.RegID > 0 {
		s.WriteString(";reg-id=")
		s.WriteString(strconv.Itoa(b.RegID))
	}
	if q.gruu { // RFC 5627 §5.1: only to phones that know what it is; the host is that of the address of record (§3.1)
		s.WriteString(`;pub-gruu="sip:` + escapedUser(b.Extension) + "@" + q.host + ";gr=" + escaped(b.Instance) + `"`)
		if b.TempGRUU != "" {
			s.WriteString(`;temp-gruu="sip:` + b.TempGRUU + "@" + q.host + `;gr"`)
		}
	}
	return s.String()
}

// escapedUser writes a number as the user part of a URI; "#" for one has to be escaped there.
func escapedUser(s string) string {
	s = strings.ReplaceAll(s, "%", "%25")
	return strings.ReplaceAll(s, "#", "%23")
}
