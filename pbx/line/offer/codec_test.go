package offer_test

import (
	"strings"
	"testing"

	"ringback/media"
	"ringback/pbx/line/offer"
)

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
		{"keys at 8000 Hz beside opus", line, []media.Codec{opus}, "m=audio 20000 RTP/AVP 96 101", "a=fmtp:96 useinbandfec=1", 0},
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

// TestNothingToTalk: what no wish could answer is refused at once, before anybody rings.
func TestNothingToTalk(t *testing.T) {
	for _, m := range []string{"m=audio 4000 RTP/AVP 101 13", "m=audio 4000 RTP/AVP 77", "m=audio 4000 RTP/SAVP 0", "m=audio 0 RTP/AVP 0",
		"m=audio 4000 RTP/AVP", "m=video 4000 RTP/AVP 31", "m=image 4000 udptl t38", "a=sendrecv"} {
		s := offer.New(local())
		if _, err := s.Peek(phone(m, "a=rtpmap:101 telephone-event/8000")); status(err) != 488 || s.Pending() != offer.Idle {
			t.Errorf("%s: %v", m, err)
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
	mustHave(t, s.Offer([]media.Codec{opus}), "m=audio 20000 RTP/AVP 111 100 101")
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
	mustHave(t, b, "a=rtpmap:101 telephone-event/8000")
	if len(seen) != 32 {
		t.Error(len(seen), "numbers")
	}
}
