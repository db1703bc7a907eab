package offer_test

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringback/media"
	"ringback/pbx/line/offer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	opus = media.Codec{Name: "opus", ClockRate: 48000, Channels: 2, Fmtp: "useinbandfec=1"}
	g729 = media.Codec{Name: "G729", ClockRate: 8000, Channels: 1}
	ilbc = media.Codec{Name: "iLBC", ClockRate: 8000, Channels: 1}
)

func local() offer.Local {
	return offer.Local{
		RTP: netip.MustParseAddrPort("192.0.2.1:20000"), RTCP: netip.MustParseAddrPort("192.0.2.1:20001"),
		SessionID: 4711, Name: "Ringback",
	}
}

// joined puts lines together as a phone would.
func joined(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n") }

// phone is a plain description with those lines from m= on.
func phone(lines ...string) []byte {
	return joined(append([]string{"v=0", "o=- 1 1 IN IP4 198.51.100.7", "s=-", "c=IN IP4 198.51.100.7", "t=0 0"}, lines...)...)
}

func status(err error) int {
	if err == nil {
		return 0
	}
	var e *offer.Error
	if !errors.As(err, &e) {
		return -1
	}
	return e.Status
}

func lines(b []byte) []string { return strings.Split(strings.TrimSuffix(string(b), "\r\n"), "\r\n") }

func mustHave(t *testing.T, b []byte, want ...string) {
	t.Helper()
	for _, w := range want {
		if !slices.Contains(lines(b), w) {
			t.Errorf("no line %q in\n%s", w, b)
		}
	}
}

func mustNotHave(t *testing.T, b []byte, part string) {
	t.Helper()
	if strings.Contains(string(b), part) {
		t.Errorf("%q in\n%s", part, b)
	}
}

func TestFirstOffer(t *testing.T) {
	s := offer.New(local())
	got := s.Offer([]media.Codec{media.PCMA, opus, g729})
	want := joined("v=0", "o=- 4711 1 IN IP4 192.0.2.1", "s=Ringback", "c=IN IP4 192.0.2.1", "t=0 0",
		"m=audio 20000 RTP/AVP 8 96 18 101 97", "a=rtpmap:8 PCMA/8000", "a=rtpmap:96 opus/48000/2",
		"a=fmtp:96 useinbandfec=1", "a=rtpmap:18 G729/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16",
		"a=rtpmap:97 telephone-event/48000", "a=fmtp:97 0-16", "a=ptime:20", "a=sendrecv")
	if string(got) != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if s.Pending() != offer.Sent {
		t.Error("state", s.Pending())
	}
	if string(s.Repeat()) != string(got) {
		t.Error("an offer that waits is what Repeat repeats")
	}
	if s.Offer(nil) != nil || s.Refresh() != nil {
		t.Error("a second offer while the first waits")
	}
}

func TestAnswerToOurOffer(t *testing.T) {
	s := offer.New(local())
	s.Offer([]media.Codec{media.PCMU, media.PCMA, opus})
	err := s.Accept(phone("m=audio 4000 RTP/AVP 8 111 0 110 96", "a=rtpmap:111 OPUS/48000/2", "a=fmtp:111 maxplaybackrate=16000",
		"a=rtpmap:110 telephone-event/8000", "a=rtpmap:96 AMR/8000", "a=ptime:30"))
	if err != nil {
		t.Fatal(err)
	}
	want := media.Agreement{
		Remote:     netip.MustParseAddrPort("198.51.100.7:4000"),
		RemoteRTCP: netip.MustParseAddrPort("198.51.100.7:4001"),
		Send:       true, Recv: true, PTime: 30 * time.Millisecond,
		Formats: []media.Format{
			{Codec: media.PCMA, SendPT: 8, RecvPT: 8},
			{Codec: media.Codec{Name: "OPUS", ClockRate: 48000, Channels: 2, Fmtp: "maxplaybackrate=16000"}, SendPT: 111, RecvPT: 96},
			{Codec: media.PCMU, SendPT: 0, RecvPT: 0},
			{Codec: media.Codec{Name: "telephone-event", ClockRate: 8000, Channels: 1}, SendPT: 110, RecvPT: 101},
		},
	}
	if got := s.Agreement(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if n := len(s.Offered()); n != 5 {
		t.Error("offered", s.Offered())
	}
	if s.Pending() != offer.Idle || s.Held() {
		t.Error("state", s.Pending(), s.Held())
	}
}

// TestBareNumbers: some phones answer with the offer's dynamic numbers and leave their rtpmap out.
func TestBareNumbers(t *testing.T) {
	s := offer.New(local())
	s.Offer([]media.Codec{media.PCMU})
	if err := s.Accept(phone("m=audio 4000 RTP/AVP 0 101")); err != nil {
		t.Fatal(err)
	}
	if f := s.Agreement().Formats; len(f) != 2 || !f[1].IsEvent() || f[1].SendPT != 101 {
		t.Errorf("%+v", f)
	}
}

func TestRefusedAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer []byte
		status int
	}{
		"port 0":          {phone("m=audio 0 RTP/AVP 0"), 488},
		"no m=":           {phone(), 488},
		"other codec":     {phone("m=audio 4000 RTP/AVP 18"), 488},
		"only keys":       {phone("m=audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"), 488},
		"video instead":   {phone("m=video 4000 RTP/AVP 31"), 488},
		"encrypted":       {phone("m=audio 4000 RTP/SAVP 0"), 488},
		"no address":      {joined("v=0", "o=- 1 1 IN IP4 1.2.3.4", "s=-", "t=0 0", "m=audio 4000 RTP/AVP 0"), 400},
		"not a word true": {[]byte("hello"), 400},
	} {
		s := offer.New(local())
		s.Offer([]media.Codec{media.PCMU})
		if err := s.Accept(c.answer); status(err) != c.status {
			t.Errorf("%s: %v, want %d", name, err, c.status)
		}
		if s.Pending() != offer.Sent {
			t.Errorf("%s: %v: the offer does not wait any more", name, s.Pending())
		}
		if err := s.Accept(phone("m=audio 4000 RTP/AVP 0")); err != nil {
			t.Errorf("%s: and then a good one: %v", name, err)
		}
	}
}

