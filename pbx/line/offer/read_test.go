package offer_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/pbx/line/offer"
)

func TestRTCP(t *testing.T) {
	m := func(more ...string) []byte { return phone(append([]string{"m=audio 4000 RTP/AVP 0"}, more...)...) }
	for _, c := range []struct {
		name string
		mux  bool
		sdp  []byte
		want string
		ok   bool // mux agreed
	}{
		{"next port", true, m(), "198.51.100.7:4001", false},
		{"another port", true, m("a=rtcp:4500"), "198.51.100.7:4500", false},
		{"another address", true, m("a=rtcp:4500 IN IP4 198.51.100.8"), "198.51.100.8:4500", false},
		{"another IP version", true, m("a=rtcp:4500 IN IP6 2001:db8::7"), "198.51.100.7:4500", false},
		{"nonsense", true, m("a=rtcp:x"), "198.51.100.7:4001", false},
		{"muxed", true, m("a=rtcp-mux"), "198.51.100.7:4000", true},
		{"mux not ours", false, m("a=rtcp-mux", "a=rtcp:4001"), "198.51.100.7:4001", false},
		{"no port after the last", true, phone("m=audio 65535 RTP/AVP 0"), "invalid AddrPort", false},
	} {
		l := local()
		l.Mux = c.mux
		s := offer.New(l)
		b, err := s.Answer(c.sdp, nil)
		if err != nil {
			t.Fatal(c.name, err)
		}
		a := s.Agreement()
		if a.RemoteRTCP.String() != c.want || a.Mux != c.ok || strings.Contains(string(b), "a=rtcp-mux\r\n") != c.ok {
			t.Errorf("%s: %v, mux %v\n%s", c.name, a.RemoteRTCP, a.Mux, b)
		}
		s = offer.New(l)
		b = s.Offer(nil)
		if strings.Contains(string(b), "a=rtcp-mux\r\n") != c.mux {
			t.Errorf("%s: offer\n%s", c.name, b)
		}
		if err := s.Accept(c.sdp); err != nil {
			t.Fatal(c.name, err)
		}
		if a := s.Agreement(); a.RemoteRTCP.String() != c.want || a.Mux != c.ok {
			t.Errorf("%s, answered: %v, mux %v", c.name, a.RemoteRTCP, a.Mux)
		}
	}
	l := local()
	mustNotHave(t, offer.New(l).Offer(nil), "a=rtcp")
	l.RTCP = netip.MustParseAddrPort("192.0.2.1:20000")
	mustHave(t, offer.New(l).Offer(nil), "a=rtcp:20000")
	l.RTCP = netip.MustParseAddrPort("192.0.2.9:20001")
	mustHave(t, offer.New(l).Offer(nil), "a=rtcp:20001 IN IP4 192.0.2.9")
	l.RTCP = netip.AddrPort{}
	mustNotHave(t, offer.New(l).Offer(nil), "a=rtcp")
}

func TestPacketTime(t *testing.T) {
	for _, c := range []struct {
		attributes string
		want       time.Duration
	}{
		{"", 0},
		{"a=ptime:30", 30 * time.Millisecond},
		{"a=ptime:20.0", 20 * time.Millisecond},
		{"a=ptime:60|a=maxptime:40", 40 * time.Millisecond},
		{"a=ptime:20|a=maxptime:150", 20 * time.Millisecond},
		{"a=maxptime:10", 10 * time.Millisecond},
		{"a=maxptime:150", 0},
		{"a=ptime:-1", 0},
		{"a=ptime:99999", 0},
	} {
		s := offer.New(local())
		m := append([]string{"m=audio 4000 RTP/AVP 0"}, strings.FieldsFunc(c.attributes, func(r rune) bool { return r == '|' })...)
		if _, err := s.Answer(phone(m...), nil); err != nil {
			t.Fatal(err)
		}
		if got := s.Agreement().PTime; got != c.want {
			t.Errorf("%q: %v", c.attributes, got)
		}
	}
}

func TestAddresses(t *testing.T) {
	v6 := local()
	v6.RTP, v6.RTCP = netip.MustParseAddrPort("[2001:db8::1]:20000"), netip.MustParseAddrPort("[2001:db8::1]:20001")
	for _, c := range []struct {
		name   string
		local  offer.Local
		c      string
		status int
		remote string
	}{
		{"IPv4", local(), "IN IP4 198.51.100.7", 0, "198.51.100.7:4000"},
		{"IPv6", v6, "IN IP6 2001:db8::7", 0, "[2001:db8::7]:4000"},
		{"a zone is dropped", v6, "IN IP6 fe80::1%eth0", 0, "[fe80::1]:4000"},
		{"mapped", local(), "IN IP6 ::ffff:198.51.100.7", 0, "198.51.100.7:4000"},
		{"lower case", local(), "in ip4 198.51.100.7", 0, "198.51.100.7:4000"},
		{"more spaces", local(), " IN  IP4\t198.51.100.7 ", 0, "198.51.100.7:4000"},
		{"IPv6 to IPv4", local(), "IN IP6 2001:db8::7", 488, ""},
		{"IPv4 to IPv6", v6, "IN IP4 198.51.100.7", 488, ""},
		{"a name", local(), "IN IP4 phone.example.com", 488, ""},
		{"multicast", local(), "IN IP4 224.2.1.1/127", 488, ""},
		{"multicast without TTL", local(), "IN IP4 224.2.1.1", 488, ""},
		{"broadcast", local(), "IN IP4 255.255.255.255", 488, ""},
		{"another network", local(), "ATM NSAP 47.0091", 400, ""},
		{"nothing", local(), "", 400, ""},
		{"no address", local(), "IN IP4", 400, ""},
	} {
		text := joined("v=0", "o=- 1 1 IN IP4 host.example.com", "s=-", "t=0 0", "m=audio 4000 RTP/AVP 0", "c="+c.c)
		s := offer.New(c.local)
		b, err := s.Answer(text, nil)
		if status(err) != c.status {
			t.Errorf("%s: %v, want %d", c.name, err, c.status)
		}
		if _, peeked := offer.New(c.local).Peek(text); status(peeked) != c.status {
			t.Errorf("%s: peek %v, want %d", c.name, peeked, c.status)
		}
		if err != nil {
			continue
		}
		if got := s.Agreement().Remote.String(); got != c.remote {
			t.Errorf("%s: remote %s", c.name, got)
		}
		if c.local == v6 {
			mustHave(t, b, "c=IN IP6 2001:db8::1")
		}
	}
}

