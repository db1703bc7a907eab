package tone

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringback/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hear takes down a sound, at most for d; ended says whether it ended before.
func hear(t testing.TB, s media.Sound, d time.Duration) (all []int16, ended bool) {
	t.Helper()
	if s == nil {
		t.Fatal("no sound")
	}
	for f := make([]int16, media.FrameSamples); time.Duration(len(all))*time.Second/rate < d; all = append(all, f...) {
		if !s.Frame(f) {
			if s.Frame(f) {
				t.Error("a sound that had ended goes on")
			}
			return all, true
		}
	}
	return all, false
}

// goertzel is the level of a frequency in dBm0. Over a whole number of its periods it hears no other harmonic of the window.
func goertzel(x []int16, hz float64) float64 {
	w := 2 * math.Pi * hz / rate
	var a, b float64
	for _, v := range x {
		a, b = float64(v)+2*math.Cos(w)*a-b, a
	}
	power := a*a + b*b - 2*math.Cos(w)*a*b
	return 20*math.Log10(2*math.Sqrt(max(power, 1))/float64(len(x))/32768) + 3.14
}

// loudness is the level of all that is heard, in dBm0.
func loudness(x []int16) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return 10*math.Log10(max(2*sum/float64(len(x)), 1)/32768/32768) + 3.14
}

// bursts are the lengths of what is heard and of the silences after it, in milliseconds, measured by the envelope.
func bursts(x []int16) (ms []float64) {
	const near = 20 // samples that a tone does not cross zero in
	sounding, since, last := false, 0, -1<<30
	for i, v := range x {
		if v > 20 || v < -20 {
			last = i
		}
		if now := i-last < near; now != sounding {
			edge := i
			if sounding {
				edge = last + 1
			}
			if sounding || len(ms) > 0 || i > 0 && since != 0 {
				ms = append(ms, float64(edge-since)/8)
			}
			sounding, since = now, edge
		}
	}
	return append(ms, float64(len(x)-since)/8)
}

// The plans as they are published: frequencies, and on and off in milliseconds.
var published = map[string]map[string]struct {
	hz []float64
	ms []int
}{
	"us": {"dial": {[]float64{350, 440}, nil}, "ringing": {[]float64{440, 480}, []int{2000, 4000}},
		"busy": {[]float64{480, 620}, []int{500, 500}}, "congestion": {[]float64{480, 620}, []int{250, 250}},
		"waiting": {[]float64{440}, []int{300, 9700}}},
	"uk": {"dial": {[]float64{350, 440}, nil}, "ringing": {[]float64{400, 450}, []int{400, 200, 400, 2000}},
		"busy": {[]float64{400}, []int{375, 375}}, "congestion": {[]float64{400}, []int{400, 350, 225, 525}},
		"waiting": {[]float64{400}, []int{100, 4000}}},
	"de": {"dial": {[]float64{425}, nil}, "ringing": {[]float64{425}, []int{1000, 4000}},
		"busy": {[]float64{425}, []int{480, 480}}, "congestion": {[]float64{425}, []int{240, 240}},
		"waiting": {[]float64{425}, []int{200, 200, 200, 5000}}},
	"cn": {"dial": {[]float64{450}, nil}, "ringing": {[]float64{450}, []int{1000, 4000}},
		"busy": {[]float64{450}, []int{350, 350}}, "congestion": {[]float64{450}, []int{700, 700}},
		"waiting": {[]float64{450}, []int{400, 4000}}},
	"kr": {"dial": {[]float64{350, 440}, nil}, "ringing": {[]float64{440, 480}, []int{1000, 2000}},
		"busy": {[]float64{480, 620}, []int{500, 500}}, "congestion": {[]float64{480, 620}, []int{300, 200}},
		"waiting": {[]float64{350, 440}, []int{250, 250, 250, 3250}}},
	"ru": {"dial": {[]float64{425}, nil}, "ringing": {[]float64{425}, []int{800, 3200}},
		"busy": {[]float64{425}, []int{350, 350}}, "congestion": {[]float64{425}, []int{175, 175}},
		"waiting": {[]float64{425}, []int{200, 5000}}},
	"jp": {"dial": {[]float64{400}, nil}, "ringing": {[]float64{384, 400, 416}, []int{1000, 2000}},
		"busy": {[]float64{400}, []int{500, 500}}, "congestion": {[]float64{400}, []int{500, 500}},
		"waiting": {[]float64{384, 400, 416}, []int{500, 8000}}},
	"eu": {"dial": {[]float64{425}, nil}, "ringing": {[]float64{425}, []int{1000, 4000}},
		"busy": {[]float64{425}, []int{500, 500}}, "congestion": {[]float64{425}, []int{200, 200}},
		"waiting": {[]float64{425}, []int{200, 600, 200, 3000}}},
}

