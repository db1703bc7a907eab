package offer

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"ringback/media"
)

// What a description may hold. A phone's has some 20 lines; these bounds are far above any and keep the work small.
const (
	maxText    = 16 << 10
	maxStreams = 32
	maxFormats = 64
)

// direction is what the describer does: sends, receives (RFC 8866 §6.7).
type direction uint8

const (
	inactive direction = 0
	sendonly direction = 1
	recvonly direction = 2
	sendrecv           = sendonly | recvonly
	unsaid   direction = 4
)

func (d direction) String() string {
	return [...]string{"inactive", "sendonly", "recvonly", "sendrecv"}[d&sendrecv]
}

// reverse is the same seen from the other end.
func (d direction) reverse() direction { return d&sendonly<<1 | d&recvonly>>1 }

func parseDirection(s string) (direction, bool) {
	switch s {
	case "sendrecv":
		return sendrecv, true
	case "sendonly":
		return sendonly, true
	case "recvonly":
		return recvonly, true
	case "inactive":
		return inactive, true
	}
	return unsaid, false
}

// connection is a c= line: an address, or why there is none that we can use.
type connection struct {
	addr netip.Addr // 0.0.0.0 and :: are a hold (RFC 3264 §8.4)
	said bool
	err  *Error
}

// description is what we read of the other end's SDP. Its strings are parts of text.
type description struct {
	text    string
	conn    connection
	dir     direction
	streams []stream
}

// stream is one m= section. Attributes are read only of those that can be ours (usable).
type stream struct {
	media, proto, formats string // as written
	port                  uint16
	usable                bool // plain RTP audio with a port
	conn                  connection
	dir                   direction
	payloads              []payload // usable only; without a name: a number that nothing explains
	rtcpPort              uint16    // a=rtcp, 0 if not said
	rtcpAddr              netip.Addr
	mux                   bool
	ptime, maxptime       time.Duration
}

// read reads a description, as loosely as phones write it: LF line ends, no line end at the end, s= and t= missing,
// attributes before t=, unknown lines. Errors have status 400.
//
// It is our own because pion/sdp refuses all of these, and every m=image line (T.38), which must be answered with port
// 0; the tests use pion/sdp as a second reader that shares nothing with this one.
func read(b []byte) (*description, *Error) {
	if len(b) > maxText {
		return nil, &Error{400, "SDP longer than 16 KiB"}
	}
	d := &description{text: string(b), dir: sendrecv}
	rest, origin := d.text, false
	var m *stream
	for n := 0; rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		line = strings.TrimRight(line, "\r")
		if line == "" {
			continue
		}
		if len(line) < 2 || line[1] != '=' || line[0] < 'a' || line[0] > 'z' || !printable(line) {
			return nil, &Error{400, "malformed SDP line"}
		}
		value := line[2:]
		if n++; (n == 1) != (line[0] == 'v') {
			return nil, &Error{400, "SDP does not begin with one v= line"}
		}
		switch line[0] {
		case 'v':
			if strings.TrimSpace(value) != "0" {
				return nil, &Error{400, "SDP version is not 0"}
			}
		case 'o':
			origin = true
		case 'c':
			if m == nil && !d.conn.said {
				d.conn = readConnection(value)
			} else if m != nil && !m.conn.said {
				m.conn = readConnection(value)
			}
		case 'm':
			if len(d.streams) == maxStreams {
				return nil, &Error{400, "more than 32 m= lines"}
			}
			s, err := readMedia(value)
			if err != nil {
				return nil, err
			}
			if d.streams == nil {
				d.streams = make([]stream, 0, 2)
			}
			d.streams = append(d.streams, s)
			m = &d.streams[len(d.streams)-1]
		case 'a':
			if m == nil {
				if dir, ok := parseDirection(strings.TrimSpace(value)); ok {
					d.dir = dir
				}
			} else if m.usable {
				m.attribute(value)
			}
		}
	}
	if !origin {
		return nil, &Error{400, "SDP has no o= line"}
	}
	return d, nil
}

