package wire

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// message builds a request from its start line and headers; "X" stands for what every request needs.
func message(start string, headers ...string) []byte {
	base := []string{"Via: SIP/2.0/UDP 198.51.100.7:5061;branch=z9hG4bK1;rport", "From: <sip:a@x>;tag=1", "To: <sip:b@x>", "Call-ID: c", "CSeq: 1 OPTIONS", "Content-Length: 0"}
	s := start + "\r\n"
	for _, b := range base {
		name, _, _ := strings.Cut(b, ":")
		replaced := false
		for _, h := range headers {
			replaced = replaced || strings.HasPrefix(h, "!"+name)
		}
		if !replaced {
			s += b + "\r\n"
		}
	}
	for _, h := range headers {
		if h = strings.TrimPrefix(h, "!"); strings.Contains(h, ":") {
			s += h + "\r\n"
		}
	}
	return []byte(s + "\r\n")
}

const options = "OPTIONS sip:b@x SIP/2.0"

func TestMalformed(t *testing.T) {
	for _, c := range []struct {
		name, start string
		headers     []string
		code        int // 0: passes
	}{
		{"good", options, nil, 0},
		{"version in lower case", "OPTIONS sip:b@x sip/2.0", nil, 0},
		{"version 3.0", "OPTIONS sip:b@x SIP/3.0", nil, 505},
		{"no method", " sip:b@x SIP/2.0", nil, 400},
		{"method is not a token", "OPT(IONS sip:b@x SIP/2.0", nil, 400},
		{"endless method", strings.Repeat("A", 65) + " sip:b@x SIP/2.0", []string{"!CSeq: 1 " + strings.Repeat("A", 65)}, 400},
		{"methods are case-sensitive", "options sip:b@x SIP/2.0", nil, 400}, // CSeq says OPTIONS
		{"a method in lower case is another", "options sip:b@x SIP/2.0", []string{"!CSeq: 1 options"}, 0},
		{"long Request-URI", "OPTIONS sip:" + strings.Repeat("b", 1100) + "@x SIP/2.0", nil, 414},
		{"tel", "OPTIONS tel:+4930123456 SIP/2.0", nil, 0},
		{"unknown scheme", "OPTIONS nobodyKnows:opaque SIP/2.0", nil, 0},
		{"scheme in capitals", "OPTIONS SIPS:b@x SIP/2.0", nil, 0},
		{"no scheme", "OPTIONS b SIP/2.0", nil, 400},
		{"bare IPv6", "OPTIONS sip:2001:db8::10 SIP/2.0", nil, 400},
		{"IPv6", "OPTIONS sip:[2001:db8::10]:5070;lr SIP/2.0", nil, 0},
		{"port 0", "OPTIONS sip:x:0 SIP/2.0", nil, 400},
		{"port 65536", "OPTIONS sip:x:65536 SIP/2.0", nil, 400},
		{"port that wraps", "OPTIONS sip:x:18446744073709551621 SIP/2.0", nil, 400},
		{"two @", "OPTIONS sip:a@b@c SIP/2.0", nil, 400},
		{"bad escape", "OPTIONS sip:a%zz@c SIP/2.0", nil, 400},
		{"escaped NUL", "OPTIONS sip:a%00@c SIP/2.0", nil, 0},
		{"cut escape", "OPTIONS sip:x%4 SIP/2.0", nil, 400},
		{"no host", "OPTIONS sip:a@ SIP/2.0", nil, 400},

		{"no Via", options, []string{"!Via"}, -1}, // nobody to answer to
		{"no From", options, []string{"!From"}, 400},
		{"no To", options, []string{"!To"}, 400},
		{"no Call-ID", options, []string{"!Call-ID"}, 400},
		{"no CSeq", options, []string{"!CSeq"}, 400},
		{"no Max-Forwards", options, nil, 0}, // RFC 2543
		{"two To", options, []string{"t: <sip:b@x>"}, 400},
		{"two From", options, []string{"FROM: <sip:b@x>"}, 400},
		{"two Call-ID", options, []string{"i: c"}, 400},
		{"two CSeq", options, []string{"cseq : 1 OPTIONS"}, 400},
		{"two Expires", options, []string{"Expires: 1", "expires: 1"}, 400},
		{"two Contact", options, []string{"m: <sip:a@y>", "Contact: <sip:b@y>"}, 0},
		{"two equal Content-Length", options, []string{"l: 0"}, 0},
		{"two Content-Length", options, []string{"l: 1"}, 400},

		{"CSeq 2^32-1", options, []string{"!CSeq: 4294967295 OPTIONS"}, 0},
		{"CSeq 2^32", options, []string{"!CSeq: 4294967296 OPTIONS"}, 400},
		{"CSeq negative", options, []string{"!CSeq: -1 OPTIONS"}, 400},
		{"CSeq of another method", options, []string{"!CSeq: 1 INVITE"}, 400},
		{"CSeq without method", options, []string{"!CSeq: 1"}, 400},
		{"Max-Forwards 255", options, []string{"Max-Forwards: 255"}, 0},
		{"Max-Forwards 256", options, []string{"Max-Forwards: 256"}, 400},
		{"Max-Forwards empty", options, []string{"Max-Forwards:"}, 400},
		{"Expires 2^32", options, []string{"Expires: 4294967296"}, 400},
		{"Expires a date", options, []string{"Expires: Thu, 01 Dec 2022"}, 400},
		{"Content-Length 2^32+32", options, []string{"!Content-Length: 4294967328"}, 400},
		{"Content-Length 65537", options, []string{"!Content-Length: 65537"}, 400},
		{"Content-Length beyond", options, []string{"!Content-Length: 1"}, 400},
		{"Content-Length +0", options, []string{"!Content-Length: +0"}, 400},
		{"empty Content-Type", options, []string{"c:"}, 400},

		{"no colon", options, []string{"!Via", "Via: SIP/2.0/UDP x;branch=z9hG4bK1\r\nX-Foo"}, 400},
		{"space in the name", options, []string{"X Foo: 1"}, 400},
		{"empty name", options, []string{": 1"}, 400},
		{"long name", options, []string{strings.Repeat("X", 129) + ": 1"}, 400},
		{"long value", options, []string{"X: " + strings.Repeat("x", 9000)}, 400},
		{"long folded value", options, []string{"X: " + strings.Repeat("x\r\n ", 4500)}, 400},
		{"200 headers", options, []string{strings.Repeat("Z: 1\r\n", 193) + "Y: 1"}, 0},
		{"too many headers", options, []string{strings.Repeat("Z: 1\r\n", 200) + "Y: 1"}, 400},
		{"too many values", options, []string{"Contact: " + strings.Repeat("<sip:a@x>,", 250) + "<sip:a@x>"}, 400},
		{"too many parameters", options, []string{"Contact: <sip:a@x>" + strings.Repeat(";a=1", 40)}, 400},
		{"long Call-ID", options, []string{"!Call-ID: " + strings.Repeat("x", 257)}, 400},
		{"Call-ID with space", options, []string{"!Call-ID: a b"}, 400},
		{"long tag", options, []string{"!From: <sip:a@x>;tag=" + strings.Repeat("x", 800)}, 400},
		{"two tags", options, []string{"!From: <sip:a@x>;tag=1;tag=2"}, 400},
		{"two branches", options, []string{"!Via: SIP/2.0/UDP x;branch=z9hG4bK1;branch=z9hG4bK2"}, 400},
		{"NUL", options, []string{"X: a\x00b"}, 400},
		{"bare LF", options, []string{"X: a\nY: b"}, 400},
		{"bare CR", options, []string{"X: a\rY: b"}, 400},
		{"ESC in a display name", options, []string{"!To: \"\x1b[31m\" <sip:b@x>"}, 400},
		{"quoted-pair of a control", options, []string{"!To: \"\\\x1b\" <sip:b@x>"}, 0},
		{"UTF-8", options, []string{"!To: \"Jörg\" <sip:b@x>"}, 0},
		{"Latin-1", options, []string{"!To: \"J\xf6rg\" <sip:b@x>"}, 0},

		{"Via without transport", options, []string{"!Via: SIP/2.0 x;branch=z9hG4bK1"}, 400},
		{"Via without host", options, []string{"!Via: SIP/2.0/UDP ;branch=z9hG4bK1"}, 400},
		{"Via port 70000", options, []string{"!Via: SIP/2.0/UDP x:70000;branch=z9hG4bK1"}, 400},
		{"Via with bare IPv6", options, []string{"!Via: SIP/2.0/UDP 2001:db8::1;branch=z9hG4bK1"}, 400},
		{"Via with empty branch", options, []string{"!Via: SIP/2.0/UDP x;branch="}, 400},
		{"From without >", options, []string{"!From: <sip:a@x;tag=1"}, 400},
		{"From with two URIs", options, []string{"!From: <sip:a@x>, <sip:b@x>;tag=1"}, 400},
		{"From *", options, []string{"!From: *;tag=1"}, 400},
		{"Contact *", options, []string{"Contact: *"}, 0},
		{"Contact with * and more", options, []string{"Contact: *, <sip:a@x>"}, 400},
		{"Refer-To", options, []string{"Refer-To: <sip:c@x?Replaces=1%3Bto-tag%3D2>"}, 0},
		{"Refer-To without URI", options, []string{"Refer-To: "}, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, bad := Parse(message(c.start, c.headers...), fromUDP)
			switch {
			case c.code == 0:
				if bad != nil {
					t.Errorf("%d %s", bad.Code, bad.What)
				}
			case bad == nil:
				t.Errorf("passes: %v", m)
			case c.code < 0:
				if bad.Reply != nil {
					t.Errorf("answered: %q", bad.Reply)
				}
			default:
				if bad.Code != c.code || !strings.HasPrefix(string(bad.Reply), fmt.Sprintf("SIP/2.0 %d ", c.code)) {
					t.Errorf("%d %s: %q", bad.Code, bad.What, bad.Reply)
				}
				if len(bad.Reply) > 0 && !strings.HasSuffix(string(bad.Reply), "\r\nContent-Length: 0\r\n\r\n") {
					t.Errorf("%q", bad.Reply)
				}
			}
		})
	}
}

