package media

import (
	"math"
	"strings"
)

// The pairs of ITU-T Q.23: a row of a keypad has a frequency of the low group, a column one of the high group. In Hz.
var (
	lowTones  = [4]float64{697, 770, 852, 941}
	highTones = [4]float64{1209, 1336, 1477, 1633}
)

// keyRows are the keys, row by row.
const keyRows = "123A456B789C*0#D"

// KeyTones are the two frequencies of a key in Hz, ITU-T Q.23; ok is false for what is no key.
func KeyTones(key byte) (low, high float64, ok bool) {
	i := strings.IndexByte(keyRows, key)
	if i < 0 {
		return 0, 0, false
	}
	return lowTones[i/4], highTones[i%4], true
}

// keyTone makes the tone of a key in linear sound. The high frequency is at −9 dBm0 and the low one at −11 (ETSI ES 201 235-2), with
// edges of 5 ms.
type keyTone struct {
	low, high sine
	at        int // samples made
}

const (
	keyEdge  = soundRate / 200 // samples
	lowPeak  = 6433            // −11 dBm0, where +3.14 dBm0 is full scale (ITU-T G.711)
	highPeak = 8099            // −9 dBm0
)

func newKeyTone(key byte) keyTone {
	low, high, _ := KeyTones(key)
	return keyTone{low: newSine(low, lowPeak), high: newSine(high, highPeak)}
}

// fill makes the next samples of a tone that lasts so many in all.
func (k *keyTone) fill(dst []int16, lasts int) {
	for i := range dst {
		v := k.low.next() + k.high.next()
		if edge := min(k.at+1, lasts-k.at); edge < keyEdge {
			v *= float64(edge) / keyEdge
		}
		dst[i] = int16(v)
		k.at++
	}
}

// sine is an oscillator: each value is made of the two before it. Over the length of a key nothing of it drifts.
type sine struct{ factor, last, before float64 }

func newSine(hz, peak float64) sine {
	w := 2 * math.Pi * hz / soundRate
	return sine{factor: 2 * math.Cos(w), last: 0, before: -peak * math.Sin(w)}
}

// next begins with the sample after the zero crossing.
func (s *sine) next() float64 {
	v := s.factor*s.last - s.before
	s.before, s.last = s.last, v
	return v
}
