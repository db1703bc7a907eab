package mix

import (
	"github.com/zaf/g711"
	"testing"
)

func TestLaw(t *testing.T) {
	bad := 0
	for i := -32768; i <= 32767; i++ {
		v := []int16{int16(i)}
		var b [1]byte
		EncodeULaw(b[:], v)
		if b[0] != g711.EncodeUlawFrame(v[0]) {
			bad++
			if bad < 5 {
				t.Errorf("u %d", i)
			}
		}
		EncodeALaw(b[:], v)
		if b[0] != g711.EncodeAlawFrame(v[0]) {
			t.Errorf("a %d", i)
		}
	}
	t.Log(bad)
}
