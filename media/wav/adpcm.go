package wav

import "encoding/binary"

// IMA ADPCM (IMA Digital Audio Focus and Technical Working Groups, "Recommended Practices", 1992), four bits a sample, as
// WAV files have it: in blocks that begin with a whole sample, lower half of each byte first.

// adpcmHead is what a block begins with: a sample and where in adpcmSteps it goes on.
const adpcmHead = 4

var adpcmSteps = [89]int32{
	7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118, 130, 143,
	157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552,
	1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487,
	12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
}

var adpcmMoves = [8]int{-1, -1, -1, -1, 2, 4, 6, 8}

type adpcm struct {
	sample int32
	index  int
}

// next is the sample that a code stands for.
func (a *adpcm) next(code byte) int16 {
	step := adpcmSteps[a.index]
	d := step >> 3
	if code&4 != 0 {
		d += step
	}
	if code&2 != 0 {
		d += step >> 1
	}
	if code&1 != 0 {
		d += step >> 2
	}
	if code&8 != 0 {
		d = -d
	}
	a.sample = max(-32768, min(32767, a.sample+d))
	a.index = max(0, min(len(adpcmSteps)-1, a.index+adpcmMoves[code&7]))
	return int16(a.sample)
}

// code is the one that comes nearest to a sample.
func (a *adpcm) code(sample int16) (code byte) {
	d, step := int32(sample)-a.sample, adpcmSteps[a.index]
	if d < 0 {
		code, d = 8, -d
	}
	for bit := byte(4); bit > 0; bit >>= 1 {
		if d >= step {
			code |= bit
			d -= step
		}
		step >>= 1
	}
	a.next(code)
	return code
}

// adpcmFrames is how many samples there are in data of blocks of a size.
func adpcmFrames(size, block int) int {
	of := func(n int) int {
		if n < adpcmHead {
			return 0
		}
		return 1 + 2*(n-adpcmHead)
	}
	return size/block*of(block) + of(size%block)
}

func decodeADPCM(data []byte, block int) []int16 {
	out := make([]int16, 0, adpcmFrames(len(data), block))
	for len(data) >= adpcmHead {
		b := data[:min(block, len(data))]
		data = data[len(b):]
		a := adpcm{int32(int16(binary.LittleEndian.Uint16(b))), min(int(b[2]), len(adpcmSteps)-1)}
		out = append(out, int16(a.sample))
		for _, codes := range b[adpcmHead:] {
			out = append(out, a.next(codes&15), a.next(codes>>4))
		}
	}
	return out
}

// encodeADPCM repeats the last sample where a byte has room for one more.
func encodeADPCM(samples []int16, block int) (data []byte) {
	index := 0
	for len(samples) > 0 {
		n := min(len(samples), 1+2*(block-adpcmHead))
		s := samples[:n]
		samples = samples[n:]
		a := adpcm{int32(s[0]), index}
		data = binary.LittleEndian.AppendUint16(data, uint16(s[0]))
		data = append(data, byte(index), 0)
		for i := 1; i < n; i += 2 {
			low := a.code(s[i])
			data = append(data, low|a.code(s[min(i+1, n-1)])<<4)
		}
		index = a.index
	}
	return data
}
