package media

import (
	"math"

	"github.com/zaf/g711"
)

// Detector hears the keys of telephones in sound at 8 kHz, within what ITU-T Q.24 asks for of administrations:
//
//   - a key lasts 40 ms or longer, and so does the pause after it; what is shorter than 23 ms is none, and an
//     interruption of 10 ms makes no second key of one;
//   - frequencies are right within ±1.5 %, and are refused when they are off by 3.5 % or more;
//   - the high frequency is at most 4 dB stronger (reverse twist) or 8 dB weaker (forward twist) than the low one;
//   - each is between −25 and 0 dBm0; noise may be 15 dB below them;
//   - the two of them are nearly all that is heard, neither has a second harmonic, nor is one that of the other: speech and
//     music have other partials beside those that may be mistaken for a key.
//
// The zero value is ready. It belongs to one goroutine at a time and allocates nothing.
type Detector struct {
	blocks  [windowBlocks]block // a ring: the newest is at newest
	newest  int
	filled  int // samples of the block after the newest
	counted int // blocks, modulo blockRate

	last    int8 // the key of the last window, noKey
	clean   bool // it has had a window that was nothing else
	down    int8 // the key that is down, noKey
	lasting [2]float64
	absent  int // blocks since it was heard
	started bool
}

// Sound is cut into blocks of 5 ms. Each is looked at for the eight frequencies by Goertzel's algorithm, with the phase kept, so
// that blocks add up to a window of 30 ms at any frequency near one of them: how the phase turns from block to block is how
// far off it is.
const (
	blockSamples = 40
	blockRate    = soundRate / blockSamples
	windowBlocks = 6
	spanBlocks   = 4 // of which the phase is taken

	noKey = -1

	tolerance   = 0.025 // of a frequency
	minPeak     = 650.0 // −31 dBm0
	forward     = 8.9   // dB
	reverse     = 4.9   // dB
	clean       = 0.89  // of a window's energy, once in a key
	minPurity   = 0.86  // of a window's energy in the two
	octave      = 0.018 // of two frequencies from a ratio of 2, to which no key comes within 0.025
	minApart    = 150.  // Hz
	maxHarmonic = 0.02  // of the power of the fundamental
	pauseBlocks = 5     // of silence after which a key is up
	heldAbove   = 0.35  // of the amplitude it began with: it is still down
)

var (
	maxForward, maxReverse = math.Pow(10, forward/20), math.Pow(10, reverse/20)
	silentEnergy           = blockSamples * minPeak * minPeak / 4
)

// block is 5 ms.
type block struct {
	samples [blockSamples]int16
	energy  float64
	tones   [8]complex128 // by frequency, the low ones first
}

// resonator is a frequency as Goertzel's algorithm wants it.
type resonator struct {
	hz     int
	factor float64
	turn   complex128 // back by one sample
}

var resonators = func() (r [8]resonator) {
	for i := range r {
		hz := 0.
		if i < 4 {
			hz = lowTones[i]
		} else {
			hz = highTones[i-4]
		}
		w := 2 * math.Pi * hz / soundRate
		r[i] = resonator{int(hz), 2 * math.Cos(w), complex(math.Cos(w), -math.Sin(w))}
	}
	return
}()

// turns are the phases, backwards, that a frequency in whole Hz can have at the beginning of a block.
var turns = func() (t [blockRate]complex128) {
	for i := range t {
		a := 2 * math.Pi * float64(i) / blockRate
		t[i] = complex(math.Cos(a), -math.Sin(a))
	}
	return
}()

// Reset forgets what was heard.
func (d *Detector) Reset() { *d = Detector{} }

// Linear hears 16-bit samples and appends the keys that begin in them to keys, each once.
func (d *Detector) Linear(keys []byte, samples []int16) []byte {
	for len(samples) > 0 {
		n := copy(d.room(), samples)
		samples = samples[n:]
		keys = d.advance(keys, n)
	}
	return keys
}

