package wire

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Append serialises m at the end of b. Content-Length is always written, last, and right, whatever the message says.
// A CR or LF inside a value becomes a space: nothing that came as a value can go out as a header.
func Append(b []byte, m sip.Message) []byte {
	var hs []sip.Header
	switch m := m.(type) {
	case *sip.Request:
		hs = m.Headers()
		b = append(b, m.Method...)
		b = append(b, ' ')
		b = appendURI(b, &m.Recipient)
		b = append(b, " SIP/2.0\r\n"...)
	case *sip.Response:
		hs = m.Headers()
		b = append(b, "SIP/2.0 "...)
		b = strconv.AppendInt(b, int64(m.StatusCode), 10)
		b = append(b, ' ')
		b = appendText(b, m.Reason)
		b = append(b, "\r\n"...)
	}
	for _, h := range hs {
		if _, ok := h.(*sip.ContentLengthHeader); ok {
			continue
		}
		b = AppendHeader(b, h)
	}
	b = append(b, "Content-Length: "...)
	body := m.Body()
	b = strconv.AppendInt(b, int64(len(body)), 10)
	b = append(b, "\r\n\r\n"...)
	return append(b, body...)
}

// AppendHeader serialises one header with its CRLF.
func AppendHeader(b []byte, h sip.Header) []byte {
	switch h := h.(type) {
	case *sip.ViaHeader:
		b = append(b, "Via: "...)
		b = appendVia(b, h)
	case *sip.FromHeader:
		b = append(b, "From: "...)
		b = appendAddress(b, h.DisplayName, &h.Address, h.Params)
	case *sip.ToHeader:
		b = append(b, "To: "...)
		b = appendAddress(b, h.DisplayName, &h.Address, h.Params)
	case *sip.ContactHeader:
		b = append(b, "Contact: "...)
		if h.Address.Wildcard {
			b = append(b, '*')
			break
		}
		b = appendAddress(b, h.DisplayName, &h.Address, h.Params)
	case *sip.ReferredByHeader:
		b = append(b, "Referred-By: "...)
		b = appendAddress(b, h.DisplayName, &h.Address, h.Params)
	case *sip.RouteHeader:
		b = append(b, "Route: "...)
		b = appendAddress(b, "", &h.Address, nil)
	case *sip.RecordRouteHeader:
		b = append(b, "Record-Route: "...)
		b = appendAddress(b, "", &h.Address, nil)
	case *sip.ReferToHeader:
		b = append(b, "Refer-To: "...)
		b = appendAddress(b, "", &h.Address, nil)
	case *sip.CallIDHeader:
		b = append(b, "Call-ID: "...)
		b = appendText(b, string(*h))
	case *sip.CSeqHeader:
		b = append(b, "CSeq: "...)
		b = strconv.AppendUint(b, uint64(h.SeqNo), 10)
		b = append(b, ' ')
		b = append(b, h.MethodName...)
	case *sip.MaxForwardsHeader:
		b = append(b, "Max-Forwards: "...)
		b = strconv.AppendUint(b, uint64(*h), 10)
	case *sip.ContentTypeHeader:
		b = append(b, "Content-Type: "...)
		b = appendText(b, string(*h))
	case *sip.ContentLengthHeader:
		b = append(b, "Content-Length: "...)
		b = strconv.AppendUint(b, uint64(*h), 10)
	default:
		b = appendText(b, h.Name())
		b = append(b, ": "...)
		b = appendText(b, h.Value())
	}
	return append(b, "\r\n"...)
}

func appendText(b []byte, s string) []byte {
	if strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\r') < 0 {
		return append(b, s...)
	}
	for i := range len(s) {
		c := s[i]
		if c == '\r' || c == '\n' {
			c = ' '
		}
		b = append(b, c)
	}
	return b
}

func appendAddress(b []byte, display string, u *sip.Uri, ps sip.HeaderParams) []byte {
	if display != "" {
		b = append(b, '"')
		b = appendDisplay(b, display)
		b = append(b, "\" "...)
	}
	b = append(b, '<')
	b = appendURI(b, u)
	b = append(b, '>')
	return appendParams(b, ps)
}

// appendDisplay writes a display name between quotes. Escapes that came with it stay; a bare quote would end it.
func appendDisplay(b []byte, s string) []byte {
	if strings.IndexByte(s, '"') < 0 && strings.IndexByte(s, '\\') < 0 {
		return appendText(b, s)
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && s[i+1] != '\r' && s[i+1] != '\n':
			b = append(b, c, s[i+1])
			i++
		case c == '\\' || c == '"':
			b = append(b, '\\', c)
		case c == '\r' || c == '\n':
			b = append(b, ' ')
		default:
			b = append(b, c)
		}
	}
	return b
}

func appendParams(b []byte, ps sip.HeaderParams) []byte {
	for _, p := range ps {
		b = append(b, ';')
		b = appendText(b, p.K)
		if p.V != "" {
			b = append(b, '=')
			if p.V[0] != '"' && strings.ContainsAny(p.V, " \t;,") {
				b = append(b, '"')
				b = appendDisplay(b, p.V)
				b = append(b, '"')
			} else {
				b = appendText(b, p.V)
			}
		}
	}
	return b
}

func appendURI(b []byte, u *sip.Uri) []byte {
	if raw := u.Raw(); raw != "" {
		b = appendText(b, u.Scheme)
		b = append(b, ':')
		return appendText(b, raw)
	}
	if u.Scheme == "" {
		b = append(b, "sip:"...)
	} else {
		b = append(b, u.Scheme...)
		b = append(b, ':')
	}
	if u.User != "" {
		b = appendText(b, u.User)
		if u.Password != "" {
			b = append(b, ':')
			b = appendText(b, u.Password)
		}
		b = append(b, '@')
	}
	b = appendHost(b, u.Host)
	if u.Port > 0 {
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(u.Port), 10)
	}
	for _, p := range u.UriParams { // never quoted
		b = append(b, ';')
		b = appendText(b, p.K)
		if p.V != "" {
			b = append(b, '=')
			b = appendText(b, p.V)
		}
	}
	for i, p := range u.Headers {
		b = append(b, "?&"[min(i, 1)])
		b = appendText(b, p.K)
		b = append(b, '=')
		b = appendText(b, p.V)
	}
	return b
}

// appendHost puts brackets around an IPv6 address that has none.
func appendHost(b []byte, host string) []byte {
	if strings.IndexByte(host, ':') < 0 || host[0] == '[' {
		return appendText(b, host)
	}
	b = append(b, '[')
	b = appendText(b, host)
	return append(b, ']')
}

func appendVia(b []byte, v *sip.ViaHeader) []byte {
	b = appendText(b, v.ProtocolName)
	b = append(b, '/')
	b = appendText(b, v.ProtocolVersion)
	b = append(b, '/')
	b = appendText(b, v.Transport)
	b = append(b, ' ')
	b = appendHost(b, v.Host)
	if v.Port > 0 {
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(v.Port), 10)
	}
	return appendParams(b, v.Params)
}