// TestFurtherAnswer: a 183 and a 200 of two branches both answer the INVITE (RFC 3261 §13.2.2.4).
func TestFurtherAnswer(t *testing.T) {
	s := offer.New(local())
	s.Offer(nil)
	for _, port := range []string{"4000", "5000"} {
		if err := s.Accept(phone("m=audio " + port + " RTP/AVP 0")); err != nil {
			t.Fatal(err)
		}
		if got := s.Agreement().Remote.String(); got != "198.51.100.7:"+port {
			t.Error(got)
		}
	}
	if _, err := s.Answer(phone("m=audio 4000 RTP/AVP 0"), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Accept(phone("m=audio 4000 RTP/AVP 0")); status(err) != 500 {
		t.Error("an answer to nothing:", err)
	}
}

func TestChoice(t *testing.T) {
	line := "m=audio 4000 RTP/AVP 9 8 18 96 97 101"
	maps := []string{"a=rtpmap:96 opus/48000/2", "a=fmtp:96 minptime=10", "a=rtpmap:97 iLBC/8000", "a=fmtp:97 mode=20",
		"a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15"}
	for _, c := range []struct {
		name   string
		m      string
		prefer []media.Codec
		want   string // m= line
		also   string // another line that must be there
		status int
	}{
		{"first wish", line, []media.Codec{media.PCMU, media.PCMA, media.G722}, "m=audio 20000 RTP/AVP 8 101", "a=fmtp:101 0-15", 0},
		{"wishes before the phone's order", line, []media.Codec{g729, media.G722}, "m=audio 20000 RTP/AVP 18 101", "", 0},
		{"no wish: the phone's order", line, nil, "m=audio 20000 RTP/AVP 9 101", "", 0},
		{"transcoded", line, []media.Codec{media.PCMU}, "m=audio 20000 RTP/AVP 8 101", "", 0},
		{"shared before transcoded", line, []media.Codec{media.PCMU, g729}, "m=audio 20000 RTP/AVP 18 101", "", 0},
		{"keys at another rate stay out", line, []media.Codec{opus}, "m=audio 20000 RTP/AVP 96", "a=fmtp:96 useinbandfec=1", 0},
		{"parameters of the offer", line, []media.Codec{ilbc}, "m=audio 20000 RTP/AVP 97 101", "a=fmtp:97 mode=20", 0},
		{"nothing shared", line, []media.Codec{{Name: "speex", ClockRate: 16000}}, "", "", 488},
		{"keys are not a voice", line, []media.Codec{media.Telephone}, "", "", 488},
		{"an empty wish is no wish", line, []media.Codec{}, "", "", 488},
		{"same name, other rate", "m=audio 4000 RTP/AVP 99", []media.Codec{opus}, "", "", 488},
		{"nothing among the defaults", "m=audio 4000 RTP/AVP 18 3", nil, "", "", 488},
		{"only keys and noise", "m=audio 4000 RTP/AVP 101 13", nil, "", "", 488},
		{"number with no meaning", "m=audio 4000 RTP/AVP 77", nil, "", "", 488},
		{"port 0", "m=audio 0 RTP/AVP 0", nil, "", "", 488},
		{"feedback profile answered in kind", "m=audio 4000 RTP/AVPF 0", nil, "m=audio 20000 RTP/AVPF 0", "", 0},
		{"encrypted", "m=audio 4000 RTP/SAVP 0", nil, "", "", 488},
		{"comfort noise left out", "m=audio 4000 RTP/AVP 0 13", []media.Codec{media.PCMU, {Name: "CN", ClockRate: 8000}}, "m=audio 20000 RTP/AVP 0", "", 0},
		{"T.38 only", "m=image 4000 udptl t38", nil, "", "", 488},
	} {
		s := offer.New(local())
		b, err := s.Answer(phone(append([]string{c.m}, maps...)...), c.prefer)
		if status(err) != c.status {
			t.Errorf("%s: %v, want %d", c.name, err, c.status)
		}
		if err != nil {
			if s.Pending() != offer.Idle {
				t.Errorf("%s: %v", c.name, s.Pending())
			}
			continue
		}
		mustHave(t, b, c.want)
		if c.also != "" {
			mustHave(t, b, c.also)
		}
	}
}

// TestSameCodecTwice: AMR in two packings is told apart by its parameters.
func TestSameCodecTwice(t *testing.T) {
	amr := media.Codec{Name: "AMR", ClockRate: 8000, Channels: 1, Fmtp: "octet-align=1"}
	s := offer.New(local())
	b, err := s.Answer(phone("m=audio 4000 RTP/AVP 96 97", "a=rtpmap:96 AMR/8000", "a=rtpmap:97 AMR/8000", "a=fmtp:97 octet-align=1"),
		[]media.Codec{amr})
	if err != nil {
		t.Fatal(err)
	}
	mustHave(t, b, "m=audio 20000 RTP/AVP 97", "a=fmtp:97 octet-align=1")
}

func TestKeysOffered(t *testing.T) {
	for fmtp, want := range map[string]string{
		"": "0-15", "0-15": "0-15", "0-16": "0-16", "0-11,16": "0-11,16", "0-255": "0-16", "1,2,3,5": "1-3,5", "events=0-9": "0-9",
		"70-79": "0-15", "nonsense": "0-15", " 0-9, 11 ": "0-9,11", "9-0": "0-15", "300": "0-15",
	} {
		m := []string{"m=audio 4000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000"}
		if fmtp != "" {
			m = append(m, "a=fmtp:101 "+fmtp)
		}
		b, err := offer.New(local()).Answer(phone(m...), nil)
		if err != nil {
			t.Fatal(err)
		}
		mustHave(t, b, "a=fmtp:101 "+want)
	}
}

func TestLinesKeepTheirPlaces(t *testing.T) {
	s := offer.New(local())
	b, err := s.Answer(phone("m=image 6000 udptl t38", "a=T38FaxVersion:0", "m=audio 4002 RTP/SAVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x",
		"m=audio 4000 RTP/AVP 0", "m=audio 4004 RTP/AVP 8", "m=video 5000/2 RTP/AVP 31  96", "m=message 7000 TCP/MSRP *", "m=video 0 RTP/AVP"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"m=image 0 udptl t38", "m=audio 0 RTP/SAVP 0", "m=audio 20000 RTP/AVP 0", "m=audio 0 RTP/AVP 8",
		"m=video 0 RTP/AVP 31 96", "m=message 0 TCP/MSRP *", "m=video 0 RTP/AVP 0"}
	if got := mLines(b); !slices.Equal(got, want) {
		t.Errorf("answer %q", got)
	}
	// And our own re-offer has as many, in that order (RFC 3264 §8).
	want[2] = "m=audio 20000 RTP/AVP 8 101"
	if got := mLines(s.Offer([]media.Codec{media.PCMA})); !slices.Equal(got, want) {
		t.Errorf("re-offer %q", got)
	}
	if err := s.Accept(phone("m=image 0 udptl t38", "m=audio 0 RTP/SAVP 0", "m=audio 4010 RTP/AVP 8")); err != nil {
		t.Fatal(err)
	}
	if got := s.Agreement().Remote.Port(); got != 4010 {
		t.Error(got)
	}
}

func mLines(b []byte) (m []string) {
	for _, l := range lines(b) {
		if strings.HasPrefix(l, "m=") {
			m = append(m, l)
		}
	}
	return m
}

func TestHold(t *testing.T) {
	for _, c := range []struct {
		name, conn, dir  string
		answer           string
		send, recv, held bool
	}{
		{"talk", "198.51.100.7", "", "sendrecv", true, true, false},
		{"talk said", "198.51.100.7", "sendrecv", "sendrecv", true, true, false},
		{"hold with music", "198.51.100.7", "sendonly", "recvonly", false, true, true},
		{"hold", "198.51.100.7", "inactive", "inactive", false, false, true},
		{"listens only", "198.51.100.7", "recvonly", "sendonly", true, false, false},
		{"RFC 2543 hold", "0.0.0.0", "", "recvonly", false, true, true},
		{"RFC 2543 hold, sendonly", "0.0.0.0", "sendonly", "recvonly", false, true, true},
		{"RFC 2543 hold, inactive", "0.0.0.0", "inactive", "inactive", false, false, true},
		{"RFC 2543 hold, recvonly", "0.0.0.0", "recvonly", "inactive", false, false, true},
		{"no address in IPv6", "::", "", "recvonly", false, true, true},
		{"no address by name", "hold.invalid", "", "recvonly", false, true, true},
	} {
		for _, level := range []string{"session", "media"} {
			s := offer.New(local())
			if _, err := s.Answer(phone("m=audio 4000 RTP/AVP 0"), nil); err != nil {
				t.Fatal(err)
			}
			conn, dir := "c=IN IP4 "+c.conn, "a="+c.dir
			text := []string{"v=0", "o=- 1 2 IN IP4 198.51.100.7", "s=-", conn, "t=0 0", dir, "m=audio 4000 RTP/AVP 0"}
			if level == "media" {
				text = []string{"v=0", "o=- 1 2 IN IP4 198.51.100.7", "s=-", "c=IN IP4 203.0.113.9", "t=0 0", "a=inactive",
					"m=audio 4000 RTP/AVP 0", conn, dir}
				if c.dir == "" {
					text = slices.Delete(text, 5, 6)
				}
			}
			text = slices.DeleteFunc(text, func(l string) bool { return l == "a=" })
			b, err := s.Answer(joined(text...), nil)
			if err != nil {
				t.Fatal(c.name, err)
			}
			mustHave(t, b, "a="+c.answer, "c=IN IP4 192.0.2.1")
			a := s.Agreement()
			if a.Send != c.send || a.Recv != c.recv || s.Held() != c.held {
				t.Errorf("%s, %s level: send %v recv %v held %v", c.name, level, a.Send, a.Recv, s.Held())
			}
			if nowhere := strings.Contains(c.name, "no address") || c.conn == "0.0.0.0"; nowhere == a.Remote.IsValid() {
				t.Errorf("%s: remote %v", c.name, a.Remote)
			}
			// Resumed, all is as before; an offer of ours never holds.
			if b, err = s.Answer(phone("m=audio 4000 RTP/AVP 0"), nil); err != nil || s.Held() || !s.Agreement().Send {
				t.Errorf("%s: not resumed: %v", c.name, err)
			}
			mustHave(t, b, "a=sendrecv")
		}
	}
}

// TestHoldRefreshed: a session refresh during a hold repeats our direction, and does not end the hold.
func TestHoldRefreshed(t *testing.T) {
	s := offer.New(local())
	s.Offer(nil)
	if err := s.Accept(phone("m=audio 4000 RTP/AVP 0")); err != nil {
		t.Fatal(err)
	}
	answer, err := s.Answer(phone("m=audio 4000 RTP/AVP 0", "a=sendonly"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if b := s.Refresh(); string(b) != string(answer) {
		t.Errorf("refresh differs:\n%s\n%s", b, answer)
	}
	if _, err := s.Answer(phone("m=audio 4000 RTP/AVP 0"), nil); status(err) != 491 {
		t.Error("glare:", err)
	}
	if err := s.Accept(phone("m=audio 4000 RTP/AVP 0", "a=sendonly")); err != nil || !s.Held() || s.Agreement().Send || !s.Agreement().Recv {
		t.Error(err, s.Held(), s.Agreement())
	}
	// What the phone claims beyond our own description is not taken.
	s.Refresh()
	if err := s.Accept(phone("m=audio 4000 RTP/AVP 0")); err != nil || s.Agreement().Send {
		t.Error(err, s.Agreement())
	}
}

func version(t *testing.T, b []byte) string {
	t.Helper()
	f := strings.Fields(lines(b)[1])
	if f[1] != "4711" {
		t.Errorf("session id %s", f[1])
	}
	return f[2]
}

// TestVersion: RFC 3264 §8, "If the version in the origin line does not increment, the SDP MUST be identical".
func TestVersion(t *testing.T) {
	s := offer.New(local())
	check := func(b []byte, want string) {
		t.Helper()
		if got := version(t, b); got != want {
			t.Errorf("version %s, want %s:\n%s", got, want, b)
		}
	}
	answer := phone("m=audio 4000 RTP/AVP 0 8 101", "a=rtpmap:101 telephone-event/8000")
	both := []media.Codec{media.PCMU, media.PCMA}
	check(s.Offer(both), "1")
	s.Rollback() // 401: the INVITE goes out again
	check(s.Offer(both), "1")
	s.Rollback()
	check(s.Offer([]media.Codec{media.PCMU}), "2")
	if err := s.Accept(answer); err != nil {
		t.Fatal(err)
	}
	check(s.Refresh(), "2")
	if err := s.Accept(answer); err != nil {
		t.Fatal(err)
	}
	hold, _ := s.Answer(phone("m=audio 4000 RTP/AVP 0", "a=sendonly"), nil)
	check(hold, "3")
	again, _ := s.Answer(phone("m=audio 4000 RTP/AVP 0", "a=sendonly"), nil)
	check(again, "3")
	check(s.Repeat(), "3")
	resume, _ := s.Answer(phone("m=audio 4000 RTP/AVP 0"), nil)
	check(resume, "4")
	check(s.Offer(both), "5")
	s.Rollback() // refused: what was agreed stands, but 5 has been seen
	check(s.Repeat(), "4")
	check(s.Refresh(), "6")
	if s.Agreement().Remote.Port() != 4000 {
		t.Error("the refused offer touched the agreement")
	}
}

// TestNumbersStay: RFC 3264 §8.3.2.
func TestNumbersStay(t *testing.T) {
	s := offer.New(local())
	mustHave(t, s.Offer([]media.Codec{ilbc, media.PCMU}), "a=rtpmap:96 iLBC/8000")
	if err := s.Accept(phone("m=audio 4000 RTP/AVP 0")); err != nil {
		t.Fatal(err)
	}
	b := s.Offer([]media.Codec{opus, media.PCMU, ilbc})
	mustHave(t, b, "a=rtpmap:96 iLBC/8000", "a=rtpmap:97 opus/48000/2", "a=rtpmap:101 telephone-event/8000")
	s.Rollback()
	mustHave(t, s.Offer([]media.Codec{media.PCMA, opus}), "a=rtpmap:97 opus/48000/2")
	s.Rollback()
	// The phone offers with numbers of its own: the answer uses them, and so do our offers after it.
	b, err := s.Answer(phone("m=audio 4000 RTP/AVP 111 100", "a=rtpmap:111 opus/48000/2", "a=rtpmap:100 telephone-event/48000"), []media.Codec{opus})
	if err != nil {
		t.Fatal(err)
	}
	mustHave(t, b, "m=audio 20000 RTP/AVP 111 100")
	mustHave(t, s.Offer([]media.Codec{opus}), "m=audio 20000 RTP/AVP 111 100")
}

func TestManyCodecs(t *testing.T) {
	var all []media.Codec
	for i := range 100 {
		all = append(all, media.Codec{Name: "x" + strings.Repeat("y", i), ClockRate: 8000})
	}
	s := offer.New(local())
	b := s.Offer(all)
	seen := map[string]bool{}
	for _, pt := range strings.Fields(mLines(b)[0])[3:] {
		if seen[pt] {
			t.Errorf("number %s twice", pt)
		}
		seen[pt] = true
	}
	if len(seen) != 32 || !seen["101"] {
		t.Error(len(seen), "numbers")
	}
}

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
	}
}

// TestLateAnswer is an INVITE whose answer comes with the callee's: the offer waits, and bars others.
func TestLateAnswer(t *testing.T) {
	text := phone("m=audio 4000 RTP/AVP 8 0 101", "a=rtpmap:101 telephone-event/8000")
	s := offer.New(local())
	codecs, err := s.Peek(text)
	if err != nil || len(codecs) != 3 || !codecs[0].Same(media.PCMA) || !reflect.DeepEqual(codecs, s.Offered()) {
		t.Fatal(codecs, err)
	}
	if s.Pending() != offer.Received || s.Offer(nil) != nil || s.Repeat() != nil {
		t.Error(s.Pending())
	}
	other := phone("m=audio 4002 RTP/AVP 8")
	if _, err := s.Peek(other); status(err) != 500 {
		t.Error(err)
	}
	if _, err := s.Answer(other, nil); status(err) != 500 {
		t.Error(err)
	}
	if err := s.Accept(other); status(err) != 500 {
		t.Error(err)
	}
	if _, err := s.Answer(nil, []media.Codec{opus}); status(err) != 488 || s.Pending() != offer.Received {
		t.Error(err, s.Pending())
	}
	for range 2 { // once with nil, once more with the bytes
		b, err := s.Answer(nil, []media.Codec{media.PCMU})
		if err != nil || s.Pending() != offer.Idle {
			t.Fatal(err)
		}
		mustHave(t, b, "m=audio 20000 RTP/AVP 0 101")
		if string(s.Repeat()) != string(b) {
			t.Error("repeat")
		}
		if _, err := s.Answer(nil, nil); status(err) != 500 {
			t.Error("answered twice:", err)
		}
		if _, err := s.Peek(text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Answer(text, nil); err != nil {
		t.Error("the bytes that were peeked:", err)
	}
	s.Peek(text)
	s.Rollback()
	if s.Pending() != offer.Idle {
		t.Error(s.Pending())
	}
	if _, err := s.Answer(other, nil); err != nil || s.Agreement().Remote.Port() != 4002 {
		t.Error(err)
	}
}

// TestCodecStays: a re-INVITE that lists the codecs in another order changes nothing when nobody has a wish.
func TestCodecStays(t *testing.T) {
	s := offer.New(local())
	if _, err := s.Answer(phone("m=audio 4000 RTP/AVP 0 8 18"), []media.Codec{g729}); err != nil {
		t.Fatal(err)
	}
	b, err := s.Answer(phone("m=audio 4000 RTP/AVP 8 0 18"), nil)
	if err != nil {
		t.Fatal(err)
	}
	mustHave(t, b, "m=audio 20000 RTP/AVP 18")
}

func TestNames(t *testing.T) {
	l := local()
	l.User, l.Name = "a b", "x\r\na=evil"
	mustHave(t, offer.New(l).Offer(nil), "o=a_b 4711 1 IN IP4 192.0.2.1", "s=x a=evil")
	l.User, l.Name = "\x00", "\x7f"
	mustHave(t, offer.New(l).Offer(nil), "o=- 4711 1 IN IP4 192.0.2.1", "s=-")
}

func TestOfferNothing(t *testing.T) {
	s := offer.New(local())
	for _, codecs := range [][]media.Codec{{}, {media.Telephone}, {{Name: "CN", ClockRate: 8000}}, {{Name: "X"}}} {
		if b := s.Offer(codecs); b != nil || s.Pending() != offer.Idle {
			t.Errorf("%v: %s", codecs, b)
		}
	}
}
