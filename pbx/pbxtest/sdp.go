package pbxtest

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// format is a payload type with its encoding.
type format struct {
	pt   uint8
	name string // in capitals
	rate int
}

func (f format) event() bool { return f.name == "TELEPHONE-EVENT" }

// sdp is a session description as far as a phone looks at it (RFC 8866).
type sdp struct {
	text                        string
	user, id, version, addrType string // of o=
	originAddr                  string
	conn                        string // session-level c=
	attrs                       []string
	media                       []*mline
}

// mline is an m= line and what belongs to it.
type mline struct {
	kind, proto string
	port        int
	formats     []string
	conn        string
	attrs       []string
}

var staticTypes = map[int]format{0: {0, "PCMU", 8000}, 3: {3, "GSM", 8000}, 8: {8, "PCMA", 8000}, 9: {9, "G722", 8000},
	13: {13, "CN", 8000}, 18: {18, "G729", 8000}}

// parseSDP reads a session description, and says what is wrong with it.
func parseSDP(text string) (*sdp, []string) {
	d := &sdp{text: text}
	var wrong []string
	bad := func(f string, args ...any) { wrong = append(wrong, fmt.Sprintf(f, args...)) }
	if !strings.HasSuffix(text, "\r\n") {
		bad("SDP does not end with CRLF (RFC 8866 §5)")
	}
	order := "vosiuepcbtrzka"
	at := 0
	var seen string
	for _, line := range strings.Split(strings.TrimRight(text, "\r\n"), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if len(line) < 2 || line[1] != '=' {
			bad("SDP has a bad line %q", line)
			continue
		}
		kind, value := line[0], line[2:]
		var m *mline
		if len(d.media) > 0 {
			m = d.media[len(d.media)-1]
		} else if i := strings.IndexByte(order, kind); kind != 'm' {
			if i < at {
				bad("SDP line %q is out of order (RFC 8866 §5)", line)
			}
			at = max(i, at)
			seen += string(kind)
		}
		switch kind {
		case 'v':
			if value != "0" {
				bad("SDP version is %q", value)
			}
		case 'o':
			f := strings.Fields(value)
			if len(f) != 6 || f[3] != "IN" {
				bad("SDP has a bad origin %q", value)
				continue
			}
			d.user, d.id, d.version, d.addrType, d.originAddr = f[0], f[1], f[2], f[4], f[5]
			if _, err := strconv.ParseUint(f[2], 10, 63); err != nil {
				bad("SDP origin has the version %q", f[2])
			}
		case 'c':
			f := strings.Fields(value)
			if len(f) != 3 || f[0] != "IN" {
				bad("SDP has a bad connection line %q", value)
				continue
			}
			if m != nil {
				m.conn = f[2]
			} else {
				d.conn = f[2]
			}
		case 'a':
			if m != nil {
				m.attrs = append(m.attrs, value)
			} else {
				d.attrs = append(d.attrs, value)
			}
		case 'm':
			f := strings.Fields(value)
			if len(f) < 4 {
				bad("SDP has a bad media line %q", value)
				continue
			}
			port, err := strconv.Atoi(strings.Split(f[1], "/")[0])
			if err != nil || port < 0 || port > 65535 {
				bad("SDP has a bad port in %q", value)
			}
			d.media = append(d.media, &mline{kind: f[0], port: port, proto: f[2], formats: f[3:]})
		}
	}
	for _, k := range "vost" {
		if !strings.ContainsRune(seen, k) {
			bad("SDP has no %c= line", k)
		}
	}
	for _, m := range d.media {
		if m.conn == "" && d.conn == "" {
			bad("SDP has no connection line for %s", m.kind)
		}
		for _, f := range m.formats {
			if n, err := strconv.Atoi(f); err == nil && n >= 96 && strings.HasPrefix(m.proto, "RTP/") && m.port > 0 && m.attr("rtpmap:"+f) == "" {
				bad("SDP has no rtpmap for the payload type %s", f)
			}
		}
	}
	return d, wrong
}

// attr is the value of the first attribute that starts so; "" if there is none.
func (m *mline) attr(prefix string) string {
	for _, a := range m.attrs {
		if rest, ok := strings.CutPrefix(a, prefix); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// audio is the first audio line, nil if there is none.
func (d *sdp) audio() *mline {
	for _, m := range d.media {
		if m.kind == "audio" {
			return m
		}
	}
	return nil
}

func (d *sdp) direction(m *mline) string {
	for _, attrs := range [][]string{m.attrs, d.attrs} {
		for _, a := range attrs {
			switch a {
			case "sendrecv", "sendonly", "recvonly", "inactive":
				return a
			}
		}
	}
	return "sendrecv"
}

// address is where the line wants its RTP; invalid for a rejected line or an address of 0.
func (d *sdp) address(m *mline) netip.AddrPort {
	c := m.conn
	if c == "" {
		c = d.conn
	}
	a, err := netip.ParseAddr(c)
	if err != nil || a.IsUnspecified() || m.port == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a, uint16(m.port))
}

// rtcp is where the line wants its RTCP (RFC 3605).
func (d *sdp) rtcp(m *mline) netip.AddrPort {
	a := d.address(m)
	if !a.IsValid() {
		return a
	}
	port := a.Port() + 1
	if f := strings.Fields(m.attr("rtcp:")); len(f) > 0 {
		if n, err := strconv.ParseUint(f[0], 10, 16); err == nil {
			port = uint16(n)
		}
		if len(f) == 4 {
			if addr, err := netip.ParseAddr(f[3]); err == nil {
				return netip.AddrPortFrom(addr, port)
			}
		}
	}
	return netip.AddrPortFrom(a.Addr(), port)
}

// list are the formats of the line in order.
func (m *mline) list() []format {
	var all []format
	for _, s := range m.formats {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 || n > 127 {
			continue
		}
		f := staticTypes[n]
		f.pt = uint8(n)
		if v := m.attr("rtpmap:" + s); v != "" {
			name, rate, _ := strings.Cut(v, "/")
			rate, _, _ = strings.Cut(rate, "/")
			f.name = strings.ToUpper(name)
			f.rate, _ = strconv.Atoi(rate)
		}
		all = append(all, f)
	}
	return all
}

// reverse is a direction seen from the other side.
func reverse(d string) string {
	switch d {
	case "sendonly":
		return "recvonly"
	case "recvonly":
		return "sendonly"
	}
	return d
}

// both is what remains of two directions of the same side.
func both(a, b string) string {
	send := (a == "sendrecv" || a == "sendonly") && (b == "sendrecv" || b == "sendonly")
	recv := (a == "sendrecv" || a == "recvonly") && (b == "sendrecv" || b == "recvonly")
	switch {
	case send && recv:
		return "sendrecv"
	case send:
		return "sendonly"
	case recv:
		return "recvonly"
	}
	return "inactive"
}
