package wav

import (
	"math"
	"runtime"
	"testing"
)

// level is that of a frequency in the middle of a sound, in dB of full scale, under a Blackman window.
func level(s []int16, rate int, hz float64) float64 {
	s = s[len(s)/8 : len(s)-len(s)/8]
	var re, im, weight float64
	for i, v := range s {
		x := 2 * math.Pi * float64(i) / float64(len(s)-1)
		w := 0.42 - 0.5*math.Cos(x) + 0.08*math.Cos(2*x)
		sin, cos := math.Sincos(2 * math.Pi * hz * float64(i) / float64(rate))
		re, im, weight = re+w*float64(v)*cos, im+w*float64(v)*sin, weight+w
	}
	return 20 * math.Log10(2*math.Hypot(re, im)/weight/32768+1e-9)
}

// power is that of everything in the middle of a sound, in dB of a full sine.
func power(s []int16) float64 {
	s = s[len(s)/8 : len(s)-len(s)/8]
	sum := 0.0
	for _, v := range s {
		sum += float64(v) * float64(v)
	}
	return 10 * math.Log10(2*sum/float64(len(s))/32768/32768+1e-12)
}

var rates = []int{6000, 7919, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000}

// A sweep of tones: what telephones carry stays as it is, to half a decibel; what 8 kHz cannot carry is 60 dB down, wherever
// it would fall.
func TestSweep(t *testing.T) {
	const amplitude = 0.8
	loud := 20 * math.Log10(amplitude)
	for _, rate := range rates {
		worst, leak := 0.0, math.Inf(-1)
		top := min(3400, 0.425*float64(rate))
		for hz := 50.0; hz <= top; hz += 50 {
			out := Resample(tone(rate, hz, amplitude, rate/4), rate, Rate)
			d := level(out, Rate, hz) - loud
			worst = max(worst, math.Abs(d))
			// all that is not the tone: images and aliases
			for i, v := range tone(Rate, hz, amplitude, len(out)) {
				out[i] -= v
			}
			if rest := power(out) - loud; math.Abs(d) < 0.01 && rest > -55 {
				t.Errorf("%d Hz: at %.0f Hz everything else is at %.1f dB", rate, hz, rest)
			}
		}
		for hz := 4000.0; hz < float64(rate)/2; hz += 97 {
			leak = max(leak, power(Resample(tone(rate, hz, amplitude, rate/4), rate, Rate))-loud)
		}
		t.Logf("%5d Hz: ripple %.3f dB up to %.0f Hz, above 4 kHz %.1f dB", rate, worst, top, leak)
		if worst > 0.5 {
			t.Errorf("%d Hz: ripple of %.2f dB", rate, worst)
		}
		if rate > Rate && leak > -60 {
			t.Errorf("%d Hz: above 4 kHz only %.1f dB", rate, leak)
		}
	}
}

func TestResampleKeeps(t *testing.T) {
	for _, rate := range rates {
		in := make([]int16, rate)
		for i := range in {
			in[i] = 12345
		}
		out := Resample(in, rate, Rate)
		if len(out) != Rate {
			t.Errorf("%d Hz: a second became %d samples", rate, len(out))
		}
		for i := 100; i < len(out)-100; i++ {
			if out[i] < 12344 || out[i] > 12346 {
				t.Errorf("%d Hz: a constant of 12345 became %d at %d", rate, out[i], i)
				break
			}
		}
		for i := range in { // full scale, steep: it clips and does not turn over
			in[i] = math.MaxInt16
			if i/20%2 == 1 {
				in[i] = math.MinInt16
			}
		}
		for i, v := range Resample(in, rate, Rate) {
			at := i * rate / Rate
			if middle := at%20 == 9 || at%20 == 10; middle && (v > 0) != (at/20%2 == 0) {
				t.Errorf("%d Hz: a peak turned over, %d at %d", rate, v, i)
				break
			}
		}
		for n := range 5 { // short ones
			if got := len(Resample(in[:n], rate, Rate)); got != (n*Rate+rate-1)/rate {
				t.Errorf("%d Hz: %d samples became %d", rate, n, got)
			}
		}
	}
	in := []int16{1, 2, 3}
	out := Resample(in, 8000, 8000)
	out[0] = 9
	if in[0] != 1 {
		t.Error("what came in was changed")
	}
}

// A long sound is made in blocks: where they meet nothing is heard, and what is copied for them does not grow with the sound.
func TestResampleInBlocks(t *testing.T) {
	for _, rate := range rates {
		in := tone(rate, 1000, 0.8, 3*rate)
		out := Resample(in, rate, Rate)
		if len(out) != 3*Rate {
			t.Fatalf("%d Hz: %d samples", rate, len(out))
		}
		for i, want := range tone(Rate, 1000, 0.8, len(out)) {
			if d := int(out[i]) - int(want); i > 100 && i < len(out)-100 && (d < -60 || d > 60) {
				t.Fatalf("%d Hz: sample %d is %d, not %d", rate, i, out[i], want)
			}
		}
	}
	in := tone(96000, 1000, 0.8, 10*96000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	Resample(in, 96000, Rate)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("for %d kB of sound %d kB were taken", 2*len(in)>>10, took>>10)
	}
}