func TestPlans(t *testing.T) {
	if got := Countries(); len(got) != len(published) {
		t.Errorf("countries %v", got)
	}
	for country, tones := range published {
		p, err := Of(country)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]Tone{"dial": p.Dial, "ringing": p.Ringing, "busy": p.Busy, "congestion": p.Congestion, "waiting": p.CallWaiting}
		for name, want := range tones {
			t.Run(country+" "+name, func(t *testing.T) {
				if all[name].Length() >= 0 {
					t.Error("it ends")
				}
				x, _ := hear(t, all[name].Sound(), 20*time.Second)
				if want.ms != nil {
					checkCadence(t, x, want.ms)
				} else if got := bursts(x); len(got) != 1 {
					t.Errorf("a steady tone in bursts of %v ms", got)
				}
				length := rate // of what sounds and is not faded
				if want.ms != nil {
					length = want.ms[0]*8 - 2*fade
				}
				checkFrequencies(t, country, x[fade:fade+length], want.hz...)
			})
		}
	}
}

// checkCadence compares whole rounds; the fading at each edge costs a few tenths of milliseconds.
func checkCadence(t *testing.T, x []int16, want []int) {
	t.Helper()
	got := bursts(x)
	if len(got) < len(want)+1 {
		t.Fatalf("bursts of %v ms, want %v", got, want)
	}
	at := 0.0
	for i, ms := range got[:len(got)-1] {
		at += ms
		if d := ms - float64(want[i%len(want)]); d < -3 || d > 3 {
			t.Errorf("burst or pause %d is of %.1f ms, want %d", i, ms, want[i%len(want)])
		}
	}
	var ideal int
	for i := range len(got) - 1 {
		ideal += want[i%len(want)]
	}
	if d := at - float64(ideal); d < -3 || d > 3 {
		t.Errorf("%.1f ms off after %d ms: it drifts", d, ideal)
	}
}

// checkFrequencies wants these to be the sound, all of it, at the level of E.180, or that of the precise tone plan.
func checkFrequencies(t *testing.T, country string, x []int16, hz ...float64) {
	t.Helper()
	n := 1 // samples in which each has a whole number of periods
	for !wholeIn(n, hz) {
		n++
	}
	if x = x[:len(x)/n*n]; len(x) == 0 {
		t.Fatalf("too short to tell %v Hz apart", hz)
	}
	total, sum := loudness(x), 0.0
	for _, f := range hz {
		sum += math.Pow(10, goertzel(x, f)/10)
	}
	if d := 10*math.Log10(sum) - total; d < -0.1 || d > 0.1 {
		t.Errorf("%v Hz are %.1f dB of all that is heard", hz, d)
	}
	if low := -10.5; total > -9.5 || total < low && (country != "us" || total < -21.5) {
		t.Errorf("%v Hz at %.1f dBm0", hz, total)
	}
}

func wholeIn(samples int, hz []float64) bool {
	return !slices.ContainsFunc(hz, func(f float64) bool { return math.Mod(float64(samples)*f, rate) != 0 })
}

