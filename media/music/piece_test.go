package music

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/cmplx"
	"os"
	"testing"
	"time"
)

// The piece as a telephone gets it, by measurement. MUSIC_WAV=/tmp/music.wav writes it down for listening.
func TestPieceSuitsATelephone(t *testing.T) {
	began := time.Now()
	s := render()
	t.Logf("%d samples, %v, rendered in %v", len(s), time.Duration(len(s))*time.Second/rate, time.Since(began))
	if file := os.Getenv("MUSIC_WAV"); file != "" {
		if err := os.WriteFile(file, wavOf(s, rate), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if seconds := len(s) / rate; seconds < 120 || seconds > 180 {
		t.Errorf("it repeats after %d s", seconds)
	}

	sum, top := 0.0, 0.0
	for _, v := range s {
		x := float64(v) / math.MaxInt16
		sum += x * x
		top = max(top, math.Abs(x))
	}
	rms := math.Sqrt(sum / float64(len(s)))
	crest := decibel(top / rms)
	t.Logf("level %.1f dBFS, peak %.1f dBFS, crest factor %.1f dB", decibel(rms), decibel(top), crest)
	if l := decibel(rms); l < -23 || l > -21 {
		t.Errorf("the level is %.1f dBFS", l)
	}
	if top >= peak {
		t.Errorf("it clips")
	}
	if crest > 15 {
		t.Errorf("crest factor %.1f dB", crest)
	}

	soft, loud := math.Inf(1), math.Inf(-1)
	for i := 0; i+rate <= len(s); i += rate {
		l := decibel(level16(s[i : i+rate]))
		soft, loud = min(soft, l), max(loud, l)
	}
	t.Logf("second by second %.1f to %.1f dBFS", soft, loud)
	if mean := decibel(rms); soft < mean-4 || loud > mean+4 {
		t.Errorf("second by second the level goes from %.1f to %.1f dBFS", soft, loud)
	}
}

func TestPieceStaysInTheBand(t *testing.T) {
	power := spectrum(piece().samples)
	bin := float64(rate) / 2 / float64(len(power)-1)
	all, out, logs, arithmetic, n := 0.0, 0.0, 0.0, 0.0, 0.0
	octaves := map[int]float64{}
	for i, p := range power {
		f := float64(i) * bin
		all += p
		if f < 285 || f > 3400 {
			out += p
			continue
		}
		octaves[int(math.Log2(f/300)*2)] += p
		logs += math.Log(p + 1e-12)
		arithmetic += p
		n++
	}
	flatness := math.Exp(logs/n) / (arithmetic / n)
	t.Logf("%.1f dB outside of the band, spectral flatness %.4f", 10*math.Log10(out/all), flatness)
	for k := range 7 {
		t.Logf("half an octave from %4.0f Hz: %.1f dB", 300*math.Exp2(float64(k)/2), 10*math.Log10(octaves[k]/all))
	}
	if out/all > 1e-3 {
		t.Errorf("%.1f dB lie outside of 300 to 3400 Hz", 10*math.Log10(out/all))
	}
	if flatness > 0.05 {
		t.Errorf("it is noise: spectral flatness %.3f", flatness)
	}
}

// No step from one sample to the next is larger in the seam than anywhere else, nor is there one that the band does not explain.
func TestPieceHasNoClick(t *testing.T) {
	s := piece().samples
	worst, at := 0.0, 0
	for i := range s { // the second difference finds what a click has and music in the band has not
		a, b, c := float64(s[i]), float64(s[(i+1)%len(s)]), float64(s[(i+2)%len(s)])
		if d := math.Abs(a - 2*b + c); d > worst {
			worst, at = d, i
		}
	}
	n := len(s)
	seam := math.Abs(float64(s[n-1]) - 2*float64(s[0]) + float64(s[1]))
	t.Logf("largest second difference %.0f at %d, at the seam %.0f", worst, at, seam)
	if worst > 0.25*math.MaxInt16 {
		t.Errorf("a click at sample %d: %.0f", at, worst)
	}
	around := append(append([]int16(nil), s[n-rate/10:]...), s[:rate/10]...)
	if l := decibel(level16(around)); l < -28 || l > -17 {
		t.Errorf("around the seam the level is %.1f dBFS", l)
	}
}

func TestPieceIsTheSameEachTime(t *testing.T) {
	a, b := piece().samples, render()
	h, g := fnv.New64(), fnv.New64()
	_ = binary.Write(h, binary.LittleEndian, a)
	_ = binary.Write(g, binary.LittleEndian, b)
	if h.Sum64() != g.Sum64() {
		t.Error("two renderings differ")
	}
}

// A detector of DTMF as exchanges have it: blocks of 105 samples (13 ms), two in a row that agree.
func TestPieceIsNoDTMF(t *testing.T) {
	s := piece().samples
	keys := dtmf(s, 105)
	t.Logf("%d of %d blocks look like a key", keys.blocks, keys.all)
	if len(keys.found) > 0 {
		t.Errorf("keys are heard in the music: %v", keys.found)
	}
	for _, block := range []int{160, 205} {
		if keys := dtmf(s, block); len(keys.found) > 0 {
			t.Errorf("keys are heard in the music in blocks of %d: %v", block, keys.found)
		}
	}
	if got := dtmf(key(770, 1336, rate/5), 105); len(got.found) != 1 || got.found[0] != "770+1336" {
		t.Fatalf("the detector itself hears %v in a key", got.found)
	}
	mixed := append([]int16(nil), s[:rate]...) // a key over the music at the same level each is one that a detector may find
	for i, v := range key(852, 1477, rate/5) {
		mixed[rate/2+i] = mixed[rate/2+i]/8 + v
	}
	if got := dtmf(mixed, 105); len(got.found) != 1 {
		t.Fatalf("the detector itself hears %v in a key over soft music", got.found)
	}
}

type keys struct {
	found       []string
	blocks, all int
}

// dtmf applies the usual criteria (ITU-T Q.24, and what detectors add): one tone of each group, the stronger of its group by
// 6 dB, both within a block's width, twist of -8 to +4 dB, the two half of the energy, level above -36 dBFS, in two blocks in a
// row; twist and energy are 2 dB and a tenth more generous than usual.
func dtmf(s []int16, block int) (k keys) {
	low, high := [4]float64{697, 770, 852, 941}, [4]float64{1209, 1336, 1477, 1633}
	names := [2][4]string{{"697", "770", "852", "941"}, {"1209", "1336", "1477", "1633"}}
	before, told := "", ""
	for i := 0; i+block <= len(s); i += block {
		k.all++
		b := s[i : i+block]
		now := ""
		l, lo := strongest(b, low)
		h, hi := strongest(b, high)
		total := 0.0
		for _, v := range b {
			total += float64(v) * float64(v)
		}
		total /= float64(block)
		twist := 10 * math.Log10(hi/lo)
		if l >= 0 && h >= 0 && lo+hi > 0.4*total && twist > -10 && twist < 6 && total > math.Pow(math.MaxInt16*0.016, 2) {
			now = names[0][l] + "+" + names[1][h]
			k.blocks++
		}
		if now != "" && now == before && now != told {
			k.found = append(k.found, now)
			told = now
		} else if now == "" && before == "" {
			told = ""
		}
		before = now
	}
	return k
}

// strongest is the frequency that is 6 dB above the others of its group, <0 if none is, and its power.
func strongest(b []int16, group [4]float64) (int, float64) {
	var p [4]float64
	best := 0
	for i, f := range group {
		p[i] = goertzel(b, f)
		if p[i] > p[best] {
			best = i
		}
	}
	for i := range p {
		if i != best && p[i]*4 > p[best] {
			return -1, p[best]
		}
	}
	return best, p[best]
}

// goertzel is the power of a sine of that frequency.
func goertzel(b []int16, hz float64) float64 {
	c := 2 * math.Cos(2*math.Pi*hz/rate)
	s1, s2 := 0.0, 0.0
	for _, v := range b {
		s1, s2 = float64(v)+c*s1-s2, s1
	}
	n := float64(len(b))
	return (s1*s1 + s2*s2 - c*s1*s2) * 2 / (n * n)
}

func key(low, high float64, n int) []int16 {
	s := make([]int16, n)
	for i := range s {
		s[i] = int16(4000*math.Sin(2*math.Pi*low*float64(i)/rate) + 4000*math.Sin(2*math.Pi*high*float64(i)/rate))
	}
	return s
}

func decibel(x float64) float64 { return 20 * math.Log10(x) }

// level16 is the root of the mean square, as a part of full scale.
func level16(s []int16) float64 {
	sum := 0.0
	for _, v := range s {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum/float64(len(s))) / math.MaxInt16
}

// spectrum is the mean power of windows of 1024 samples.
func spectrum(s []int16) []float64 {
	const n = 1024
	power := make([]float64, n/2+1)
	x := make([]complex128, n)
	for i := 0; i+n <= len(s); i += n / 2 {
		for k := range x {
			w := 0.35875 - 0.48829*math.Cos(2*math.Pi*float64(k)/n) + 0.14128*math.Cos(4*math.Pi*float64(k)/n) - 0.01168*math.Cos(6*math.Pi*float64(k)/n)
			x[k] = complex(w*float64(s[i+k]), 0)
		}
		for k, v := range fourier(x)[:n/2+1] {
			power[k] += real(v)*real(v) + imag(v)*imag(v)
		}
	}
	return power
}

func fourier(x []complex128) []complex128 {
	n := len(x)
	if n == 1 {
		return []complex128{x[0]}
	}
	even, odd := make([]complex128, n/2), make([]complex128, n/2)
	for i := range even {
		even[i], odd[i] = x[2*i], x[2*i+1]
	}
	even, odd = fourier(even), fourier(odd)
	y := make([]complex128, n)
	for k := range even {
		t := cmplx.Rect(1, -2*math.Pi*float64(k)/float64(n)) * odd[k]
		y[k], y[k+n/2] = even[k]+t, even[k]-t
	}
	return y
}

// wavOf is a WAV file of 16 bits, mono.
func wavOf(s []int16, hz uint32) []byte {
	var b bytes.Buffer
	le := binary.LittleEndian
	b.WriteString("RIFF")
	b.Write(le.AppendUint32(nil, uint32(36+2*len(s))))
	b.WriteString("WAVEfmt ")
	b.Write(le.AppendUint32(nil, 16))
	b.Write(le.AppendUint16(le.AppendUint16(nil, 1), 1))
	b.Write(le.AppendUint32(le.AppendUint32(nil, hz), hz*2))
	b.Write(le.AppendUint16(le.AppendUint16(nil, 2), 16))
	b.WriteString("data")
	b.Write(le.AppendUint32(nil, uint32(2*len(s))))
	_ = binary.Write(&b, le, s)
	return b.Bytes()
}
