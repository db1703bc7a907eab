package e2e

import (
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// Who dials a code is told in words: sound that rises and falls as speech does, and no tone that stays.
func TestSpeech(t *testing.T) {
	own(t, func(s *scene, _ func()) {
		alice := s.phone()
		for _, code := range []string{"*78", "*79", "*65", "*31"} {
			call, err := alice.Call(s.ctx, code)
			s.must(err)
			s.must(call.Answered(s.ctx))
			since := time.Now()
			s.must(call.Ended(s.within(30))) // it asks for a number, and waits
			h := call.Heard(since.Add(-time.Second))
			if d := time.Duration(len(h.Samples)) * time.Second / 8000; d < 400*time.Millisecond {
				s.Errorf("%s: %v of sound: %s", code, d, h)
			}
			if loud := pbxtest.Loudness(h.Samples); loud < -35 || loud > -8 {
				s.Errorf("%s is said at %.0f dBFS", code, loud)
			}
			if low, high := loudest(h.Samples); high-low < 10 {
				s.Errorf("%s: all of it is as loud as the rest, within %.0f dB: no speech", code, high-low)
			}
		}
	}, "--set", "calls.language=en")
}

// loudest is how loud the softest and the loudest of the 40 ms are in between the first and the last of them.
func loudest(samples []int16) (low, high float64) {
	const part = 320
	low, high = 0, -200
	for i := part; i+2*part <= len(samples); i += part {
		loud := pbxtest.Loudness(samples[i : i+part])
		low, high = min(low, loud), max(high, loud)
	}
	return low, high
}
