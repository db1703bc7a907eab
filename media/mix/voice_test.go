package mix

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"ringback/media/g722"
)

// sent is a packet on its way.
type sent struct {
	at     float64 // when it comes, in ms
	ts     uint32
	octets []byte
	reset  bool // of another source
	noise  bool // comfort noise
}

// scene is what one party sends, and what is made of it.
type scene struct {
	codec   Codec
	packets []sent
	hear    []int16
	voice   Voice
}

const peak = 8000

// wave makes octets of a tone, from a sample on.
func wave(c Codec, enc *g722.Encoder, hz float64, from, n int) []byte {
	linear, b := make([]int16, n), make([]byte, n)
	for i := range linear {
		linear[i] = int16(peak * math.Sin(2*math.Pi*hz*float64(from+i)/Rate))
	}
	switch c {
	case ULaw:
		EncodeULaw(b, linear)
	case ALaw:
		EncodeALaw(b, linear)
	case G722:
		enc.Encode(b, linear, nil)
	}
	return b
}

const hz = 440

// tone is n packets of 20 ms, all in time.
func tone(c Codec, n int) []sent {
	enc := g722.NewEncoder()
	all := make([]sent, n)
	for i := range all {
		all[i] = sent{at: float64(20*i) + 3, ts: uint32(i*160) + 0xffffff00, octets: wave(c, enc, hz, i*160, 160)}
	}
	return all
}

// play hears everything, and some silence at the end.
func (s *scene) play() {
	s.voice.Use(s.codec)
	slices.SortStableFunc(s.packets, func(a, b sent) int { return cmp.Compare(a.at, b.at) })
	last := s.packets[len(s.packets)-1].at
	i := 0
	for now := 0.; now < last+1000; now += 20 {
		for ; i < len(s.packets) && s.packets[i].at <= now; i++ {
			p := s.packets[i]
			switch {
			case p.noise:
				s.voice.ComfortNoise(p.octets[0])
				continue
			case p.reset:
				s.voice.Reset()
			}
			s.voice.Put(p.ts, p.octets, int64(p.at*1e6))
		}
		low, _ := s.voice.Take(int64(now * 1e6))
		if low == nil {
			low = make([]int16, Frame)
		}
		s.hear = append(s.hear, low...)
	}
}

// sharpest is the largest change from a sample to the next.
func sharpest(s []int16) (most int) {
	for i := 1; i < len(s); i++ {
		d := int(s[i]) - int(s[i-1])
		most = max(most, d, -d)
	}
	return
}

// power is the mean square.
func power(s []int16) float64 { return meanSquare(s) }

// natural is the largest change in a tone, with what quantization adds.
var natural = 2*math.Pi*hz/Rate*peak + 300

