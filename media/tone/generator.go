package tone

import (
	"math"
	"time"

	"ringback/media"
)

const (
	rate     = 8000 // Hz
	partials = 3
	fade     = 40 // samples: 5 ms
	overload = 3.14
)

// waves is a sine of full scale; what is left out between two entries is 70 dB below it, G.711 adds far more.
// edge is half a period of a cosine, from silence to full scale.
var waves, edge = func() (w [4096]int16, e [fade]int32) {
	for i := range w {
		w[i] = int16(math.Round(math.MaxInt16 * math.Sin(2*math.Pi*float64(i)/float64(len(w)))))
	}
	for i := range e {
		e[i] = int32(math.Round((1 << 14) * (1 - math.Cos(math.Pi*(float64(i)+0.5)/fade))))
	}
	return
}()

// oscillator has its phase as a fraction of 2³² of a period, so that it neither drifts nor loses precision.
type oscillator struct {
	phase, step uint32
	peak        int32
}

// segment is one of a cadence, in samples.
type segment struct {
	length      int // 0: for ever
	oscillators [partials]oscillator
	count       int
}

// generator is a Tone that is heard.
type generator struct {
	segments []segment
	rounds   int // left, with the present one; <0: for ever
	at       int // segment
	done     int // samples of it
	over     bool

	oscillators [partials]oscillator // of the segment, as far as they are
	mix         [media.FrameSamples]int32
}

func compile(s Segment) (c segment) {
	if s.For != 0 {
		c.length = max(1, int((s.For*rate+time.Second/2)/time.Second))
	}
	for _, p := range s.Partials[:min(len(s.Partials), partials)] {
		if !(p.Hz > 0 && p.Hz < rate/2) {
			continue
		}
		c.oscillators[c.count] = oscillator{step: uint32(math.Round(p.Hz * (1 << 32) / rate)), peak: peak(p.Level)}
		c.count++
	}
	return c
}

// peak is the amplitude of a sine.
func peak(level float64) int32 {
	return int32(min(math.Round(math.MaxInt16*math.Pow(10, (level-overload)/20)), math.MaxInt16))
}

// Frame implements media.Sound. After the end of a tone the frame is filled up with silence.
func (g *generator) Frame(dst []int16) bool {
	if g.over {
		return false
	}
	for len(dst) > 0 && !g.over {
		s := &g.segments[g.at]
		n := len(dst)
		if s.length > 0 {
			n = min(n, s.length-g.done)
		}
		g.fill(dst[:n], s)
		dst = dst[n:]
		if g.done += n; g.done == s.length {
			g.next()
		}
	}
	clear(dst)
	return true
}

// next goes to the next segment.
func (g *generator) next() {
	g.done = 0
	if g.at++; g.at < len(g.segments) {
		return
	}
	g.at = 0
	if g.rounds--; g.rounds == 0 {
		g.over = true
	}
	g.rounds = max(g.rounds, -1)
}

// fill makes the next samples of a segment.
func (g *generator) fill(dst []int16, s *segment) {
	if s.count == 0 {
		clear(dst)
		return
	}
	if g.done == 0 {
		g.oscillators = s.oscillators
	}
	mix := g.mix[:len(dst)]
	clear(mix)
	for k := range g.oscillators[:s.count] {
		o := &g.oscillators[k]
		phase, step, peak := o.phase, o.step, o.peak
		for i := range mix {
			mix[i] += peak * int32(waves[phase>>20]) >> 15
			phase += step
		}
		o.phase = phase
	}
	for i, v := range mix {
		dst[i] = int16(max(min(v, math.MaxInt16), math.MinInt16))
	}
	g.shape(dst, s)
}

// shape fades what lies at the edges of a segment.
func (g *generator) shape(dst []int16, s *segment) {
	for i := 0; i < len(dst) && g.done+i < fade; i++ {
		dst[i] = int16(int32(dst[i]) * edge[g.done+i] >> 15)
	}
	if s.length == 0 {
		return
	}
	left := s.length - g.done // with dst[0]
	for i := max(0, left-fade); i < len(dst); i++ {
		dst[i] = int16(int32(dst[i]) * edge[left-1-i] >> 15)
	}
}