func TestMalformed(t *testing.T) {
	many := func(n int, line string) []string { return slices.Repeat([]string{line}, n) }
	for name, text := range map[string][]byte{
		"empty":              {},
		"not SDP":            []byte("INVITE sip:x SIP/2.0\r\n"),
		"version 1":          []byte(strings.Replace(string(phone("m=audio 4000 RTP/AVP 0")), "v=0", "v=1", 1)),
		"two v=":             append(phone("m=audio 4000 RTP/AVP 0"), phone("m=audio 4000 RTP/AVP 0")...),
		"no v=":              phone("m=audio 4000 RTP/AVP 0")[5:],
		"no o=":              joined("v=0", "s=-", "c=IN IP4 198.51.100.7", "t=0 0", "m=audio 4000 RTP/AVP 0"),
		"not a line":         phone("m=audio 4000 RTP/AVP 0", "what"),
		"NUL":                phone("m=audio 4000 RTP/AVP 0", "a=x\x00y"),
		"bare CR in a value": phone("m=audio 4000 RTP/AVP 18", "a=fmtp:18 annexb=no\ra=x"),
		"port is a word":     phone("m=audio x RTP/AVP 0"),
		"port too large":     phone("m=audio 65536 RTP/AVP 0"),
		"port negative":      phone("m=audio -1 RTP/AVP 0"),
		"m= cut off":         phone("m=audio 4000"),
		"too long":           phone("m=audio 4000 RTP/AVP 0", "a="+strings.Repeat("x", 16<<10)),
		"too many m=":        phone(many(33, "m=audio 4000 RTP/AVP 0")...),
		"too many formats":   phone("m=audio 4000 RTP/AVP" + strings.Repeat(" 0", 65)),
		"too many of others": phone("m=audio 4000 RTP/AVP 0", "m=video 0 RTP/AVP"+strings.Repeat(" 0", 65)),
	} {
		s := offer.New(local())
		if _, err := s.Answer(text, nil); status(err) != 400 {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Peek(text); status(err) != 400 {
			t.Errorf("%s: peek: %v", name, err)
		}
	}
	s := offer.New(local())
	if _, err := s.Answer(phone(many(32, "m=audio 4000 RTP/AVP 0")...), nil); err != nil {
		t.Error("32 m= lines:", err)
	}
}

// TestLax is what RFC 8866 forbids and phones send.
func TestLax(t *testing.T) {
	good := string(phone("m=audio 4000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000"))
	for name, text := range map[string]string{
		"LF only":               strings.ReplaceAll(good, "\r\n", "\n"),
		"CR CR LF":              strings.ReplaceAll(good, "\r\n", "\r\r\n"),
		"no final line end":     strings.TrimSpace(good),
		"empty lines":           good + "\r\n\r\n",
		"no t=":                 strings.Replace(good, "t=0 0\r\n", "", 1),
		"no s=":                 strings.Replace(good, "s=-\r\n", "", 1),
		"s= empty":              strings.Replace(good, "s=-", "s=", 1),
		"a= before t=":          strings.Replace(good, "t=0 0", "a=sendrecv\r\nt=0 0", 1),
		"unknown bandwidth":     strings.Replace(good, "t=0 0", "b=RS2:0\r\nt=0 0", 1),
		"unknown line":          strings.Replace(good, "t=0 0", "y=1\r\nt=0 0", 1),
		"blanks in the m= line": strings.Replace(good, "m=audio 4000 RTP/AVP 0 101", "m=audio  4000 RTP/AVP 0  101 ", 1),
		"number twice":          strings.Replace(good, "0 101", "0 0 101 101", 1),
		"words among numbers":   strings.Replace(good, "0 101", "0 x 300 101", 1),
		"blank in rtpmap":       strings.Replace(good, "rtpmap:101 ", "rtpmap: 101  ", 1),
		"channels":              strings.Replace(good, "event/8000", "event/8000/1", 1),
		"o= cut short":          strings.Replace(good, "o=- 1 1 IN IP4 198.51.100.7", "o=-", 1),
	} {
		s := offer.New(local())
		b, err := s.Answer([]byte(text), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		mustHave(t, b, "m=audio 20000 RTP/AVP 0 101")
		if n := len(s.Offered()); n != 2 {
			t.Errorf("%s: %d codecs", name, n)
		}
	}
}
