package quality

import (
	"math"
	"time"
)

// Enough is how many packets must have been due before there is an estimate: a second of speech, as most phones send it.
// Of fewer, one lost packet would be a verdict.
const Enough = 50

// Sample is what one receiver has counted of one source.
type Sample struct {
	Codec     string        // its name in SDP
	Received  uint64        // packets
	Lost      uint64        // packets
	Gaps      uint64        // how often packets were missed in a row; 0: not known
	Jitter    time.Duration // interarrival jitter, RFC 3550 §6.4.1
	RoundTrip time.Duration // of the network, by RTCP; 0: not known, and taken for nothing
	Packet    time.Duration // how much speech a packet holds; 0: 20 ms
}

// MOS estimates the mean opinion score for the way that the sample was taken on, with two decimals. It is 0 if there is
// none: too few packets, or a codec that nothing is known of.
func (s Sample) MOS() float64 {
	c, known := CodecOf(s.Codec)
	if due := s.Received + s.Lost; !known || due < Enough {
		return 0
	}
	return math.Round(100*MOS(R(Path{Codec: c, Loss: s.Loss(), BurstR: s.BurstR(), Delay: s.Delay()}))) / 100
}

// Loss is the share of packets that were lost, 0 to 1.
func (s Sample) Loss() float64 {
	if s.Lost == 0 {
		return 0
	}
	return float64(s.Lost) / (float64(s.Received) + float64(s.Lost))
}

// BurstR is the burst ratio of G.107 §3.5: how long losses in a row are on average, against how long they would be if
// each packet were lost by itself with the same probability, 1/(1 - Loss). It is never below 1.
func (s Sample) BurstR() float64 {
	if s.Gaps == 0 {
		return 1
	}
	return max(float64(s.Lost)/float64(s.Gaps)*(1-s.Loss()), 1)
}

// Delay estimates the way from mouth to ear: the packet is filled and looked ahead, travels for half the round trip, and
// waits in a jitter buffer. What that holds is the phone's own affair: three times the jitter are assumed, and at least
// one packet.
func (s Sample) Delay() time.Duration {
	packet := s.Packet
	if packet <= 0 {
		packet = 20 * time.Millisecond
	}
	c, _ := CodecOf(s.Codec)
	const long = 10 * time.Second // beyond which nothing gets worse, and sums cannot overflow
	network, jitter := min(max(s.RoundTrip/2, 0), long), min(max(s.Jitter, 0), long)
	return min(packet, long) + c.Lookahead + network + max(3*jitter, packet)
}
