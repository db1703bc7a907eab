package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/zaf/g711"
)

// tone is a sine at a part of full scale.
func tone(rate int, hz, level float64, n int) []int16 {
	s := make([]int16, n)
	for i := range s {
		s[i] = int16(math.Round(level * 32767 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
	}
	return s
}

// chunk is one with its padding.
func chunk(id string, body []byte) []byte {
	b := append([]byte(id), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(body)))
	b = append(b, body...)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func riff(chunks ...[]byte) []byte {
	return chunk("RIFF", append([]byte("WAVE"), slices.Concat(chunks...)...))
}

func fmtChunk(code uint16, channels, rate, bits int) []byte {
	le := binary.LittleEndian
	b := le.AppendUint16(nil, code)
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*channels*bits/8))
	b = le.AppendUint16(b, uint16(channels*bits/8))
	return chunk("fmt ", le.AppendUint16(b, uint16(bits)))
}

// extensibleChunk is the same as WAVE_FORMAT_EXTENSIBLE.
func extensibleChunk(code uint16, channels, rate, bits int) []byte {
	b := fmtChunk(formatExtensible, channels, rate, bits)[8:]
	b = append(b, 22, 0, byte(bits), 0, 4, 0, 0, 0, byte(code), byte(code>>8))
	return chunk("fmt ", append(b, extensible...))
}

// pcm writes samples with so many bits, every sample for each channel.
func pcm(samples []int16, bits, channels int) (b []byte) {
	for _, v := range samples {
		for range channels {
			switch bits {
			case 8:
				b = append(b, byte(v>>8)+128)
			default:
				for range bits/8 - 2 {
					b = append(b, 0x55)
				}
				b = binary.LittleEndian.AppendUint16(b, uint16(v))
			}
		}
	}
	return b
}

func encoded(samples []int16, encode func(int16) byte) (b []byte) {
	for _, v := range samples {
		b = append(b, encode(v))
	}
	return b
}

// snr is in dB.
func snr(want, got []int16) float64 {
	signal, noise := 0.0, 1e-9
	for i := range want {
		d := float64(got[i]) - float64(want[i])
		signal += float64(want[i]) * float64(want[i])
		noise += d * d
	}
	return 10 * math.Log10(signal/noise)
}

func TestFormats(t *testing.T) {
	const rate = 16000
	want := tone(rate, 440, 0.7, rate/2)
	var adpcmFile, pcmFile bytes.Buffer
	if err := WritePCM(&pcmFile, want, rate); err != nil {
		t.Fatal(err)
	}
	if err := WriteADPCM(&adpcmFile, want, rate); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		file []byte
		snr  float64
	}{
		{"linear 8 bits", riff(fmtChunk(formatPCM, 1, rate, 8), chunk("data", pcm(want, 8, 1))), 40},
		{"linear 16 bits", riff(fmtChunk(formatPCM, 1, rate, 16), chunk("data", pcm(want, 16, 1))), 120},
		{"as we write it", pcmFile.Bytes(), 120},
		{"linear 24 bits", riff(fmtChunk(formatPCM, 1, rate, 24), chunk("data", pcm(want, 24, 1))), 120},
		{"linear 32 bits", riff(fmtChunk(formatPCM, 1, rate, 32), chunk("data", pcm(want, 32, 1))), 120},
		{"stereo 8 bits", riff(fmtChunk(formatPCM, 2, rate, 8), chunk("data", pcm(want, 8, 2))), 40},
		{"stereo 16 bits", riff(fmtChunk(formatPCM, 2, rate, 16), chunk("data", pcm(want, 16, 2))), 120},
		{"µ-law", riff(fmtChunk(formatMuLaw, 1, rate, 8), chunk("data", encoded(want, g711.EncodeUlawFrame))), 35},
		{"A-law", riff(fmtChunk(formatALaw, 1, rate, 8), chunk("data", encoded(want, g711.EncodeAlawFrame))), 35},
		{"extensible 16 bits", riff(extensibleChunk(formatPCM, 1, rate, 16), chunk("data", pcm(want, 16, 1))), 120},
		{"extensible µ-law", riff(extensibleChunk(formatMuLaw, 1, rate, 8), chunk("data", encoded(want, g711.EncodeUlawFrame))), 35},
		{"IMA ADPCM", adpcmFile.Bytes(), 25},
		{"chunks of others, odd", riff(chunk("LIST", []byte("odd")), fmtChunk(formatPCM, 1, rate, 16), chunk("fact", []byte("x")),
			chunk("data", pcm(want, 16, 1)), chunk("LIST", []byte("after"))), 120},
	}
	for _, test := range tests {
		got, r, err := Decode(bytes.NewReader(test.file), Limits{})
		if err != nil || r != rate || len(got) < len(want) || len(got) > len(want)+1 {
			t.Errorf("%s: %d samples at %d Hz, %v", test.name, len(got), r, err)
			continue
		}
		if s := snr(want, got); s < test.snr {
			t.Errorf("%s: SNR %.1f dB, want %.0f", test.name, s, test.snr)
		}
	}
}

