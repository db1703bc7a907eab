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
	r  [1]int32 // the last reconstructed signal, doubled
	d  [6]int32 // the last differences, the newest first, doubled
	s  uint8    // signs of the last differences: bit i is that of d[i]
	p1 bool     // signs of the last two partly reconstructed signals
	p2 bool
}

const (
	firstLow, firstHigh = 32, 8
	limitLow, limitHigh = 18432, 22528
	shiftLow, shiftHigh = 8, 10
)

// adapt takes a quantized difference, and predicts the next sample.
func (b *band) adapt(d, weight, limit, shift int32) {
	b.rescale(weight, limit, shift)
	b.predict(d)
}

// rescale is blocks LOGSCL and SCALEL, or LOGSCH and SCALEH.
func (b *band) rescale(weight, limit, shift int32) {
	b.log = min(max(b.log*127>>7+weight, 0), limit)
	v := powers[b.log>>6&31]
	if by := shift - b.log>>11; by < 0 {
		v <<= -by
	} else {
		v >>= by
	}
	b.scale = v << 2
}

// predict is blocks RECONS, PARREC, UPPOL2, UPPOL1, UPZERO, FILTEP, FILTEZ and PREDIC.
func (b *band) predict(d int32) {
	reconstructed := clip(b.predicted + d)
	negative := clip(b.zeros+d) < 0

	turn := clip(b.a[0] << 2)
	if negative == b.p1 {
		turn = -turn
	}
	second := min(turn, 1<<15-1)>>7 + b.a[1]*32512>>15
	if negative == b.p2 {
		second += 128
	} else {
		second -= 128
	}
	second = min(max(second, -12288), 12288)

	first := b.a[0] * 32640 >> 15
	if negative == b.p1 {
		first += 192
	} else {
		first -= 192
	}
	most := 15360 - second
	first = min(max(first, -most), most)

	older := b.r[0]
	newer := clip(2 * reconstructed)
	b.r[0] = newer
	b.a[0], b.a[1] = first, second
	b.p2, b.p1 = b.p1, negative
	poles := clip(first*newer>>15 + second*older>>15)

	step := int32(128)
	if d == 0 {
		step = 0
	}
	sign := uint8(uint32(d) >> 31)
	var zeros int32
	last := clip(2 * d)
	for i := range b.b {
		by := step
		if b.s>>i&1 != sign {
			by = -step
		}
		b.b[i] = b.b[i]*32640>>15 + by
		last, b.d[i] = b.d[i], last
		zeros += b.b[i] * b.d[i] >> 15
	}
	b.s = b.s<<1 | sign
	b.zeros = clip(zeros)
	b.predicted = clip(poles + b.zeros)
}
