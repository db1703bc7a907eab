package subscription

import (
	"strings"
	"testing"
	"time"
)

func TestEvent(t *testing.T) {
	for _, tc := range []struct {
		in   string
		ok   bool
		want string
	}{
		{"message-summary", true, "message-summary"},
		{" message-summary\t", true, "message-summary"},
		{"Message-Summary", true, "Message-Summary"}, // "compared byte by byte": another one
		{"presence.winfo", true, "presence.winfo"},
		{"conference;id=4711", true, "conference;id=4711"},
		{"conference ; ID = ab.c ; x=y", true, "conference;id=ab.c"},
		{`dialog;call-id="a;id=7\"";from-tag=x`, true, "dialog"},
		{"dialog;sla", true, "dialog"},
		{"", false, ""},
		{";id=1", false, ""},
		{"a b", false, ""},
		{"a;", false, ""},
		{"a;;id=1", false, ""},
		{"a;id", false, ""},
		{"a;id=", false, ""},
		{`a;id="x"`, false, ""},
		{"a;id=1;id=2", false, ""},
		{"a;id=1\r\nX: y", false, ""},
		{"a;x=\"\r\nX: y\"", false, ""},
		{"é", false, ""},
		{"a,b", false, ""},
		{strings.Repeat("a", 257), false, ""},
	} {
		e, ok := ParseEvent(tc.in)
		if ok != tc.ok || ok && e.String() != tc.want {
			t.Errorf("%q: %q %v, want %q %v", tc.in, e, ok, tc.want, tc.ok)
		}
	}
}

func TestExpires(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"0": 0, "60": time.Minute, " 3600 ": time.Hour, "007": 7 * time.Second,
		"4294967295": 4294967295 * time.Second, "4294967296": 4294967295 * time.Second, strings.Repeat("9", 400): 4294967295 * time.Second,
		"": -1, "-1": -1, "1.5": -1, "3600;x": -1, "a": -1, "+5": -1, "0x10": -1,
	} {
		d, ok := ParseExpires(in)
		if ok != (want >= 0) || ok && d != want {
			t.Errorf("%.20q: %v %v, want %v", in, d, ok, want)
		}
	}
}

// RFC 6665 §4.2.1.1.
func TestGrant(t *testing.T) {
	r := Rules{Min: time.Minute, Max: 2 * time.Hour}
	for _, tc := range []struct {
		asked, granted time.Duration
		ok             bool
	}{
		{0, 0, true}, {time.Second, 0, false}, {time.Minute - time.Second, 0, false}, {time.Minute, time.Minute, true},
		{time.Hour, time.Hour, true}, {2 * time.Hour, 2 * time.Hour, true}, {100 * time.Hour, 2 * time.Hour, true}, {4294967295 * time.Second, 2 * time.Hour, true},
	} {
		if d, ok := r.Grant(tc.asked); d != tc.granted || ok != tc.ok {
			t.Errorf("%v: %v %v", tc.asked, d, ok)
		}
	}
	long := Rules{Min: 3 * time.Hour, Max: 4 * time.Hour}
	if d, ok := long.Grant(time.Hour); !ok || d != time.Hour {
		t.Errorf("an hour is too brief: %v %v", d, ok)
	}
}

// What is read can be written, and means the same when it is read again.
func FuzzEvent(f *testing.F) {
	for _, s := range []string{"message-summary", "conference;id=4711", `dialog;call-id="a;id=7\"";from-tag=x`, "a;id=1;id=2", "a;id=1\r\nX: y", ";", `a;b="`, `a;b="\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, ok := ParseEvent(s)
		if !ok {
			return
		}
		text := e.String()
		if again, ok := ParseEvent(text); !ok || again != e {
			t.Errorf("%q became %q, and that %+v", s, text, again)
		}
		if strings.ContainsAny(text, "\r\n\x00 ,") || len(text) > len(s)+4 {
			t.Errorf("%q became %q", s, text)
		}
	})
}
