// Package tone makes the tones of telephony: those of countries' networks, those of keys, and what stands for the PBX's
// prompts where there is no speech. Nothing is stored: oscillators make each frame as it is played.
//
// Tones, plans and the function of Prompts never change and may be used from any goroutine. A media.Sound made from them
// belongs to one goroutine at a time.
package tone

import (
	"math"
	"time"

	"ringback/media"
)

// Tone describes a tone: a cadence of segments, one after the other, again and again.
type Tone struct {
	Segments []Segment
	Times    int // how often the segments are heard; 0: for ever
}

// Segment is a part of a cadence: some frequencies together, or silence.
type Segment struct {
	Partials []Partial     // none: silence; no more than three count
	For      time.Duration // 0: for ever
}

// Partial is one frequency.
type Partial struct {
	Hz    float64 // below 4000
	Level float64 // dBm0: relative to a sine of 1 mW at the point of zero level, which a G.711 coder overloads at +3.14
}

// Sound begins the tone. It makes frames without allocating; each edge of a segment is faded over 5 ms.
func (t Tone) Sound() media.Sound {
	g := &generator{segments: make([]segment, len(t.Segments)), rounds: t.Times}
	if g.rounds <= 0 {
		g.rounds = -1
	}
	for i, s := range t.Segments {
		g.segments[i] = compile(s)
	}
	g.over = len(g.segments) == 0
	return g
}

// Repeated is the tone with its segments heard so many times; 0: for ever.
func (t Tone) Repeated(times int) Tone { return Tone{t.Segments, times} }

// Length is how long the tone is heard, <0: for ever.
func (t Tone) Length() (d time.Duration) {
	for _, s := range t.Segments {
		if s.For <= 0 || t.Times <= 0 {
			return -1
		}
		d += s.For
	}
	return d * time.Duration(t.Times)
}

// sine is frequencies at one level each.
func sine(level float64, hz ...float64) (p []Partial) {
	for _, f := range hz {
		p = append(p, Partial{f, level})
	}
	return p
}

// modulated is a carrier with its amplitude modulated to a depth between 0 and 1: it and its two sidebands. level is that
// of all together.
func modulated(level, carrier, by, depth float64) []Partial {
	level -= 10 * math.Log10(1+depth*depth/2)
	side := level + 20*math.Log10(depth/2)
	return []Partial{{carrier, level}, {carrier - by, side}, {carrier + by, side}}
}

// on and off are segments of so many milliseconds.
func on(p []Partial, ms int) Segment { return Segment{p, time.Duration(ms) * time.Millisecond} }
func off(ms int) Segment             { return Segment{For: time.Duration(ms) * time.Millisecond} }

// steady is a tone without a cadence.
func steady(p []Partial) Tone { return Tone{Segments: []Segment{{Partials: p}}} }

// cadence is a tone of one sound, on and off for so many milliseconds in turn, for ever.
func cadence(p []Partial, ms ...int) (t Tone) {
	for i, n := range ms {
		if i%2 == 0 {
			t.Segments = append(t.Segments, on(p, n))
		} else {
			t.Segments = append(t.Segments, off(n))
		}
	}
	return t
}