func TestSilence(t *testing.T) {
	for name, b := range map[string]string{
		"malformed response": "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x\r\nTo\r\n\r\n",
		"status code 700":    string(message("SIP/2.0 700 X")),
		"status code 99":     string(message("SIP/2.0 99 X")),
		"status code 2000":   string(message("SIP/2.0 2000 X")),
		"malformed ACK":      string(message("ACK sip:a b SIP/2.0", "!CSeq: 1 ACK")),
		"HTTP":               "GET / HTTP/1.1\r\nVia: 1.1 x\r\nHost: x\r\n\r\n",
		"noise":              "\x7f\x45\x4c\x46 hello\r\n\r\n",
		"nothing":            "",
		"one line":           "OPTIONS sip:b@x SIP/2.0",
	} {
		if m, bad := Parse([]byte(b), fromUDP); m != nil || bad.Reply != nil {
			t.Errorf("%s: %v, %q", name, m, bad.Reply)
		}
		if m, bad := Parse([]byte(b), fromTCP); m != nil || bad.Reply != nil {
			t.Errorf("%s: %v, %q", name, m, bad.Reply)
		}
	}
}

func TestMalformedReply(t *testing.T) {
	_, bad := Parse(message("OPTIONS sip:b x SIP/2.0", "Via: SIP/2.0/TCP second.example;branch=z9hG4bK0"), fromUDP)
	want := "SIP/2.0 400 Bad Request (Request-URI: character in URI)\r\n" +
		"Via: SIP/2.0/UDP 198.51.100.7:5061;branch=z9hG4bK1;rport=5061;received=198.51.100.7\r\n" +
		"Via: SIP/2.0/TCP second.example;branch=z9hG4bK0\r\n" +
		"From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag="
	rest, ok := strings.CutPrefix(string(bad.Reply), want)
	if !ok || !strings.HasSuffix(rest, "\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n") {
		t.Errorf("%q", bad.Reply)
	}
	if _, again := Parse(message("OPTIONS sip:b x SIP/2.0", "Via: SIP/2.0/TCP second.example;branch=z9hG4bK0"), fromUDP); string(again.Reply) != string(bad.Reply) {
		t.Error("the retransmission is answered otherwise (§8.2.7)")
	}
	if m, b := Parse(bad.Reply, fromUDP); b != nil || m.(*sip.Response).StatusCode != 400 {
		t.Errorf("the reply itself: %v", b)
	}
}