// Whatever becomes of packets, nothing is heard that is sharper than the tone itself, by more than a little; it is counted;
// and at the end the tone is heard again.
func TestNoClicks(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	cases := map[string]struct {
		change func([]sent) []sent
		check  func(*testing.T, *scene)
	}{
		"clean": {nil, func(t *testing.T, s *scene) {
			if c := s.voice.Counts; c.Late+c.Duplicate+c.Excess+c.Resets+c.Malformed != 0 || c.Concealed > 30*ms*10 {
				t.Errorf("%+v", c)
			}
		}},
		"loss": {func(p []sent) []sent {
			return slices.DeleteFunc(p, func(sent) bool { return rnd.Float64() < .1 })
		}, func(t *testing.T, s *scene) {
			if c := s.voice.Concealed; c < 20*Frame {
				t.Errorf("%d concealed", c)
			}
		}},
		"loss of many": {func(p []sent) []sent { return append(slices.Clone(p[:100]), p[120:]...) }, nil},
		"duplicates": {func(p []sent) []sent {
			for _, x := range slices.Clone(p) {
				x.at += 1
				p = append(p, x)
			}
			return p
		}, func(t *testing.T, s *scene) {
			if s.voice.Duplicate < 290 {
				t.Errorf("%+v", s.voice.Counts)
			}
		}},
		"reordered": {func(p []sent) []sent {
			for i := 10; i+1 < len(p); i += 7 {
				p[i].at, p[i+1].at = p[i+1].at, p[i].at
			}
			return p
		}, nil},
		"jitter": {func(p []sent) []sent {
			for i := range p {
				p[i].at += rnd.Float64() * 60
			}
			return p
		}, func(t *testing.T, s *scene) {
			if s.voice.Late > 15 {
				t.Errorf("%+v", s.voice.Counts)
			}
		}},
		"much jitter": {func(p []sent) []sent {
			for i := range p {
				p[i].at += rnd.Float64() * 150
			}
			return p
		}, nil},
		"a stall": {func(p []sent) []sent {
			for i := 100; i < 108; i++ {
				p[i].at = p[108].at
			}
			return p
		}, nil},
		"a long stall": {func(p []sent) []sent {
			for i := 100; i < 150; i++ {
				p[i].at = p[150].at
			}
			return p
		}, nil},
		"a burst at once": {func(p []sent) []sent {
			for i := range p[:100] {
				p[i].at = p[0].at
			}
			for i := range p[100:] {
				p[100+i].at -= 99 * 20
			}
			return p
		}, func(t *testing.T, s *scene) {
			if s.voice.Excess == 0 {
				t.Errorf("%+v", s.voice.Counts)
			}
		}},
		"bursts in the midst": {func(p []sent) []sent {
			for i := range p {
				p[i].at -= float64(i/40) * 7.3 * 20
			}
			return p
		}, func(t *testing.T, s *scene) {
			if s.voice.Excess == 0 {
				t.Errorf("%+v", s.voice.Counts)
			}
		}},
		"timestamps leap": {func(p []sent) []sent {
			for i := range p[100:] {
				p[100+i].ts += 1e6
			}
			return p
		}, func(t *testing.T, s *scene) {
			if s.voice.Resets != 1 {
				t.Errorf("%+v", s.voice.Counts)
			}
		}},
		"timestamps leap back": {func(p []sent) []sent {
			for i := range p[100:] {
				p[100+i].ts -= 1e6
			}
			return p
		}, nil},
		"timestamps leap a little": {func(p []sent) []sent {
			for i := range p[100:] {
				p[100+i].ts += 2400
			}
			return p
		}, nil},
		"timestamps leap back a little": {func(p []sent) []sent {
			for i := range p[100:] {
				p[100+i].ts -= 800
			}
			return p
		}, nil},
		"a wild timestamp": {func(p []sent) []sent { p[100].ts += 0x5555555; return p }, nil},
		"another source": {func(p []sent) []sent {
			for i := range p[100:] {
				p[100+i].ts = uint32(i) * 160
			}
			p[100].reset = true
			return p
		}, func(t *testing.T, s *scene) {
			if s.voice.Resets != 1 {
				t.Errorf("%+v", s.voice.Counts)
			}
		}},
		"silence suppression": {func(p []sent) []sent {
			return slices.DeleteFunc(p, func(x sent) bool { return int(x.at)/700%2 == 1 })
		}, nil},
		"comfort noise": {func(p []sent) []sent {
			noise := sent{at: p[100].at, octets: []byte{55}, noise: true}
			return append(append(slices.Clone(p[:100]), noise), p[200:]...)
		}, func(t *testing.T, s *scene) {
			quiet := s.hear[110*Frame : 190*Frame]
			if l := DBm0(power(quiet)); l < -56 || l > -46 {
				t.Errorf("comfort noise is at %.1f dBm0", l)
			}
		}},
		"a slow clock": {func(p []sent) []sent {
			for i := range p {
				p[i].at *= 1.001
			}
			return p
		}, nil},
		"a fast clock": {func(p []sent) []sent {
			for i := range p {
				p[i].at *= .999
			}
			return p
		}, nil},
		"packets of any length": {func(p []sent) []sent {
			var all []byte
			for _, x := range p {
				all = append(all, x.octets...)
			}
			var q []sent
			for at := 0; at < len(all); {
				n := min(40*(1+rnd.IntN(12)), len(all)-at)
				q = append(q, sent{at: p[min((at+n)/160, len(p)-1)].at, ts: p[0].ts + uint32(at), octets: all[at : at+n]})
				at += n
			}
			return q
		}, nil},
	}
	for name, c := range cases {
		for _, codec := range []Codec{ULaw, ALaw, G722} {
			t.Run(name, func(t *testing.T) {
				const n = 300
				s := &scene{codec: codec, packets: tone(codec, n)}
				if c.change != nil {
					s.packets = c.change(s.packets)
				}
				s.play()
				if d := sharpest(s.hear); float64(d) > 1.6*natural {
					at := slices.IndexFunc(s.hear[1:], func(int16) bool { return false })
					for i := 1; i < len(s.hear); i++ {
						if x := int(s.hear[i]) - int(s.hear[i-1]); x == d || x == -d {
							at = i
						}
					}
					t.Errorf("codec %d: a change by %d at sample %d (frame %d), the tone has %.0f", codec, d, at, at/Frame, natural)
				}
				if c.check != nil {
					c.check(t, s)
				}
				end := len(s.hear) - 1000*ms
				if p := power(s.hear[end-2000 : end-1000]); p < peak*peak/2*.5 || p > peak*peak/2*1.3 {
					t.Errorf("codec %d: the tone ends at %.1f dBm0", codec, DBm0(p))
				}
				if p := power(s.hear[len(s.hear)-1000:]); p != 0 {
					t.Errorf("codec %d: %.1f dBm0 long after the end", codec, DBm0(p))
				}
			})
		}
	}
}