// ULaw hears G.711 µ-law.
func (d *Detector) ULaw(keys, samples []byte) []byte { return d.law(keys, samples, &fromULaw) }

// ALaw hears G.711 A-law.
func (d *Detector) ALaw(keys, samples []byte) []byte { return d.law(keys, samples, &fromALaw) }

func (d *Detector) law(keys, samples []byte, linear *[256]int16) []byte {
	for len(samples) > 0 {
		room := d.room()
		n := min(len(room), len(samples))
		for i, c := range samples[:n] {
			room[i] = linear[c]
		}
		samples = samples[n:]
		keys = d.advance(keys, n)
	}
	return keys
}

// Silence hears so many samples of nothing. Those beyond a second change nothing more.
func (d *Detector) Silence(samples int) {
	for samples = min(samples, soundRate); samples > 0; {
		room := d.room()
		n := min(len(room), samples)
		clear(room[:n])
		samples -= n
		d.advance(nil, n)
	}
}

var fromULaw, fromALaw = func() (u, a [256]int16) {
	for i := range 256 {
		u[i], a[i] = g711.DecodeUlawFrame(uint8(i)), g711.DecodeAlawFrame(uint8(i))
	}
	return
}()

// room is what is free of the present block.
func (d *Detector) room() []int16 {
	if !d.started {
		d.started, d.last, d.down = true, noKey, noKey
	}
	return d.blocks[(d.newest+1)%windowBlocks].samples[d.filled:]
}

func (d *Detector) advance(keys []byte, n int) []byte {
	if d.filled += n; d.filled < blockSamples {
		return keys
	}
	d.filled = 0
	d.newest = (d.newest + 1) % windowBlocks
	if d.counted++; d.counted == blockRate {
		d.counted = 0
	}
	d.measure()
	if key := d.listen(); key != noKey {
		keys = append(keys, keyRows[key])
	}
	return keys
}

// back is the block so many before the newest.
func (d *Detector) back(n int) *block { return &d.blocks[(d.newest+windowBlocks-n)%windowBlocks] }

// measure looks at the newest block.
func (d *Detector) measure() {
	b := d.back(0)
	energy := int64(0)
	for _, v := range b.samples {
		energy += int64(v) * int64(v)
	}
	b.energy = float64(energy)
	if b.energy < silentEnergy {
		b.tones = [8]complex128{}
		return
	}
	d.four(b, 0)
	d.four(b, 4)
}

// four takes four frequencies at a time: each step of one has to wait for the one before.
func (d *Detector) four(b *block, from int) {
	r := resonators[from : from+4]
	f0, f1, f2, f3 := r[0].factor, r[1].factor, r[2].factor, r[3].factor
	var a0, a1, a2, a3, b0, b1, b2, b3 float64
	for _, v := range b.samples {
		x := float64(v)
		a0, b0 = x+f0*a0-b0, a0
		a1, b1 = x+f1*a1-b1, a1
		a2, b2 = x+f2*a2-b2, a2
		a3, b3 = x+f3*a3-b3, a3
	}
	last, before := [4]float64{a0, a1, a2, a3}, [4]float64{b0, b1, b2, b3}
	for i := range r {
		y := complex(last[i], 0) - r[i].turn*complex(before[i], 0)
		b.tones[from+i] = y * turns[r[i].hz*d.counted%blockRate]
	}
}

// listen says which key has just begun, noKey if none has.
func (d *Detector) listen() int8 {
	key, peaks, purity := d.window()
	again := key == d.last
	d.last, d.clean = key, purity >= clean || d.clean && again
	if key != noKey && again && d.clean && key != d.down {
		d.down, d.lasting, d.absent = key, peaks, 0
		return key
	}
	if d.down == noKey {
		return noKey
	}
	if d.held() {
		d.absent = 0
	} else if d.absent++; d.absent == pauseBlocks {
		d.down = noKey
	}
	return noKey
}

