package wav

import (
	"encoding/binary"
	"slices"

	"github.com/zaf/g711"
)

// The codes of formats (RFC 2361).
const (
	formatPCM        = 0x0001
	formatALaw       = 0x0006
	formatMuLaw      = 0x0007
	formatADPCM      = 0x0011 // of IMA
	formatExtensible = 0xFFFE
)

// format is what a "fmt " chunk says, found good.
type format struct {
	code     uint16
	channels int // 1 or 2
	rate     int // MinRate to MaxRate
	bytes    int // of a sample of a channel: 1 to 4 for PCM, 1 for µ-law and A-law
	block    int // bytes of a block of ADPCM, more than adpcmHead
}

func (f *format) frame() int { return f.channels * f.bytes }

// frames is how many samples of a channel there are in data of a size.
func (f *format) frames(size int) int {
	if f.code == formatADPCM {
		return adpcmFrames(size, f.block)
	}
	return size / f.frame()
}

// extensible is what follows the code of a format in the GUID of WAVE_FORMAT_EXTENSIBLE.
const extensible = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

func parseFormat(b []byte) (f format, err error) {
	if len(b) < 16 {
		return f, refuse("The WAV file does not say in which format its sound is.")
	}
	le := binary.LittleEndian
	f.code, f.channels = le.Uint16(b), int(le.Uint16(b[2:]))
	rate, bits := le.Uint32(b[4:]), le.Uint16(b[14:])
	if f.code == formatExtensible {
		if len(b) < 40 || string(b[26:40]) != extensible {
			return f, refuse("The WAV file is of a format that is not known.")
		}
		f.code = le.Uint16(b[24:])
	}
	switch f.code {
	case formatPCM:
		if !slices.Contains([]uint16{8, 16, 24, 32}, bits) {
			return f, refuse("The sound has %d bits a sample; it may have 8, 16, 24 or 32.", bits)
		}
	case formatMuLaw, formatALaw:
		if bits != 8 {
			return f, refuse("The sound has %d bits a sample; µ-law and A-law have 8.", bits)
		}
	case formatADPCM:
		if f.block = int(le.Uint16(b[12:])); bits != 4 || f.block <= adpcmHead || f.channels != 1 {
			return f, refuse("The WAV file is of an ADPCM that is not known; it may have one channel and 4 bits a sample.")
		}
	default:
		return f, refuse("The WAV file is of format %#04x; known are linear (PCM), µ-law, A-law and IMA ADPCM.", f.code)
	}
	if f.channels != 1 && f.channels != 2 {
		return f, refuse("The sound has %d channels; it may have one or two.", f.channels)
	}
	if rate < MinRate || rate > MaxRate {
		return f, refuse("The sound has %d samples a second; it may have %d to %d.", rate, MinRate, MaxRate)
	}
	f.rate, f.bytes = int(rate), int(bits/8)
	return f, nil
}

// linear is the sound in 16 bits and one channel.
func (f *format) linear(data []byte) []int16 {
	if f.code == formatADPCM {
		return decodeADPCM(data, f.block)
	}
	sample := f.sample()
	out := make([]int16, f.frames(len(data)))
	for i := range out {
		at := data[i*f.frame():]
		v := int32(sample(at))
		if f.channels == 2 {
			v = (v + int32(sample(at[f.bytes:]))) >> 1
		}
		out[i] = int16(v)
	}
	return out
}

// sample is how one is read.
func (f *format) sample() func(b []byte) int16 {
	switch {
	case f.code == formatMuLaw:
		return func(b []byte) int16 { return g711.DecodeUlawFrame(b[0]) }
	case f.code == formatALaw:
		return func(b []byte) int16 { return g711.DecodeAlawFrame(b[0]) }
	case f.bytes == 1: // the only one without a sign
		return func(b []byte) int16 { return (int16(b[0]) - 128) << 8 }
	default: // the upper 16 bits
		n := f.bytes
		return func(b []byte) int16 { return int16(binary.LittleEndian.Uint16(b[n-2:])) }
	}
}