// What a header says is found whatever its spelling (SECURITY: header smuggling by "X-Foo :").
func TestCanonicalNames(t *testing.T) {
	m, bad := Parse(message("REFER sip:b@x SIP/2.0", "!CSeq: 1 REFER", "x : 1800;refresher=uac", "p-asserted-identity \t: <sip:a@x>", "k: timer",
		"X-fOO: 1", "o:presence", "b: <sip:z@x>;k=v", "r: sip:c@x", "EVENT-x: 2", "m: <sip:1@x>, \"a, b\" <sip:2@x> ; Q=0.5,sip:3@x;expires=3"), fromUDP)
	if bad != nil {
		t.Fatal(bad.What)
	}
	for name, value := range map[string]string{
		"Session-Expires": "1800;refresher=uac", "P-Asserted-Identity": "<sip:a@x>", "Supported": "timer", "X-fOO": "1", "Event": "presence",
	} {
		if h := Find(m, name); h == nil || h.Value() != value {
			t.Errorf("%s: %v", name, h)
		}
	}
	req := m.(*sip.Request)
	contacts := req.GetHeaders("Contact")
	if len(contacts) != 3 || req.ReferTo() == nil || req.ReferredBy() == nil {
		t.Fatalf("%d Contacts, %v, %v", len(contacts), req.ReferTo(), req.ReferredBy())
	}
	second, third := contacts[1].(*sip.ContactHeader), contacts[2].(*sip.ContactHeader)
	if q, _ := second.Params.Get("q"); second.DisplayName != "a, b" || q != "0.5" || third.Address.User != "3" || third.Params.GetOr("expires", "") != "3" {
		t.Errorf("%v %v", second, third)
	}
}