// Two channels become their mean.
func TestMixdown(t *testing.T) {
	data := pcm([]int16{1000, 3000, 32767, 32767, -32768, -32768, 5, -5}, 16, 1)
	got, _, err := Decode(bytes.NewReader(riff(fmtChunk(formatPCM, 2, 8000, 16), chunk("data", data))), Limits{})
	if want := []int16{2000, 32767, -32768, 0}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

// What a writer leaves that did not know the size, or was killed.
func TestStreams(t *testing.T) {
	want := tone(8000, 440, 0.5, 800)
	head := riff(fmtChunk(formatPCM, 1, 8000, 16))
	for name, size := range map[string]uint32{"0": 0, "all ones": 0xFFFFFFFF, "sox": 0x7FFFF000, "cut off": 100_000} {
		file := binary.LittleEndian.AppendUint32(append(bytes.Clone(head), "data"...), size)
		binary.LittleEndian.PutUint32(file[4:], size) // of RIFF: neither
		got, err := Read(bytes.NewReader(append(file, pcm(want, 16, 1)...)), Limits{})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("size %s: %d samples, %v", name, len(got), err)
		}
	}
	empty := riff(fmtChunk(formatPCM, 1, 8000, 16), chunk("data", nil), chunk("LIST", []byte("a comment")))
	if got, err := Read(bytes.NewReader(empty), Limits{}); err == nil {
		t.Errorf("a comment was read as %d samples", len(got))
	}
	half := append(pcm(want, 16, 1), 7)
	got, err := Read(bytes.NewReader(riff(fmtChunk(formatPCM, 1, 8000, 16), chunk("data", half))), Limits{})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("half a sample at the end: %d samples, %v", len(got), err)
	}
}

func TestRefused(t *testing.T) {
	data := chunk("data", make([]byte, 160))
	guid := extensibleChunk(formatPCM, 1, 8000, 16)
	guid[40] ^= 1
	adpcm := fmtChunk(formatADPCM, 2, 8000, 4)
	huge := append(riff()[:12], "LIST\xff\xff\xff\xffabc"...)
	tests := []struct {
		file []byte
		says string
	}{
		{nil, "empty"},
		{[]byte("hello"), "not a WAV file"},
		{[]byte("ID3\x04"), "an MP3 file"},
		{[]byte("OggS\x00\x02"), "an Ogg file"},
		{[]byte("\x00\x00\x00\x20ftypM4A "), "an MP4 file"},
		{append([]byte("RIFF\x00\x00\x00\x00AVI "), data...), "not a WAV file"},
		{riff(), "no sound"},
		{riff(data), "in which format"},
		{riff(chunk("fmt ", []byte("short")), data), "in which format"},
		{riff(fmtChunk(formatPCM, 1, 8000, 16)), "no sound"},
		{riff(fmtChunk(formatPCM, 1, 8000, 16), chunk("data", nil)), "no sound"},
		{riff(fmtChunk(formatPCM, 1, 8000, 16), chunk("data", []byte{1})), "no sound"},
		{riff(fmtChunk(formatPCM, 0, 8000, 16), data), "0 channels"},
		{riff(fmtChunk(formatPCM, 6, 8000, 16), data), "6 channels"},
		{riff(fmtChunk(formatPCM, 1, 0, 16), data), "0 samples a second"},
		{riff(fmtChunk(formatPCM, 1, 192000, 16), data), "192000 samples a second"},
		{riff(fmtChunk(formatPCM, 1, 5999, 16), data), "6000 to 96000"},
		{riff(fmtChunk(formatPCM, 1, 8000, 12), data), "12 bits"},
		{riff(fmtChunk(formatMuLaw, 1, 8000, 16), data), "16 bits"},
		{riff(fmtChunk(3, 1, 8000, 32), data), "0x0003"},
		{riff(guid, data), "not known"},
		{riff(adpcm, data), "ADPCM"},
		{huge, "cut off"},
	}
	for _, test := range tests {
		samples, err := Read(bytes.NewReader(test.file), Limits{})
		var refused Refused
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.says) || samples != nil {
			t.Errorf("%.40q: %v, want %q", test.file, err, test.says)
		}
	}
}

