package offer_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ringback/media"
	"ringback/pbx/line/offer"
)

// TestPhones answers what phones of several makes offer, and the SDP of RFC 5118. Every file has its row.
func TestPhones(t *testing.T) {
	wish := []media.Codec{media.PCMA, media.PCMU}
	g726 := media.Codec{Name: "G726-32", ClockRate: 8000, Channels: 1}
	tested := map[string]bool{}
	for _, c := range []struct {
		phone  string
		prefer []media.Codec
		want   []string // m= lines of the answer; nil: refused with 488
		remote string
		send   bool
	}{
		{"yealink-t46", wish, []string{"m=audio 20000 RTP/AVP 8 101"}, "192.168.1.20:11782", true},
		{"yealink-t46", nil, []string{"m=audio 20000 RTP/AVP 0 101"}, "192.168.1.20:11782", true},
		{"grandstream-gxp2170", nil, []string{"m=audio 20000 RTP/AVP 9 101"}, "192.168.1.31:5004", true},
		{"grandstream-gxp2170", []media.Codec{opus}, []string{"m=audio 20000 RTP/AVP 123 101"}, "192.168.1.31:5004", true},
		{"cisco-7962", wish, []string{"m=audio 20000 RTP/AVP 8 101"}, "192.168.1.40:24580", true},
		{"cisco-7962", []media.Codec{ilbc}, []string{"m=audio 20000 RTP/AVP 116 101"}, "192.168.1.40:24580", true},
		{"cisco-spa504-hold", wish, []string{"m=audio 20000 RTP/AVP 0 101"}, "invalid AddrPort", false},
		{"snom-d725-srtp-optional", wish, []string{"m=audio 0 RTP/SAVP 9 8 0 99 3 18 101", "m=audio 20000 RTP/AVP 8 101"}, "192.168.1.50:51006", true},
		{"linphone-desktop", wish, []string{"m=audio 20000 RTP/AVPF 8 100", "m=video 0 RTP/AVPF 96"}, "192.168.1.60:7078", true},
		{"linphone-desktop", []media.Codec{opus}, []string{"m=audio 20000 RTP/AVPF 96 101", "m=video 0 RTP/AVPF 96"}, "192.168.1.60:7078", true},
		{"baresip", wish, []string{"m=audio 20000 RTP/AVP 8 101", "m=video 0 RTP/AVP 0"}, "127.0.0.1:34058", true},
		{"sipp-uac", wish, []string{"m=audio 20000 RTP/AVP 0"}, "127.0.0.1:6000", true},
		{"browser", nil, nil, "", false},
		{"polycom-vvx", wish, []string{"m=audio 20000 RTP/AVP 8 127", "m=video 0 RTP/AVP 109 34"}, "192.168.1.70:2236", true},
		{"gateway-fax-switch", wish, nil, "", false},
		{"fritzbox", []media.Codec{{Name: "PCMA", ClockRate: 16000}}, []string{"m=audio 20000 RTP/AVP 120 101"}, "192.168.1.1:7080", true},
		{"old-phone-lf-only", []media.Codec{media.G722}, []string{"m=audio 20000 RTP/AVP 9 101"}, "10.0.0.9:4000", true},
		{"rfc5118-mult-ip-in-sdp", wish, []string{"m=audio 20000 RTP/AVP 0", "m=video 0 RTP/AVP 107"}, "192.0.2.1:22334", true},
		{"rfc5118-ipv4-mapped-ipv6", []media.Codec{g726}, []string{"m=audio 20000 RTP/AVP 2", "m=video 0 RTP/AVP 107"}, "192.0.2.2:6000", true},
		{"rfc5118-ipv6-in-sdp", []media.Codec{g726}, []string{"m=audio 20000 RTP/AVP 2", "m=video 0 RTP/AVP 107"}, "[2001:db8::20]:6000", true},
		{"rfc5118-ipv6-in-sdp", wish, nil, "", false},
		{"ipv6-softphone", wish, []string{"m=audio 20000 RTP/AVP 0 101"}, "[2001:db8::7]:4000", true},
	} {
		tested[c.phone] = true
		l := local()
		if strings.Contains(c.remote, "[") {
			l.RTP, l.RTCP = netip.MustParseAddrPort("[2001:db8::1]:20000"), netip.MustParseAddrPort("[2001:db8::1]:20001")
		}
		s := offer.New(l)
		b, err := s.Answer(fromPhone(t, c.phone), c.prefer)
		if c.want == nil {
			if status(err) != 488 {
				t.Errorf("%s: %v, want 488\n%s", c.phone, err, b)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.phone, err)
			continue
		}
		if got := mLines(b); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.phone, got, c.want)
		}
		a := s.Agreement()
		if a.Remote.String() != c.remote || a.Send != c.send {
			t.Errorf("%s: remote %v, send %v", c.phone, a.Remote, a.Send)
		}
	}
	files, err := filepath.Glob("testdata/phones/*.sdp")
	if err != nil || len(files) != len(tested) {
		t.Errorf("%d files, %d tested: %v", len(files), len(tested), err)
	}
}

func fromPhone(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "phones", name+".sdp"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPhonesFaxSwitch: a gateway that wants to go over to T.38 is refused, and the call stays as it is.
func TestPhonesFaxSwitch(t *testing.T) {
	s := offer.New(local())
	first, err := s.Answer(fromPhone(t, "cisco-7962"), nil)
	if err != nil {
		t.Fatal(err)
	}
	before := s.Agreement()
	if _, err := s.Answer(fromPhone(t, "gateway-fax-switch"), nil); status(err) != 488 {
		t.Error(err)
	}
	if s.Pending() != offer.Idle || s.Agreement().Remote != before.Remote || string(s.Repeat()) != string(first) {
		t.Error("a refused re-offer changed something")
	}
}
