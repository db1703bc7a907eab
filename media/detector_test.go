package media

import (
	"fmt"
	"math"
	"testing"

	"github.com/zaf/g711"

	"ringback/media/mix"
)

// laws are the ways that sound comes to a Detector.
var laws = map[string]func(d *Detector, keys []byte, pcm []int16) []byte{
	"linear": func(d *Detector, keys []byte, pcm []int16) []byte { return d.Linear(keys, pcm) },
	"PCMU": func(d *Detector, keys []byte, pcm []int16) []byte {
		b := make([]byte, len(pcm))
		mix.EncodeULaw(b, pcm)
		return d.ULaw(keys, b)
	},
	"PCMA": func(d *Detector, keys []byte, pcm []int16) []byte {
		b := make([]byte, len(pcm))
		mix.EncodeALaw(b, pcm)
		return d.ALaw(keys, b)
	},
}

// heard is what a Detector makes of a score in frames of 20 ms.
func heardIn(law string, pcm []int16) string {
	d, keys := new(Detector), []byte(nil)
	for len(pcm) > 0 {
		n := min(len(pcm), FrameSamples)
		keys = laws[law](d, keys, pcm[:n])
		pcm = pcm[n:]
	}
	return string(keys)
}

// check wants a score, moved against the frames by each of 40 steps, to be heard as keys in every law.
func check(t *testing.T, want string, make func(s *score)) {
	t.Helper()
	for law := range laws {
		wrong, example := 0, ""
		for step := 0; step < 40; step++ {
			if law != "linear" {
				step += 3
			}
			s := newScore(uint64(step)).pause(100 + float64(step)/8)
			make(s)
			s.pause(100)
			if got := heardIn(law, s.linear()); got != want {
				wrong++
				example = got
			}
		}
		if wrong > 0 {
			t.Errorf("%s: %d of 40 wrong: heard %q, want %q", law, wrong, example, want)
		}
	}
}

const allKeys = "123A456B789C*0#D"

// each is a score of all keys, one after the other.
func each(make func(key byte) dual, pause float64, more ...func(*score)) func(s *score) {
	return func(s *score) {
		for _, k := range []byte(allKeys) {
			s.dial(make(k)).pause(pause)
		}
		for _, f := range more {
			f(s)
		}
	}
}

// What ITU-T Q.24 wants to be a key.
func TestDetectorHears(t *testing.T) {
	noisy := func(dBm0 float64) func(*score) { return func(s *score) { s.noise(dBm0) } }
	for name, make := range map[string]func(s *score){
		"100 ms":                each(func(k byte) dual { return usual(k, 100) }, 100),
		"40 ms, pauses of 40":   each(func(k byte) dual { return usual(k, 40) }, 40),
		"a second":              each(func(k byte) dual { return usual(k, 1000) }, 40),
		"0 dBm0":                each(func(k byte) dual { return dual{k, 40, 0, 0, 0, 0} }, 40),
		"-25 dBm0":              each(func(k byte) dual { return dual{k, 40, -25, -25, 0, 0} }, 40),
		"forward twist 8 dB":    each(func(k byte) dual { return dual{k, 40, -6, -14, 0, 0} }, 40),
		"reverse twist 4 dB":    each(func(k byte) dual { return dual{k, 40, -14, -10, 0, 0} }, 40),
		"forward twist at -25":  each(func(k byte) dual { return dual{k, 40, -17, -25, 0, 0} }, 40),
		"reverse twist at -25":  each(func(k byte) dual { return dual{k, 40, -25, -21, 0, 0} }, 40),
		"1.5 % high":            each(func(k byte) dual { return dual{k, 40, -10, -10, .015, .015} }, 40),
		"1.5 % low":             each(func(k byte) dual { return dual{k, 40, -10, -10, -.015, -.015} }, 40),
		"1.5 % apart":           each(func(k byte) dual { return dual{k, 40, -10, -10, -.015, .015} }, 40),
		"1.5 % together, twist": each(func(k byte) dual { return dual{k, 45, -7, -13, .015, -.015} }, 45),
		"1.5 % apart, twist":    each(func(k byte) dual { return dual{k, 50, -14, -10, -.015, .015} }, 50),
		"15 dB above noise":     each(func(k byte) dual { return dual{k, 50, -10, -10, 0, 0} }, 50, noisy(-25)),
		"15 dB, twist":          each(func(k byte) dual { return dual{k, 50, -4, -12, 0, 0} }, 50, noisy(-25)),
		"15 dB, wrong":          each(func(k byte) dual { return dual{k, 50, -10, -10, .015, -.015} }, 50, noisy(-25)),
		"as ours are made": func(s *score) {
			for _, k := range []byte(allKeys) {
				var pcm [800]int16
				tone := newKeyTone(k)
				tone.fill(pcm[:], len(pcm))
				for _, v := range pcm {
					s.pcm = append(s.pcm, float64(v))
				}
				s.pause(60)
			}
		},
	} {
		t.Run(name, func(t *testing.T) { check(t, allKeys, make) })
	}
}