func TestLimits(t *testing.T) {
	file := riff(fmtChunk(formatPCM, 1, 8000, 16), chunk("data", make([]byte, 32000))) // 2 s
	for _, test := range []struct {
		limits Limits
		says   string
	}{
		{Limits{}, ""},
		{Limits{Size: int64(len(file)), Duration: 2 * time.Second}, ""},
		{Limits{Size: int64(len(file)) - 1}, "larger"},
		{Limits{Duration: 2*time.Second - 1}, "longer than 1.999999999s"},
	} {
		_, err := Read(bytes.NewReader(file), test.limits)
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v: %v, want %q", test.limits, err, test.says)
		}
	}
	if _, err := Read(iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(file))), Limits{}); err != iotest.ErrTimeout {
		t.Errorf("what the reader says: %v", err)
	}
	endless := io.MultiReader(bytes.NewReader(file), zeroes{})
	if _, err := Read(endless, Limits{Size: 1 << 20}); err == nil {
		t.Error("an endless file was read")
	}
}

// A file that says that it is too large is not read; that it is as large as it may be costs its size, once.
func TestLargeFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "sparse.wav")
	file := riff(fmtChunk(formatMuLaw, 1, 96000, 8), []byte("data\xff\xff\xff\xff"))
	for size, want := range map[int64]string{4 << 30: "larger than", 8 << 20: "longer than"} {
		if err := os.WriteFile(name, file, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(name, size); err != nil {
			t.Skip(err)
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = Read(f, Limits{Size: 8 << 20, Duration: time.Second})
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bytes: %v", size, err)
		}
		if at, _ := f.Seek(0, io.SeekCurrent); size > 8<<20 && at != 0 {
			t.Errorf("%d bytes of it were read", at)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 20<<20 { // twice the file, with the race detector
			t.Errorf("%d bytes: %d kB were taken", size, took>>10)
		}
		_ = f.Close()
	}
}

type zeroes struct{}

func (zeroes) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func FuzzRead(f *testing.F) {
	some := tone(16000, 440, 0.5, 400)
	f.Add(riff(fmtChunk(formatPCM, 1, 16000, 16), chunk("data", pcm(some, 16, 1))))
	f.Add(riff(extensibleChunk(formatPCM, 2, 44100, 24), chunk("LIST", []byte("x")), chunk("data", pcm(some, 24, 2))))
	f.Add(riff(fmtChunk(formatMuLaw, 1, 7919, 8), chunk("data", encoded(some, g711.EncodeUlawFrame))))
	f.Add(riff(fmtChunk(formatPCM, 1, 6000, 8), append([]byte("data\xff\xff\xff\xff"), pcm(some, 8, 1)...)))
	var file bytes.Buffer
	_ = WriteADPCM(&file, some, 16000)
	f.Add(file.Bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		limits := Limits{Size: 1 << 16, Duration: time.Second}
		samples, err := Read(bytes.NewReader(file), limits)
		var refused Refused
		switch {
		case err != nil && !errors.As(err, &refused):
			t.Fatalf("no sentence: %v", err)
		case err == nil && (len(samples) == 0 || len(samples) > Rate+1):
			t.Fatalf("%d samples", len(samples))
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for name, file := range map[string][]byte{
		"adpcm-16k":   adpcmOf(tone(16000, 440, 0.5, 16000)),
		"linear-8k":   riff(fmtChunk(formatPCM, 1, 8000, 16), chunk("data", make([]byte, 16000))),
		"linear-44k1": riff(fmtChunk(formatPCM, 2, 44100, 16), chunk("data", make([]byte, 176400))),
	} {
		b.Run(name+"/second", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(bytes.NewReader(file), Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func adpcmOf(samples []int16) []byte {
	var file bytes.Buffer
	_ = WriteADPCM(&file, samples, 16000)
	return file.Bytes()
}
