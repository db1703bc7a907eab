package media

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media/g722"
)

// tape is what a capture gave, by channel.
type tape struct {
	Capture
	t        testing.TB
	mu       sync.Mutex
	channels [][]int16
}

func (l *lab) tape(channels int) *tape {
	l.Helper()
	x := &tape{t: l.T, channels: make([][]int16, channels)}
	x.Capture = l.engine.NewCapture(channels, func(frame []int16) {
		if len(frame) != channels*FrameSamples {
			l.Errorf("a frame of %d samples", len(frame))
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		for i, v := range frame {
			x.channels[i%channels] = append(x.channels[i%channels], v)
		}
	})
	return x
}

func (x *tape) hear(all ...*caller) {
	x.t.Helper()
	for i, c := range all {
		if err := x.Hear(i, c.stream); err != nil {
			x.t.Fatal(err)
		}
	}
}

// channel is what a channel heard, with a caller's ears.
func (x *tape) channel(i int) *caller {
	return &caller{phone: &phone{t: x.t}, heard: x.heard(i)}
}

func (x *tape) heard(i int) []int16 {
	synctest.Wait()
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.channels[i]
}

// hears checks that each channel hears its caller, at the caller's level, and none of the others. nil: it is silent.
func (x *tape) hears(why string, all ...*caller) {
	x.t.Helper()
	for i, c := range all {
		if c != nil {
			not := slices.DeleteFunc(others(all, c), func(o *caller) bool { return o == nil })
			x.channel(i).hears(why, []*caller{c}, not)
		} else {
			x.silent(why, i)
		}
	}
}

// silent wants nothing but silence in the last 200 ms of a channel.
func (x *tape) silent(why string, i int) {
	x.t.Helper()
	s := x.heard(i)
	for _, v := range s[max(len(s)-1600, 0):] {
		if v != 0 {
			x.t.Errorf("%s: channel %d is not silent: %d", why, i, v)
			return
		}
	}
}

// Each channel hears its phone, whoever else hears that, at its level, and all are of one length.
func TestCapture(t *testing.T) {
	for name, arrange := range map[string]func(*lab, *caller, *caller) func(){
		"nobody hears them": func(*lab, *caller, *caller) func() { return func() {} },
		"a call": func(l *lab, a, b *caller) func() {
			if err := a.stream.Connect(b.stream); err != nil {
				l.Fatal(err)
			}
			return func() {}
		},
		"echo": func(l *lab, a, b *caller) func() {
			a.stream.Echo()
			b.stream.Echo()
			return func() {}
		},
		"a room": func(l *lab, a, b *caller) func() {
			r := l.engine.NewRoom()
			meet(l.T, r, a, b)
			return r.Close
		},
		"prompts": func(l *lab, a, b *caller) func() {
			a.stream.Play(&tune{hz: 1500, peak: 3000, frames: -1}, nil)
			b.stream.Play(&tune{hz: 1500, peak: 3000, frames: -1}, nil)
			return func() {}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range [][2]Format{{ulaw, ulaw}, {alaw, ulaw}, {wide, wide}, {wide, alaw}} {
				virtual(t, Options{}, func(l *lab) {
					a, b := l.caller(0, f[0], 440, 3000), l.caller(1, f[1], 700, 3000)
					defer a.stream.Close()
					defer b.stream.Close()
					defer arrange(l, a, b)()
					both, one := l.tape(2), l.tape(1)
					defer both.Close()
					both.hear(a, b)
					one.hear(b)
					for range 75 {
						a.talk()
						b.talk()
						pause(20 * time.Millisecond)
					}
					both.hears(name, a, b)
					one.hears(name, b)
					if n, m := len(both.heard(0)), len(both.heard(1)); n != m || n < 74*FrameSamples || n > 76*FrameSamples {
						t.Errorf("%d and %d samples in 1.5 s", n, m)
					}
					one.Close()
					n := len(one.heard(0))
					pause(100 * time.Millisecond)
					if len(one.heard(0)) != n {
						t.Error("it goes on after Close")
					}
					if b.stream.taps == nil || b.stream.taps.next != nil {
						t.Error("the other capture is not the only one left")
					}
				})
			}
		})
	}
}

