package wav

import "math"

// The filter: a sinc under a Kaiser window, band-limited to what both rates can carry. To 8 kHz it is flat up to 3.4 kHz and
// lets nothing through from 4 kHz on.
const (
	cutoff    = 0.4625 // middle of the slope, as a part of the lower rate
	halfWidth = 32     // periods of the lower rate to either side
	kaiser    = 7.0    // about 72 dB
	maxPhases = 512    // of which there is a table; between them it is interpolated (-100 dB)
	block     = 4096   // new samples that are made at a time: what they are made of is copied
)

// Resample gives a sound at another rate, samples a second, as long as it was. in is not changed.
func Resample(in []int16, from, to int) []int16 {
	if from == to || len(in) == 0 {
		return append([]int16(nil), in...)
	}
	n := int((int64(len(in))*int64(to) + int64(from) - 1) / int64(from))
	r := newResampler(from, to)
	out := make([]int16, n)
	old := make([]float32, r.before(min(block, n)-1)+2*r.half+2)
	for first := 0; first < n; first += block {
		from := r.before(first)
		r.copy(old, in, from)
		for i := first; i < min(first+block, n); i++ {
			out[i] = r.at(old, i, from)
		}
	}
	return out
}

// before is the last old sample that is not after the new sample number i.
func (r *resampler) before(i int) int { return int(int64(i) * r.from / r.to) }

// copy fills dst with in from half samples before from on, and silence where there is none.
func (r *resampler) copy(dst []float32, in []int16, from int) {
	clear(dst)
	from -= r.half
	for i := max(0, -from); i < len(dst) && from+i < len(in); i++ {
		dst[i] = float32(in[from+i])
	}
}

// resampler has the filter for every place that a new sample can have between two old ones.
type resampler struct {
	from, to int64 // without a common divisor
	half     int   // taps to the left of a place
	phases   int64
	taps     [][]float32 // of phase p/phases; one more than phases
}

func newResampler(from, to int) *resampler {
	d := gcd(from, to)
	r := &resampler{from: int64(from / d), to: int64(to / d)}
	r.phases = min(r.to, maxPhases)
	low := float64(min(from, to)) / float64(from)
	r.half = int(math.Ceil(halfWidth / low))
	r.taps = make([][]float32, r.phases+1)
	for p := range r.taps {
		r.taps[p] = kernel(float64(p)/float64(r.phases), low, r.half)
	}
	return r
}

// kernel weighs the samples around a place that lies offset after one of them. A constant stays what it is.
func kernel(offset, low float64, half int) []float32 {
	weights := make([]float64, 2*half+1)
	sum := 0.0
	for k := range weights {
		t := (float64(k-half) - offset) * low // in periods of the lower rate
		if w := t / halfWidth; w > -1 && w < 1 {
			weights[k] = sinc(2*cutoff*t) * bessel(kaiser*math.Sqrt(1-w*w))
		}
		sum += weights[k]
	}
	taps := make([]float32, len(weights))
	for k, w := range weights {
		taps[k] = float32(w / sum)
	}
	return taps
}

// at is the new sample number i. in begins half samples before the old sample number from.
func (r *resampler) at(in []float32, i, from int) int16 {
	place := int64(i) * r.from
	whole, part := int(place/r.to)-from, place%r.to
	window := in[whole : whole+2*r.half+1]
	if r.phases == r.to {
		return clip(dot(r.taps[part], window))
	}
	phase := float32(part*r.phases%r.to) / float32(r.to)
	p := part * r.phases / r.to
	return clip(dot(r.taps[p], window)*(1-phase) + dot(r.taps[p+1], window)*phase)
}

func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

func clip(v float32) int16 {
	return int16(math.Round(float64(max(math.MinInt16, min(math.MaxInt16, v)))))
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel is the modified Bessel function of the first kind and order 0.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-12; k++ {
		term *= (x / (2 * k)) * (x / (2 * k))
		sum += term
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
