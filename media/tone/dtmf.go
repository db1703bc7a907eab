package tone

import (
	"time"

	"ringback/media"
)

// The high frequency of a key is 2 dB louder than the low one (ETSI ES 201 235-2).
const (
	lowLevel  = -11.0 // dBm0
	highLevel = -9.0
)

// DTMF is the tone of a key, 0-9, *, #, A-D (ITU-T Q.23), for a time with a pause after it. For another key it reports false.
func DTMF(key byte, lasts, pause time.Duration) (Tone, bool) {
	low, high, ok := media.KeyTones(key)
	if !ok {
		return Tone{}, false
	}
	pair := []Partial{{low, lowLevel}, {high, highLevel}}
	return Tone{Segments: []Segment{{pair, lasts}, {For: pause}}, Times: 1}, true
}
