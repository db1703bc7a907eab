package media

import (
	"bytes"
	"log/slog"
	"math"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"github.com/zaf/g711"

	"ringback/media/g722"
)

// ramp is a sound that tells its frames apart: each sample is its number, from 0 on, times eight. It ends after some frames.
type ramp struct {
	at, frames int // frames <0: never
	panics     bool
	stall      time.Duration // of the second frame
	reading    atomic.Int32
	t          testing.TB
}

func (r *ramp) Frame(dst []int16) bool {
	if r.reading.Add(1) != 1 {
		r.t.Error("two read a sound at once")
	}
	defer r.reading.Add(-1)
	if r.panics {
		panic("a bug elsewhere")
	}
	if r.at == FrameSamples {
		time.Sleep(r.stall)
	}
	if len(dst) != FrameSamples {
		r.t.Errorf("a frame of %d", len(dst))
	}
	if r.frames == r.at/FrameSamples {
		return false
	}
	for i := range dst {
		dst[i] = int16((r.at + i) * 8)
	}
	r.at += len(dst)
	return true
}

// part is what a phone hears of a ramp.
func part(c Codec, from, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		if v := int16((from + i) * 8); c.Same(PCMU) {
			b[i] = g711.EncodeUlawFrame(v)
		} else {
			b[i] = g711.EncodeAlawFrame(v)
		}
	}
	return b
}

// ending notes what the function given to Play was told.
type ending struct {
	t     testing.TB
	calls []bool
	at    time.Time
	mu    chan struct{}
}

func newEnding(t testing.TB) *ending { return &ending{t: t, mu: make(chan struct{}, 1)} }

func (e *ending) done(whole bool) {
	e.mu <- struct{}{}
	e.calls, e.at = append(e.calls, whole), time.Now()
	<-e.mu
}

// want waits for what is under way.
func (e *ending) want(why string, calls ...bool) {
	e.t.Helper()
	synctest.Wait()
	e.mu <- struct{}{}
	defer func() { <-e.mu }()
	if len(e.calls) != len(calls) || len(calls) == 1 && e.calls[0] != calls[0] {
		e.t.Errorf("%s: ended %v, want %v", why, e.calls, calls)
	}
}

// line is what a phone hears one packet after the other: the source never leaps.
type line struct {
	t    testing.TB
	last seen
	any  bool
}

// follows wants a packet to be the next one, so many ticks later.
func (l *line) follows(b []byte, pt uint8, ticks uint32, marker bool, why string) {
	l.t.Helper()
	h := read(l.t, b)
	if h.pt != pt || marked(b) != marker {
		l.t.Errorf("%s: payload type %d, marker %v; want %d, %v", why, h.pt, marked(b), pt, marker)
	}
	if l.any && (h.ssrc != l.last.ssrc || h.seq != l.last.seq+1 || h.ts != l.last.ts+ticks) {
		l.t.Errorf("%s: SSRC %x after %x, sequence +%d, timestamp +%d; want +1, +%d", why, h.ssrc, l.last.ssrc,
			h.seq-l.last.seq, h.ts-l.last.ts, ticks)
	}
	l.last, l.any = h, true
}

func TestPlay(t *testing.T) {
	for _, f := range []Format{ulaw, alaw, fmtOf(PCMU, 100)} {
		virtual(t, Options{}, func(l *lab) {
			s := l.stream()
			defer s.Close()
			alice := l.phone(aliceAddr, s)
			s.Agree(terms(alice, event, opus, f))
			end := newEnding(t)
			pause(1234567 * time.Nanosecond)
			begun := time.Now()
			s.Play(&ramp{t: t, frames: 100}, end.done)
			heard := line{t: t}
			for i := range 100 {
				if i == 0 {
					pause(slotTime)
				} else {
					pause(20 * time.Millisecond)
				}
				b := alice.one()
				heard.follows(b, f.SendPT, 160, i == 0, "playing")
				if !bytes.Equal(payload(t, b), part(f.Codec, i*160, 160)) {
					t.Fatalf("frame %d: %x", i, payload(t, b))
				}
				end.want("in the midst")
			}
			pause(20 * time.Millisecond)
			alice.nothing()
			end.want("at the end", true)
			if d := end.at.Sub(begun); d < 2*time.Second || d > 2*time.Second+slotTime {
				t.Errorf("2 s of sound ended after %v", d)
			}
			pause(time.Minute)
			alice.nothing()
			s.Disconnect()
			end.want("later", true)
			if st := s.Stats(); st.PacketsOut != 100 {
				t.Errorf("%+v", st)
			}
			if n := l.engine.Stats().PacketsOut; n != 100 {
				t.Errorf("%d packets", n)
			}
		})
	}
}

