package tone

import (
	"math"
	"strings"
	"testing"
	"time"
)

// Every name of the brief has a sound, of a length that suits it, and no two are alike.
func TestPrompts(t *testing.T) {
	lengths := map[string][2]time.Duration{ // at least, at most
		"ringing": {-1, -1}, "busy": {-1, -1}, "congestion": {-1, -1},
		"on": {300 * time.Millisecond, time.Second}, "off": {300 * time.Millisecond, time.Second},
		"done": {500 * time.Millisecond, time.Second}, "error": {time.Second, 3 * time.Second},
		"press-1": {5 * time.Second, 15 * time.Second}, "enter-number": {time.Second, 5 * time.Second}, "enter-pin": {500 * time.Millisecond, 2 * time.Second},
		"beep":         {400 * time.Millisecond, time.Second},
		"vm-main-menu": {300 * time.Millisecond, time.Second},
		"rejected":     {5 * time.Second, 10 * time.Second}, "anonymous-rejected": {5 * time.Second, 10 * time.Second},
		"closed": {5 * time.Second, 10 * time.Second}, "not-allowed": {5 * time.Second, 10 * time.Second},
		"no-such-number": {5 * time.Second, 10 * time.Second},
		"digits:1000":    {2 * time.Second, 3 * time.Second},
	}
	for _, country := range Countries() {
		prompt, err := Prompts(country)
		if err != nil {
			t.Fatal(err)
		}
		heard := make(map[string]string)
		for name, want := range lengths {
			if country == "jp" && name == "congestion" {
				continue // the same as busy
			}
			x, ended := hear(t, prompt(name), 16*time.Second)
			d := time.Duration(len(x)) * time.Second / rate
			if ended != (want[0] > 0) || ended && (d < want[0] || d > want[1]) {
				t.Errorf("%s: %s lasts %v", country, name, d)
			}
			if loudest := loudness(x); loudest < -40 || loudest > 0 {
				t.Errorf("%s: %s at %.0f dBm0", country, name, loudest)
			}
			form := shape(x)
			if other, ok := heard[form]; ok {
				t.Errorf("%s: %s sounds like %s", country, name, other)
			}
			heard[form] = name
			if country != DefaultCountry {
				continue
			}
			again, _ := hear(t, prompt(name), 16*time.Second)
			if shape(again) != form {
				t.Errorf("%s: %s is another sound the second time", country, name)
			}
		}
	}
}

// shape is what an ear makes of a sound: for each tenth of a second nothing, or the loudest third of an octave.
func shape(x []int16) string {
	var s []byte
	for ; len(x) >= 800; x = x[800:] {
		best, at := -40.0, byte('.')
		for i := range 20 {
			if level := goertzel(x[:800], 300*math.Pow(2, float64(i)/6)); level > best {
				best, at = level, 'a'+byte(i)
			}
		}
		s = append(s, at)
	}
	return string(s)
}

func TestPromptsAreWhatTheySay(t *testing.T) {
	prompt, err := Prompts("")
	if err != nil {
		t.Fatal(err)
	}
	for name, hz := range map[string][2]float64{"on": {600, 900}, "off": {900, 600}} {
		x, _ := hear(t, prompt(name), time.Minute)
		for i, f := range hz {
			part := x[i*180*8+fade:][:120*8]
			if math.Abs(goertzel(part, f)-loudness(part)) > 0.2 {
				t.Errorf("%s: note %d is not of %.0f Hz", name, i+1, f)
			}
		}
	}
	x, _ := hear(t, prompt("press-1"), time.Minute)
	if got := bursts(x); len(got) != 20 || !near(got[:5], 100, 100, 100, 1700, 100) {
		t.Errorf("press-1: bursts of %v ms", got)
	}
	for name, pips := range map[string]int{"no-such-number": 1, "closed": 2, "not-allowed": 3, "rejected": 4, "anonymous-rejected": 5} {
		x, _ := hear(t, prompt(name), time.Minute)
		for i, hz := range []float64{950, 1400, 1800} {
			part := x[i*330*8+fade:][:320*8]
			if math.Abs(goertzel(part, hz)-loudness(part)) > 0.1 {
				t.Errorf("%s: no %.0f Hz", name, hz)
			}
		}
		count, at := 0, 1300 // after the three tones and their pause
		for ; goertzel(x[at*8:][:800], 700) > -16; at += 200 {
			count++
		}
		if count != pips {
			t.Errorf("%s: %d pips", name, count)
		}
		if got := bursts(x[(at+300)*8:]); len(got) < 18 || !near(got[1:5], 200, 200, 200, 200) {
			t.Errorf("%s: at the end %v", name, got)
		}
	}
	x, _ = hear(t, prompt("digits:17*"), time.Minute)
	for i, pair := range [][2]float64{{697, 1209}, {852, 1209}, {941, 1209}} {
		part := x[i*600*8+fade:][:280*8]
		if goertzel(part, pair[0]) < -11.5 || goertzel(part, pair[1]) < -9.5 {
			t.Errorf("digit %d is not of %v Hz", i, pair)
		}
	}
}

func TestPromptsOfSeveralParts(t *testing.T) {
	prompt, err := Prompts("")
	if err != nil {
		t.Fatal(err)
	}
	want, _ := hear(t, prompt("digits:1504"), time.Minute)
	for _, name := range []string{"time:15:04", "clock,time:15:04", "digits:15,digits:04", "nothing,digits:1504,nobody"} {
		if x, ended := hear(t, prompt(name), time.Minute); !ended || shape(x) != shape(want) {
			t.Errorf("%s sounds like %s, want %s", name, shape(x), shape(want))
		}
	}
	if x, ended := hear(t, prompt(strings.Repeat("digits:1,", 1000)), time.Hour); !ended || len(x) > mostParts*600*8 {
		t.Errorf("%d samples", len(x))
	}
	refused, _ := hear(t, prompt("error"), time.Minute)
	if x, ended := hear(t, prompt("invalid"), time.Minute); !ended || shape(x) != shape(refused) {
		t.Errorf("invalid sounds like %s", shape(x))
	}
	for _, name := range []string{",", "nothing,nobody"} {
		if prompt(name) != nil {
			t.Errorf("%q has a sound", name)
		}
	}
}

func TestPromptsUnknown(t *testing.T) {
	prompt, err := Prompts("UK")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "nothing", "Busy", "digits", "press-2"} {
		if prompt(name) != nil {
			t.Errorf("%q has a sound", name)
		}
	}
	if _, err := Prompts("xx"); err == nil || err.Error() != `tone: no tones of country "xx"; there are cn, de, eu, jp, kr, ru, uk, us` {
		t.Error(err)
	}
	long := make([]byte, 1<<20)
	for i := range long {
		long[i] = '5'
	}
	if x, ended := hear(t, prompt("digits:"+string(long)), time.Hour); !ended || len(x) > longest*600*8 {
		t.Errorf("%d samples", len(x))
	}
	if x, ended := hear(t, prompt("digits:+4 \xff"), time.Minute); !ended || len(x) != 1500*8 {
		t.Errorf("%d samples", len(x))
	}
}

// Where there are no words, who is asked for a key hears that he is.
func TestMenusAreHeard(t *testing.T) {
	prompt, err := Prompts("")
	if err != nil {
		t.Fatal(err)
	}
	for _, menu := range []string{"vm-main-menu", "vm-message-menu", "vm-review", "vm-which-greeting", "vm-greeting-menu"} {
		if prompt(menu) == nil {
			t.Errorf("%s is silence", menu)
		}
	}
}
