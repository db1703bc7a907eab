package mix

import (
	"fmt"
	"math"
	"testing"
)

// choir is a room of members that each say a tone of their own.
type choir struct {
	Mixer
	in    []*Input
	peaks []float64
	at    int
	out   [][]int16 // what each has heard, and last what Common is
}

func newChoir(peaks ...float64) *choir {
	c := &choir{peaks: peaks, out: make([][]int16, len(peaks)+1)}
	for range peaks {
		c.in = append(c.in, new(Input))
	}
	return c
}

func (c *choir) hz(i int) float64 { return 300 + 150*float64(i) }

func (c *choir) sing(frames int) {
	frame := make([]int16, Frame)
	for range frames {
		for i, in := range c.in {
			if c.peaks[i] == 0 {
				in.Set(nil, nil)
				continue
			}
			tone := make([]int16, Frame)
			for k := range tone {
				tone[k] = int16(c.peaks[i] * math.Sin(2*math.Pi*c.hz(i)*float64(c.at+k)/Rate))
			}
			in.Set(tone, nil)
		}
		c.at += Frame
		c.Mix(c.in, nil)
		for i, in := range c.in {
			c.For(in, frame, nil)
			c.out[i] = append(c.out[i], frame...)
		}
		c.Common(frame, nil)
		c.out[len(c.in)] = append(c.out[len(c.in)], frame...)
	}
}

// hears is the amplitude of a member's tone in the last second that another has heard.
func (c *choir) hears(who, whom int) float64 {
	s := c.out[who][len(c.out[who])-Rate:]
	factor := 2 * math.Cos(2*math.Pi*c.hz(whom)/Rate)
	var a, b float64
	for _, v := range s {
		a, b = float64(v)+factor*a-b, a
	}
	return 2 * math.Sqrt(a*a+b*b-factor*a*b) / Rate
}

func TestEachHearsTheOthers(t *testing.T) {
	for _, n := range []int{2, 3, 8} {
		peaks := make([]float64, n)
		for i := range peaks {
			peaks[i] = 1000 + 300*float64(i)
		}
		c := newChoir(peaks...)
		c.sing(60)
		for who := range n {
			for whom, want := range peaks {
				got := c.hears(who, whom)
				if who == whom && got > want/100 || who != whom && math.Abs(got-want) > want/50 {
					t.Errorf("of %d: %d hears %d at %.0f of %.0f", n, who, whom, got, want)
				}
			}
		}
	}
}

// Ten who all shout: nothing overflows, nothing is sharper than the sum of what they say, and all sound alike.
func TestLoud(t *testing.T) {
	for _, n := range []int{3, 10} {
		peaks := make([]float64, n)
		for i := range peaks {
			peaks[i] = 32000
		}
		c := newChoir(peaks...)
		steepest := 0.
		for i := range n {
			steepest += 2 * math.Pi * c.hz(i) / Rate * peaks[i]
		}
		c.sing(100)
		for who, out := range c.out {
			most := int16(0)
			for _, v := range out {
				most = max(most, v, -v)
			}
			if most > 32124 || most < 15000 {
				t.Errorf("of %d: %d hears up to %d", n, who, most)
			}
			if d := sharpest(out); float64(d) > steepest {
				t.Errorf("of %d: %d hears a change by %d", n, who, d)
			}
		}
		if n <= Speakers {
			for who := range n {
				if own := c.hears(who, who); own > 32000/100*5 {
					t.Errorf("of %d: %d hears itself at %.0f", n, who, own)
				}
			}
		}
	}
	// and afterwards others are as loud as they are
	c := newChoir(32000, 32000, 32000, 32000)
	c.sing(50)
	for i := range c.peaks {
		c.peaks[i] = 1000
	}
	c.sing(150)
	if got := c.hears(0, 1); math.Abs(got-1000) > 30 {
		t.Errorf("after shouting 1000 is heard at %.0f", got)
	}
}