// printable refuses control characters: fmtp goes on to other phones verbatim, and some end a line at a bare CR.
func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// word cuts the first word off s.
func word(s string) (first, rest string) {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for i := 0; i < len(s); i++ {
		if s[i] == ' ' || s[i] == '\t' {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// readConnection reads "IN IP4 192.0.2.1". A zone index means nothing to us and is dropped. A host name is refused and
// never looked up: phones write addresses, and a lookup would wait. Only a name under .invalid is known: it stands for
// "no address" where that would be an IPv6 one (RFC 6157).
func readConnection(s string) connection {
	net, s := word(s)
	kind, s := word(s)
	host, _ := word(s)
	c := connection{said: true}
	if !strings.EqualFold(net, "IN") || host == "" || !strings.EqualFold(kind, "IP4") && !strings.EqualFold(kind, "IP6") {
		c.err = &Error{400, "malformed c= line"}
		return c
	}
	plain, _, multicast := strings.Cut(host, "/")
	addr, err := netip.ParseAddr(plain)
	addr = addr.Unmap().WithZone("")
	switch {
	case err != nil && strings.HasSuffix(strings.ToLower(host), ".invalid"):
		c.addr = netip.IPv4Unspecified()
	case err != nil:
		c.err = &Error{488, "the address of the c= line is a name"}
	case multicast || addr.IsMulticast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		c.err = &Error{488, "the address of the c= line is not unicast"}
	default:
		c.addr = addr
	}
	return c
}

// readMedia reads "audio 49170/2 RTP/AVP 0 8 101".
func readMedia(value string) (stream, *Error) {
	s := stream{dir: unsaid}
	kind, rest := word(value)
	port, rest := word(rest)
	proto, rest := word(rest)
	port, _, _ = strings.Cut(port, "/")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || proto == "" {
		return s, &Error{400, "malformed m= line"}
	}
	s.media, s.port, s.proto, s.formats = kind, uint16(n), proto, strings.TrimSpace(rest)
	s.usable = strings.EqualFold(kind, "audio") && n != 0 && plainRTP(proto)
	count := 1 + strings.Count(s.formats, " ") + strings.Count(s.formats, "\t")
	if count > maxFormats {
		return s, &Error{400, "more than 64 formats in an m= line"}
	}
	if !s.usable {
		return s, nil
	}
	s.payloads = make([]payload, 0, count)
	for rest = s.formats; rest != ""; {
		var f string
		f, rest = word(rest)
		pt, err := strconv.ParseUint(f, 10, 7)
		if err != nil || s.payload(f) != nil {
			continue
		}
		p := payload{pt: uint8(pt)}
		if int(pt) < len(static) {
			p.Codec = static[pt]
		}
		s.payloads = append(s.payloads, p)
	}
	return s, nil
}

// plainRTP reports whether we can speak a profile: RTP without encryption. RTP/AVPF (RFC 4585) is RTP/AVP plus
// permission to report earlier, which nobody has to use, so it is answered in kind.
func plainRTP(proto string) bool { return profile(proto) != "" }

func profile(proto string) string {
	switch proto {
	case "RTP/AVP":
		return "RTP/AVP"
	case "RTP/AVPF":
		return "RTP/AVPF"
	}
	return ""
}

// payload finds the entry of a payload number as written in an attribute.
func (s *stream) payload(number string) *payload {
	pt, err := strconv.ParseUint(number, 10, 7)
	if err != nil {
		return nil
	}
	for i := range s.payloads {
		if s.payloads[i].pt == uint8(pt) {
			return &s.payloads[i]
		}
	}
	return nil
}

// attribute reads an a= line. What is malformed in one is left out, like what is unknown (RFC 8866 §5.13).
func (s *stream) attribute(line string) {
	name, value, _ := strings.Cut(line, ":")
	switch name {
	case "rtpmap":
		number, value := word(value)
		if p := s.payload(number); p != nil {
			readMap(p, value)
		}
	case "fmtp":
		number, value := word(value)
		if p := s.payload(number); p != nil {
			p.Fmtp = strings.TrimSpace(value)
		}
	case "ptime":
		s.ptime = milliseconds(value)
	case "maxptime":
		s.maxptime = milliseconds(value)
	case "rtcp": // RFC 3605 §2.1
		port, value := word(value)
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			s.rtcpPort = uint16(n)
			if c := readConnection(value); c.err == nil {
				s.rtcpAddr = c.addr
			}
		}
	case "rtcp-mux":
		s.mux = true
	default:
		if dir, ok := parseDirection(strings.TrimSpace(name)); ok {
			s.dir = dir
		}
	}
}

// readMap reads "opus/48000/2" (RFC 8866 §6.6) into p.
func readMap(p *payload, value string) {
	value, _ = word(value)
	name, rest, _ := strings.Cut(value, "/")
	rate, channels, _ := strings.Cut(rest, "/")
	hz, err := strconv.ParseUint(rate, 10, 32)
	if name == "" || err != nil || hz == 0 {
		return
	}
	if p.pt == 9 && strings.EqualFold(name, "G722") {
		hz = 8000 // RFC 3551 §4.5.2: some phones write the true rate, 16000
	}
	p.Name, p.ClockRate, p.Channels = name, uint32(hz), 1
	if channels != "" {
		if n, err := strconv.ParseUint(channels, 10, 8); err == nil && n > 0 {
			p.Channels = uint8(n)
		}
	}
}

// milliseconds reads a packet time, which some write as "20.0"; 0 for what makes no sense.
func milliseconds(s string) time.Duration {
	s, _, _ = strings.Cut(strings.TrimSpace(s), ".")
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n > 1000 {
		return 0
	}
	return time.Duration(n) * time.Millisecond
}

// codecs are the payloads that have a name, copied out of the text they were read from.
func (s *stream) codecs() []media.Codec {
	list := make([]media.Codec, 0, len(s.payloads))
	for i := range s.payloads {
		if s.payloads[i].Name != "" {
			list = append(list, keep(s.payloads[i].Codec))
		}
	}
	return list
}

// keep makes c independent of the SDP text it was cut from, so that a leg does not hold on to that for its life.
func keep(c media.Codec) media.Codec {
	c.Name, c.Fmtp = intern(c.Name), intern(c.Fmtp)
	return c
}

func intern(s string) string {
	switch s {
	case "":
		return ""
	case "PCMU":
		return "PCMU"
	case "PCMA":
		return "PCMA"
	case "G722":
		return "G722"
	case "telephone-event":
		return "telephone-event"
	case "0-15":
		return "0-15"
	case "0-16":
		return "0-16"
	}
	return strings.Clone(s)
}

// hears reports whether any voice codec is known here.
func (s *stream) hears() bool {
	for i := range s.payloads {
		if sound(s.payloads[i].Codec) {
			return true
		}
	}
	return false
}