// What has to be a key each time, once, or none.
func TestDetectorTellsApart(t *testing.T) {
	for name, c := range map[string]struct {
		want string
		make func(s *score)
	}{
		"again and again": {"5555555555", func(s *score) {
			for range 10 {
				s.dial(usual('5', 40)).pause(40)
			}
		}},
		"an interruption of 10 ms": {"7", func(s *score) { s.dial(usual('7', 60)).pause(10).dial(usual('7', 60)) }},
		"a frame of 20 ms lost":    {"7", func(s *score) { s.dial(usual('7', 60)).pause(20).dial(usual('7', 60)) }},
		"one into the next":        {"19", func(s *score) { s.dial(usual('1', 60), usual('9', 60)) }},
		"a phone number": {"00493012345678", func(s *score) {
			for _, k := range []byte("00493012345678") {
				s.dial(usual(k, 45)).pause(45)
			}
		}},
		"23 ms":                  {"", each(func(k byte) dual { return usual(k, 23) }, 50)},
		"10 ms":                  {"", each(func(k byte) dual { return usual(k, 10) }, 50)},
		"-40 dBm0":               {"", each(func(k byte) dual { return dual{k, 100, -40, -40, 0, 0} }, 50)},
		"forward twist of 12 dB": {"", each(func(k byte) dual { return dual{k, 100, -6, -18, 0, 0} }, 50)},
		"reverse twist of 8 dB":  {"", each(func(k byte) dual { return dual{k, 100, -16, -8, 0, 0} }, 50)},
		"3.5 % high":             {"", each(func(k byte) dual { return dual{k, 100, -10, -10, .035, .035} }, 50)},
		"3.5 % low":              {"", each(func(k byte) dual { return dual{k, 100, -10, -10, -.035, -.035} }, 50)},
		"the low one 3.5 %":      {"", each(func(k byte) dual { return dual{k, 100, -10, -10, .035, 0} }, 50)},
		"the high one 3.5 %":     {"", each(func(k byte) dual { return dual{k, 100, -10, -10, 0, -.035} }, 50)},
		"one frequency only":     {"", each(func(k byte) dual { return dual{k, 100, -10, -90, 0, 0} }, 50)},
		"silence":                {"", func(s *score) { s.pause(1000) }},
		"noise":                  {"", func(s *score) { s.pause(10000).noise(-10) }},
		"quiet noise":            {"", func(s *score) { s.pause(10000).noise(-35) }},
		"a key beneath noise":    {"", func(s *score) { s.dial(usual('5', 400)).noise(-6) }},
		"two keys at once":       {"", func(s *score) { s.chord(.4, 697, 770, 1209, 1336) }},
		"with a dial tone":       {"", func(s *score) { s.chord(.4, 350, 440, 770, 1336) }},
		"with second harmonics":  {"", func(s *score) { s.chord(.4, 770, 1540, 1336, 2672) }},
	} {
		t.Run(name, func(t *testing.T) { check(t, c.want, c.make) })
	}
}

