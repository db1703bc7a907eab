package tone

import (
	"strings"
	"time"
)

// The pairs of ITU-T Q.23: a row has a frequency of the low group, a column one of the high group. The latter is 2 dB
// louder (ETSI ES 201 235-2).
const (
	keys      = "123A456B789C*0#D"
	lowLevel  = -11.0 // dBm0
	highLevel = -9.0
)

var (
	low  = [4]float64{697, 770, 852, 941}
	high = [4]float64{1209, 1336, 1477, 1633}
)

// DTMF is the tone of a key, 0-9, *, #, A-D, for a time with a pause after it. For another key it reports false.
func DTMF(key byte, lasts, pause time.Duration) (Tone, bool) {
	i := strings.IndexByte(keys, key)
	if i < 0 {
		return Tone{}, false
	}
	pair := []Partial{{low[i/4], lowLevel}, {high[i%4], highLevel}}
	return Tone{Segments: []Segment{{pair, lasts}, {For: pause}}, Times: 1}, true
}
