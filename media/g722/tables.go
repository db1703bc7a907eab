package g722

import (
	"math"
	"math/bits"
)

// The tables of §6.2, by their numbers there.

// decisions are the levels between the 30 steps of a sign (table 7, Q6).
var decisions = [...]int32{
	35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714,
	786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
}

// decisionHigh is the only level of the upper band (Q2).
const decisionHigh = 564

// inverse6, inverse4 and inverse2 are the values that a code stands for: of the lower band with all six bits, with four,
// which is what adapts, and of the upper band (QM6, QM4, QM2).
var (
	inverse6 = [64]int32{
		-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
		-7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
		24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
		4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
	}
	inverse4 = [16]int32{
		0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0,
	}
	inverse2 = [4]int32{-7408, -1616, 7408, 1616}
)

// weightsLow and weightsHigh say how a code changes the scale (WL by way of RL42, WH by way of RH2).
var (
	weightsLow = [16]int32{
		-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60,
	}
	weightsHigh = [4]int32{798, -214, 798, -214}
)

// scalesLow and scalesHigh are those of a logarithm, without its six last bits (LOGSCL and SCALEL, LOGSCH and SCALEH, with
// ILB: powers of two in steps of a 32nd, with eleven bits after the point).
var (
	scalesLow  = [limitLow>>6 + 1]int32(scales(limitLow>>6+1, shiftLow))
	scalesHigh = [limitHigh>>6 + 1]int32(scales(limitHigh>>6+1, shiftHigh))
)

func scales(n, shift int) []int32 {
	s := make([]int32, n)
	for i := range s {
		v := int32(math.Round(2048 * math.Exp2(float64(i%32)/32)))
		if by := shift - i/32; by < 0 {
			v <<= -by
		} else {
			v >>= by
		}
		s[i] = v << 2
	}
	return s
}

// inversesLow are 1/scalesLow, times 2^64, rounded up.
var inversesLow = func() (inverses [len(scalesLow)]uint64) {
	for i, s := range scalesLow {
		inverses[i] = math.MaxUint64/uint64(s) + 1
	}
	return
}()

// lastDecision is the highest of decisions.
const lastDecision = 2919

// quantized is what becomes of a difference.
type quantized struct {
	value int16 // of inverse4
	code  byte
}

// quantaLow are by sign and level, which is a difference in 4096ths of the scale.
var quantaLow = func() (q [2][lastDecision + 1]quantized) {
	step := 0
	for level := range q[0] {
		if step < len(decisions) && int32(level) == decisions[step] {
			step++
		}
		up, down := byte(61-step), byte(33-step)
		if step < 2 {
			down = byte(63 - step)
		}
		q[0][level] = quantized{int16(inverse4[up>>2]), up}
		q[1][level] = quantized{int16(inverse4[down>>2]), down}
	}
	return
}()

// quantizeLow is block QUANTL: the code of a difference at a scale, of which i is the index. A magnitude is not below
// decision*scale>>12 if it is not below the decision once divided by the scale, rounded as here.
func quantizeLow(e, i int32) quantized {
	sign := e >> 31
	level, _ := bits.Mul64(uint64(e^sign+1)<<12-1, inversesLow[i])
	return quantaLow[sign&1][min(level, lastDecision)]
}

// quantizeHigh is block QUANTH.
func quantizeHigh(e, scale int32) byte {
	negative := e < 0
	if negative {
		e = -(e + 1)
	}
	switch large := e >= decisionHigh*scale>>12; {
	case negative && large:
		return 0
	case negative:
		return 1
	case large:
		return 2
	default:
		return 3
	}
}
