package speech

import (
	"io"
	"slices"

	"ringback/media/wav"
)

// recording is a sound as it is played. It never changes, and is everybody's.
type recording struct {
	narrow []int16 // at 8 kHz
	wide   []int16 // at 16 kHz, twice as many
}

// bytes are what it takes.
func (r *recording) bytes() int {
	if r == nil {
		return 0
	}
	return 2 * (cap(r.narrow) + cap(r.wide))
}

// edge is how long a recording takes to come up and to go, in samples at 8 kHz: it may begin or end within a sound.
const edge = wav.Rate * 3 / 1000

func decode(f io.Reader) (*recording, error) {
	samples, rate, err := wav.Decode(f, wav.Limits{Size: maxFile, Duration: maxDuration})
	if err != nil {
		return nil, err
	}
	narrow := wav.Resample(samples, rate, wav.Rate)
	wide := samples
	if rate != 2*wav.Rate {
		wide = wav.Resample(samples, rate, 2*wav.Rate)
	}
	wide = slices.Concat(wide, make([]int16, 2))[:2*len(narrow)]
	from, to := bounds(wide)
	from, to = from/2, (to+1)/2
	r := &recording{cut(narrow, from, to), cut(wide, 2*from, 2*to)}
	shape(r.narrow, edge)
	shape(r.wide, 2*edge)
	return r, nil
}

// shape fades the ends of a sound.
func shape(samples []int16, edge int) {
	for i := range min(edge, len(samples)/2) {
		last := len(samples) - 1 - i
		samples[i] = int16(int(samples[i]) * i / edge)
		samples[last] = int16(int(samples[last]) * i / edge)
	}
}

// Silence around a recording would be heard as a gap between words: what is below faint at the ends goes, but for a little.
const (
	faint  = 200                      // of 32767, -44 dBFS
	little = 2 * wav.Rate * 40 / 1000 // samples at 16 kHz
)

// bounds are from where to where a sound at 16 kHz is not silent.
func bounds(samples []int16) (from, to int) {
	loud := func(v int16) bool { return v > faint || v < -faint }
	first := slices.IndexFunc(samples, loud)
	if first < 0 {
		return 0, len(samples) // nothing else than silence: that is meant
	}
	last := len(samples) - 1
	for !loud(samples[last]) {
		last--
	}
	return max(0, first-little), min(len(samples), last+1+little)
}

// cut gives a part of a sound, in memory of its own if it is much less.
func cut(samples []int16, from, to int) []int16 {
	if to-from < len(samples)*3/4 {
		return slices.Clone(samples[from:to])
	}
	return samples[from:to]
}
