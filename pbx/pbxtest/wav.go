package pbxtest

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Recording is the sound of a WAV file: 8 kHz, linear, 16 bits.
type Recording struct {
	Channels [][]int16
}

// ReadWAV reads a file as strict players do: the sizes it states must be those it has.
func ReadWAV(b []byte) (*Recording, error) {
	le := binary.LittleEndian
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, fmt.Errorf("no WAV file: it begins with %.12q", b)
	}
	if have := le.Uint32(b[4:]); int64(have) != int64(len(b)-8) {
		return nil, fmt.Errorf("the file says that it has %d bytes behind its first 8, and has %d", have, len(b)-8)
	}
	channels := 0
	for rest := b[12:]; len(rest) > 0; {
		if len(rest) < 8 {
			return nil, fmt.Errorf("%d bytes are left where a chunk should be", len(rest))
		}
		name, size := string(rest[:4]), int64(le.Uint32(rest[4:]))
		rest = rest[8:]
		if size > int64(len(rest)) {
			return nil, fmt.Errorf("the chunk %q says %d bytes, %d are there", name, size, len(rest))
		}
		body := rest[:size]
		rest = rest[min(int64(len(rest)), size+size%2):]
		switch name {
		case "fmt ":
			if len(body) < 16 {
				return nil, fmt.Errorf("the chunk fmt has %d bytes", len(body))
			}
			channels = int(le.Uint16(body[2:]))
			tag, hz, perSecond, align, bits := le.Uint16(body), le.Uint32(body[4:]), le.Uint32(body[8:]), le.Uint16(body[12:]), le.Uint16(body[14:])
			if tag != 1 || hz != rate || bits != 16 || channels < 1 || int(align) != 2*channels || int(perSecond) != rate*2*channels {
				return nil, fmt.Errorf("format %d with %d channels, %d Hz, %d bits, %d bytes a second, %d a sample", tag, channels, hz, bits, perSecond, align)
			}
		case "data":
			switch {
			case channels == 0:
				return nil, fmt.Errorf("the chunk data comes before fmt")
			case len(body) == 0:
				return nil, fmt.Errorf("there is no sound in the file")
			case len(body)%(2*channels) != 0:
				return nil, fmt.Errorf("%d bytes of %d channels are no whole number of samples", len(body), channels)
			}
			r := &Recording{Channels: make([][]int16, channels)}
			for i := 0; i < len(body); i += 2 {
				c := i / 2 % channels
				r.Channels[c] = append(r.Channels[c], int16(le.Uint16(body[i:])))
			}
			return r, nil
		}
	}
	return nil, fmt.Errorf("there is no sound in the file")
}

// Length is how long it lasts.
func (r *Recording) Length() time.Duration {
	return time.Duration(len(r.Channels[0])) * time.Second / rate
}

// Stretch is a part of a recording, from its beginning.
type Stretch struct{ From, To time.Duration }

// Length is how long it lasts.
func (s Stretch) Length() time.Duration { return s.To - s.From }

// When is when these tones, and no others of note, are in a channel, in stretches of 100 ms and more; without tones, when it is silent.
func (r *Recording) When(channel int, frequencies ...float64) []Stretch {
	var all []Stretch
	samples := r.Channels[channel]
	for i := 0; i+block <= len(samples); i += frameSize {
		if !(Heard{Samples: samples[i : i+block]}).only(frequencies) {
			continue
		}
		from, to := time.Duration(i)*time.Second/rate, time.Duration(i+block)*time.Second/rate
		if n := len(all); n > 0 && from <= all[n-1].To {
			all[n-1].To = to
		} else {
			all = append(all, Stretch{from, to})
		}
	}
	return all
}

// Total is how long the stretches that When finds are together. A busy machine tears a tone apart.
func (r *Recording) Total(channel int, frequencies ...float64) time.Duration {
	total := time.Duration(0)
	for _, s := range r.When(channel, frequencies...) {
		total += s.Length()
	}
	return total
}

// String says what tones are in each channel.
func (r *Recording) String() string {
	text := fmt.Sprintf("%v of sound", r.Length().Round(10*time.Millisecond))
	for i, samples := range r.Channels {
		text += fmt.Sprintf("; channel %d at %.0f dB%s", i, Loudness(samples), Heard{Samples: samples}.tones())
	}
	return text
}
