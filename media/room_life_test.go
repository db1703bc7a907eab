package media

import (
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

// Who leaves hears nothing more and is not heard; who is muted hears, and is not heard.
func TestRoomLeaveAndMute(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		r := l.engine.NewRoom()
		defer r.Close()
		a, b, c := l.caller(0, ulaw, 440, 3000), l.caller(1, ulaw, 700, 3000), l.caller(2, alaw, 1000, 3000)
		for _, x := range []*caller{a, b, c} {
			defer x.stream.Close()
		}
		meet(t, r, a, b, c, a, a)
		r.Mute(b.stream, true)
		conversation(2*time.Second, a, b, c)
		a.hears("muted", []*caller{c}, []*caller{a, b})
		b.hears("muted", []*caller{a, c}, []*caller{b})
		if v := r.Level(b.stream); v.Speaking || v.DBm0 != -127 {
			t.Errorf("muted: %+v", v)
		}
		r.Mute(b.stream, false)
		conversation(2*time.Second, a, b, c)
		a.hears("not muted", []*caller{b, c}, []*caller{a})

		for name, leave := range map[string]func(){
			"leave":      func() { r.Leave(c.stream) },
			"disconnect": func() { c.stream.Disconnect() },
			"echo":       func() { c.stream.Echo() },
			"another":    func() { other := l.engine.NewRoom(); other.Join(c.stream); other.Close() },
		} {
			leave()
			c.phone.heard()
			c.any = false
			conversation(1500*time.Millisecond, a, b)
			if name != "echo" {
				c.nothing()
			}
			a.hears(name, []*caller{b}, []*caller{a, c})
			b.hears(name, []*caller{a}, []*caller{b, c})
			if st := r.Stats(); st.Members != 2 {
				t.Errorf("%s: %+v", name, st)
			}
			meet(t, r, c)
			c.phone.heard()
			conversation(1500*time.Millisecond, a, b, c)
			a.hears("again", []*caller{b, c}, []*caller{a})
		}
		c.stream.Close()
		conversation(1500*time.Millisecond, a, b)
		a.hears("closed", []*caller{b}, []*caller{a, c})
		if err := r.Join(c.stream); !errors.Is(err, ErrClosed) {
			t.Errorf("joining closed: %v", err)
		}
		r.Leave(c.stream)
		r.Mute(c.stream, true)
	})
}