// Silence is what a phone does not send: on hold, with silence suppressed, while it presses keys, in a codec that is not Linear,
// before anything is agreed and after its end. Comfort noise is as loud as the phone says.
func TestCaptureOfSilence(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		noise := fmtOf(Codec{Name: "CN", ClockRate: 8000, Channels: 1}, 13)
		s := l.stream()
		x := l.tape(2)
		defer x.Close()
		a := &caller{phone: l.phone(aliceAddr, s), stream: s, format: ulaw, hz: 440, peak: 3000, enc: g722.NewEncoder()}
		x.hear(a)
		hold := func(d time.Duration, do func()) {
			for ; d > 0; d -= 20 * time.Millisecond {
				if do != nil {
					do()
				}
				pause(20 * time.Millisecond)
			}
		}
		hold(500*time.Millisecond, nil)
		x.silent("before the agreement", 0)
		agree := func(change func(*Agreement)) {
			terms := terms(a.phone, ulaw, noise, event)
			if change != nil {
				change(&terms)
			}
			s.Agree(terms)
		}
		agree(nil)
		hold(1500*time.Millisecond, a.talk)
		x.hears("talking", a, nil)

		hold(500*time.Millisecond, func() { a.ts += 160 })
		x.silent("nothing is sent", 0)
		a.say(noise.RecvPT, []byte{55})
		hold(1500*time.Millisecond, func() { a.ts += 160 })
		if v := x.channel(0); math.Abs(dB(power(v.heard[len(v.heard)-8000:]), 32768)+55) > 5 {
			t.Errorf("comfort noise at %.1f dBov", dB(power(v.heard[len(v.heard)-8000:]), 32768))
		}
		hold(1500*time.Millisecond, a.talk)
		x.hears("talking again", a, nil)

		lasted := 0
		hold(time.Second, func() {
			lasted += 160
			a.send(packet(101, a.seq, a.ts, a.ssrc, []byte{5, 10, byte(lasted >> 8), byte(lasted)}))
			a.seq++
		})
		x.silent("a key", 0)
		hold(1500*time.Millisecond, a.talk)
		x.hears("after the key", a, nil)

		a.say(noise.RecvPT, []byte{40})
		synctest.Wait()
		agree(func(g *Agreement) { g.Recv = false })
		hold(time.Second, a.talk)
		x.silent("held", 0)
		agree(nil)
		hold(1500*time.Millisecond, a.talk)
		x.hears("no longer held", a, nil)

		if name := x.Undecoded(0); name != "" {
			t.Errorf("%s is said not to be decoded", name)
		}
		agree(func(g *Agreement) { g.Formats = []Format{opus} })
		hold(time.Second, func() { a.say(111, make([]byte, 80)) })
		x.silent("Opus", 0)
		if x.Undecoded(0) != "opus" || x.Undecoded(1) != "" || x.Undecoded(2) != "" || x.Undecoded(-1) != "" {
			t.Errorf("%q, %q are said not to be decoded", x.Undecoded(0), x.Undecoded(1))
		}
		for _, f := range []Format{alaw, wide, ulaw} {
			a.format = f
			a.enc.Reset()
			agree(func(g *Agreement) { g.Formats = []Format{f} })
			hold(1500*time.Millisecond, a.talk)
			x.hears(f.Name, a, nil)
		}
		if d, most := x.channel(0).sharpest(), steepest(a)+600; d > most {
			t.Errorf("a change by %d, more than %d", d, most)
		}
		s.Close()
		hold(500*time.Millisecond, nil)
		x.silent("closed", 0)
		if c := x.Capture.(*capture); c.channels[0].Load() != nil || s.taps != nil {
			t.Error("a closed stream is kept")
		}
	})
}

