package wire

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// headerLine reads one unfolded header into p.m. It says what is malformed.
func (p *parser) headerLine(line string) string {
	if p.count++; p.count > maxHeaders {
		return "too many headers"
	}
	if len(line) > maxLine {
		return "header too long"
	}
	if what := text(line); what != "" {
		return what
	}
	colon := strings.IndexByte(line, ':')
	if colon < 0 {
		return "header without colon"
	}
	field := line[:colon]
	for field != "" && class[field[len(field)-1]]&isLWS != 0 { // "X-Foo :" is X-Foo (HCOLON)
		field = field[:len(field)-1]
	}
	if !token(field) || len(field) > maxName {
		return "header name"
	}
	n := canonical(field)
	if bit := uint32(1) << n.id; n.id != other {
		if p.seen&bit != 0 && single&bit != 0 {
			return n.full + " twice"
		}
		p.seen |= bit
	}
	if what := p.value(n, trim(line[colon+1:])); what != "" {
		return n.full + ": " + what
	}
	return ""
}

func (p *parser) value(n name, v string) string {
	switch n.id {
	case hVia:
		return p.list(v, func(v string, i int) (sip.Header, int, string) {
			h := &p.own.via
			if h.Host != "" { // not the first one
				h = new(sip.ViaHeader)
			}
			next, what := parseVia(v, i, h)
			return h, next, what
		})
	case hContact:
		if v == "*" {
			p.m.AppendHeader(&sip.ContactHeader{Address: sip.Uri{Host: "*", Wildcard: true}})
			return ""
		}
		return p.list(v, func(v string, i int) (sip.Header, int, string) {
			// A refusal is one whatever it says, and however much; of a redirection what can be read is followed.
			res, ok := p.m.(*sip.Response)
			refusal := ok && res.StatusCode >= 300
			if refusal && p.count > maxHeaders/2 {
				return nil, len(v), ""
			}
			a := address{}
			next, what := a.parse(v, i, true)
			if what != "" && refusal {
				return nil, after(v, i), ""
			}
			h := &p.own.contact
			if p.contact { // not the first one
				h = new(sip.ContactHeader)
			}
			p.contact = true
			*h = sip.ContactHeader{DisplayName: a.display, Address: a.uri, Params: a.params}
			return h, next, what
		})
	case hRoute:
		return p.list(v, func(v string, i int) (sip.Header, int, string) {
			a := address{}
			next, what := a.parse(v, i, true)
			return &sip.RouteHeader{Address: a.uri}, next, what
		})
	case hRecordRoute:
		return p.list(v, func(v string, i int) (sip.Header, int, string) {
			a := address{}
			next, what := a.parse(v, i, true)
			return &sip.RecordRouteHeader{Address: a.uri}, next, what
		})
	case hFrom, hTo, hReferTo, hReferredBy:
		a := address{}
		if _, what := a.parse(v, 0, false); what != "" {
			return what
		}
		switch n.id {
		case hFrom:
			p.own.from = sip.FromHeader{DisplayName: a.display, Address: a.uri, Params: a.params}
			p.m.AppendHeader(&p.own.from)
		case hTo:
			p.own.to = sip.ToHeader{DisplayName: a.display, Address: a.uri, Params: a.params}
			p.m.AppendHeader(&p.own.to)
		case hReferTo:
			p.m.AppendHeader(&sip.ReferToHeader{Address: a.uri})
		case hReferredBy:
			p.m.AppendHeader(&sip.ReferredByHeader{DisplayName: a.display, Address: a.uri, Params: a.params})
		}
	case hCallID:
		if v == "" || len(v) > maxCallID || !all(v, isWord) {
			return "no Call-ID"
		}
		p.own.callID = sip.CallIDHeader(v)
		p.m.AppendHeader(&p.own.callID)
	case hCSeq:
		i := strings.IndexAny(v, " \t")
		if i < 0 {
			return "no method"
		}
		seq, ok := number(v[:i], 1<<32-1)
		method := v[skip(v, i):]
		if !ok {
			return "sequence number"
		}
		if !token(method) {
			return "no method"
		}
		p.own.cseq = sip.CSeqHeader{SeqNo: uint32(seq), MethodName: sip.RequestMethod(method)}
		p.cseq = &p.own.cseq
		p.m.AppendHeader(p.cseq)
	case hMaxForwards:
		n, ok := number(v, 255)
		if !ok {
			return "not in 0..255"
		}
		p.own.maxForwards = sip.MaxForwardsHeader(n)
		p.m.AppendHeader(&p.own.maxForwards)
	case hContentLength:
		n, ok := number(v, maxBody)
		if !ok {
			return "not in 0..65536"
		}
		if p.length >= 0 {
			if p.length != int64(n) {
				return "two that differ"
			}
			return ""
		}
		p.length = int64(n)
		p.own.contentLength = sip.ContentLengthHeader(n)
		p.m.AppendHeader(&p.own.contentLength)
	case hContentType:
		if v == "" {
			return "no media type"
		}
		p.own.contentType = sip.ContentTypeHeader(v)
		p.m.AppendHeader(&p.own.contentType)
	case hExpires:
		if _, ok := number(v, 1<<32-1); !ok {
			return "not a number of seconds"
		}
		p.m.AppendHeader(sip.NewHeader(n.full, v))
	default:
		p.m.AppendHeader(sip.NewHeader(n.full, v))
	}
	return ""
}

// after is the index of the comma that ends the value at i, or the end of s.
func after(s string, i int) int {
	quote, angle := false, false
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quote:
			i++
		case c == '"' && !angle:
			quote = !quote
		case quote:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == ',' && !angle:
			return i
		}
	}
	return len(s)
}

// list reads comma-separated values and appends each as a header of its own.
func (p *parser) list(v string, one func(v string, i int) (sip.Header, int, string)) string {
	for i := 0; ; i++ {
		h, next, what := one(v, i)
		if what != "" {
			return what
		}
		if h != nil {
			p.m.AppendHeader(h)
		}
		if i = next; i == len(v) {
			return ""
		}
		if p.count++; p.count > maxHeaders {
			return "too many values"
		}
	}
}
