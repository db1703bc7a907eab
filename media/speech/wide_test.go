package speech

import (
	"math"
	"testing"

	"ringback/media"
)

// listenWide gives all of a sound, at 16 kHz.
func listenWide(t testing.TB, s media.Sound) (heard []int16) {
	t.Helper()
	w, ok := s.(media.Wideband)
	if !ok {
		t.Fatal("it is not wide")
	}
	frame := make([]int16, 2*media.FrameSamples)
	for w.Wide(frame) {
		heard = append(heard, frame...)
	}
	return heard
}

// A recording has all that its file has, up to 8 kHz, and as much of it is heard at 8 kHz as can be. Both are as long.
func TestWide(t *testing.T) {
	dir := t.TempDir()
	for name, hz := range map[string]float64{"on": 6000, "off": 1000} {
		put(t, dir, "en/"+name+".wav", tone(hz))
		s, _ := open(t, Options{Dir: dir})
		narrow, wide := listen(t, s.Prompt("en", name)), listenWide(t, s.Prompt("en", name))
		if len(wide) != 2*len(narrow) {
			t.Errorf("%v Hz: %d samples, and %d wide", hz, len(narrow), len(wide))
		}
		at := level(wide[400:3600], hz/2) // as if at 8 kHz
		if math.Abs(at+8.7) > 1 {
			t.Errorf("%v Hz is at %.1f dB wide", hz, at)
		}
		if at := rms(narrow[200:1800]); hz < 4000 && math.Abs(at+11.7) > 1 || hz > 4000 && at > -70 {
			t.Errorf("%v Hz leaves %.1f dB at 8 kHz", hz, at)
		}
	}
}

// What is put together has the same pauses; ours has speech above 4 kHz.
func TestWideUtterance(t *testing.T) {
	s, _ := open(t, Options{})
	for _, name := range []string{"number:1234", "digits:12 3", "vm-leave-message", "mailbox:3:1"} {
		narrow, wide := listen(t, s.Prompt("en", name)), listenWide(t, s.Prompt("en", name))
		if len(wide) != 2*len(narrow) {
			t.Errorf("%s: %d samples, and %d wide", name, len(narrow), len(wide))
			continue
		}
		for i := 0; i+400 <= len(narrow); i += 400 { // 50 ms
			a, b := rms(narrow[i:i+400]), rms(wide[2*i:2*i+800])
			if a > -40 && (b < a-4 || b > a+6) {
				t.Errorf("%s: at sample %d it is at %.1f dB, and %.1f wide", name, i, a, b)
				break
			}
		}
		var above float64
		for i := 1; i < len(wide); i++ { // a difference passes what is high
			d := float64(wide[i]) - float64(wide[i-1])
			above += d * d
		}
		var below float64
		for i := 1; i < len(narrow); i++ {
			d := float64(narrow[i]) - float64(narrow[i-1])
			below += d * d
		}
		if above < 0.1*below {
			t.Errorf("%s: nothing above 4 kHz", name)
		}
	}
	frame := make([]int16, 2*media.FrameSamples)
	sound := s.Prompt("en", "vm-message-menu,number:1234567").(media.Wideband)
	if n := testing.AllocsPerRun(100, func() { sound.Wide(frame) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
