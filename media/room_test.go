package media

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"ringback/media/g722"
	"ringback/media/mix"
)

// caller is a phone in a room: it sends a tone of its own, and decodes what it hears.
type caller struct {
	*phone
	stream *Stream
	format Format
	hz     float64
	peak   float64
	at     int // samples sent
	enc    *g722.Encoder
	dec    *g722.Decoder
	heard  []int16 // the lower band
	last   seen
	any    bool
}

var wide = fmtOf(G722, 9)

func (l *lab) caller(i int, f Format, hz, peak float64) *caller {
	l.Helper()
	s := l.stream()
	c := &caller{phone: l.phone(netip.AddrFrom4([4]byte{192, 0, 2, byte(20 + i)}), s), stream: s, format: f, hz: hz, peak: peak,
		enc: g722.NewEncoder(), dec: g722.NewDecoder()}
	s.Agree(terms(c.phone, f, event))
	return c
}

// octets is the caller's next 20 ms.
func (c *caller) octets() []byte {
	linear, b := make([]int16, 160), make([]byte, 160)
	for i := range linear {
		linear[i] = int16(c.peak * math.Sin(2*math.Pi*c.hz*float64(c.at+i)/8000))
	}
	c.at += 160
	switch c.format.mixed() {
	case mix.ULaw:
		mix.EncodeULaw(b, linear)
	case mix.ALaw:
		mix.EncodeALaw(b, linear)
	default:
		c.enc.Encode(b, linear, nil)
	}
	return b
}

func (c *caller) talk() { c.say(c.format.RecvPT, c.octets()) }

// listen decodes what has come, and checks that no packet is missing or strange.
func (c *caller) listen() {
	c.t.Helper()
	for _, b := range c.phone.heard() {
		h, p := read(c.t, b), payload(c.t, b)
		if h.pt != c.format.SendPT {
			c.t.Fatalf("payload type %d, want %d", h.pt, c.format.SendPT)
		}
		if c.any && (h.ssrc != c.last.ssrc || h.seq != c.last.seq+1) {
			c.t.Fatalf("sequence %d after %d, SSRC %x after %x", h.seq, c.last.seq, h.ssrc, c.last.ssrc)
		}
		if c.any && !marked(b) && h.ts-c.last.ts != uint32(len(p)) {
			c.t.Fatalf("timestamp +%d", h.ts-c.last.ts)
		}
		c.last, c.any = h, true
		linear := make([]int16, len(p))
		switch c.format.mixed() {
		case mix.ULaw:
			for i, o := range p {
				linear[i] = fromULaw[o]
			}
		case mix.ALaw:
			for i, o := range p {
				linear[i] = fromALaw[o]
			}
		default:
			c.dec.Decode(linear, nil, p)
		}
		c.heard = append(c.heard, linear...)
	}
}

// loudness is the peak amplitude of a frequency at the end of what was heard, in the last second (Goertzel).
func (c *caller) loudness(hz float64) float64 {
	s := c.heard[len(c.heard)-8000:]
	factor := 2 * math.Cos(2*math.Pi*hz/8000)
	var a, b float64
	for _, v := range s {
		a, b = float64(v)+factor*a-b, a
	}
	return 2 * math.Sqrt(a*a+b*b-factor*a*b) / float64(len(s))
}

// sharpest is the largest change from sample to sample.
func (c *caller) sharpest() (most int) {
	for i := 1; i < len(c.heard); i++ {
		most = max(most, int(c.heard[i])-int(c.heard[i-1]), int(c.heard[i-1])-int(c.heard[i]))
	}
	return
}

func dB(a, b float64) float64 { return 20 * math.Log10((a+0.01)/b) }

// conversation lets all talk for a time.
func conversation(d time.Duration, all ...*caller) {
	for ; d > 0; d -= 20 * time.Millisecond {
		for _, c := range all {
			c.talk()
		}
		pause(20 * time.Millisecond)
		for _, c := range all {
			c.listen()
		}
	}
}