// held says whether the newest block has both tones of the key that is down.
func (d *Detector) held() bool {
	b := d.back(0)
	for i, tone := range [2]int8{d.down / 4, 4 + d.down%4} {
		if level := d.lasting[i] * heldAbove * blockSamples / 2; square(b.tones[tone]) < level*level {
			return false
		}
	}
	return true
}

// window says which key is all that the last 30 ms have, with which amplitudes, and how much of the energy it has.
func (d *Detector) window() (key int8, peaks [2]float64, purity float64) {
	if d.back(0).energy < silentEnergy {
		return noKey, peaks, 0
	}
	energy := 0.
	for i := range d.blocks {
		energy += d.blocks[i].energy
	}
	low, high := d.strongest(0), d.strongest(4)
	off0, peak0 := d.tone(low)
	off1, peak1 := d.tone(high)
	f0, f1 := float64(resonators[low].hz), float64(resonators[high].hz)
	purity = (peak0*peak0 + peak1*peak1) / 2 * windowBlocks * blockSamples / energy
	switch {
	case math.Abs(off0) > tolerance*f0 || math.Abs(off1) > tolerance*f1:
	case math.Abs((f1+off1)/(f0+off0)-2) < octave: // one voice
	case min(peak0, peak1) < minPeak:
	case peak0 > peak1*maxForward || peak1 > peak0*maxReverse:
	case purity < minPurity:
	case d.harmonic(2*(f0+off0), f1+off1) > maxHarmonic*peak0*peak0 || d.harmonic(2*(f1+off1), f1+off1) > maxHarmonic*peak1*peak1:
	default:
		return int8(low*4 + high - 4), [2]float64{peak0, peak1}, purity
	}
	return noKey, peaks, 0
}

// strongest is the one of four frequencies that has most in the window, wherever in its reach.
func (d *Detector) strongest(from int) (best int) {
	most := -1.
	for i := from; i < from+4; i++ {
		sum := 0.
		for n := range windowBlocks - 1 {
			sum += square(d.back(n).tones[i] + d.back(n + 1).tones[i])
		}
		if sum > most {
			best, most = i, sum
		}
	}
	return best
}

// tone is by how many Hz the sound near a frequency is off it, and its amplitude.
func (d *Detector) tone(i int) (off, peak float64) {
	var spans [windowBlocks - spanBlocks + 1]complex128
	for s := range spans {
		for n := range spanBlocks {
			spans[s] += d.back(windowBlocks - 1 - s - n).tones[i]
		}
	}
	var turn complex128
	for s := range len(spans) - 1 {
		turn += spans[s+1] * complex(real(spans[s]), -imag(spans[s]))
	}
	size := math.Sqrt(square(turn))
	if size == 0 {
		return 0, 0
	}
	turn = complex(real(turn)/size, imag(turn)/size)
	var sum complex128
	for n := windowBlocks - 1; n >= 0; n-- {
		sum = sum*turn + d.back(n).tones[i]
	}
	return math.Atan2(imag(turn), real(turn)) * blockRate / (2 * math.Pi), 2 * math.Sqrt(square(sum)) / (windowBlocks * blockSamples)
}

// harmonic is the power at a second harmonic. Beside the high frequency of a key it cannot be told from that: then it is 0.
func (d *Detector) harmonic(hz, high float64) float64 {
	if math.Abs(hz-high) < minApart {
		return 0
	}
	return d.power(hz)
}

// power is the square of the amplitude that a frequency has in the window.
func (d *Detector) power(hz float64) float64 {
	factor := 2 * math.Cos(2*math.Pi*hz/soundRate)
	var a, b float64
	for n := windowBlocks - 1; n >= 0; n-- {
		for _, v := range d.back(n).samples {
			a, b = float64(v)+factor*a-b, a
		}
	}
	const half = windowBlocks * blockSamples / 2
	return (a*a + b*b - factor*a*b) / (half * half)
}

func square(c complex128) float64 { return real(c)*real(c) + imag(c)*imag(c) }
