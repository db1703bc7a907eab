package pbxtest

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"
)

// wavOf is a file with some channels.
func wavOf(channels ...[]int16) []byte {
	le, n := binary.LittleEndian, len(channels)
	var data []byte
	for i := range channels[0] {
		for _, c := range channels {
			data = le.AppendUint16(data, uint16(c[i]))
		}
	}
	b := le.AppendUint32([]byte("RIFF"), uint32(36+len(data)))
	b = le.AppendUint32(append(b, "WAVEfmt "...), 16)
	b = le.AppendUint16(le.AppendUint16(b, 1), uint16(n))
	b = le.AppendUint32(le.AppendUint32(b, rate), uint32(2*n*rate))
	b = le.AppendUint16(le.AppendUint16(b, uint16(2*n)), 16)
	b = le.AppendUint32(append(b, "data"...), uint32(len(data)))
	return append(b, data...)
}

func TestRecordingIsMeasured(t *testing.T) {
	left, right := make([]int16, 3*rate), make([]int16, 3*rate)
	(&tone{frequencies: []float64{440}}).fill(left[rate/2 : 2*rate])
	(&tone{frequencies: []float64{620, 750}}).fill(right[rate:])
	r, err := ReadWAV(wavOf(left, right))
	if err != nil {
		t.Fatal(err)
	}
	near := func(d, want time.Duration) bool { return (d - want).Abs() <= 50*time.Millisecond }
	if w := r.When(0, 440); r.Length() != 3*time.Second || len(w) != 1 || !near(w[0].From, 500*time.Millisecond) || !near(w[0].To, 2*time.Second) {
		t.Error(r, w)
	}
	if w := r.When(1, 620, 750); len(w) != 1 || !near(w[0].From, time.Second) || w[0].To != 3*time.Second || len(r.When(1, 440)) > 0 || len(r.When(1, 620)) > 0 {
		t.Error(r, w)
	}
	if w := r.When(0); len(w) != 2 || !near(w[1].Length(), time.Second) || !near(r.Total(0), 1500*time.Millisecond) {
		t.Error(r, w)
	}
}

func TestBadWAV(t *testing.T) {
	good := wavOf(make([]int16, 100), make([]int16, 100))
	for name, bad := range map[string][]byte{
		"empty":          nil,
		"cut":            good[:len(good)-1],
		"longer":         append(bytes.Clone(good), 0),
		"no RIFF":        append([]byte("RIFX"), good[4:]...),
		"another rate":   bytes.Replace(good, []byte{0x40, 0x1f, 0, 0}, []byte{0x80, 0x3e, 0, 0}, 1),
		"sizes of zero":  bytes.Replace(good, good[40:44], []byte{0, 0, 0, 0}, 1),
		"data without":   append(append(bytes.Clone(good[:12]), good[36:]...), good[12:36]...),
		"half a sample":  wavOf(make([]int16, 3))[:47],
		"three channels": bytes.Replace(good, []byte{2, 0, 0x40, 0x1f}, []byte{3, 0, 0x40, 0x1f}, 1),
	} {
		if r, err := ReadWAV(bad); err == nil {
			t.Errorf("%s: it is taken as %v", name, r)
		}
	}
}
