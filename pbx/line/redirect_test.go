package line

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/wire"
)

func TestRedirectionsOfAPhone(t *testing.T) {
	play(t, func(s *scene) {
		for _, tc := range []struct {
			contacts string
			want     []pbx.Redirection
		}{
			{"", nil},
			{"*", nil},
			{"<sip:1002@pbx.test>", []pbx.Redirection{{Number: "1002", Host: "pbx.test", Local: true, URI: "sip:1002@pbx.test", Q: 1000}}},
			{"sip:1002@192.0.2.1:5060;q=0.5", []pbx.Redirection{{Number: "1002", Host: "192.0.2.1", Local: true, URI: "sip:1002@192.0.2.1:5060", Q: 500}}},
			{"<sip:*72%231002;x=y@PBX.Test.;transport=tcp>", []pbx.Redirection{
				{Number: "*72#1002", Host: "PBX.Test.", Local: true, URI: "sip:*72%231002;x=y@PBX.Test.;transport=tcp", Q: 1000}}},
			{"<sip:1002@realm.test>, <sip:1003@198.51.100.7>", []pbx.Redirection{
				{Number: "1002", Host: "realm.test", Local: true, URI: "sip:1002@realm.test", Q: 1000},
				{Number: "1003", Host: "198.51.100.7", Local: true, URI: "sip:1003@198.51.100.7", Q: 1000}}}, // the advertised address
			{"<sip:1002@192.0.2.1:5070>, <sip:1002@other.example>, <sip:1002@192.0.2.20>", []pbx.Redirection{
				{Number: "1002", Host: "192.0.2.1", URI: "sip:1002@192.0.2.1:5070", Q: 1000},
				{Number: "1002", Host: "other.example", URI: "sip:1002@other.example", Q: 1000},
				{Number: "1002", Host: "192.0.2.20", URI: "sip:1002@192.0.2.20", Q: 1000}}},
			{"<tel:+49-30-1002>;q=0.9, <tel:1003;phone-context=pbx.test>;q=0.8, <tel:1004;phone-context=other.example>;q=0.7", []pbx.Redirection{
				{Number: "+49301002", Local: true, URI: "tel:+49-30-1002", Q: 900},
				{Number: "1003", Host: "pbx.test", Local: true, URI: "tel:1003;phone-context=pbx.test", Q: 800},
				{Number: "1004", Host: "other.example", URI: "tel:1004;phone-context=other.example", Q: 700}}},
			{"<sip:1@x>;q=0.1, <sip:2@x>;q=1.000, <sip:3@x>;q=.9, <sip:4@x>, <sip:5@x>;q=high, <sip:6@x>;q=0.10", []pbx.Redirection{
				{Number: "2", Host: "x", URI: "sip:2@x", Q: 1000}, {Number: "4", Host: "x", URI: "sip:4@x", Q: 1000},
				{Number: "3", Host: "x", URI: "sip:3@x", Q: 900}, {Number: "1", Host: "x", URI: "sip:1@x", Q: 100},
				{Number: "6", Host: "x", URI: "sip:6@x", Q: 100}, {Number: "5", Host: "x", URI: "sip:5@x"}}},
			{"<sip:1002@pbx.test;method=MESSAGE?Replaces=a%3Bto-tag%3Db&Subject=x>", []pbx.Redirection{
				{Number: "1002", Host: "pbx.test", Local: true, URI: "sip:1002@pbx.test", Q: 1000}}},
			{"<mailto:a@x>, <sip:pbx.test>", []pbx.Redirection{
				{URI: "mailto:a@x", Q: 1000}, {Host: "pbx.test", Local: true, URI: "sip:pbx.test", Q: 1000}}},
			{"<sip:a@@b>;q=1, <sip:1002@pbx.test>;q=0.3", []pbx.Redirection{{Number: "1002", Host: "pbx.test", Local: true, URI: "sip:1002@pbx.test", Q: 300}}},
			{"<sip:;x@pbx.test>, <tel:-->, <sip:" + strings.Repeat("1", 600) + "@pbx.test>, <sip:1002@pbx.test>", []pbx.Redirection{
				{Number: "1002", Host: "pbx.test", Local: true, URI: "sip:1002@pbx.test", Q: 1000}}},
		} {
			b := s.phone("1001", fmt.Sprintf("192.0.2.%d", 100+s.ids))
			d := s.dial(s.bind(b))
			inv := b.expect("INVITE")
			if tc.contacts == "" {
				tc.contacts = "<sip:gone@x>;expires=1\nX: 1"
				tc.want = []pbx.Redirection{{Number: "gone", Host: "x", URI: "sip:gone@x", Q: 1000}}
			}
			b.respond(inv, "302 Moved Temporarily", "b1", "", "Contact: "+tc.contacts)
			_, o := d.result()
			if o.Kind != pbx.Redirected || o.Status != 302 || !slices.Equal(o.Contacts, tc.want) {
				t.Errorf("%s: %+v\n%+v\nwant\n%+v", tc.contacts, o, o.Contacts, tc.want)
			}
			b.expect("ACK")
		}
	}, func(o *Options) {
		o.Realm = "realm.test"
		o.Advertise = func(netip.Addr) netip.Addr { return netip.MustParseAddr("198.51.100.7") }
	})
}

