package pbxtest

import "math"

const (
	rate      = 8000      // samples a second
	frameSize = 160       // samples of 20 ms
	amplitude = 0.25      // of each tone, of full scale: −12 dBFS
	block     = rate / 10 // samples of one measurement: frequencies that are multiples of 10 Hz do not leak
	audible   = -30       // dBFS from which a tone counts as heard
	quiet     = -55       // dBFS below which there is silence
)

// tone makes sines, of any number of frequencies at a time.
type tone struct {
	frequencies []float64
	n           int
}

func (t *tone) fill(samples []int16) {
	for i := range samples {
		v := 0.0
		for _, f := range t.frequencies {
			v += math.Sin(2 * math.Pi * f * float64(t.n) / rate)
		}
		samples[i] = int16(max(-32767, min(32767, v*amplitude*32767)))
		t.n++
	}
}

// Level is how loud a frequency is in samples of 8 kHz, in dB below a full-scale sine (Goertzel's algorithm, in
// blocks of 100 ms). A multiple of 10 Hz is told exactly.
func Level(samples []int16, frequency float64) float64 {
	if len(samples) < block {
		return math.Inf(-1)
	}
	c := 2 * math.Cos(2*math.Pi*frequency/rate)
	sum, blocks := 0.0, 0
	for ; len(samples) >= block; samples = samples[block:] {
		var s1, s2 float64
		for _, x := range samples[:block] {
			s1, s2 = float64(x)+c*s1-s2, s1
		}
		power := s1*s1 + s2*s2 - c*s1*s2
		sum += power * 4 / (block * block) // squared amplitude
		blocks++
	}
	return decibel(sum / float64(blocks) / (32767 * 32767))
}

// Loudness is that of all frequencies together, in dB below a full-scale sine.
func Loudness(samples []int16) float64 {
	sum := 0.0
	for _, x := range samples {
		sum += float64(x) * float64(x)
	}
	return decibel(2 * sum / float64(max(len(samples), 1)) / (32767 * 32767))
}

func decibel(power float64) float64 {
	if power <= 0 {
		return math.Inf(-1)
	}
	return 10 * math.Log10(power)
}

func fromDecibel(d float64) float64 { return math.Pow(10, d/10) }