// The phone's own packet time, where the PBX can keep it.
func TestPlayPacketTimes(t *testing.T) {
	for ptime, want := range map[time.Duration]int{
		0: 160, 10 * time.Millisecond: 80, 20 * time.Millisecond: 160, 30 * time.Millisecond: 240, 40 * time.Millisecond: 320,
		60 * time.Millisecond: 480, 70 * time.Millisecond: 160, 5 * time.Millisecond: 160, 25 * time.Millisecond: 160, -time.Second: 160,
	} {
		virtual(t, Options{}, func(l *lab) {
			s := l.stream()
			defer s.Close()
			alice := l.phone(aliceAddr, s)
			a := terms(alice, ulaw)
			a.PTime = ptime
			s.Agree(a)
			end := newEnding(t)
			s.Play(&ramp{t: t, frames: 7}, end.done)
			const all = 7 * 160
			heard := line{t: t}
			for at := 0; at < all; at += want {
				if at == 0 {
					pause(slotTime)
				} else {
					pause(time.Duration(want) * time.Second / 8000)
				}
				b := alice.one()
				heard.follows(b, 0, uint32(want), at == 0, ptime.String())
				expect := part(PCMU, at, min(want, all-at))
				for len(expect) < want {
					expect = append(expect, g711.EncodeUlawFrame(0))
				}
				if !bytes.Equal(payload(t, b), expect) {
					t.Fatalf("%v: from sample %d: %x", ptime, at, payload(t, b))
				}
			}
			pause(time.Second)
			alice.nothing()
			end.want(ptime.String(), true)
		})
	}
}

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

func TestPlayWithoutCodec(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		alice := l.phone(aliceAddr, s)
		play := func(why string) {
			t.Helper()
			end := newEnding(t)
			s.Play(&ramp{t: t, frames: -1}, end.done)
			end.want(why, false)
			s.Play(&ramp{t: t, frames: -1}, nil)
			pause(time.Second)
			alice.nothing()
			end.want(why, false)
		}
		s.Agree(terms(alice, event, opus, Format{Codec: PCMU, SendPT: 200}))
		play("no linear codec")
		s.Agree(terms(alice, ulaw))
		s.Close()
		play("closed")
	})
}

// A phone that was called without an offer of its own answers in its ACK: the sound waits for that, and begins at its beginning.
func TestPlayWaitsForAgreement(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		alice := l.phone(aliceAddr, s)
		end := newEnding(t)
		s.Play(&ramp{t: t, frames: 50}, end.done)
		pause(3 * time.Second)
		alice.nothing()
		end.want("nothing agreed yet")
		s.Agree(terms(alice, ulaw))
		pause(30 * time.Millisecond) // at most 20 ms until it looks again
		heard := line{t: t}
		for i, b := range alice.heard() {
			heard.follows(b, 0, 160, i == 0, "agreed")
			if i == 0 && !bytes.Equal(payload(t, b), part(PCMU, 0, 160)) {
				t.Errorf("it begins with %x", payload(t, b))
			}
		}
		if !heard.any {
			t.Error("nothing is heard")
		}
		pause(time.Second)
		end.want("at the end", true)
		s.Close()

		// What can never be heard, and what nobody waits for any more.
		s = l.stream()
		end = newEnding(t)
		s.Play(&ramp{t: t, frames: -1}, end.done)
		s.Agree(terms(alice, event, opus))
		end.want("no linear codec", false)
		s.Close()
		s = l.stream()
		end = newEnding(t)
		s.Play(&ramp{t: t, frames: -1}, end.done)
		pause(time.Second)
		s.Close()
		end.want("closed", false)
	})
}

