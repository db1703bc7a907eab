package music

import "math"

// The band of a telephone (ITU-T G.712). No partial lies outside of it.
const (
	lowest  = 300.0 // Hz
	highest = 3300.0
)

// instrument is made of partials of a pitch, each with an envelope of its own.
type instrument struct {
	partials []partial
	attack   float64 // seconds; the shape is half a period of a cosine
	release  float64 // seconds, the same, after the note
	detune   float64 // each partial is there twice, so much apart: they beat slowly
}

type partial struct {
	multiple float64
	level    float64
	decay    float64 // to 1/e, per second
}

var (
	// piano is something like an electric piano, soft, with a little bell in the attack.
	piano = instrument{attack: 0.012, release: 0.35, detune: 0.0011,
		partials: []partial{{1, 1, 0.9}, {2, 0.24, 1.5}, {3, 0.09, 2.4}, {4, 0.08, 5}, {6, 0.03, 8}}}
	// pad is what lies below it all.
	pad = instrument{attack: 0.9, release: 1.3, detune: 0.0016,
		partials: []partial{{1, 1, 0.05}, {2, 0.20, 0.05}, {3, 0.08, 0.05}, {4, 0.02, 0.05}}}
	// bass has only what is left of one on a telephone: the ear adds the rest.
	bass = instrument{attack: 0.03, release: 0.5, detune: 0.0007,
		partials: []partial{{2, 1, 0.5}, {3, 0.35, 0.8}, {4, 0.12, 1.2}}}
)

// desk is where notes are mixed. Its sound goes round.
type desk struct{ mix, shape []float64 }

// play adds a note.
func (d *desk) play(x *instrument, start, hz, seconds, level float64) {
	attack, release := x.attack*rate, x.release*rate
	length := seconds * rate
	n := int(length + release)
	first := int(math.Round(start*rate)) % len(d.mix)
	if first < 0 {
		first += len(d.mix)
	}
	d.shape = d.shape[:0]
	for i := range n {
		t := float64(i)
		d.shape = append(d.shape, level*rise(t/attack)*rise((length+release-t)/release))
	}
	for _, p := range x.partials {
		for _, side := range [2]float64{-1, 1} {
			f := hz * p.multiple * (1 + side*x.detune/2)
			if f < lowest || f > highest {
				continue
			}
			add(d.mix, first, d.shape, f, p.level/2, p.decay)
		}
	}
}

// rise goes from 0 to 1 as x does.
func rise(x float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	}
	return (1 - math.Cos(math.Pi*x)) / 2
}

// add adds a sine that decays. Each value of it follows from the two before.
func add(mix []float64, at int, shape []float64, hz, level, decay float64) {
	w, d := 2*math.Pi*hz/rate, math.Exp(-decay/rate)
	y0, y1 := 0.0, level*d*math.Sin(w)
	turn, loss := 2*d*math.Cos(w), d*d
	for _, s := range shape {
		mix[at] += s * y0
		y0, y1 = y1, turn*y1-loss*y0
		if at++; at == len(mix) {
			at = 0
		}
	}
}

func pitch(midi int) float64 { return pitchOfA4 * math.Pow(2, float64(midi-69)/12) }