// hears checks by ear whom c hears and whom it does not.
func (c *caller) hears(why string, whom, not []*caller) {
	c.t.Helper()
	for _, o := range whom {
		if l := dB(c.loudness(o.hz), o.peak); l < -1 || l > 1 {
			c.t.Errorf("%s: %v Hz hears %v Hz at %.1f dB", why, c.hz, o.hz, l)
		}
	}
	for _, o := range not {
		if l := dB(c.loudness(o.hz), o.peak); l > -40 {
			c.t.Errorf("%s: %v Hz hears %v Hz at %.1f dB", why, c.hz, o.hz, l)
		}
	}
}

func meet(t testing.TB, r Room, all ...*caller) {
	t.Helper()
	for _, c := range all {
		if err := r.Join(c.stream); err != nil {
			t.Fatal(err)
		}
	}
}

func others(all []*caller, c *caller) (o []*caller) {
	for _, x := range all {
		if x != c {
			o = append(o, x)
		}
	}
	return
}

// All hear all others, at their level, and not themselves.
func TestRoom(t *testing.T) {
	for name, formats := range map[string][]Format{
		"three":     {ulaw, ulaw, ulaw},
		"two laws":  {ulaw, alaw, ulaw},
		"with G722": {ulaw, wide, alaw},
		"G722":      {wide, wide, wide},
		"eight":     {ulaw, alaw, wide, ulaw, alaw, wide, ulaw, ulaw},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, Options{}, func(l *lab) {
				r := l.engine.NewRoom()
				defer r.Close()
				var all []*caller
				for i, f := range formats {
					c := l.caller(i, f, 310+float64(i)*190, 2500)
					defer c.stream.Close()
					all = append(all, c)
				}
				meet(t, r, all...)
				conversation(3*time.Second, all...)
				for _, c := range all {
					c.hears(name, others(all, c), []*caller{c})
					if v := r.Level(c.stream); !v.Speaking || math.Abs(v.DBm0 - -19.2) > 1 {
						t.Errorf("level %+v", v)
					}
				}
				if st := r.Stats(); st.Members != len(all) || st.Late+st.Duplicate+st.Excess+st.Concealed+st.Resets != 0 {
					t.Errorf("%+v", st)
				}
			})
		})
	}
}

// Those with G.722 hear each other's upper band, and not their own; those at 8 kHz hear nothing of it.
func TestRoomWideband(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		r := l.engine.NewRoom()
		defer r.Close()
		all := []*caller{l.caller(0, wide, 0, 0), l.caller(1, wide, 0, 0), l.caller(2, ulaw, 0, 0)}
		var upper [2][]int16
		for _, c := range all {
			defer c.stream.Close()
		}
		meet(t, r, all...)
		octets, low, high := make([]byte, 160), make([]int16, 160), make([]int16, 160)
		hz := []float64{700, 1300} // 7300 and 6700 Hz
		for n := range 150 {
			for i, c := range all[:2] {
				for k := range high {
					high[k] = int16(3000 * math.Sin(2*math.Pi*hz[i]*float64(160*n+k)/8000))
				}
				clear(low)
				c.enc.Encode(octets, low, high)
				c.say(9, octets)
			}
			pause(20 * time.Millisecond)
			for i, c := range all[:2] {
				for _, b := range c.phone.heard() {
					c.dec.Decode(low, high, payload(t, b))
					upper[i] = append(upper[i], high...)
				}
			}
			all[2].listen()
		}
		for i := range upper {
			ear := &caller{heard: upper[i]}
			if got := ear.loudness(hz[1-i]); math.Abs(got-3000) > 300 {
				t.Errorf("%d hears the other at %.0f", i, got)
			}
			if got := ear.loudness(hz[i]); got > 30 {
				t.Errorf("%d hears itself at %.0f", i, got)
			}
			if got := all[2].loudness(hz[i]); got > 30 {
				t.Errorf("at 8 kHz %.0f Hz is heard at %.0f", hz[i], got)
			}
		}
	})
}