// A refusal is one even if its Contact is malformed; of a list of them those that can be read are kept. In what makes a
// dialog Contact has to be right.
func TestTooManyContactsOfARefusal(t *testing.T) {
	contacts := "Contact: <sip:1@x>" + strings.Repeat(", <sip:2@x>", 500)
	for _, status := range []string{"302 Moved", "603 Decline"} {
		m, bad := Parse(message("SIP/2.0 "+status, contacts, contacts, "Retry-After: 5"), fromUDP)
		if bad != nil {
			t.Fatalf("%s: %s", status, bad.What)
		}
		res := m.(*sip.Response)
		if n := len(res.GetHeaders("Contact")); n < 50 || n > maxHeaders || res.GetHeader("Retry-After") == nil {
			t.Errorf("%s: %d contacts, Retry-After %v", status, n, res.GetHeader("Retry-After"))
		}
	}
	if _, bad := Parse(message("SIP/2.0 200 OK", contacts), fromUDP); bad == nil {
		t.Error("200 OK with 501 contacts is taken")
	}
}

func TestMalformedContactOfARefusal(t *testing.T) {
	for contact, want := range map[string]string{
		"<sip:1@x>":                                 "sip:1@x",
		"<sip:1@x>;q=0.1, <sip:a@@b>, <sip:2@x>":    "sip:1@x sip:2@x",
		`"a, \", <b>" <nothing>;x="1,2", <sip:2@x>`: "sip:2@x",
		"<sip:1,2@x y>, sip:a?b=c, <sip:3@x>":       "sip:3@x",
		"<sip:1@x":                                  "",
		`"unterminated <sip:1@x>, <sip:2@x>`:        "",
		"<sip:1@x>,":                                "sip:1@x",
		"":                                          "",
		", ,<>,<sip:1@x>, <sip:1000000000000@x:99999>, <sip:2@x>": "sip:1@x sip:2@x",
	} {
		for _, status := range []string{"302 Moved", "486 Busy", "200 OK", "180 Ringing"} {
			m, bad := Parse(message("SIP/2.0 "+status, "Contact: "+contact), fromUDP)
			if status[0] < '3' {
				if (bad == nil) != (contact == "<sip:1@x>") {
					t.Errorf("%s %s: %v", status, contact, bad)
				}
				continue
			}
			if bad != nil {
				t.Errorf("%s %s: %s", status, contact, bad.What)
				continue
			}
			var got []string
			for _, h := range m.(*sip.Response).GetHeaders("Contact") {
				got = append(got, h.(*sip.ContactHeader).Address.String())
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s %s: %q, want %q", status, contact, got, want)
			}
		}
	}
}

// What Append writes, Parse reads as the same.
func TestAppendRoundTrip(t *testing.T) {
	for _, b := range [][]byte{
		invite,
		message(options, "!From: \"a \\\"q\\\" b\" <sips:u:p@[2001:db8::1]:5070;transport=tls;lr?x=y&z=>;tag=1;q=\"a b\"", "Contact: *"),
		message(options, "!Via: SIP/2.0/TLS [2001:db8::2]:5062;branch=z9hG4bKx;alias, SIP/2.0/UDP h;branch=z9hG4bKy", "Route: <sip:p;lr>,<sip:q;lr>",
			"Contact: <sip:a@x>;+sip.instance=\"<urn:uuid:1>\";expires=60", "Record-Route: <sip:r;lr>"),
		message("OPTIONS tel:+1-2;phone-context=x SIP/2.0", "!To: <tel:+1>"),
		message("SIP/2.0 180 Ringing, still", "RSeq: 1"),
	} {
		m, bad := Parse(b, fromUDP)
		if bad != nil {
			t.Fatal(bad.What)
		}
		once := Append(nil, m)
		m, bad = Parse(once, fromUDP)
		if bad != nil {
			t.Fatalf("%s: %q", bad.What, once)
		}
		if twice := Append(nil, m); string(twice) != string(once) {
			t.Errorf("%q\n%q", once, twice)
		}
	}
}

