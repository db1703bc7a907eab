package g722

// filter is the quadrature mirror filter of §5.2.1 and §5.2.2 (table 4): every other one of its 24 coefficients; the
// others are the same from the end.
var filter = [12]int32{3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11}

const (
	taps  = 24
	block = 160 // octets that are filtered at a time
)

// Analysis splits sound at 16 kHz into its bands. The zero value is ready.
type Analysis struct{ history [taps + 2*block]int16 }

// Split gives a sample of each band for two samples of src, whose length is even. low and high have room for half of it.
func (a *Analysis) Split(low, high, src []int16) {
	for len(src) > 0 {
		n := min(len(src), 2*block)
		x := a.history[:taps+n]
		copy(x[taps:], src[:n])
		for i := range n / 2 {
			w := x[2+2*i:][:taps]
			var even, odd int32
			for k, c := range filter {
				odd += int32(w[2*k]) * c
				even += int32(w[taps-1-2*k]) * c
			}
			low[i], high[i] = int16(clip((even+odd)>>13)), int16(clip((even-odd)>>13))
		}
		copy(a.history[:], x[n:])
		src, low, high = src[n:], low[n/2:], high[n/2:]
	}
}

// Synthesis joins bands to sound at 16 kHz. The zero value is ready.
type Synthesis struct{ history [taps + 2*block]int32 }

// Join gives two samples for one of each band. dst has room for twice len(low).
func (s *Synthesis) Join(dst, low, high []int16) {
	for len(low) > 0 {
		n := min(len(low), block)
		x := s.history[:taps+2*n]
		for i := range n {
			l, h := int32(low[i])>>1, int32(high[i])>>1
			x[taps+2*i], x[taps+2*i+1] = l+h, l-h
		}
		for i := range n {
			w := x[2+2*i:][:taps]
			var first, second int32
			for k, c := range filter {
				second += w[2*k] * c
				first += w[taps-1-2*k] * c
			}
			dst[2*i], dst[2*i+1] = int16(clip(first>>11)), int16(clip(second>>11))
		}
		copy(s.history[:], x[2*n:])
		dst, low, high = dst[2*n:], low[n:], high[n:]
	}
}
