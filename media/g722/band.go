package g722

// band is the adaptive part of one band, which the two ends have alike: the scale of the quantizer, and a predictor of two
// poles and six zeros (§3.6). Values are named as in §6.2.1.4 where they have no better name.
type band struct {
	log       int32 // of the scale: NBL, NBH
	scale     int32 // DETL, DETH
	predicted int32 // of the next sample: SL, SH
	zeros     int32 // the part of it that the zeros make: SZL, SZH

	a  [2]int32 // poles
	b  [6]int32 // zeros
	r  int32    // the last reconstructed signal, doubled
	d  [6]int32 // the last differences, the newest first, doubled
	p1 int32    // signs of the last two partly reconstructed signals: -1 or 0
	p2 int32
}

const (
	firstLow, firstHigh = 32, 8
	limitLow, limitHigh = 18432, 22528
	shiftLow, shiftHigh = 8, 10
)

// rescaleLow takes a code of the lower band, without the two bits that adapt nothing, and its value. It returns the difference that
// they stand for, with which predict is to be called: by whoever calls this, since a call in a call costs a twentieth of it all.
func (b *band) rescaleLow(value int32, code byte) int32 {
	d := b.scale * value >> 15
	b.log = min(max(b.log*127>>7+weightsLow[code&15], 0), limitLow)
	b.scale = scalesLow[b.log>>6]
	return d
}

// adaptHigh takes a code of the upper band. It returns the difference that it stands for.
func (b *band) adaptHigh(code byte) int32 {
	d := b.scale * inverse2[code&3] >> 15
	b.log = min(max(b.log*127>>7+weightsHigh[code&3], 0), limitHigh)
	b.scale = scalesHigh[b.log>>6]
	b.predict(d)
	return d
}

// predict is blocks RECONS, PARREC, UPPOL2, UPPOL1, UPZERO, FILTEP, FILTEZ and PREDIC.
func (b *band) predict(d int32) {
	p0 := (b.zeros + d) >> 31 // -1 or 0
	one, two := p0^b.p1, p0^b.p2
	b.p2, b.p1 = b.p1, p0

	turn := b.a[0] << 2
	up, down := clip(turn)>>7, clip(-turn)>>7
	second := (down ^ (up^down)&one) + b.a[1]*32512>>15 + negate(128, two)
	second = min(max(second, -12288), 12288)
	first := b.a[0]*32640>>15 + negate(192, one)
	most := 15360 - second
	first = min(max(first, -most), most)
	older, newer := b.r, clip(2*(b.predicted+d))
	b.r, b.a[0], b.a[1] = newer, first, second
	poles := clip(first*newer>>15 + second*older>>15)

	step := int32(128)
	if d == 0 {
		step = 0
	}
	last := 2 * d
	d0, d1, d2, d3, d4, d5 := b.d[0], b.d[1], b.d[2], b.d[3], b.d[4], b.d[5]
	b0 := b.b[0]*32640>>15 + negate(step, (d^d0)>>31)
	b1 := b.b[1]*32640>>15 + negate(step, (d^d1)>>31)
	b2 := b.b[2]*32640>>15 + negate(step, (d^d2)>>31)
	b3 := b.b[3]*32640>>15 + negate(step, (d^d3)>>31)
	b4 := b.b[4]*32640>>15 + negate(step, (d^d4)>>31)
	b5 := b.b[5]*32640>>15 + negate(step, (d^d5)>>31)
	b.b[0], b.b[1], b.b[2], b.b[3], b.b[4], b.b[5] = b0, b1, b2, b3, b4, b5
	b.d[0], b.d[1], b.d[2], b.d[3], b.d[4], b.d[5] = last, d0, d1, d2, d3, d4
	b.zeros = clip(b0*last>>15 + b1*d0>>15 + b2*d1>>15 + b3*d2>>15 + b4*d3>>15 + b5*d4>>15)
	b.predicted = clip(poles + b.zeros)
}

// negate gives -v if sign is -1, v if it is 0.
func negate(v, sign int32) int32 { return (v ^ sign) - sign }