func TestLevels(t *testing.T) {
	for _, level := range []float64{0, -3, -10, -13, -24, -40} {
		x, _ := hear(t, steady(sine(level, 1000)).Sound(), 2*time.Second)
		x = x[rate:]
		if d := goertzel(x, 1000) - level; math.Abs(d) > 0.05 {
			t.Errorf("%.0f dBm0 is off by %.2f dB", level, d)
		}
		if d := loudness(x) - level; math.Abs(d) > 0.05 {
			t.Errorf("%.0f dBm0: all that is heard is off by %.2f dB", level, d)
		}
	}
	x, _ := hear(t, steady(sine(3.14, 1000, 1500)).Sound(), time.Second)
	if slices.Max(x) != math.MaxInt16 || slices.Min(x) != math.MinInt16 {
		t.Errorf("two at the overload level reach from %d to %d", slices.Min(x), slices.Max(x))
	}
}

// After an hour the phase is that of the frequency, to two degrees: a billionth of it.
func TestOscillatorsDoNotDrift(t *testing.T) {
	const hz, hour = 941.0, 3600 * rate
	g := steady(sine(0, hz)).Sound().(*generator)
	f := make([]int16, media.FrameSamples)
	g.Frame(f)
	o := &g.oscillators[0]
	o.phase += o.step * (hour - media.FrameSamples) // all that is kept of the time that has passed
	g.Frame(f)
	for i, v := range f {
		_, part := math.Modf(hz * float64(hour+i) / rate)
		if want := float64(peak(0)) * math.Sin(2*math.Pi*part); math.Abs(float64(v)-want) > 2*math.Pi/180*float64(peak(0)) {
			t.Fatalf("sample %d after an hour: %d, want %.0f", i, v, want)
		}
	}
}

func TestInformation(t *testing.T) {
	for _, country := range Countries() {
		p, _ := Of(country)
		x, ended := hear(t, p.Information.Sound(), time.Minute)
		if d := time.Duration(len(x)) * time.Second / rate; !ended || d < 1990*time.Millisecond || d > 2010*time.Millisecond {
			t.Errorf("%s: %v", country, d)
		}
		for i, hz := range []float64{950, 1400, 1800} {
			from := i*330*8 + fade
			part := x[from : from+320*8]
			if got := goertzel(part, hz); math.Abs(got-loudness(part)) > 0.1 || math.Abs(got+13) > 0.1 {
				t.Errorf("%s: %.0f Hz at %.1f of %.1f dBm0", country, hz, got, loudness(part))
			}
		}
		if got := loudness(x[990*8:]); got > -60 {
			t.Errorf("%s: %.1f dBm0 after it", country, got)
		}
	}
}

// Wherever in its period a tone begins and ends, no step is greater than those that it makes itself, and nothing is heard far
// from its frequency.
func TestNoClicks(t *testing.T) {
	const hz, level = 437, -10 // whose periods fit into nothing
	p := sine(level, hz)
	sounds := map[string]media.Sound{
		"a cut":        Limit(steady(p).Sound(), 980*time.Millisecond),
		"joined":       Join(Limit(steady(p).Sound(), 100*time.Millisecond), Limit(steady(p).Sound(), time.Second)),
		"side by side": Tone{Segments: []Segment{on(p, 51), on(p, 52), on(p, 53)}, Times: 5}.Sound(),
	}
	for ms := 100; ms < 120; ms++ {
		sounds[fmt.Sprint(ms, " ms")] = cadence(p, ms, ms/2).Repeated(3).Sound()
	}
	for name, s := range sounds {
		x, _ := hear(t, s, 3*time.Second)
		x = append(append(make([]int16, 400), x...), make([]int16, 400)...)
		steepest := 1.05 * 2 * math.Pi * hz / rate * float64(peak(level))
		for i := 1; i < len(x); i++ {
			if d := math.Abs(float64(x[i]) - float64(x[i-1])); d > steepest {
				t.Fatalf("%s: a step of %.0f at %.1f ms, at most %.0f", name, d, float64(i-400)/8, steepest)
			}
		}
		for at := 0; at+160 < len(x); at += 8 {
			windowed := make([]int16, 160)
			for i := range windowed { // so that the tone itself is not heard there
				windowed[i] = int16(float64(x[at+i]) * (1 - math.Cos(2*math.Pi*(float64(i)+0.5)/160)) / 2)
			}
			if got := goertzel(windowed, 3200); got > -60 {
				t.Fatalf("%s: a click of %.0f dBm0 at 3200 Hz, at %.1f ms", name, got, float64(at-400)/8)
			}
		}
	}
}