// On hold nothing is sent, but the sound goes on in time.
func TestPlayOnHold(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		defer s.Close()
		alice := l.phone(aliceAddr, s)
		agreed := terms(alice, ulaw)
		held := agreed
		held.Send = false
		s.Agree(held)
		end := newEnding(t)
		s.Play(&ramp{t: t, frames: 200}, end.done)
		pause(slotTime + 100*time.Millisecond) // frames 0 to 5
		alice.nothing()
		s.Agree(agreed)
		heard := line{t: t}
		for i := range 10 {
			pause(20 * time.Millisecond)
			b := alice.one()
			heard.follows(b, 0, 160, i == 0, "retrieved")
			if !bytes.Equal(payload(t, b), part(PCMU, (6+i)*160, 160)) {
				t.Fatalf("frame %d after hold: %x", i, payload(t, b))
			}
		}
		nowhere := agreed
		nowhere.Remote = netip.AddrPort{} // 0.0.0.0
		s.Agree(nowhere)
		pause(200 * time.Millisecond)
		alice.nothing()
		s.Agree(agreed)
		pause(20 * time.Millisecond)
		b := alice.one()
		heard.follows(b, 0, 11*160, true, "after the second hold")
		if !bytes.Equal(payload(t, b), part(PCMU, 26*160, 160)) {
			t.Errorf("after the second hold: %x", payload(t, b))
		}
		s.Agree(held)
		pause(10 * time.Second)
		alice.nothing()
		end.want("it ended on hold", true)
	})
}

// Another codec, another address, another packet time: the sound goes on with them.
func TestPlayAgreesAgain(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		defer s.Close()
		alice, bob := l.phone(aliceAddr, s), l.phone(bobAddr, s)
		s.Agree(terms(alice, ulaw))
		s.Play(&ramp{t: t, frames: -1}, nil)
		heard := line{t: t}
		pause(slotTime)
		heard.follows(alice.one(), 0, 160, true, "first")
		s.Agree(terms(alice, alaw, ulaw))
		pause(20 * time.Millisecond)
		b := alice.one()
		heard.follows(b, 8, 160, false, "A-law")
		if !bytes.Equal(payload(t, b), part(PCMA, 160, 160)) {
			t.Errorf("A-law: %x", payload(t, b))
		}
		s.Agree(terms(bob, alaw))
		pause(20 * time.Millisecond)
		alice.nothing()
		heard.follows(bob.one(), 8, 160, false, "elsewhere")
		a := terms(bob, alaw)
		a.PTime = 40 * time.Millisecond
		s.Agree(a)
		pause(20 * time.Millisecond)
		heard.follows(bob.one(), 8, 160, false, "the last of 20 ms")
		pause(20 * time.Millisecond)
		b = bob.one()
		heard.follows(b, 8, 160, false, "the first of 40 ms")
		if !bytes.Equal(payload(t, b), part(PCMA, 4*160, 320)) {
			t.Errorf("40 ms: %x", payload(t, b))
		}
		pause(20 * time.Millisecond)
		bob.nothing()
		pause(20 * time.Millisecond)
		heard.follows(bob.one(), 8, 320, false, "the second of 40 ms")
	})
}

// A phone behind NAT is heard from elsewhere than its SDP says: the sound follows.
func TestPlayFollowsTheLatch(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		defer s.Close()
		alice, outside := l.phone(aliceAddr, s), l.phone(natAddr, s)
		a := terms(alice, ulaw)
		a.Source = natAddr
		s.Agree(a)
		s.Play(&ramp{t: t, frames: -1}, nil)
		pause(slotTime)
		alice.one()
		outside.say(0, frame(0))
		pause(20 * time.Millisecond)
		outside.one()
		alice.nothing()
	})
}

