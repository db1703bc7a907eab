package mix

import "math"

// patch makes up for sound that is missing: it repeats the last period of what was heard, and fades. What comes after is
// faded in over it, so that there is a click neither where sound ends nor where it goes on.
type patch struct {
	active bool
	made   int        // samples since the sound ended
	until  int        // samples until all is silent
	lag    int        // the period, in samples
	keep   float32    // of a period in the next one
	jump   [2]float32 // by band: from the repetition to where the sound ended
	joined int        // samples of new sound that were faded in
}

const (
	shortest, longest = 20, 20 * ms // periods, in samples
	template          = 10 * ms     // is compared
	smooth            = 2 * ms      // takes the jump away
	joining           = 5 * ms

	fading, fadingFast = 20 * ms, 4 * ms // to 1/e
	fades              = 9               // times that, and all is silent
)

// begin is called where the sound ends, after the sample at-1 of both bands. What ends in comfort noise fades fast.
func (p *patch) begin(v *Voice, at int, fast bool) {
	decay := fading
	if fast {
		decay = fadingFast
	}
	if meanSquare(v.bands[0][at-template:at]) == 0 {
		*p = patch{active: true} // of silence
		return
	}
	lag := period(v.bands[0][:at])
	*p = patch{active: true, lag: lag, until: fades * decay, keep: float32(math.Exp(-float64(lag) / float64(decay)))}
	for i := range v.bands {
		b := &v.bands[i]
		p.jump[i] = float32(b[at-1]) - float32(b[at-1-lag])
	}
}

// over reports whether all is silent.
func (p *patch) over() bool { return p.active && p.made >= p.until }

// extend makes n samples that are missing.
func (p *patch) extend(v *Voice, at, n int) {
	for i := range v.count() {
		b := v.bands[i][:at+n]
		if p.over() {
			clear(b[at:])
			continue
		}
		for k := at; k < at+n; k++ {
			b[k] = p.sample(b, k, p.made+k-at, i)
		}
	}
	p.made = min(p.made+n, p.until)
}

// sample goes on with a band at k, so many samples after the sound ended.
func (p *patch) sample(b []int16, k, made, band int) int16 {
	if made >= p.until {
		return 0
	}
	keep := p.keep
	if made < p.lag {
		keep = 1 - (1-keep)*float32(made)/float32(p.lag)
	}
	y := keep * float32(b[k-p.lag])
	if made < smooth {
		y += p.jump[band] * (1 - float32(made)/smooth)
	}
	return int16(min(max(y, math.MinInt16), math.MaxInt16))
}

// join fades in n samples that are there.
func (p *patch) join(v *Voice, at, n int) {
	fade := min(n, joining-p.joined)
	for i := range v.count() {
		b := v.bands[i][:at+n]
		for k := at; k < at+fade; k++ {
			y, x := float32(p.sample(b, k, p.made+k-at, i)), float32(b[k])
			b[k] = int16(y + (x-y)*float32(p.joined+k-at+1)/joining)
		}
	}
	p.made = min(p.made+fade, p.until)
	if p.joined += fade; p.joined == joining {
		p.active = false
	}
}

// period is the one that repeats best at the end of x: the maximum of the normalized correlation.
func period(x []int16) int {
	n := len(x)
	end := x[n-template:]
	best, lag := float32(0), longest
	for l := shortest; l <= longest; l += 2 {
		if c := likeness(end, x[n-template-l:], 2); c > best {
			best, lag = c, l
		}
	}
	best = 0
	for l, last := max(lag-1, shortest), min(lag+1, longest); l <= last; l++ {
		if c := likeness(end, x[n-template-l:], 1); c > best {
			best, lag = c, l
		}
	}
	return lag
}

// likeness compares every so many samples.
func likeness(a, b []int16, step int) float32 {
	b = b[:len(a)]
	var both, energy float32
	for i := 0; i < len(a); i += step {
		x, y := float32(a[i]), float32(b[i])
		both += x * y
		energy += y * y
	}
	if both <= 0 {
		return 0
	}
	return both * both / (energy + 1)
}