func TestDTMF(t *testing.T) {
	// ITU-T Q.23, table 1.
	want := map[byte][2]float64{
		'1': {697, 1209}, '2': {697, 1336}, '3': {697, 1477}, 'A': {697, 1633},
		'4': {770, 1209}, '5': {770, 1336}, '6': {770, 1477}, 'B': {770, 1633},
		'7': {852, 1209}, '8': {852, 1336}, '9': {852, 1477}, 'C': {852, 1633},
		'*': {941, 1209}, '0': {941, 1336}, '#': {941, 1477}, 'D': {941, 1633},
	}
	all := []float64{697, 770, 852, 941, 1209, 1336, 1477, 1633}
	for key := range 256 {
		d, ok := DTMF(byte(key), 300*time.Millisecond, 100*time.Millisecond)
		pair, known := want[byte(key)]
		if ok != known {
			t.Errorf("%q: %v", rune(key), ok)
		}
		if !ok {
			continue
		}
		x, ended := hear(t, d.Sound(), time.Minute)
		if !ended || len(x) != 400*8 {
			t.Errorf("%c lasts %d samples", key, len(x))
		}
		for _, hz := range all {
			got := goertzel(x[fade:fade+280*8], hz)
			switch hz {
			case pair[0]:
				if math.Abs(got-lowLevel) > 0.3 {
					t.Errorf("%c: %.0f Hz at %.1f dBm0", key, hz, got)
				}
			case pair[1]:
				if math.Abs(got-highLevel) > 0.3 {
					t.Errorf("%c: %.0f Hz at %.1f dBm0", key, hz, got)
				}
			default:
				if got > -25 {
					t.Errorf("%c: %.0f Hz at %.1f dBm0", key, hz, got)
				}
			}
		}
		if got := loudness(x[300*8:]); got > -60 {
			t.Errorf("%c: %.0f dBm0 in the pause", key, got)
		}
	}
}

func TestSequences(t *testing.T) {
	a := Tone{Segments: []Segment{on(sine(-10, 500), 30)}, Times: 1} // a frame and a half
	x, ended := hear(t, Join(a.Sound(), Silence(40*time.Millisecond), a.Sound(), Limit(steady(sine(-10, 500)).Sound(), 50*time.Millisecond)), time.Minute)
	if !ended || len(x) != (40+40+40+60)*8 {
		t.Errorf("%d samples", len(x))
	}
	if got := bursts(x); !near(got, 30, 50, 30, 10, 60) {
		t.Errorf("bursts of %v ms", got)
	}
	for name, s := range map[string]media.Sound{"nothing": Join(), "no time": Silence(0), "no segments": Tone{}.Sound(), "less than none": Limit(a.Sound(), -time.Second)} {
		if x, ended := hear(t, s, time.Second); !ended || len(x) != 0 {
			t.Errorf("%s: %d samples", name, len(x))
		}
	}
	strange := Tone{Times: 2, Segments: []Segment{{sine(-10, -5, 9000, math.NaN()), time.Nanosecond}, {sine(200, 500), -time.Second}}}
	if x, ended := hear(t, strange.Sound(), time.Second); !ended || len(x) != media.FrameSamples {
		t.Errorf("%d samples", len(x))
	}
}

func near(got []float64, want ...float64) bool {
	return slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) <= 3 })
}

func TestFramesDoNotAllocate(t *testing.T) {
	f := make([]int16, media.FrameSamples)
	s := Join(Limit(steady(sine(-13, 440, 480)).Sound(), time.Hour), Silence(time.Hour))
	if n := testing.AllocsPerRun(1000, func() { s.Frame(f) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkFrame(b *testing.B) {
	s, f := steady(sine(-13, 440, 480)).Sound(), make([]int16, media.FrameSamples)
	b.ReportAllocs()
	for b.Loop() {
		s.Frame(f)
	}
}