// Loss, repetition, bursts, leaps and other sources make no click, and the sound is there again afterwards.
func TestCaptureOnABadNetwork(t *testing.T) {
	for _, f := range []Format{ulaw, alaw, wide} {
		virtual(t, Options{}, func(l *lab) {
			c := l.caller(0, f, 440, 5000)
			defer c.stream.Close()
			x := l.tape(1)
			defer x.Close()
			x.hear(c)
			rnd := rand.New(rand.NewPCG(7, 8))
			for round := range 600 {
				octets := c.octets()
				switch n := rnd.IntN(30); {
				case n == 0:
					c.seq++
					c.ts += 160
				case n == 1:
					c.say(f.RecvPT, octets)
					c.seq--
					c.ts -= 160
					c.say(f.RecvPT, octets)
				case n == 2:
					c.ts += uint32(rnd.IntN(1 << 20))
					c.say(f.RecvPT, octets)
				case n == 3 && round%5 == 0:
					c.ssrc++
					c.say(f.RecvPT, octets)
				case n == 4:
					c.say(f.RecvPT, octets)
					for range 7 {
						c.say(f.RecvPT, c.octets())
					}
				case n == 5:
					c.seq += uint16(rnd.IntN(1 << 16))
					c.say(f.RecvPT, octets)
				case n == 6:
					c.say(f.RecvPT, nil)
					c.say(f.RecvPT, make([]byte, 1400))
				default:
					c.say(f.RecvPT, octets)
				}
				pause(20 * time.Millisecond)
			}
			ears := x.channel(0)
			if d, most := ears.sharpest(), steepest(c); d > most {
				t.Errorf("%s: a change by %d, the tone makes %d", f.Name, d, most)
			}
			if counts := c.stream.taps.voice.Counts; counts.Concealed == 0 || counts.Duplicate == 0 || counts.Excess == 0 || counts.Resets == 0 {
				t.Errorf("%s: not counted: %+v", f.Name, counts)
			}
			for range 150 {
				c.talk()
				pause(20 * time.Millisecond)
			}
			x.hears("afterwards", c)
		})
	}
}

// A channel changes whom it hears at once; who is heard already goes on without a gap. On an error it stays as it was.
func TestCaptureHear(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		a, b := l.caller(0, ulaw, 440, 3000), l.caller(1, wide, 700, 3000)
		defer a.stream.Close()
		x := l.tape(2)
		talk := func() {
			for range 75 {
				a.talk()
				b.talk()
				pause(20 * time.Millisecond)
			}
		}
		want := func(channel int, p Port, want error) {
			t.Helper()
			if err := x.Hear(channel, p); !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		want(1, nil, nil)
		x.hear(a)
		talk()
		x.hears("one", a, nil)
		before := len(x.heard(0))
		for range 75 {
			x.hear(a)
			a.talk()
			pause(20 * time.Millisecond)
		}
		if ears := x.channel(0); ears.sharpest() > steepest(a) || power(ears.heard[before:]) < 2000 {
			t.Errorf("asked for again it is not as it was: a change by %d, %.0f", ears.sharpest(), power(ears.heard[before:]))
		}
		want(2, a.stream, ErrChannel)
		want(-1, a.stream, ErrChannel)
		want(0, (*Stream)(nil), ErrForeign)
		want(0, &Stream{}, ErrForeign)
		talk()
		x.hears("after errors", a, nil)
		x.hear(b, b)
		talk()
		x.hears("twice the same", b)
		x.channel(1).hears("twice the same", []*caller{b}, []*caller{a})
		want(1, nil, nil)
		x.hear(b)
		talk()
		x.hears("nobody", b, nil)
		b.stream.Close()
		want(0, b.stream, ErrClosed)
		x.Close()
		x.Close()
		want(0, a.stream, ErrClosed)
		want(0, nil, ErrClosed)
		if a.stream.taps != nil || b.stream.taps != nil {
			t.Error("a closed capture is kept")
		}
		none := l.engine.NewCapture(0, func(frame []int16) {
			if len(frame) != 0 {
				t.Errorf("%d samples of no channel", len(frame))
			}
		})
		pause(100 * time.Millisecond)
		none.Close()
	})
}
