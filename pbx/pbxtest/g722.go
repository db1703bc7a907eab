package pbxtest

// G.722 at 64 kbit/s as a narrow-band phone has it: the lower sub-band is sound of 8 kHz by itself, the higher one is silent and not
// listened to. Names are those of the blocks in ITU-T G.722 §6.

var (
	qm4 = [16]int{0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0}
	qm6 = [64]int{-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
		-7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
		24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
		4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136}
	q6 = [30]int{0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339, 1458,
		1612, 1765, 1980, 2195, 2557, 2919}
	wl   = [8]int{-60, -30, 58, 172, 334, 538, 1198, 3042}
	rl42 = [16]int{0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0}
	ilb  = [32]int{2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025, 3091,
		3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008}
)

// lowBand is the adaptive state of the lower sub-band, the same at both ends.
type lowBand struct {
	begun bool
	nb    int    // logarithmic scale factor
	det   int    // quantizer's scale factor
	s, sz int    // predicted signal, and what the zeros predict of it
	a     [2]int // poles
	b     [6]int // zeros
	p     [2]int // partially reconstructed signal, the newest first
	r     [2]int // reconstructed signal
	d     [6]int // quantized difference
}

func (l *lowBand) begin() {
	if !l.begun {
		l.begun, l.det = true, 32
	}
}

// encode is the byte of a sample.
func (l *lowBand) encode(sample int16) byte {
	l.begin()
	el := saturate(int(sample)>>1 - l.s)
	size := el
	if el < 0 {
		size = -(el + 1)
	}
	i := 1
	for i < len(q6) && size >= q6[i]*l.det>>12 {
		i++
	}
	code := 62 - i // QUANTL: from 61 down for positive differences …
	if el < 0 {    // … and from 63, 62, then 31 down for negative ones
		if code = 34 - i; i <= 2 {
			code = 64 - i
		}
	}
	l.adapt(code >> 2)
	return 0xc0 | byte(code)
}

// decode is the sample of a byte.
func (l *lowBand) decode(b byte) int16 {
	l.begin()
	code := int(b & 0x3f)
	sample := max(-16384, min(16383, l.s+l.det*qm6[code]>>15))
	l.adapt(code >> 2)
	return int16(sample << 1)
}

// adapt goes on to the next sample, after the four bits of this one that both ends are sure of.
func (l *lowBand) adapt(code int) {
	d := l.det * qm4[code] >> 15
	l.nb = max(0, min(18432, l.nb*127>>7+wl[rl42[code]]))
	l.det = ilb[l.nb>>6&31] << 2
	if shift := 8 - l.nb>>11; shift >= 0 {
		l.det = ilb[l.nb>>6&31] >> shift << 2
	} else {
		l.det = ilb[l.nb>>6&31] << -shift << 2
	}
	p, r := saturate(d+l.sz), saturate(d+l.s)

	step := saturate(4 * l.a[0]) // UPPOL2
	if sameSign(p, l.p[0]) {
		step = -step
	}
	a2 := min(step, 32767)>>7 + l.a[1]*32512>>15 + 128
	if !sameSign(p, l.p[1]) {
		a2 -= 256
	}
	a2 = max(-12288, min(12288, a2))
	a1 := l.a[0]*32640>>15 + 192 // UPPOL1
	if !sameSign(p, l.p[0]) {
		a1 -= 384
	}
	a1 = max(a2-15360, min(15360-a2, a1))
	l.a = [2]int{a1, a2}
	for i := range l.b { // UPZERO
		l.b[i] = l.b[i] * 32640 >> 15
		switch {
		case d == 0:
		case sameSign(d, l.d[i]):
			l.b[i] += 128
		default:
			l.b[i] -= 128
		}
	}
	l.p, l.r = [2]int{p, l.p[0]}, [2]int{r, l.r[0]}
	copy(l.d[1:], l.d[:5])
	l.d[0] = d
	l.sz = 0 // FILTEZ
	for i := range l.b {
		l.sz += l.b[i] * saturate(2*l.d[i]) >> 15
	}
	l.sz = saturate(l.sz)
	sp := saturate(a1*saturate(2*l.r[0])>>15 + a2*saturate(2*l.r[1])>>15) // FILTEP
	l.s = saturate(sp + l.sz)
}

func sameSign(a, b int) bool { return a < 0 == (b < 0) }

func saturate(v int) int { return max(-32768, min(32767, v)) }
