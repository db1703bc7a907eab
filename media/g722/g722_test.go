package g722

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
)

func octets(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func samples(t testing.TB, name string) []int16 {
	t.Helper()
	b := octets(t, name)
	s := make([]int16, len(b)/2)
	for i := range s {
		s[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return s
}

func encode(src []int16) []byte {
	low, high := make([]int16, len(src)/2), make([]int16, len(src)/2)
	new(Analysis).Split(low, high, src)
	dst := make([]byte, len(low))
	NewEncoder().Encode(dst, low, high)
	return dst
}

func decode(src []byte) []int16 {
	low, high := make([]int16, len(src)), make([]int16, len(src))
	NewDecoder().Decode(low, high, src)
	dst := make([]int16, 2*len(src))
	new(Synthesis).Join(dst, low, high)
	return dst
}

func firstDifference[T byte | int16](t *testing.T, what string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: value %d is %d, want %d", what, i, got[i], want[i])
		}
	}
}

// What SpanDSP's codec, which passes the tests of the Recommendation's appendix II, makes of a sweep, noise, a square wave,
// near silence and dying tones.
func TestAsOthersDo(t *testing.T) {
	firstDifference(t, "encoded", encode(samples(t, "sweep.s16")), octets(t, "sweep.g722"))
	firstDifference(t, "decoded", decode(octets(t, "sweep.g722")), samples(t, "swept.s16"))
}

// The lower band is sound at 8 kHz. After the sweep come two thousand random octets.
func TestLowerBandAlone(t *testing.T) {
	wide := samples(t, "sweep.s16")
	narrow := make([]int16, len(wide)/2)
	for i := range narrow {
		narrow[i] = wide[2*i]
	}
	b := make([]byte, len(narrow))
	NewEncoder().Encode(b, narrow, nil)
	firstDifference(t, "encoded", b, octets(t, "narrow.g722"))
	src := octets(t, "any.g722")
	low := make([]int16, len(src))
	NewDecoder().Decode(low, nil, src)
	firstDifference(t, "decoded", low, samples(t, "any8.s16"))
}

// What is split and joined, coded and decoded is what it was, a little later.
func TestRoundTrip(t *testing.T) {
	const delay, n = 22, 16000
	for _, hz := range []float64{150, 440, 1000, 3000, 3990, 5000, 6500} {
		src := make([]int16, n)
		for i := range src {
			src[i] = int16(10000 * math.Sin(2*math.Pi*hz*float64(i)/16000))
		}
		got := decode(encode(src))
		var signal, noise float64
		for i := 1000; i < n; i++ {
			s := float64(src[i-delay])
			d := float64(got[i]) - s
			signal += s * s
			noise += d * d
		}
		if snr := 10 * math.Log10(signal/noise); snr < 20 {
			t.Errorf("%v Hz: SNR %.1f dB", hz, snr)
		}
	}
}

// It is the same in pieces of any length, and after Reset.
func TestPieces(t *testing.T) {
	wide, want := samples(t, "sweep.s16"), octets(t, "sweep.g722")
	var split Analysis
	var join Synthesis
	e, d := NewEncoder(), NewDecoder()
	for range 2 {
		var got []byte
		var heard []int16
		split, join = Analysis{}, Synthesis{}
		for at, n := 0, 1; at < len(wide); n = n*7%1003 + 1 {
			end := min(at+2*n, len(wide))
			k := (end - at) / 2
			low, high, b, out := make([]int16, k), make([]int16, k), make([]byte, k), make([]int16, 2*k)
			split.Split(low, high, wide[at:end])
			e.Encode(b, low, high)
			got = append(got, b...)
			d.Decode(low, high, b)
			join.Join(out, low, high)
			heard = append(heard, out...)
			at = end
		}
		if !bytes.Equal(got, want) {
			t.Fatal("encoded otherwise in pieces")
		}
		firstDifference(t, "decoded in pieces", heard, decode(want))
		e.Reset()
		d.Reset()
	}
}

// While the upper band is silent both ends stay in step, so that what comes in it later is heard as it would have been. Of the
// lower band the same is heard all the time, whether the upper one is decoded or not.
func TestUpperBandFallsSilent(t *testing.T) {
	const n = 8000
	low, high, heard := make([]int16, n), make([]int16, n), make([]int16, n)
	for i := range low {
		low[i], high[i] = int16(6000*math.Sin(float64(i)/3)), int16(3000*math.Sin(float64(i)/5))
	}
	e, d, alone := NewEncoder(), NewDecoder(), NewDecoder()
	for _, silent := range []int{1, 80, 160, 6000, 160, 0} {
		for _, part := range []struct {
			n    int
			high []int16
		}{{n, high}, {silent, nil}} {
			b, both, lower := make([]byte, part.n), make([]int16, part.n), make([]int16, part.n)
			e.Encode(b, low[:part.n], part.high)
			d.Decode(both, heard, b)
			alone.Decode(lower, nil, b)
			if e.low != d.low || e.high != d.high {
				t.Fatalf("after %d samples, silent: %v, the two ends are not in step", part.n, part.high == nil)
			}
			firstDifference(t, "the lower band alone", lower, both)
		}
		if v := heard[max(silent-1, 0)]; silent == 6000 && (!e.still || v > 64 || v < -64) { // a constant, which is a tone of 8 kHz
			t.Errorf("the silent band is not at rest: %d", v)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	wide := samples(t, "sweep.s16")[:320]
	low, high, b := make([]int16, 160), make([]int16, 160), make([]byte, 160)
	e, d, split, join := NewEncoder(), NewDecoder(), new(Analysis), new(Synthesis)
	if n := testing.AllocsPerRun(10, func() {
		split.Split(low, high, wide)
		e.Encode(b, low, high)
		d.Decode(low, high, b)
		join.Join(wide, low, high)
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// bands runs a benchmark with both bands, and with the lower one.
func bands(b *testing.B, frame func(high []int16)) {
	for name, high := range map[string][]int16{"both": make([]int16, 160), "lower": nil} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				frame(high)
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	wide := samples(b, "sweep.s16")
	low, high, out := make([]int16, 160), make([]int16, 160), make([]byte, 160)
	new(Analysis).Split(low, high, wide[4800:5120])
	e := NewEncoder()
	bands(b, func(upper []int16) {
		copy(upper, high)
		e.Encode(out, low, upper)
	})
}

func BenchmarkDecode(b *testing.B) {
	in := octets(b, "sweep.g722")[2400:2560]
	low := make([]int16, 160)
	d := NewDecoder()
	bands(b, func(upper []int16) { d.Decode(low, upper, in) })
}

func BenchmarkSplit(b *testing.B) {
	wide := samples(b, "sweep.s16")[4800:5120]
	low, high := make([]int16, 160), make([]int16, 160)
	a := new(Analysis)
	b.ReportAllocs()
	for b.Loop() {
		a.Split(low, high, wide)
	}
}
