// Package wav reads WAV files (RIFF, "Multimedia Programming Interface and Data Specifications 1.0") as the PBX takes them
// for prompts: linear with 8, 16, 24 or 32 bits, µ-law and A-law, plain or as WAVE_FORMAT_EXTENSIBLE, mono or stereo, and mono IMA ADPCM,
// which ours are stored in; 6 to 96 kHz. What it gives is 16-bit linear and mono; Resample changes the rate.
//
// A file may come from anybody: no size in it is believed, and what is more than Limits is refused before it takes memory.
// The functions keep nothing; any goroutine may call them.
package wav

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// Rate is that of the PBX's sounds, samples a second (see media.Sound).
const Rate = 8000

// The rates that are taken, samples a second.
const (
	MinRate = 6000
	MaxRate = 96000
)

// Limits are what is taken at most. A field that is 0 stands for its default.
type Limits struct {
	Size     int64         // bytes of the file; 32 MiB
	Duration time.Duration // 5 min
}

// The defaults of Limits.
const (
	DefaultSize     = 32 << 20
	DefaultDuration = 5 * time.Minute
)

func (l Limits) size() int64 {
	if l.Size > 0 {
		return l.Size
	}
	return DefaultSize
}

func (l Limits) duration() time.Duration {
	if l.Duration > 0 {
		return l.Duration
	}
	return DefaultDuration
}

// Refused is why a file is not taken, a sentence for whoever gave it.
type Refused string

func (r Refused) Error() string { return string(r) }

func refuse(format string, args ...any) error { return Refused(fmt.Sprintf(format, args...)) }

// Read gives the sound of a file at 8 kHz. The error is a Refused, or what r has said.
func Read(r io.Reader, l Limits) ([]int16, error) {
	samples, rate, err := Decode(r, l)
	if err != nil {
		return nil, err
	}
	return Resample(samples, rate, Rate), nil
}

// Decode gives the sound of a file at its own rate, which is MinRate to MaxRate. Two channels are mixed to one. The error is
// a Refused, or what r has said. A file without a single sample is refused.
func Decode(r io.Reader, l Limits) (samples []int16, rate int, err error) {
	file, err := readAll(r, l.size())
	if err != nil {
		return nil, 0, err
	}
	f, data, err := parse(file)
	if err != nil {
		return nil, 0, err
	}
	frames := f.frames(len(data))
	switch {
	case frames == 0:
		return nil, 0, refuse("There is no sound in the file.")
	case time.Duration(frames)*time.Second/time.Duration(f.rate) > l.duration():
		return nil, 0, refuse("The sound is longer than %v.", l.duration())
	}
	return f.linear(data), f.rate, nil
}

// readAll reads a file of up to size bytes. One that says that it is larger is not read at all.
func readAll(r io.Reader, size int64) ([]byte, error) {
	file := new(bytes.Buffer)
	if f, ok := r.(fs.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			if info.Size() > size {
				return nil, tooLarge(size)
			}
			file = bytes.NewBuffer(make([]byte, 0, int(info.Size())+bytes.MinRead))
		}
	}
	if _, err := file.ReadFrom(io.LimitReader(r, size+1)); err != nil {
		return nil, err
	}
	if int64(file.Len()) > size {
		return nil, tooLarge(size)
	}
	return file.Bytes(), nil
}

func tooLarge(size int64) error { return refuse("The file is larger than %.1f MB.", float64(size)/1e6) }
