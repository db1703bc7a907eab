package media

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// tune is a sound of a frequency.
type tune struct {
	hz, peak   float64
	at, frames int // <0: endless
}

func (s *tune) Frame(dst []int16) bool {
	if s.frames == 0 {
		return false
	}
	s.frames--
	for i := range dst {
		dst[i] = int16(s.peak * math.Sin(2*math.Pi*s.hz*float64(s.at+i)/8000))
	}
	s.at += len(dst)
	return true
}

// All hear what is played to the room, and who it was played to hears its own.
func TestRoomPlay(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		r := l.engine.NewRoom()
		a, b, c := l.caller(0, ulaw, 440, 3000), l.caller(1, wide, 700, 3000), l.caller(2, alaw, 1000, 3000)
		all := []*caller{a, b, c}
		for _, x := range all {
			defer x.stream.Close()
		}
		meet(t, r, all...)
		first, second, own := &caller{hz: 1500, peak: 2000}, &caller{hz: 1900, peak: 2000}, &caller{hz: 2300, peak: 2000}
		one, two := newEnding(t), newEnding(t)
		r.Play(&tune{hz: 1500, peak: 2000, frames: 100}, one.done)
		r.Play(&tune{hz: 1900, peak: 2000, frames: 100}, two.done)
		conversation(1900*time.Millisecond, all...)
		one.want("playing")
		for _, x := range all {
			x.hears("announced", append(others(all, x), first), []*caller{x, second})
		}
		conversation(1900*time.Millisecond, all...)
		one.want("over", true)
		two.want("playing")
		for _, x := range all {
			x.hears("announced", append(others(all, x), second), []*caller{x, first})
		}
		conversation(300*time.Millisecond, all...)
		two.want("over", true)

		private := newEnding(t)
		c.stream.Play(&tune{hz: 2300, peak: 2000, frames: -1}, private.done)
		conversation(2*time.Second, all...)
		c.hears("private", []*caller{own}, all)
		a.hears("private", []*caller{b, c}, []*caller{own, a})
		c.stream.Play(&tune{hz: 2300, peak: 2000}, nil) // nothing
		private.want("another", false)
		conversation(2*time.Second, all...)
		c.hears("the mix again", []*caller{a, b}, []*caller{own, c})

		var ends [MaxSounds + 2]*ending
		for i := range ends {
			ends[i] = newEnding(t)
			r.Play(&tune{frames: -1}, ends[i].done)
		}
		synctest.Wait()
		for i, e := range ends {
			if i < MaxSounds {
				e.want("waiting")
			} else {
				e.want("too many", false)
			}
		}
		r.Close()
		r.Close()
		for _, e := range ends {
			e.want("closed", false)
		}
		for _, x := range all {
			x.phone.heard()
		}
		pause(time.Second)
		for _, x := range all {
			x.nothing()
		}
		late := newEnding(t)
		r.Play(&tune{frames: -1}, late.done)
		late.want("after Close", false)
		if err := r.Join(a.stream); !errors.Is(err, ErrClosed) {
			t.Errorf("joining a closed room: %v", err)
		}
	})
}

// What is recorded is what is heard by somebody who says nothing.
func TestRoomRecord(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		r := l.engine.NewRoom()
		defer r.Close()
		a, b := l.caller(0, ulaw, 440, 3000), l.caller(1, wide, 700, 3000)
		defer a.stream.Close()
		defer b.stream.Close()
		meet(t, r, a, b)
		tape := &caller{phone: a.phone}
		r.Record(func(frame []int16) { tape.heard = append(tape.heard, frame...) })
		conversation(2*time.Second, a, b)
		synctest.Wait()
		r.Record(nil)
		tape.hears("recorded", []*caller{a, b}, nil)
		n := len(tape.heard)
		conversation(100*time.Millisecond, a, b)
		if len(tape.heard) != n {
			t.Error("recorded after the end")
		}
	})
}