// From a relay to a room, a private prompt there, and back: the phone hears one source that never leaps.
func TestRoomBetweenRelays(t *testing.T) {
	for _, ptime := range []time.Duration{0, 10 * time.Millisecond, 30 * time.Millisecond, 60 * time.Millisecond} {
		virtual(t, Options{}, func(l *lab) {
			alice, bob, sa, sb := l.call([]Format{ulaw}, []Format{alaw})
			defer sa.Close()
			defer sb.Close()
			terms := terms(bob, alaw)
			terms.PTime = ptime
			sb.Agree(terms)
			samples := uint32(ptime / time.Millisecond * 8)
			if ptime == 0 {
				samples = 160
			}
			var last seen
			any := false
			hear := func(why string, most int) (packets int) {
				t.Helper()
				for _, b := range bob.heard() {
					h := read(t, b)
					gap := int(h.ts - last.ts)
					if any && (h.seq != last.seq+1 || h.ssrc != last.ssrc || gap <= 0 || gap > most) {
						t.Errorf("%v, %s: sequence +%d, timestamp +%d, SSRC %x after %x", ptime, why, h.seq-last.seq, gap, h.ssrc, last.ssrc)
					}
					last, any = h, true
					packets++
				}
				return
			}
			for range 5 {
				alice.say(0, frame(0))
				hear("relay", 160)
				pause(20 * time.Millisecond)
			}
			r := l.engine.NewRoom()
			defer r.Close()
			for _, s := range []*Stream{sa, sb} {
				if err := r.Join(s); err != nil {
					t.Fatal(err)
				}
			}
			packets := 0
			for range 60 {
				alice.say(0, frame(0))
				pause(20 * time.Millisecond)
				packets += hear("room", 960)
			}
			if want := 60 * 160 / int(samples); packets < want-3 || packets > want+3 {
				t.Errorf("%v: %d packets, want %d", ptime, packets, want)
			}
			end := newEnding(t)
			sb.Play(&ramp{t: t, frames: 20}, end.done)
			for range 40 {
				pause(20 * time.Millisecond)
				hear("private prompt", 960)
			}
			end.want("private prompt", true)
			if st := r.Stats(); st.Members != 2 {
				t.Errorf("%+v", st)
			}
			if err := sa.Connect(sb); err != nil {
				t.Fatal(err)
			}
			for range 10 {
				alice.say(0, frame(0))
				hear("relay again", 960)
				pause(20 * time.Millisecond)
			}
			if st := r.Stats(); st.Members != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}

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

// An Agreement in the midst changes how a member is heard and hears; held, it hears nothing, and is not heard.
func TestRoomAgree(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		r := l.engine.NewRoom()
		defer r.Close()
		a, b := l.caller(0, ulaw, 440, 3000), l.caller(1, ulaw, 700, 3000)
		defer a.stream.Close()
		defer b.stream.Close()
		meet(t, r, a, b)
		for _, f := range []Format{alaw, wide, fmtOf(PCMU, 96), wide, ulaw} {
			conversation(500*time.Millisecond, a, b)
			a.format = f
			a.phone.heard()
			a.stream.Agree(terms(a.phone, f, event))
			conversation(1500*time.Millisecond, a, b)
			a.hears(f.Name, []*caller{b}, []*caller{a})
			b.hears(f.Name, []*caller{a}, []*caller{b})
			if d, most := b.sharpest(), steepest(a, b); d > most {
				t.Errorf("%s: a change by %d", f.Name, d)
			}
		}
		held := terms(a.phone, ulaw)
		held.Send = false
		a.stream.Agree(held) // it plays music of its own to us
		a.phone.heard()
		conversation(1500*time.Millisecond, a, b)
		if n := len(a.phone.heard()); n != 0 {
			t.Errorf("held, it hears %d packets", n)
		}
		b.hears("held", []*caller{a}, []*caller{b})
		held.Send, held.Recv = true, false
		a.stream.Agree(held)
		conversation(1500*time.Millisecond, a, b)
		a.hears("listening", []*caller{b}, []*caller{a})
		b.hears("listening", nil, []*caller{a, b})
		a.stream.Agree(terms(a.phone, fmtOf(Codec{Name: "opus", ClockRate: 48000, Channels: 2}, 111)))
		a.phone.heard()
		conversation(500*time.Millisecond, b)
		a.nothing()
		a.stream.Agree(terms(a.phone, ulaw))
		conversation(1500*time.Millisecond, a, b)
		a.hears("back", []*caller{b}, []*caller{a})
	})
}

func TestRoomRefuses(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		r := l.engine.NewRoom()
		s := l.stream()
		defer s.Close()
		alice := l.phone(aliceAddr, s)
		s.Agree(terms(alice, fmtOf(Codec{Name: "G729", ClockRate: 8000}, 18), event))
		if err := r.Join(s); !errors.Is(err, ErrNoCommonCodec) {
			t.Errorf("G.729: %v", err)
		}
		if err := r.Join(nil); !errors.Is(err, ErrForeign) {
			t.Errorf("nil: %v", err)
		}
		if err := r.Join((*Stream)(nil)); !errors.Is(err, ErrForeign) {
			t.Errorf("nil: %v", err)
		}
		if err := r.Join(&Stream{}); !errors.Is(err, ErrForeign) {
			t.Errorf("another engine: %v", err)
		}
		l.engine.Close()
		if err := l.engine.NewRoom().Join(s); !errors.Is(err, ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// A phone that joins before its first Agreement hears once it has one. Keys are told of, and not heard by others.
func TestRoomBeforeAgree(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		r := l.engine.NewRoom()
		defer r.Close()
		s := l.stream()
		defer s.Close()
		b := l.caller(1, ulaw, 700, 3000)
		defer b.stream.Close()
		meet(t, r, b)
		if err := r.Join(s); err != nil {
			t.Fatal(err)
		}
		conversation(200*time.Millisecond, b)
		alice := l.phone(aliceAddr, s)
		s.Agree(terms(alice, ulaw, event))
		conversation(time.Second, b)
		if n := len(alice.heard()); n < 45 {
			t.Errorf("heard %d packets", n)
		}
		var keys []byte
		s.Keys(func(k byte) bool { keys = append(keys, k); return false })
		for i := range 10 {
			alice.send(packet(101, alice.seq, alice.ts, alice.ssrc, []byte{5, 10, byte(i * 160 >> 8), byte(i * 160)}))
			alice.seq++
			conversation(20*time.Millisecond, b)
		}
		if string(keys) != "5" {
			t.Errorf("keys %q", keys)
		}
		if st := r.Stats(); st.Late+st.Duplicate+st.Resets != 0 {
			t.Errorf("%+v", st)
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

// While there is no room nothing ticks; an engine that closes closes its rooms.
func TestRoomsSleepAndEnd(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		r := l.engine.NewRoom()
		pause(time.Second)
		if n := r.Stats().Frames; n < 49 || n > 51 {
			t.Errorf("%d frames a second", n)
		}
		r.Close()
		for _, c := range l.engine.clocks.all {
			if _, _, wait := c.take(nil, l.engine.now()); wait >= 0 {
				t.Errorf("a clock without rooms waits for %v", wait)
			}
		}
		end := newEnding(t)
		r = l.engine.NewRoom()
		s := l.stream()
		if err := r.Join(s); err != nil {
			t.Fatal(err)
		}
		r.Play(&tune{frames: -1}, end.done)
		l.engine.Close()
		end.want("engine closed", false)
		if r.Stats().Members != 0 {
			t.Error("members of a closed engine")
		}
	})
}

// Everybody comes, goes, is muted, held, closed, connected and played to as it happens.
func TestRoomStorm(t *testing.T) {
	e := benchEngine(t, Options{Listen: inMemory})
	var streams [12]atomic.Pointer[Stream]
	for i := range streams {
		s := must(t, e)
		s.Agree(agreed(uint16(1000+2*i), ulaw, event))
		streams[i].Store(s)
	}
	var rooms [3]atomic.Pointer[Room]
	for i := range rooms {
		r := e.NewRoom()
		rooms[i].Store(&r)
	}
	var begun, ended atomic.Int64
	var wg sync.WaitGroup
	stop := time.Now().Add(700 * time.Millisecond)
	for g := range 6 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(g), 9))
			buf, h := make([]byte, 200), new(header)
			p := packet(0, 0, 0, uint32(g), make([]byte, 160))
			for n := 0; n < 60000 && time.Now().Before(stop); n++ {
				k := rnd.IntN(len(streams))
				at, room := &streams[k], &rooms[rnd.IntN(len(rooms))]
				s, r := at.Load(), *room.Load()
				done := func(bool) { ended.Add(1) }
				switch rnd.IntN(40) {
				case 0:
					r.Join(s)
				case 1:
					r.Leave(s)
				case 2:
					r.Mute(s, rnd.IntN(2) == 0)
				case 3:
					begun.Add(1)
					s.Play(&tune{hz: 500, peak: 100, frames: rnd.IntN(5)}, done)
				case 4:
					begun.Add(1)
					r.Play(&tune{hz: 500, peak: 100, frames: rnd.IntN(5)}, done)
				case 5:
					if rnd.IntN(10) == 0 {
						s.Close()
						fresh, err := e.Open(StreamOptions{})
						if err == nil && !at.CompareAndSwap(s, fresh) {
							fresh.Close()
						}
					}
				case 6:
					if rnd.IntN(10) == 0 {
						r.Close()
						fresh := e.NewRoom()
						if old := room.Load(); *old != r || !room.CompareAndSwap(old, &fresh) {
							fresh.Close()
						}
					}
				case 7:
					s.Connect(streams[rnd.IntN(len(streams))].Load())
				case 8:
					f := []Format{ulaw, alaw, wide, fmtOf(Codec{Name: "opus", ClockRate: 48000}, 111)}[rnd.IntN(4)]
					a := agreed(uint16(1000+2*k), f, event)
					a.Send, a.Recv = rnd.IntN(4) > 0, rnd.IntN(4) > 0
					s.Agree(a)
				case 9:
					r.Level(s)
					r.Stats()
					e.Stats()
				case 10:
					r.Record(func([]int16) {})
				default:
					b := buf[:copy(buf, p)]
					b[1] = []byte{0, 8, 9, 101}[rnd.IntN(4)]
					b[2], b[3], b[5], b[6] = byte(n>>8), byte(n), byte(rnd.IntN(3)), byte(n)
					s.arrived(b, false, agreed(uint16(1000+2*k)).Remote, e.now(), h, &e.counters)
				}
			}
		})
	}
	wg.Wait()
	for i := range rooms {
		(*rooms[i].Load()).Close()
	}
	for i := range streams {
		streams[i].Load().Close()
	}
	if err := e.Leaks(); err != nil {
		t.Error(err)
	}
	for _, c := range e.clocks.all {
		if n := len(c.all()); n != 0 {
			t.Errorf("%d rooms are left", n)
		}
	}
	e.Close()
	for range 1000 { // what ends a sound runs by itself
		if begun.Load() == ended.Load() {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if begun.Load() != ended.Load() {
		t.Errorf("%d sounds begun, %d ended", begun.Load(), ended.Load())
	}
	if n := e.Stats().Panics; n != 0 {
		t.Errorf("%d panics", n)
	}
}

// Two members whose other side is a port of the engine do not hear each other: sound would go round.
func TestRoomTurnedBack(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		r := l.engine.NewRoom()
		defer r.Close()
		a, b := l.stream(), l.stream()
		defer a.Close()
		defer b.Close()
		to := func(s *Stream) Agreement {
			return Agreement{Remote: s.LocalRTP(), Send: true, Recv: true, Formats: []Format{ulaw}}
		}
		a.Agree(to(b))
		b.Agree(to(a))
		c := l.caller(0, ulaw, 700, 3000)
		defer c.stream.Close()
		meet(t, r, c)
		for _, s := range []*Stream{a, b} {
			if err := r.Join(s); err != nil {
				t.Fatal(err)
			}
		}
		conversation(3*time.Second, c)
		level := c.loudness(700)
		conversation(10*time.Second, c)
		if later := c.loudness(700); later > level*1.2+100 {
			t.Errorf("it grows from %.0f to %.0f", level, later)
		}
	})
}
