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
