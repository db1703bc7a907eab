package wire

import (
	"bytes"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Bounds of one message. What is longer is malformed.
const (
	maxHead    = 32 << 10 // start line and headers
	maxBody    = 64 << 10
	maxLine    = 8 << 10 // one header, unfolded
	maxHeaders = 200     // lines, and values of Via, Contact, Route, Record-Route
	maxName    = 128
	maxMethod  = 64
	maxCallID  = 256
	maxURI     = 1024
	maxDisplay = 256
	maxParam   = 768
	maxParams  = 32
)

// Parse reads the one message in b, which came from from: a datagram, or what Frame cut off a stream. The message is
// checked for all that holds for every message; what a method, a scheme, an option or a body means is for above.
// The strings of the message share one copy of its head: whoever keeps one for long clones it. b is not referenced.
//
// A request's top Via has received and rport stamped on (RFC 3261 §18.2.1, RFC 3581 §4).
func Parse(b []byte, from Hop) (sip.Message, *Malformed) {
	for bytes.HasPrefix(b, crlf) { // RFC 3261 §7.5
		b = b[2:]
	}
	p := parser{stream: from.Reliable(), own: new(common)}
	m, what := p.parse(b)
	if what != "" {
		return nil, malformed(b, from, p.code, what)
	}
	if req, ok := m.(*sip.Request); ok {
		stamp(req.Via(), from.Remote)
	}
	return m, nil
}

type parser struct {
	stream  bool
	code    int // of the answer, if not 400
	m       sip.Message
	req     *sip.Request
	seen    uint32 // bits of the headers that were there
	count   int
	length  int64 // Content-Length, -1 when absent
	cseq    *sip.CSeqHeader
	own     *common
	contact bool // own.contact is taken
}

// common are the headers that nearly every message has once, made in one piece.
type common struct {
	via           sip.ViaHeader
	from          sip.FromHeader
	to            sip.ToHeader
	contact       sip.ContactHeader
	cseq          sip.CSeqHeader
	callID        sip.CallIDHeader
	contentType   sip.ContentTypeHeader
	maxForwards   sip.MaxForwardsHeader
	contentLength sip.ContentLengthHeader
}

// parse gives the message, or what is malformed in it.
func (p *parser) parse(b []byte) (sip.Message, string) {
	head, rest := len(b), len(b)
	if i := bytes.Index(b, crlf2); i >= 0 {
		head, rest = i+2, i+4
	} else if p.stream || !bytes.HasSuffix(b, crlf) { // a datagram may end without the empty line
		return nil, "end of headers"
	}
	if head > maxHead {
		p.code = sip.StatusMessageTooLarge
		return nil, "headers too long"
	}
	s := string(b[:head])
	eol := strings.Index(s, "\r\n")
	if what := text(s[:eol]); what != "" {
		return nil, what
	}
	if what := p.startLine(s[:eol]); what != "" {
		return nil, what
	}
	p.length = -1
	for s = s[eol+2:]; s != ""; {
		eol = strings.Index(s, "\r\n")
		line := s[:eol]
		s = s[eol+2:]
		if s != "" && class[s[0]]&isLWS != 0 {
			line, s = unfold(line, s)
		}
		if what := p.headerLine(line); what != "" {
			return nil, what
		}
	}
	if what := p.complete(); what != "" {
		return nil, what
	}
	body := b[rest:]
	switch {
	case p.length < 0 && p.stream:
		return nil, "Content-Length missing"
	case p.length > int64(len(body)):
		return nil, "Content-Length beyond the end"
	case p.length >= 0:
		body = body[:p.length] // RFC 3261 §18.3: "additional bytes after the end of the body ... MUST be discarded"
	}
	if len(body) > 0 {
		p.m.SetBody(bytes.Clone(body)) // with this length it leaves the Content-Length that is there
	}
	return p.m, ""
}

var (
	crlf  = []byte("\r\n")
	crlf2 = []byte("\r\n\r\n")
)

// unfold joins the continuation lines at the start of s to line (RFC 3261 §7.3.1).
func unfold(line, s string) (string, string) {
	var b strings.Builder
	b.WriteString(line)
	for s != "" && class[s[0]]&isLWS != 0 && b.Len() <= maxLine {
		eol := strings.Index(s, "\r\n")
		b.WriteByte(' ')
		b.WriteString(trim(s[:eol]))
		s = s[eol+2:]
	}
	return b.String(), s
}

// text finds control characters. They may stand only behind a backslash in a quoted string (RFC 3261 §25.1 quoted-pair).
func text(line string) string {
	const lo, hi = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(line); i += 8 { // no byte below 0x20 and none 0x7f, eight at a time; a false alarm is looked at below
		w := uint64(line[i]) | uint64(line[i+1])<<8 | uint64(line[i+2])<<16 | uint64(line[i+3])<<24 |
			uint64(line[i+4])<<32 | uint64(line[i+5])<<40 | uint64(line[i+6])<<48 | uint64(line[i+7])<<56
		if del := w ^ 0x7f*lo; ((w-0x20*lo)&^w|(del-lo)&^del)&hi != 0 {
			break
		}
	}
	for ; i < len(line); i++ {
		if c := line[i]; (c < 0x20 && c != '\t' || c == 0x7f) && (i == 0 || line[i-1] != '\\' || strings.IndexByte(line[:i], '"') < 0) {
			return "control character"
		}
	}
	return ""
}

func (p *parser) startLine(line string) string {
	if len(line) > 4 && fold(line[:4], "sip/") {
		return p.statusLine(line)
	}
	method, rest, ok := strings.Cut(line, " ")
	if !ok || !token(method) || len(method) > maxMethod {
		return "method"
	}
	last := strings.LastIndexByte(rest, ' ')
	if last < 0 {
		return "request line"
	}
	uri, version := rest[:last], rest[last+1:]
	if !fold(version, "sip/2.0") {
		if len(version) > 4 && fold(version[:4], "sip/") {
			p.code = sip.StatusVersionNotSupported
		}
		return "SIP version"
	}
	p.req = sip.NewRequest(sip.RequestMethod(method), sip.Uri{})
	if what := ParseURI(uri, &p.req.Recipient); what != "" {
		if len(uri) > maxURI {
			p.code = sip.StatusRequestURITooLong
		}
		return "Request-URI: " + what
	}
	if p.req.Recipient.Headers != nil {
		return "headers in Request-URI" // §19.1.1: not allowed there
	}
	p.m = p.req
	return ""
}

func (p *parser) statusLine(line string) string {
	version, rest, _ := strings.Cut(line, " ")
	if !fold(version, "sip/2.0") {
		return "SIP version"
	}
	code, reason, _ := strings.Cut(rest, " ")
	n, ok := number(code, 699)
	if !ok || len(code) != 3 || n < 100 {
		return "status code"
	}
	p.m = sip.NewResponse(int(n), reason)
	return ""
}

// complete checks what can be checked when all headers are there.
func (p *parser) complete() string {
	// §8.1.1: "at a minimum, To, From, CSeq, Call-ID, Max-Forwards, and Via". RFC 2543 had no Max-Forwards.
	for _, h := range [...]struct {
		id   header
		what string
	}{{hVia, "Via missing"}, {hTo, "To missing"}, {hFrom, "From missing"}, {hCallID, "Call-ID missing"}, {hCSeq, "CSeq missing"}} {
		if p.seen&(1<<h.id) == 0 {
			return h.what
		}
	}
	if p.req != nil && p.cseq.MethodName != p.req.Method {
		return "CSeq method"
	}
	return ""
}