// The phone is told by RTCP how much was sent to it, on the clock of its packets.
func TestPlayIsReported(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		defer s.Close()
		alice := l.phone(aliceAddr, s)
		alices := l.control(alice, s)
		s.Agree(terms(alice, ulaw))
		s.Play(&ramp{t: t, frames: -1}, nil)
		var ts uint32
		sent, reports := uint32(0), 0
		for range 1000 {
			pause(20 * time.Millisecond)
			for _, b := range alice.heard() {
				ts = read(t, b).ts
				sent++
			}
			for _, p := range alices.reports() {
				if sr, ok := p.(*rtcp.SenderReport); ok {
					reports++
					if sr.PacketCount != sent || sr.OctetCount != 160*sent || int32(sr.RTPTime-ts) < 0 || sr.RTPTime-ts > 160 {
						t.Errorf("%+v after %d packets, the last at %d", sr, sent, ts)
					}
				}
			}
		}
		if reports < 3 {
			t.Errorf("%d reports", reports)
		}
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

func TestPlayOverSockets(t *testing.T) {
	onSockets(t, func(t *testing.T, o Options) {
		o.MinPort, o.MaxPort = 30100, 30199
		e := benchEngine(t, o)
		s := must(t, e)
		alice := realPhone(t, loopback, s)
		s.Agree(terms(alice, ulaw, event))
		ended := make(chan bool)
		keys := make(chan byte, 10)
		s.Keys(func(key byte) bool { keys <- key; return false })
		s.Play(&ramp{t: t, frames: 10}, func(whole bool) { ended <- whole })
		heard := line{t: t}
		for i := range 10 {
			b := alice.next()
			if i > 0 { // a machine that stands still for long leaves a gap in time
				heard.last.ts = read(t, b).ts - 160
			}
			heard.follows(b, 0, 160, marked(b), "playing")
			if !bytes.Equal(payload(t, b), part(PCMU, i*160, 160)) {
				t.Fatalf("frame %d: %x", i, payload(t, b))
			}
		}
		if whole := <-ended; !whole {
			t.Error("cut short")
		}
		alice.say(101, []byte{11, 0, 0, 160})
		if key := <-keys; key != '#' {
			t.Errorf("key %c", key)
		}
		s.Play(&ramp{t: t, frames: -1}, func(whole bool) { ended <- whole })
		alice.next()
		s.Close()
		if whole := <-ended; whole {
			t.Error("the endless has ended")
		}
	})
}

// A phone that speaks G.722 only hears sounds too, in its lower band: as loud as they are, whatever comes between.
func TestPlayWideband(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		defer s.Close()
		alice := l.phone(aliceAddr, s)
		s.Agree(terms(alice, opus, fmtOf(G722, 9), ulaw, event))
		end := newEnding(t)
		heard, ear := line{t: t}, g722.NewDecoder()
		low, high := make([]int16, FrameSamples), make([]int16, FrameSamples)
		s.Play(&wave{frames: 100}, end.done)
		for i := range 100 {
			if i == 0 {
				pause(slotTime)
			} else {
				pause(20 * time.Millisecond)
			}
			b := alice.one()
			heard.follows(b, 9, 160, i == 0, "playing")
			ear.Decode(low, high, payload(t, b))
			if i == 50 {
				s.Agree(terms(alice, fmtOf(G722, 9))) // a session is refreshed: the encoder goes on
			}
			if i < 3 {
				continue
			}
			if rms := power(low); rms < 5300 || rms > 6000 { // 8000/√2
				t.Fatalf("frame %d: the tone is heard at %.0f", i, rms)
			}
			if rms := power(high); rms > 100 {
				t.Fatalf("frame %d: above 4 kHz there is %.0f", i, rms)
			}
		}
		pause(20 * time.Millisecond)
		alice.nothing()
		end.want("at the end", true)
		end = newEnding(t)
		s.Press("5", end.done) // no telephone-event any more
		pause(time.Second)
		if n := len(alice.heard()); n != 8 {
			t.Errorf("a key is %d packets", n)
		}
		end.want("a key", true)
	})
}

// wave is 1 kHz.
type wave struct{ at, frames int }

func (w *wave) Frame(dst []int16) bool {
	if w.at == w.frames {
		return false
	}
	w.at++
	for i := range dst {
		dst[i] = int16(8000 * math.Sin(math.Pi/4*float64(i)))
	}
	return true
}

func power(samples []int16) float64 {
	sum := 0.0
	for _, v := range samples {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(samples)))
}
