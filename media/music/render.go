package music

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
)

// How loud it all is, as parts of full scale.
const (
	loudness = 0.0794 // root of the mean square: -22 dB
	peak     = 0.5    // never more: -6 dB
)

// piece is our own music, rendered by the first who asks, within a second of CPU. It takes 2.4 MB.
var piece = sync.OnceValue(func() *track { return &track{render()} })

// render plays the score. Notes and echoes that go on beyond its end go on at its beginning: there is no seam.
func render() []int16 {
	const beat = 60.0 / beatsPerMinute
	bars := 0
	for _, part := range waitingRoom {
		bars += len(part)
	}
	d := desk{mix: make([]float64, int(math.Round(float64(bars*beatsOfBar)*beat*rate)))}
	hands := rand.New(rand.NewPCG(seed, seed))
	uneven := func(by float64) float64 { return by * (2*hands.Float64() - 1) }
	at := 0.0
	for _, part := range waitingRoom {
		for _, b := range part {
			runtime.Gosched() // nobody waits for it, but calls go on meanwhile
			for _, p := range b.chord {
				d.play(&pad, at-0.3+uneven(0.1), pitch(p), beatsOfBar*beat-0.2, 0.20)
			}
			d.play(&bass, at, pitch(b.bass), 3.2*beat, 0.34)
			for i, c := range b.pluck {
				if c == '.' {
					continue
				}
				which := int(c - '0')
				p := b.chord[which%4] + which/4*12
				d.play(&piano, at+float64(i)*beat/2+uneven(0.012), pitch(p), beat, 0.36*(1+uneven(0.2)))
			}
			start := at
			for _, n := range b.melody {
				if n.pitch != rest {
					d.play(&piano, start+uneven(0.015), pitch(n.pitch), n.beats*beat, 0.50*(1+uneven(0.1)))
				}
				start += n.beats * beat
			}
			at += beatsOfBar * beat
		}
	}
	reverberate(d.mix)
	level(d.mix)
	return quantise(d.mix)
}

// reverberate adds a room: four echoes that come again, damped (M. R. Schroeder, 1962). The first round only fills it.
func reverberate(mix []float64) {
	const wet, back, damp = 0.10, 0.70, 0.35
	var rooms [4][]float64
	for i, n := range [4]int{389, 463, 547, 619} { // samples, without a common divisor
		rooms[i] = make([]float64, n)
	}
	var dull [4]float64
	var at [4]int
	for round := range 2 {
		for i, v := range mix {
			echo := 0.0
			for k := range rooms {
				room := rooms[k]
				out := room[at[k]]
				dull[k] = out*(1-damp) + dull[k]*damp
				room[at[k]] = v + back*dull[k]
				if at[k]++; at[k] == len(room) {
					at[k] = 0
				}
				echo += out
			}
			if round == 1 {
				mix[i] = v + wet*echo
			}
		}
	}
}

// level makes loud bars softer and soft ones louder, half of the way, slowly: over a telephone nobody turns a knob.
func level(mix []float64) {
	const window = 2 * rate
	sum := 0.0
	for _, v := range mix[len(mix)-window:] {
		sum += v * v
	}
	gains, all := make([]float64, len(mix)), 0.0
	for i, v := range mix { // the mean of the window that ends here is for its middle
		before := mix[(i+len(mix)-window)%len(mix)]
		sum = max(sum+v*v-before*before, 0)
		gains[(i+len(mix)-window/2)%len(mix)] = math.Pow(sum/window+1e-9, -0.25)
	}
	for i := range mix {
		mix[i] *= gains[i]
		all += mix[i] * mix[i]
	}
	gain := loudness / math.Sqrt(all/float64(len(mix)))
	for i := range mix {
		mix[i] *= gain
	}
}

// quantise bends what is beyond the peak, which nothing is by much.
func quantise(mix []float64) []int16 {
	samples := make([]int16, len(mix))
	for i, v := range mix {
		samples[i] = int16(math.Round(math.MaxInt16 * max(-peak, min(peak, v))))
	}
	return samples
}
