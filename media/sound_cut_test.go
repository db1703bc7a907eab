package media

import (
	"log/slog"
	"testing"
	"time"
)

// SSRC, sequence and timestamp go on from a relay to a sound and back.
func TestPlayBetweenRelays(t *testing.T) {
	for _, ptime := range []time.Duration{20 * time.Millisecond, 60 * time.Millisecond} {
		virtual(t, Options{}, func(l *lab) {
			alice, bob, sa, sb := l.call([]Format{ulaw}, []Format{alaw})
			defer sa.Close()
			defer sb.Close()
			a := terms(bob, alaw)
			a.PTime = ptime
			sb.Agree(a)
			heard := line{t: t}
			for i := range 5 {
				alice.say(0, frame(0))
				heard.follows(bob.one(), 8, 160, i == 0, "relay")
				pause(20 * time.Millisecond)
			}
			end := newEnding(t)
			sb.Play(&ramp{t: t, frames: -1}, end.done)
			samples := uint32(ptime / time.Millisecond * 8)
			for i := range 5 {
				alice.say(0, frame(0)) // who is heard no more
				bob.say(8, frame(0))   // and goes nowhere
				if i == 0 {
					pause(slotTime) // a packet is due every 5 ms after the engine's start
					heard.follows(bob.one(), 8, 200, true, "sound")
				} else {
					pause(ptime)
					heard.follows(bob.one(), 8, samples, false, "sound")
				}
				alice.nothing()
			}
			end.want("playing")
			if err := sa.Connect(sb); err != nil {
				t.Fatal(err)
			}
			end.want("connected", false)
			pause(20 * time.Millisecond)
			alice.say(0, frame(0))
			heard.follows(bob.one(), 8, max(samples, 160), true, "relay again") // nothing overlaps
			pause(20 * time.Millisecond)
			alice.say(0, frame(0))
			heard.follows(bob.one(), 8, 160, false, "relay again")
			bob.say(8, frame(0))
			alice.one()
			pause(time.Second)
			bob.nothing()
			end.want("later", false)
		})
	}
}

func TestPlayIsCutShort(t *testing.T) {
	cuts := map[string]func(s, other *Stream) error{
		"echo":       func(s, _ *Stream) error { s.Echo(); return nil },
		"disconnect": func(s, _ *Stream) error { s.Disconnect(); return nil },
		"close":      func(s, _ *Stream) error { s.Close(); return nil },
		"connect":    func(s, other *Stream) error { return s.Connect(other) },
		"connected":  func(s, other *Stream) error { return other.Connect(s) },
		"play":       func(s, _ *Stream) error { s.Play(Sound(&ramp{}), nil); return nil },
		"no codec": func(s, _ *Stream) error {
			a := s.terms
			a.Formats = []Format{opus}
			s.Agree(a)
			return nil
		},
		"engine": func(s, _ *Stream) error { return s.engine.Close() },
	}
	for name, cut := range cuts {
		for _, when := range []time.Duration{0, 3 * time.Millisecond, 5 * time.Millisecond, time.Second} {
			virtual(t, Options{}, func(l *lab) {
				s, other := l.stream(), l.stream()
				defer s.Close()
				defer other.Close()
				alice := l.phone(aliceAddr, s)
				s.Agree(terms(alice, ulaw))
				other.Agree(terms(l.phone(bobAddr, other), ulaw))
				end := newEnding(t)
				s.Play(&ramp{t: t, frames: -1}, end.done)
				pause(when)
				alice.heard()
				end.want(name)
				if err := cut(s, other); err != nil {
					t.Fatal(err)
				}
				end.want(name, false)
				pause(time.Second)
				alice.nothing()
				end.want(name, false)
			})
		}
	}
}

// Cut short while a frame of it is made: that one is not sent.
func TestPlayIsCutShortByItself(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		defer s.Close()
		alice := l.phone(aliceAddr, s)
		s.Agree(terms(alice, ulaw))
		end := newEnding(t)
		s.Play(stopper{s}, end.done)
		pause(time.Second)
		alice.nothing()
		end.want("in its frame", false)
	})
}

type stopper struct{ s *Stream }

func (x stopper) Frame([]int16) bool {
	x.s.Disconnect()
	return true
}

// What fails leaves a sound alone.
func TestPlayGoesOn(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s, other := l.stream(), l.stream()
		defer s.Close()
		defer other.Close()
		alice := l.phone(aliceAddr, s)
		s.Agree(terms(alice, ulaw))
		other.Agree(terms(l.phone(bobAddr, other), opus))
		end := newEnding(t)
		s.Play(&ramp{t: t, frames: -1}, end.done)
		if err := s.Connect(other); err != ErrNoCommonCodec {
			t.Fatal(err)
		}
		pause(time.Second)
		if n := len(alice.heard()); n != 50 {
			t.Errorf("%d packets in a second", n)
		}
		end.want("playing")
	})
}

func TestPlaySurvivesPanics(t *testing.T) {
	virtual(t, Options{Log: slog.New(slog.DiscardHandler)}, func(l *lab) {
		s, other := l.stream(), l.stream()
		defer s.Close()
		defer other.Close()
		alice, bob := l.phone(aliceAddr, s), l.phone(bobAddr, other)
		s.Agree(terms(alice, ulaw))
		other.Agree(terms(bob, ulaw))
		end := newEnding(t)
		s.Play(&ramp{t: t, panics: true}, func(whole bool) { end.done(whole); panic("a bug there") })
		other.Play(&ramp{t: t, frames: -1}, nil)
		pause(time.Second)
		alice.nothing()
		end.want("panic", false)
		if n := len(bob.heard()); n != 50 {
			t.Errorf("the other heard %d packets", n)
		}
		if n := l.engine.Stats().Panics; n != 2 {
			t.Errorf("%d panics", n)
		}
		l.engine.panics.Store(0)
	})
}
