package main

import "math"

const (
	rateStored = 16000
	loudness   = -18.0 // dBFS, RMS of what is not a pause
	block      = rateStored / 100
	margin     = 2 * block // that is left at either end
	fade       = block / 2
	longest    = 25 // blocks of a pause within
)

// finish takes away the silence at both ends, shortens long pauses, and gives the sound its loudness.
func finish(in []int16) []int16 {
	levels := make([]float64, 0, len(in)/block+1) // RMS of each block
	loudest := 0.0
	for i := 0; i < len(in); i += block {
		l := rms(in[i:min(i+block, len(in))])
		levels = append(levels, l)
		loudest = max(loudest, l)
	}
	first, last := len(levels), -1
	power, heard := 0.0, 0
	for i, l := range levels {
		if l > loudest/100 { // -40 dB: a fricative at the end is about -30
			first, last = min(first, i), i
		}
		if l > loudest/10 {
			power += l * l
			heard++
		}
	}
	if heard == 0 {
		return in
	}
	gain := math.Pow(10, loudness/20) * 32768 / math.Sqrt(power/float64(heard))
	var out []float64
	from, silent := max(0, first*block-margin), 0
	for i := from; i < min(len(in), (last+1)*block+margin); i++ {
		if i%block == 0 {
			silent++
			if levels[i/block] > loudest/100 {
				silent = 0
			}
		}
		if silent <= longest {
			out = append(out, limit(float64(in[i])*gain/32768))
		}
	}
	stored := make([]int16, len(out))
	for i, v := range out {
		stored[i] = int16(math.Round(v * 32767 * min(1, float64(i)/fade, float64(len(out)-1-i)/fade)))
	}
	return stored
}

// limit bends peaks softly, so that none is above 0.9.
func limit(v float64) float64 {
	const knee, top = 0.55, 0.9
	if a := math.Abs(v); a > knee {
		return math.Copysign(knee+(top-knee)*math.Tanh((a-knee)/(top-knee)), v)
	}
	return v
}

func rms(s []int16) float64 {
	sum := 0.0
	for _, v := range s {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(s)))
}
