// Package quality estimates how speech that came by RTP is heard, from what a receiver counts. The source is ITU-T G.107, the
// E-model (12/2011, the same in 06/2015): its full algorithm for narrow-band telephony, with the default value of Table 2
// for whatever is not known of a call. Equipment impairment and loss robustness of codecs are those of ITU-T G.113
// Appendix I where it has them (see Codec).
//
// The functions are pure and may be called from any goroutine.
//
// It is an estimate for planning and for finding faults, not a measurement of what a person heard: it sees neither echo nor
// level nor noise, takes every receiver for one that conceals loss, and knows only the scale of narrow-band telephony, so
// that wide-band codecs count as no better than G.711.
package quality

import (
	"math"
	"time"
)

// Path is one direction of speech, as far as the E-model hears of it.
type Path struct {
	Codec  Codec
	Loss   float64       // share of packets lost, 0 to 1
	BurstR float64       // burst ratio, G.107 §3.5; below 1 counts as 1, random loss
	Delay  time.Duration // one way, from mouth to ear
}

// Default parameters, G.107 Table 2. Those of them that stay as they are have gone into the constants below.
const (
	slr  = 8.0   // sending loudness rating, dB
	rlr  = 2.0   // receiving loudness rating, dB
	stmr = 15.0  // sidetone masking rating, dB
	lstr = 18.0  // listener sidetone rating, dB
	ds   = 3.0   // D-value of the sending telephone
	telr = 65.0  // talker echo loudness rating, dB: what a telephone with TCLw 55 dB gives
	wepl = 110.0 // weighted echo path loss, dB
	qdu  = 1.0   // quantising distortion units
	nc   = -70.0 // circuit noise, dBm0p
	nfor = -64.0 // noise floor at the receiving side, dBmp
	room = 35.0  // room noise at either side, dB(A)
)

// R is the transmission rating, 0 to 93.2 with default parameters (G.107 §7.1, equation 7-1, advantage factor 0).
func R(p Path) float64 {
	t := max(p.Delay, 0).Seconds() * 1000
	r := ro - simultaneous(t) - delay(t) - equipment(p)
	return min(max(r, 0), 100)
}

// ro is the basic signal-to-noise ratio, §7.2, and no the sum of all noise at the 0 dBr point.
var no, ro = func() (no, ro float64) {
	const olr = slr + rlr
	sending := room - slr - ds - 100 + 0.004*square(room-olr-ds-14)
	pre := room + 10*math.Log10(1+decibel(10-lstr))
	receiving := rlr - 121 + pre + 0.008*square(pre-35)
	no = 10 * math.Log10(decibel(nc)+decibel(sending)+decibel(receiving)+decibel(nfor+rlr))
	return no, 15 - 1.5*(slr+no)
}()

// simultaneous is Is, what comes along with the voice: too loud, sidetone, quantising (§7.3). t is in ms.
func simultaneous(t float64) float64 {
	x := (slr + rlr + 0.2*(64+no-rlr)) / 8
	loud := 20 * (norm(x, 8) - x)

	side := -10 * math.Log10(decibel(-stmr)+math.Exp(-t/4)*decibel(-telr))
	sidetone := 12*norm((side-13)/6, 8) - 28*norm((side+1)/19.4, 35) - 13*norm((side-3)/33, 13) + 29

	q := 37 - 15*math.Log10(qdu)
	g := 1.07 + 0.258*q + 0.0602*q*q
	quantising := 15 * math.Log10(1+math.Pow(10, (ro-100)/15+46/8.4-g/9)+math.Pow(10, 46./30-g/40))
	return loud + sidetone + quantising
}

// delay is Id: the talker's echo, the listener's, and too long an absolute delay (§7.4). t is in ms; the echo
// takes the same way there and back.
func delay(t float64) float64 {
	echo := telr - 40*math.Log10((1+t/10)/(1+t/150)) + 6*math.Exp(-0.3*t*t)
	half := (-1.5*(no-rlr) - (80 + 2.5*(echo-14))) / 2
	talker := 0.
	if t >= 1 {
		talker = (half + math.Sqrt(half*half+100) - 1) * (1 - math.Exp(-t))
	}

	half = (ro - 10.5*(wepl+7)*math.Pow(2*t+1, -0.25)) / 2
	listener := half + math.Sqrt(half*half+169)

	absolute := 0.
	if t > 100 {
		x := math.Log2(t / 100)
		absolute = 25 * (norm(x, 6) - 3*norm(x/3, 6) + 2)
	}
	return talker + listener + absolute
}

// equipment is Ie,eff, §7.5: the codec's impairment, and what loss adds to it.
func equipment(p Path) float64 {
	lost := 100 * min(max(p.Loss, 0), 1)
	if lost == 0 {
		return p.Codec.Ie
	}
	return p.Codec.Ie + (95-p.Codec.Ie)*lost/(lost/max(p.BurstR, 1)+p.Codec.Bpl)
}

// MOS is the mean opinion score of conversational quality for a rating, 1 to 4.5 (G.107 Annex B, equation B-4). Below R = 6.5
// the polynomial dips under 1, which is no score.
func MOS(r float64) float64 {
	r = min(max(r, 0), 100)
	return max(1+0.035*r+r*(r-60)*(100-r)*7e-6, 1)
}

func square(x float64) float64  { return x * x }
func decibel(x float64) float64 { return math.Pow(10, x/10) }

// norm is the n-th root of 1 + xⁿ.
func norm(x, n float64) float64 { return math.Pow(1+math.Pow(x, n), 1/n) }
