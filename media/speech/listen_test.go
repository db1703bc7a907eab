package speech

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"ringback/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// logged gathers what is logged.
type logged struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

func (l *logged) lines() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.Bytes(), []byte("\n"))
}

func open(t testing.TB, o Options) (*Speech, *logged) {
	t.Helper()
	log := &logged{}
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, log
}

// listen gives all of a sound.
func listen(t testing.TB, s media.Sound) (heard []int16) {
	t.Helper()
	if s == nil {
		t.Fatal("there is no such prompt")
	}
	frame := make([]int16, media.FrameSamples)
	for s.Frame(frame) {
		heard = append(heard, frame...)
		if len(heard) > 8000*300 {
			t.Fatal("it goes on and on")
		}
	}
	return heard
}

// level of a frequency in dB of full scale.
func level(s []int16, hz float64) float64 {
	var re, im float64
	for i, v := range s {
		sin, cos := math.Sincos(2 * math.Pi * hz * float64(i) / 8000)
		re, im = re+float64(v)*cos, im+float64(v)*sin
	}
	return 20 * math.Log10(2*math.Hypot(re, im)/float64(len(s))/32768+1e-9)
}

func rms(s []int16) float64 {
	sum := 1e-9
	for _, v := range s {
		sum += float64(v) * float64(v)
	}
	return 10 * math.Log10(sum/float64(len(s))/32768/32768)
}

// tone is a WAV file of a quarter of a second, 16-bit, 16 kHz.
func tone(hz float64) []byte {
	const n = 4000
	le := binary.LittleEndian
	b := append([]byte("RIFF"), 0, 0, 0, 0)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data"...)
	b = le.AppendUint32(b, 2*n)
	for i := range n {
		b = le.AppendUint16(b, uint16(int16(12000*math.Sin(2*math.Pi*hz*float64(i)/16000))))
	}
	return b
}

func put(t testing.TB, dir, name string, file []byte) {
	t.Helper()
	name = filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, file, 0o644); err != nil {
		t.Fatal(err)
	}
}

// is reports whether a sound is a tone.
func is(heard []int16, hz float64) bool {
	return len(heard) >= 1600 && level(heard[200:1800], hz) > -15 && level(heard[200:1800], hz*1.5) < -35
}
