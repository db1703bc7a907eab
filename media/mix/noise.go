package mix

import "math"

// noise is the background of a party that is silent, RFC 3389. The zero value is off.
type noise struct {
	peak   int32 // 0: off
	random uint32
}

func (n *noise) on() bool { return n.peak > 0 }
func (n *noise) off()     { n.peak = 0 }

// set takes a level in −dBov. Nobody's background is louder than −40 dBov, nor quieter than what the mixer itself adds.
func (n *noise) set(level uint8) {
	l := float64(min(max(level&0x7f, 40), 75))
	n.peak = int32(math.Sqrt(3) * 32768 * math.Pow(10, -l/20))
}

func (n *noise) add(dst []int16) {
	if n.peak == 0 {
		return
	}
	for i := range dst {
		n.random = n.random*1664525 + 1013904223
		dst[i] = clip16(int32(dst[i]) + int32(int64(int32(n.random))*int64(n.peak)>>31))
	}
}

func clip16(v int32) int16 { return int16(min(max(v, math.MinInt16), math.MaxInt16)) }

// background is heard in every mix, so that nobody thinks the line dead: −66 dBm0.
var background = func() (b [16384]int32) {
	n := noise{peak: 14, random: 1}
	var s [len(b)]int16
	n.add(s[:])
	for i, v := range s {
		b[i] = int32(v)
	}
	return
}()
