package offer

import (
	"net/netip"
	"strconv"
	"strings"
)

// plan is a description of ours before it is text.
type plan struct {
	lines    []string // m= lines that are not ours, each refused with port 0; "" at our place
	at       int      // our place among them
	proto    string
	payloads []payload
	dir      direction
	mux      bool
}

// tail appends everything that follows the version number of the o= line.
func (p *plan) tail(b []byte, l *Local) []byte {
	b = appendAddr(append(b, ' '), l.RTP.Addr())
	b = append(append(b, "\r\ns="...), l.Name...)
	b = appendAddr(append(b, "\r\nc="...), l.RTP.Addr())
	b = append(b, "\r\nt=0 0\r\n"...)
	for i := range p.lines {
		if i == p.at {
			b = p.audio(b, l)
		} else {
			b = append(append(b, p.lines[i]...), "\r\n"...)
		}
	}
	return b
}

func (p *plan) audio(b []byte, l *Local) []byte {
	b = strconv.AppendUint(append(b, "m=audio "...), uint64(l.RTP.Port()), 10)
	b = append(append(b, ' '), p.proto...)
	for i := range p.payloads {
		b = strconv.AppendUint(append(b, ' '), uint64(p.payloads[i].pt), 10)
	}
	b = append(b, "\r\n"...)
	for i := range p.payloads {
		f := &p.payloads[i]
		b = strconv.AppendUint(append(b, "a=rtpmap:"...), uint64(f.pt), 10)
		b = append(append(b, ' '), f.Name...)
		b = strconv.AppendUint(append(b, '/'), uint64(f.ClockRate), 10)
		if f.Channels > 1 {
			b = strconv.AppendUint(append(b, '/'), uint64(f.Channels), 10)
		}
		b = append(b, "\r\n"...)
		if f.Fmtp != "" {
			b = strconv.AppendUint(append(b, "a=fmtp:"...), uint64(f.pt), 10)
			b = append(append(append(b, ' '), f.Fmtp...), "\r\n"...)
		}
	}
	if p.payloads[0].Linear() {
		b = append(b, "a=ptime:20\r\n"...) // RFC 3551 §4.5: what these default to; others have other packets
	}
	b = append(append(append(b, "a="...), p.dir.String()...), "\r\n"...)
	if r := l.RTCP; r.IsValid() && (r.Port() != l.RTP.Port()+1 || r.Addr() != l.RTP.Addr()) {
		b = strconv.AppendUint(append(b, "a=rtcp:"...), uint64(r.Port()), 10)
		if r.Addr() != l.RTP.Addr() {
			b = appendAddr(append(b, ' '), r.Addr())
		}
		b = append(b, "\r\n"...)
	}
	if p.mux {
		b = append(b, "a=rtcp-mux\r\n"...)
	}
	return b
}

func appendAddr(b []byte, a netip.Addr) []byte {
	if a.Is4() {
		b = append(b, "IN IP4 "...)
	} else {
		b = append(b, "IN IP6 "...)
	}
	return a.AppendTo(b)
}

// publish makes p text. RFC 3264 §8: the version of the o= line rises by one when the description differs from the last
// one sent, and stays when it does not.
func (s *Session) publish(p *plan) []byte {
	var room [1024]byte
	tail := p.tail(room[:0], &s.local)
	if s.sent != nil && string(s.sent[s.head:]) == string(tail) {
		return s.sent
	}
	s.version++
	b := make([]byte, 0, 48+len(s.local.User)+len(tail))
	b = append(append(b, "v=0\r\no="...), s.local.User...)
	b = strconv.AppendUint(append(b, ' '), s.local.SessionID, 10)
	b = strconv.AppendUint(append(b, ' '), s.version, 10)
	s.head = len(b)
	s.sent = append(b, tail...)
	return s.sent
}

// refused returns the m= lines of a phone's description with port 0 (RFC 3264 §6: "To reject an offered stream, the
// port number in the corresponding stream in the answer MUST be set to zero"), "" for the one that is ours.
func refused(streams []stream, ours int) []string {
	lines := make([]string, len(streams))
	for i := range streams {
		if i == ours {
			continue
		}
		m := &streams[i]
		formats := strings.Join(strings.Fields(m.formats), " ")
		if formats == "" {
			formats = "0"
		}
		lines[i] = "m=" + m.media + " 0 " + m.proto + " " + formats
	}
	return lines
}