// Beyond eight only the loudest are heard; who is heard stays so until another is much louder; nobody comes or goes with a click.
func TestSpeakers(t *testing.T) {
	peaks := make([]float64, 12)
	for i := range peaks {
		peaks[i] = 500
		if i < 8 {
			peaks[i] = 1000
		}
	}
	c := newChoir(peaks...)
	silent := len(peaks)
	check := func(why string, heard ...int) {
		t.Helper()
		c.sing(60)
		is := make(map[int]bool)
		for _, i := range heard {
			is[i] = true
		}
		for i, p := range c.peaks {
			got := c.hears(silent, i)
			if is[i] && math.Abs(got-p) > p/20 || !is[i] && got > 15 {
				t.Errorf("%s: %d is heard at %.0f of %.0f", why, i, got, p)
			}
			if c.in[i].Speaking() != is[i] {
				t.Errorf("%s: %d speaking is %v", why, i, !is[i])
			}
		}
	}
	check("the loudest", 0, 1, 2, 3, 4, 5, 6, 7)
	c.peaks[9] = 1500
	check("a little louder", 0, 1, 2, 3, 4, 5, 6, 7)
	c.peaks[9], c.peaks[3] = 3500, 990
	check("much louder", 0, 1, 2, 4, 5, 6, 7, 9)
	c.peaks[0] = 0
	c.in[1].Muted = true
	c.peaks[8] = 800
	check("one silent, one muted", 2, 3, 4, 5, 6, 7, 8, 9)
	steepest := 0.
	for i := range c.peaks {
		steepest += 2 * math.Pi * c.hz(i) / Rate * c.peaks[i]
	}
	for who, out := range c.out {
		if d := sharpest(out); float64(d) > steepest {
			t.Errorf("%d hears a change by %d, all together make %.0f", who, d, steepest)
		}
	}
}

// Muting fades, and is heard by nobody.
func TestMuted(t *testing.T) {
	c := newChoir(8000, 0, 0)
	for i := range 40 {
		c.in[0].Muted = i%4 < 2
		c.sing(1)
	}
	if d := sharpest(c.out[1]); float64(d) > 2*math.Pi*c.hz(0)/Rate*8000*1.1 {
		t.Errorf("a change by %d", d)
	}
	c.in[0].Muted = true
	c.sing(60)
	if got := c.hears(1, 0); got > 8 || c.in[0].Level() != 0 {
		t.Errorf("heard at %.1f, level %v", got, c.in[0].Level())
	}
}

// Where nobody speaks there is some noise.
func TestNoDeadSilence(t *testing.T) {
	c := newChoir(0, 0)
	c.sing(200)
	for i, out := range c.out {
		if l := DBm0(meanSquare(out)); l < -70 || l > -60 {
			t.Errorf("%d hears noise at %.1f dBm0", i, l)
		}
	}
	coded := make([]byte, Frame)
	EncodeULaw(coded, c.out[0][:Frame])
	var dead int
	for _, o := range coded {
		if o&0x7f == 0x7f {
			dead++
		}
	}
	if dead > Frame*3/4 {
		t.Errorf("%d of %d octets are nothing", dead, Frame)
	}
}

// Those that may come back do not hear each other.
func TestTurned(t *testing.T) {
	c := newChoir(2000, 2000, 2000)
	c.in[0].Turned, c.in[1].Turned = true, true
	c.sing(60)
	for who, hears := range [][]float64{{0, 0, 2000}, {0, 0, 2000}, {2000, 2000, 0}} {
		for whom, want := range hears {
			if got := c.hears(who, whom); math.Abs(got-want) > 40 {
				t.Errorf("%d hears %d at %.0f, want %.0f", who, whom, got, want)
			}
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	c := newChoir(2000, 2000, 2000, 2000, 2000, 2000, 2000, 2000, 2000, 2000)
	var v Voice
	v.Use(ULaw)
	b, out := wave(ULaw, nil, hz, 0, Frame), make([]int16, Frame)
	c.sing(1)
	ts := uint32(0)
	if n := testing.AllocsPerRun(200, func() {
		if ts%7 != 0 { // lost
			v.Put(ts, b, int64(ts)*1e6/8)
		}
		ts += Frame
		c.in[0].Set(v.Take(int64(ts) * 1e6 / 8))
		c.Mix(c.in, nil)
		c.For(c.in[0], out, nil)
		c.Common(out, nil)
		EncodeULaw(b, out)
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkMix(b *testing.B) {
	for _, n := range []int{3, 10, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			peaks := make([]float64, n)
			for i := range peaks {
				peaks[i] = 1000
			}
			c := newChoir(peaks...)
			c.sing(1)
			frame := make([]int16, Frame)
			b.ReportAllocs()
			for b.Loop() {
				c.Mix(c.in, nil)
				for _, in := range c.in {
					c.For(in, frame, nil)
				}
			}
		})
	}
}

// A frame that is lost costs most: the period has to be found.
func BenchmarkConceal(b *testing.B) {
	var v Voice
	v.Use(ULaw)
	octets := wave(ULaw, nil, hz, 0, Frame)
	ts := uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		if ts/Frame%2 == 0 {
			v.Put(ts, octets, int64(ts)*1e6/8)
		}
		ts += Frame
		v.Take(int64(ts) * 1e6 / 8)
	}
}