// The talk-off that can be made without people: minutes of voices, of sweeps and of music, and no key.
func TestDetectorIsNotTalkedOff(t *testing.T) {
	for name, speak := range map[string]func(s *score){
		"voices":    voices,
		"sweeps":    sweeps,
		"music":     music,
		"whistling": whistling,
	} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprint(name, seed), func(t *testing.T) {
				s := newScore(seed)
				speak(s)
				pcm := s.linear()
				if d := len(pcm) / 8000; d < 120 {
					t.Errorf("%d s", d)
				}
				law := []string{"linear", "PCMU", "PCMA"}[seed%3]
				if got := heardIn(law, pcm); got != "" {
					t.Errorf("%s: heard %q in %d s", law, got, len(pcm)/8000)
				}
			})
		}
	}
}

// However sound is cut, the same keys are heard.
func TestDetectorFramesDoNotMatter(t *testing.T) {
	s := newScore(1)
	each(func(k byte) dual { return usual(k, 45) }, 45)(s)
	pcm := s.linear()
	for _, size := range []int{1, 7, 39, 40, 41, 80, 160, 240, 480, len(pcm)} {
		d, keys, cut := new(Detector), []byte(nil), 0
		for at := 0; at < len(pcm); at += cut {
			cut = min(size, len(pcm)-at)
			keys = d.Linear(keys, pcm[at:at+cut])
		}
		if string(keys) != allKeys {
			t.Errorf("by %d: %q", size, keys)
		}
	}
	d := new(Detector)
	keys := d.Linear(nil, newScore(1).dial(usual('4', 100)).linear())
	d.Silence(400)
	keys = d.Linear(keys, newScore(1).dial(usual('4', 100)).linear())
	d.Reset()
	keys = d.Linear(keys, newScore(1).dial(usual('4', 100)).linear())
	d.Silence(math.MaxInt)
	if keys = d.Linear(keys, newScore(1).dial(usual('4', 100)).linear()); string(keys) != "4444" {
		t.Errorf("with silence: %q", keys)
	}
}

// FuzzDetector: never a panic, never what is no key, never more than one key each 55 ms, and alike however it is cut.
func FuzzDetector(f *testing.F) {
	b := make([]byte, 2000)
	mix.EncodeULaw(b[:480], newScore(1).dial(usual('1', 60)).linear())
	f.Add(b, uint8(7), false)
	f.Add([]byte{0, 255, 127, 128}, uint8(0), true)
	f.Fuzz(func(t *testing.T, b []byte, size uint8, alaw bool) {
		var whole, parts Detector
		hear, again := whole.ULaw, parts.ULaw
		if alaw {
			hear, again = whole.ALaw, parts.ALaw
		}
		all := hear(nil, b)
		var cut []byte
		for rest := b; len(rest) > 0; {
			n := min(len(rest), int(size)+1)
			cut = again(cut, rest[:n])
			rest = rest[n:]
		}
		if string(all) != string(cut) || len(all) > len(b)/200 {
			t.Fatalf("%q, cut %q, of %d samples", all, cut, len(b))
		}
		for _, k := range all {
			if _, _, ok := KeyTones(k); !ok {
				t.Fatalf("key %q", k)
			}
		}
	})
}

func TestDetectorDoesNotAllocate(t *testing.T) {
	s := newScore(1).dial(usual('5', 45)).pause(45)
	b := make([]byte, len(s.pcm))
	mix.EncodeULaw(b, s.linear())
	d, keys, n := new(Detector), make([]byte, 0, 8), 0
	if a := testing.AllocsPerRun(100, func() { n += len(d.ULaw(keys, b)) }); a != 0 {
		t.Errorf("%v allocations", a)
	}
	if n != 101 {
		t.Errorf("%d keys", n)
	}
}

// 20 ms: of silence, of speech, of a key.
func BenchmarkDetector(b *testing.B) {
	speech := newScore(1)
	voices(speech)
	for name, pcm := range map[string][]int16{
		"silence": make([]int16, 8000), "speech": speech.linear()[:80000], "key": newScore(1).dial(usual('5', 1000)).linear(),
	} {
		b.Run(name, func(b *testing.B) {
			in := make([]byte, len(pcm))
			for i, v := range pcm {
				in[i] = g711.EncodeUlawFrame(v)
			}
			var d Detector
			keys, at := make([]byte, 0, 8), 0
			b.ReportAllocs()
			for b.Loop() {
				d.ULaw(keys, in[at:at+FrameSamples])
				if at += FrameSamples; at+FrameSamples > len(in) {
					at = 0
				}
			}
		})
	}
}
