// Package mix makes one sound of many: it takes the packets of each party through an adaptive jitter buffer, makes up for
// those that are missing, and adds up what is to be heard. It is pure: nothing in it reads a clock, sends, or starts a
// goroutine.
//
// A Voice is what came from one party: packets go in with Put as they come, and 20 ms come out with Take. A Mixer adds
// the Inputs of a room up, and gives to each what it hears: all the others.
//
// All codecs here are of 64 kbit/s with an RTP clock of 8 kHz: an octet lasts one tick of the clock. G.722 has two bands with a
// sample a tick each, the lower one of which is what telephones at 8 kHz send and hear. So everything is mixed by bands, at
// 8 kHz, without any resampling; those with G.722 hear each other's upper band too.
//
// A value belongs to one goroutine at a time, and nothing is allocated for a frame.
package mix

import "math"

const (
	// Frame is 20 ms of sound, in samples of a band or ticks of the RTP clock.
	Frame = 160
	// Rate is the number of ticks a second.
	Rate = 8000

	ms = Rate / 1000
)

// Codec is how octets stand for sound.
type Codec uint8

// The codecs that can be mixed; None is silence.
const (
	None Codec = iota
	ULaw
	ALaw
	G722
)

// zero is the effective value of 0 dBm0, where the loudest sine is +3.14 dBm0 (ITU-T G.711).
const zero = 16140

// DBm0 is the level of samples whose squares have this mean, −127 for silence.
func DBm0(meanSquare float64) float64 {
	if meanSquare <= 0 {
		return -127
	}
	return max(10*math.Log10(meanSquare/(zero*zero)), -127)
}
