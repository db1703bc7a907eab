package mix

import (
	"testing"

	"github.com/zaf/g711"
)

// The tables are the laws, for every sample and octet.
func TestLaws(t *testing.T) {
	for v := -1 << 15; v < 1<<15; v++ {
		in, got := []int16{int16(v)}, make([]byte, 1)
		if EncodeULaw(got, in); got[0] != g711.EncodeUlawFrame(in[0]) {
			t.Fatalf("µ-law of %d is %#x", v, got[0])
		}
		if EncodeALaw(got, in); got[0] != g711.EncodeAlawFrame(in[0]) {
			t.Fatalf("A-law of %d is %#x", v, got[0])
		}
	}
}
