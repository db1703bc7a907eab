package line

import (
	"net/netip"
	"testing"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

func TestOurAddressTowardsAPhone(t *testing.T) {
	ap := netip.MustParseAddrPort
	outside := netip.MustParseAddr("203.0.113.9")
	for _, tc := range []struct {
		name    string
		hop     wire.Hop
		options Options
		contact string
	}{
		{"the listener", wire.Hop{Transport: "udp", Remote: ap("192.0.2.9:5060"), Local: ap("192.0.2.1:5060")}, Options{}, "<sip:ringback@192.0.2.1>"},
		{"another port", wire.Hop{Transport: "udp", Remote: ap("192.0.2.9:5060"), Local: ap("192.0.2.1:5560")}, Options{}, "<sip:ringback@192.0.2.1:5560>"},
		{"TCP", wire.Hop{Transport: "tcp", Remote: ap("192.0.2.9:5060"), Local: ap("192.0.2.1:5060")}, Options{}, "<sip:ringback@192.0.2.1;transport=tcp>"},
		{"TLS", wire.Hop{Transport: "tls", Remote: ap("192.0.2.9:5060"), Local: ap("192.0.2.1:5061")}, Options{}, "<sip:ringback@192.0.2.1;transport=tls>"},
		{"IPv6", wire.Hop{Transport: "udp", Remote: ap("[2001:db8::9]:5060"), Local: ap("[2001:db8::1]:5070")}, Options{}, "<sip:ringback@[2001:db8::1]:5070>"},
		{"advertised", wire.Hop{Transport: "udp", Remote: ap("198.51.100.9:5060"), Local: ap("192.0.2.1:5060")},
			Options{Advertise: func(netip.Addr) netip.Addr { return outside }}, "<sip:ringback@203.0.113.9>"},
		{"no listener named", wire.Hop{Transport: "udp", Remote: ap("192.0.2.9:5060")},
			Options{Locals: func(string) []netip.AddrPort { return []netip.AddrPort{ap("[::1]:5060"), ap("192.0.2.1:5062")} }}, "<sip:ringback@192.0.2.1:5062>"},
		{"unspecified listener", wire.Hop{Transport: "udp", Remote: ap("127.0.0.9:5060"), Local: ap("0.0.0.0:5060")}, Options{}, "<sip:ringback@127.0.0.1>"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := New(tc.options)
			defer l.Close()
			for range 2 { // worked out, then remembered
				if got := l.contact(tc.hop); got != tc.contact {
					t.Errorf("got %s, want %s", got, tc.contact)
				}
			}
		})
	}
}

func TestWhereRequestsOfADialogGo(t *testing.T) {
	heard := wire.Hop{Transport: "udp", Remote: netip.MustParseAddrPort("192.0.2.9:40000"), Local: netip.MustParseAddrPort("192.0.2.1:5060")}
	for uri, want := range map[string]string{
		"sip:x@192.0.2.9:5070":  "192.0.2.9:5070",  // no NAT: the Contact
		"sip:x@192.0.2.9":       "192.0.2.9:5060",  // … with the default port
		"sip:x@10.0.0.9:5070":   "192.0.2.9:40000", // NAT: where it is heard
		"sip:x@phone.test:5070": "192.0.2.9:40000",
		"sip:x@198.51.100.66":   "192.0.2.9:40000", // nobody can turn us against a third party
	} {
		var u sip.Uri
		if err := sip.ParseUri(uri, &u); err != nil {
			t.Fatal(err)
		}
		if got := reach(&u, heard).Remote.String(); got != want {
			t.Errorf("%s goes to %s, want %s", uri, got, want)
		}
	}
}