// A value with line breaks cannot become a header.
func TestAppendInjection(t *testing.T) {
	req := sip.NewRequest(sip.OPTIONS, sip.Uri{Scheme: "sip", User: "a\r\nX: 1", Host: "h\nX: 1"})
	req.AppendHeader(&sip.FromHeader{DisplayName: "a\" <sip:evil@x>\r\nX: 1\\", Address: sip.Uri{Host: "x"}, Params: sip.HeaderParams{{K: "tag\r\nX", V: "1\r\nX: 1"}}})
	req.AppendHeader(sip.NewHeader("Subject\r\nX", "s\r\nX: 1"))
	b := string(Append(nil, req))
	if strings.Count(b, "\n") != 5 || strings.Contains(b, "\nX") || !strings.Contains(b, `"a\" <sip:evil@x>`) {
		t.Errorf("%q", b)
	}
}

func TestStamp(t *testing.T) {
	from := netip.MustParseAddrPort("[::ffff:203.0.113.5]:1024")
	for via, want := range map[string]string{
		"SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bK1;rport":                             ";branch=z9hG4bK1;rport=1024;received=203.0.113.5",
		"SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bK1":                                   ";branch=z9hG4bK1;received=203.0.113.5",
		"SIP/2.0/UDP 203.0.113.5:1024;branch=z9hG4bK1":                                ";branch=z9hG4bK1",
		"SIP/2.0/UDP 203.0.113.5:1024;branch=z9hG4bK1;rport":                          ";branch=z9hG4bK1;rport=1024;received=203.0.113.5",
		"SIP/2.0/UDP phone.example;branch=z9hG4bK1":                                   ";branch=z9hG4bK1;received=203.0.113.5",
		"SIP/2.0/UDP 10.0.0.1;received=198.51.100.99;branch=z9hG4bK1;rport=9":         ";branch=z9hG4bK1;rport=1024;received=203.0.113.5",
		"SIP/2.0/UDP [::ffff:203.0.113.5];branch=z9hG4bK1;received=[2001:db8::9:255]": ";branch=z9hG4bK1",
	} {
		hop := Hop{Transport: "udp", Remote: unmap(from)}
		m, bad := Parse(message(options, "!Via: "+via), hop)
		if bad != nil {
			t.Fatal(bad.What)
		}
		got := m.Via().Value()
		if !strings.HasSuffix(got, want) || strings.Count(got, ";") != strings.Count(want, ";") {
			t.Errorf("%s became %s, want %s", via, got, want)
		}
	}
}

func TestResponseHop(t *testing.T) {
	for _, c := range []struct {
		via  string
		from Hop
		want string
	}{
		{"SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bK1;rport", fromUDP, "198.51.100.7:5061"},
		{"SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bK1", fromUDP, "198.51.100.7:5062"},
		{"SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1", fromUDP, "198.51.100.7:5060"},
		{"SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;maddr=224.0.0.1", fromUDP, "198.51.100.7:5060"},
		{"SIP/2.0/TCP 10.0.0.1:5062;branch=z9hG4bK1;rport", fromTCP, "198.51.100.7:5062"}, // if the connection is gone
		{"SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1", Hop{Transport: "tls", Remote: fromTCP.Remote, Conn: 3}, "198.51.100.7:5061"},
	} {
		m, bad := Parse(message(options, "!Via: "+c.via), c.from)
		if bad != nil {
			t.Fatal(bad.What)
		}
		hop := ResponseHop(m.Via(), c.from)
		if hop.Remote.String() != c.want || hop.Conn != c.from.Conn || hop.Local != c.from.Local || hop.Transport != c.from.Transport {
			t.Errorf("%s: %v, want %s", c.via, hop, c.want)
		}
	}
}

func TestFrame(t *testing.T) {
	whole := string(message(options, "!Content-Length", "L : 5")) + "12345"
	for i := range len(whole) {
		if n, bad := Frame([]byte(whole[:i])); n != 0 || bad != "" {
			t.Fatalf("%d bytes of %d: %d %s", i, len(whole), n, bad)
		}
	}
	if n, bad := Frame([]byte(whole + "OPTIONS")); n != len(whole) || bad != "" {
		t.Errorf("%d %s", n, bad)
	}
	for _, l := range []string{"-1", "4294967328", "65537", "", "x", "1 2", "99999999999999999999999999"} {
		if _, bad := Frame(message(options, "!Content-Length: "+l)); bad == "" {
			t.Errorf("Content-Length %q", l)
		}
	}
	if _, bad := Frame([]byte(strings.Repeat("X: 1\r\n", 10000))); bad == "" {
		t.Error("endless headers")
	}
}
