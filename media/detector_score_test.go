package media

import (
	"math"
	"math/rand/v2"
)

// dual is a key as a line may bring it.
type dual struct {
	key        byte
	ms         float64
	low, high  float64 // dBm0 of each frequency
	off0, off1 float64 // by how much they are wrong, in parts of one
}

// usual is a key in the middle of all ranges.
func usual(key byte, ms float64) dual { return dual{key: key, ms: ms, low: -10, high: -10} }

// score is sound being put together, at 8 kHz.
type score struct {
	pcm []float64
	rnd *rand.Rand
}

func newScore(seed uint64) *score { return &score{rnd: rand.New(rand.NewPCG(seed, 4733))} }

func amplitude(dBm0 float64) float64 { return math.MaxInt16 * math.Pow(10, (dBm0-3.14)/20) }

// dial adds keys, with edges of 1 ms as an exchange cuts them.
func (s *score) dial(keys ...dual) *score {
	for _, k := range keys {
		low, high, _ := KeyTones(k.key)
		n, p, q := int(k.ms*8), s.rnd.Float64()*7, s.rnd.Float64()*7
		for i := range n {
			t := 2 * math.Pi * float64(i) / 8000
			v := amplitude(k.low)*math.Sin(low*(1+k.off0)*t+p) + amplitude(k.high)*math.Sin(high*(1+k.off1)*t+q)
			s.pcm = append(s.pcm, v*min(1, float64(i+1)/8, float64(n-i)/8))
		}
	}
	return s
}

func (s *score) pause(ms float64) *score {
	s.pcm = append(s.pcm, make([]float64, int(ms*8))...)
	return s
}

// noise adds white noise to all so far, at a level.
func (s *score) noise(dBm0 float64) *score {
	sigma := amplitude(dBm0) / math.Sqrt2
	for i := range s.pcm {
		s.pcm[i] += s.rnd.NormFloat64() * sigma
	}
	return s
}

func (s *score) linear() []int16 {
	out := make([]int16, len(s.pcm))
	for i, v := range s.pcm {
		out[i] = int16(max(min(math.Round(v), math.MaxInt16), math.MinInt16))
	}
	return out
}

// chord adds sines at −10 dBm0 each.
func (s *score) chord(seconds float64, hz ...float64) {
	from := len(s.pcm)
	s.pause(seconds * 1000)
	for _, f := range hz {
		for i := range s.pcm[from:] {
			s.pcm[from+i] += amplitude(-10) * math.Sin(2*math.Pi*f*float64(i)/8000)
		}
	}
}

// voices are vowels of men, women and children: pulses of a throat through the resonances of a mouth, both on the move.
func voices(s *score) {
	vowels := [][3]float64{{730, 1090, 2440}, {270, 2290, 3010}, {530, 1840, 2480}, {570, 840, 2410}, {300, 870, 2240},
		{660, 1720, 2410}, {640, 1190, 2390}, {440, 1020, 2240}, {490, 1350, 1690}, {860, 1550, 2810}, {760, 1330, 2500}, {700, 1220, 2600}}
	for len(s.pcm) < 150*8000 {
		pitch := 80 + 320*s.rnd.Float64()
		from, to := vowels[s.rnd.IntN(len(vowels))], vowels[s.rnd.IntN(len(vowels))]
		n := 400 + s.rnd.IntN(4000)
		glide, vibrato := s.rnd.NormFloat64()*.15, s.rnd.Float64()*.02
		if s.rnd.IntN(3) == 0 {
			glide, vibrato = 0, 0 // held as if sung by a machine
		}
		var y [3][2]float64
		phase, out := 0., make([]float64, n)
		for i := range n {
			x := float64(i) / float64(n)
			phase += pitch * (1 + glide*x + vibrato*math.Sin(2*math.Pi*5*float64(i)/8000)) / 8000
			pulse := s.rnd.NormFloat64() * .01
			if phase >= 1 {
				phase--
				pulse++
			}
			for k := range y {
				f, bandwidth := from[k]+(to[k]-from[k])*x, 50+40*float64(k)
				r := math.Exp(-math.Pi * bandwidth / 8000)
				v := (1-r)*pulse*4 + 2*r*math.Cos(2*math.Pi*f/8000)*y[k][0] - r*r*y[k][1]
				y[k][0], y[k][1] = v, y[k][0]
				pulse += v
			}
			out[i] = (y[0][0] + y[1][0] + y[2][0]*.5) * min(1, 10*x, 10*(1-x))
		}
		s.level(out, -25+20*s.rnd.Float64())
		s.pause(200 * s.rnd.Float64())
	}
}

// level adds sound at a level of its own, in dBm0.
func (s *score) level(out []float64, dBm0 float64) {
	sum := 0.
	for _, v := range out {
		sum += v * v
	}
	gain := amplitude(dBm0) / math.Sqrt2 / math.Sqrt(sum/float64(len(out))+1e-12)
	for _, v := range out {
		s.pcm = append(s.pcm, v*gain)
	}
}

// sweeps are harmonics of a tone that goes through all pitches, each time with other strengths.
func sweeps(s *score) {
	for len(s.pcm) < 150*8000 {
		n := 8000 * (1 + s.rnd.IntN(4))
		from, to := 100+700*s.rnd.Float64(), 100+700*s.rnd.Float64()
		var strength [12]float64
		for k := range strength {
			strength[k] = math.Pow(10, -s.rnd.Float64()*1.5)
		}
		out, phase := make([]float64, n), 0.
		for i := range n {
			phase += (from + (to-from)*float64(i)/float64(n)) / 8000
			for k, v := range strength {
				if f := (from + (to-from)*float64(i)/float64(n)) * float64(k+1); f < 3600 {
					out[i] += v * math.Sin(2*math.Pi*phase*float64(k+1))
				}
			}
		}
		s.level(out, -12)
	}
}

// music is chords of instruments with few and with many partials, in equal temperament.
func music(s *score) {
	for len(s.pcm) < 150*8000 {
		n, notes := 800+s.rnd.IntN(4000), 1+s.rnd.IntN(4)
		out := make([]float64, n)
		partials, fall := 2+s.rnd.IntN(6), .3+.6*s.rnd.Float64()
		for range notes {
			f := 110 * math.Pow(2, float64(s.rnd.IntN(40))/12)
			for k, v := 1, 1.; k <= partials && f*float64(k) < 3600; k, v = k+1, v*fall {
				p := s.rnd.Float64() * 7
				for i := range out {
					out[i] += v * math.Sin(2*math.Pi*f*float64(k)*float64(i)/8000+p) * math.Exp(-2*float64(i)/8000)
				}
			}
		}
		s.level(out, -12)
	}
}

// whistling is a nearly pure tone on the move, with some of its harmonics.
func whistling(s *score) {
	for len(s.pcm) < 150*8000 {
		n := 8000 + s.rnd.IntN(8000)
		a := 500 + 1500*s.rnd.Float64()
		out, p, overtone := make([]float64, n), 0., s.rnd.Float64()
		for i := range n {
			x := 2 * math.Pi * 6 * float64(i) / 8000
			p += a * (1 + .2*math.Sin(x)) / 8000
			out[i] = math.Sin(2*math.Pi*p) + overtone*math.Sin(4*math.Pi*p)
		}
		s.level(out, -12)
	}
}