func TestRedirectionKeepsTenContactsBestFirst(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		var all []string
		for i := range 25 {
			all = append(all, fmt.Sprintf("<sip:%d@x>;q=0.%02d", i, i))
		}
		b.respond(b.expect("INVITE"), "300 Multiple Choices", "b1", "", "Contact: "+strings.Join(all, ", "))
		_, o := d.result()
		if len(o.Contacts) != 10 || o.Contacts[0].Number != "24" || o.Contacts[9].Number != "15" {
			t.Errorf("%+v", o.Contacts)
		}
		b.expect("ACK")
	})
}

func TestRedirectionForTheCallerIsPassedOn(t *testing.T) {
	for _, tc := range []struct {
		name string
		o    pbx.Outcome
		want string
		to   []string
	}{
		{"a phone's", pbx.Outcome{Kind: pbx.Redirected, Status: 301, ToCaller: true, Contacts: []pbx.Redirection{
			{URI: "sip:1002@other.example;transport=tcp", Q: 1000}, {URI: "mailto:a@b", Q: 700}, {URI: "sip:a@b?Replaces=x", Q: 50}}},
			"SIP/2.0 301 Moved Permanently", []string{"<sip:1002@other.example;transport=tcp>", "<mailto:a@b>;q=0.700", "<sip:a@b>;q=0.050"}},
		{"our own", pbx.Outcome{Kind: pbx.Redirected, Status: 302, ToCaller: true, Contacts: []pbx.Redirection{{Number: "*7#@x", Local: true, Q: 1000}}},
			"SIP/2.0 302 Moved Temporarily", []string{"<sip:*7%23%40x@pbx.test>"}},
		{"no status", pbx.Outcome{Kind: pbx.Redirected, ToCaller: true, Contacts: []pbx.Redirection{{Number: "1002", Local: true, Q: 1000}}},
			"SIP/2.0 302 Moved Temporarily", []string{"<sip:1002@pbx.test>"}},
		{"some that are nonsense", pbx.Outcome{Kind: pbx.Redirected, Status: 302, ToCaller: true, Contacts: []pbx.Redirection{
			{}, {URI: "sip:a>@b\r\nX: 1"}, {URI: "no uri"}, {Number: "1002", Q: 1000}}}, "SIP/2.0 302", []string{"<sip:1002@pbx.test>"}},
		{"all nonsense", pbx.Outcome{Kind: pbx.Redirected, Status: 302, ToCaller: true, Contacts: []pbx.Redirection{{URI: "x"}}}, "SIP/2.0 480", nil},
		{"nowhere", pbx.Outcome{Kind: pbx.Redirected, Status: 302, ToCaller: true}, "SIP/2.0 480", nil},
		{"not for him", pbx.Outcome{Kind: pbx.Redirected, Status: 302, Contacts: []pbx.Redirection{{Number: "1002"}}}, "SIP/2.0 480", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			play(t, func(s *scene) {
				a := s.phone("1000", "192.0.2.10")
				c := a.invite("1001", sdp(a, 4000, "0"))
				synctest.Wait()
				s.x.legs[0].Refuse(tc.o)
				m := c.take(a.expect(tc.want))
				if got := headerLines(m, "Contact"); !slices.Equal(got, tc.to) {
					t.Errorf("Contact %q, want %q", got, tc.to)
				}
			})
		})
	}
}

// FuzzRedirection: whatever Contacts a phone sends, what is made of them is bounded, ordered, and goes to a caller in one line each.
func FuzzRedirection(f *testing.F) {
	for _, s := range []string{"<sip:1@x>;q=0.2, sip:2@y", "*", "<tel:+1-2;phone-context=x>", "<sip:%00%0d%0aX@x?a=b>", `"a, b" <sips:[::1]:5061>`} {
		f.Add(s)
	}
	l := New(Options{Send: nowhere{}, Domain: "pbx.test", Realm: "realm.test"})
	f.Cleanup(l.Close)
	hop := wire.Hop{Transport: "udp", Remote: netip.MustParseAddrPort("192.0.2.20:5060"), Local: netip.MustParseAddrPort("192.0.2.1:5060")}
	f.Fuzz(func(t *testing.T, contacts string) {
		m, bad := wire.Parse([]byte("SIP/2.0 302 Moved\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n"+
			"Call-ID: 1\r\nCSeq: 1 INVITE\r\nContact: "+contacts+"\r\nContent-Length: 0\r\n\r\n"), hop)
		res, ok := m.(*sip.Response)
		if bad != nil || !ok {
			return
		}
		to := l.redirections(res, hop)
		if len(to) > maxContacts || !slices.IsSortedFunc(to, func(a, b pbx.Redirection) int { return b.Q - a.Q }) {
			t.Fatalf("%+v", to)
		}
		for _, r := range to {
			for _, s := range []string{r.Number, r.Host, r.URI} {
				if len(s) > maxText || strings.ContainsAny(s, "\r\n\x00") {
					t.Fatalf("%+v", r)
				}
			}
			if r.Q < 0 || r.Q > 1000 || r.URI == "" || r.Local && r.Number == "" && r.Host == "" {
				t.Fatalf("%+v", r)
			}
		}
		again := sip.NewResponse(302, "Moved")
		for _, h := range l.redirects(to, hop) {
			again.AppendHeader(h)
			if strings.ContainsAny(h.Value(), "\r\n") {
				t.Fatalf("%q", h.Value())
			}
		}
	})
}

// nowhere is a network that takes everything.
type nowhere struct{}

func (nowhere) Send(wire.Hop, []byte) error { return nil }
