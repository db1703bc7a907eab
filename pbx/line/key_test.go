package line

import (
	"strings"
	"testing"
	"testing/synctest"

	"ringback/media"
	"ringback/pbx"
)

func TestKeysByINFO(t *testing.T) {
	const relay, simple = "application/dtmf-relay", "application/dtmf"
	for _, tc := range []struct {
		kind, body string
		key        byte // 0: none
	}{
		{relay, "Signal=5\r\nDuration=160\r\n", '5'},
		{relay, "Signal= 5\r\nDuration= 160", '5'},
		{relay, "signal=#\nduration=100\n", '#'},
		{relay, "Duration=250\r\nSignal=*\r\n", '*'},
		{relay, "Signal=10", '*'},
		{relay, "Signal=11", '#'},
		{relay, "Signal=12", 'A'},
		{relay, "Signal=d", 'D'},
		{relay, "\r\nSignal=0\r\n\r\nFoo=bar\r\n", '0'},
		{relay, "Signal=!", 0}, // hook flash
		{relay, "Signal=16", 0},
		{relay, "Signal=", 0},
		{relay, "Signal=55", 0},
		{relay, "Signal=5\r\nSignal=6", 0},
		{relay, "Signal=5\r\nDuration=long", 0},
		{relay, "Signal=5\r\nDuration=", 0},
		{relay, "Signal=5\r\nDuration=1000000", 0},
		{relay, "Signal=5\r\nnonsense", 0},
		{relay, "Duration=100", 0},
		{relay, "5", 0},
		{relay, "Signal=5\r\n" + strings.Repeat(" ", maxKey), 0},
		{simple, "5", '5'},
		{simple, "#\r\n", '#'},
		{simple, "11", '#'},
		{simple, "b", 'B'},
		{simple, "", 0},
		{simple, "e", 0},
		{simple, "5 6", 0},
		{simple, "Signal=5", 0},
		{"text/plain", "5", 0},
	} {
		if key, ok := keyOf(tc.kind, []byte(tc.body)); ok != (tc.key != 0) || ok && key != tc.key {
			t.Errorf("%s %q: %q %v", tc.kind, tc.body, key, ok)
		}
	}
}

// Of every INFO whose type is taken the Exchange hears, of keys in addition; the answer is 200 whatever is in it.
func TestKeysByINFOAreTold(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0 8"))
		synctest.Wait()
		s.x.legs[0].Progress(pbx.Progress{Status: 183, Codecs: []media.Codec{media.PCMU}})
		c.take(a.expect("SIP/2.0 183"))
		for _, m := range []struct{ kind, body string }{
			{"application/dtmf-relay; charset=utf-8", "Signal=1\nDuration=100"}, {"Application/DTMF", "#"}, {"application/dtmf-relay", "Signal=!"},
		} {
			c.send("INFO", m.body, "Content-Type: "+m.kind)
			a.expect("SIP/2.0 200")
		}
		wantEvents(t, s, incoming1, `info application/dtmf-relay; charset=utf-8 "Signal=1\r\nDuration=100" key 1`,
			`info Application/DTMF "#" key #`, `info application/dtmf-relay "Signal=!"`)
		s.x.legs[0].Refuse(pbx.NotFound)
		a.expect("SIP/2.0 404")
	})
}

// FuzzKey: only keys are told, and only of short bodies.
func FuzzKey(f *testing.F) {
	for _, s := range []string{"Signal=5\r\nDuration=160\r\n", "5", "10", "Signal= *", "=", "Signal=\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, kind := range []string{"application/dtmf-relay", "application/dtmf", "text/plain"} {
			key, ok := keyOf(kind, []byte(body))
			if ok && (!strings.ContainsRune("0123456789*#ABCD", rune(key)) || len(body) > maxKey || kind == "text/plain") {
				t.Fatalf("%s %q: %q", kind, body, key)
			}
		}
	})
}
