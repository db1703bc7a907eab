package media

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// Ten, of whom seven talk, and the loss, jitter, repetition and leaps that a network makes of it.
func TestRoomOfTen(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		r := l.engine.NewRoom()
		defer r.Close()
		var all []*caller
		for i := range 10 {
			c := l.caller(i, []Format{ulaw, alaw, wide}[i%3], 310+float64(i)*190, 2500)
			defer c.stream.Close()
			all = append(all, c)
		}
		meet(t, r, all...)
		conversation(200*time.Millisecond, all...)
		talk, silent := all[:7], all[7:]
		for range 150 {
			for _, c := range talk {
				c.talk()
			}
			pause(20 * time.Millisecond)
			for _, c := range all {
				c.listen()
			}
		}
		for _, c := range all {
			c.hears("seven talk", others(talk, c), append([]*caller{c}, silent...))
		}
		for _, c := range silent {
			if v := r.Level(c.stream); v.Speaking || v.DBm0 > -60 {
				t.Errorf("who is silent is at %+v", v)
			}
		}
	})
}

// steepest is the largest change that the tones of some can make together, with a little for quantization.
func steepest(of ...*caller) int {
	sum := 0.
	for _, c := range of {
		sum += 2 * math.Pi * c.hz / 8000 * c.peak
	}
	return int(sum*1.1) + 400
}

func TestRoomOnABadNetwork(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		r := l.engine.NewRoom()
		defer r.Close()
		a, b, c := l.caller(0, ulaw, 440, 5000), l.caller(1, alaw, 700, 3000), l.caller(2, wide, 1000, 3000)
		for _, x := range []*caller{a, b, c} {
			defer x.stream.Close()
		}
		meet(t, r, a, b, c)
		rnd := rand.New(rand.NewPCG(7, 8))
		quiet := steepest(a, b, c)
		for round := range 600 {
			for _, x := range []*caller{a, b, c} {
				octets := x.octets()
				switch n := rnd.IntN(40); {
				case n == 0: // lost
					x.seq++
					x.ts += 160
				case n == 1:
					x.say(x.format.RecvPT, octets)
					x.seq--
					x.ts -= 160
					x.say(x.format.RecvPT, octets)
				case n == 2:
					x.ts += uint32(rnd.IntN(1 << 20))
					x.say(x.format.RecvPT, octets)
				case n == 3 && round%5 == 0:
					x.ssrc++
					x.say(x.format.RecvPT, octets)
				case n == 4:
					for range 8 {
						x.say(x.format.RecvPT, x.octets())
					}
				default:
					x.say(x.format.RecvPT, octets)
				}
			}
			pause(20 * time.Millisecond)
			for _, x := range []*caller{a, b, c} {
				x.listen()
			}
		}
		for _, x := range []*caller{a, b, c} {
			if d := x.sharpest(); d > quiet {
				t.Errorf("%v Hz hears a change by %d, all together make %d", x.hz, d, quiet)
			}
		}
		if st := r.Stats(); st.Concealed == 0 || st.Duplicate == 0 || st.Excess == 0 || st.Resets == 0 {
			t.Errorf("not counted: %+v", st)
		}
		conversation(3*time.Second, a, b, c)
		for _, x := range []*caller{a, b, c} {
			x.hears("afterwards", others([]*caller{a, b, c}, x), []*caller{x})
		}
	})
}

// A room that stands still for a while goes on in time; what is read and panics costs the sound, not the room.
func TestRoomStands(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		r := l.engine.NewRoom()
		defer r.Close()
		a, b := l.caller(0, ulaw, 440, 3000), l.caller(1, ulaw, 700, 3000)
		defer a.stream.Close()
		defer b.stream.Close()
		meet(t, r, a, b)
		conversation(time.Second, a, b)
		before, begun := a.last.ts, time.Now()
		for _, d := range []time.Duration{30, 70, 500, 3000} {
			r.Play(&ramp{t: t, frames: 2, stall: d * time.Millisecond}, nil)
			conversation(5*time.Second, a, b)
		}
		if ticks := int64(a.last.ts - before); math.Abs(float64(ticks)-float64(time.Since(begun).Milliseconds()*8)) > 320 {
			t.Errorf("%d ticks in %v", ticks, time.Since(begun))
		}
		a.hears("afterwards", []*caller{b}, []*caller{a})
		end := newEnding(t)
		r.Play(&ramp{t: t, panics: true}, end.done)
		conversation(2*time.Second, a, b)
		end.want("panicked", false)
		a.hears("after a panic", []*caller{b}, []*caller{a})
		if n := l.engine.panics.Swap(0); n != 1 {
			t.Errorf("%d panics", n)
		}
	})
}
