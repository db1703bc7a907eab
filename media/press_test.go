package media

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pressed is an event as a phone has got it.
type pressed struct {
	key       byte
	ts        uint32
	durations []int
	ends      int
}

// events reads what a phone got of a payload type, and checks the form of each (RFC 4733 §2.5.1).
func events(t *testing.T, packets [][]byte, pt uint8) (all []pressed) {
	t.Helper()
	for _, b := range packets {
		h := read(t, b)
		if h.pt != pt {
			continue
		}
		p := payload(t, b)
		if len(p) != 4 || int(p[0]) >= len(keyNames) {
			t.Fatalf("event %x", p)
		}
		if n := len(all); n == 0 || all[n-1].ts != h.ts {
			all = append(all, pressed{key: keyNames[p[0]], ts: h.ts})
		}
		e := &all[len(all)-1]
		if marked(b) != (len(e.durations) == 0) {
			t.Errorf("key %c, packet %d: marker %v", e.key, len(e.durations), marked(b))
		}
		if keyNames[p[0]] != e.key {
			t.Errorf("key %c has become %d", e.key, p[0])
		}
		e.durations = append(e.durations, int(binary.BigEndian.Uint16(p[2:])))
		if p[1]&0x80 != 0 {
			e.ends++
		} else if e.ends > 0 {
			t.Errorf("key %c goes on after its end", e.key)
		}
	}
	return all
}

// inSequence wants the packets of one source, none of them older than those before.
func inSequence(t *testing.T, packets [][]byte) {
	t.Helper()
	for i := 1; i < len(packets); i++ {
		a, b := read(t, packets[i-1]), read(t, packets[i])
		if b.ssrc != a.ssrc || b.seq != a.seq+1 || int32(b.ts-a.ts) < 0 {
			t.Errorf("packet %d: SSRC %x after %x, sequence +%d, timestamp %+d", i, b.ssrc, a.ssrc, b.seq-a.seq, int32(b.ts-a.ts))
		}
	}
}

// tones is which keys are heard in the sound that a phone got, gaps in time being silence.
func tones(t *testing.T, packets [][]byte, f Format) string {
	t.Helper()
	var d Detector
	var keys []byte
	var next uint32
	for i, b := range packets {
		h := read(t, b)
		if h.pt != f.SendPT {
			continue
		}
		if i > 0 && int32(h.ts-next) < 0 {
			t.Errorf("packet %d overlaps the one before by %d", i, int32(next-h.ts))
		} else if i > 0 {
			d.Silence(int(h.ts - next))
		}
		p := payload(t, b)
		next = h.ts + uint32(len(p))
		if f.Same(PCMU) {
			keys = d.ULaw(keys, p)
		} else {
			keys = d.ALaw(keys, p)
		}
	}
	return string(keys)
}

func names(all []pressed) (s string) {
	for _, e := range all {
		s += string(rune(e.key))
	}
	return s
}

// To a phone that knows events: each key lasts 100 ms, and the next one comes 160 ms after it.
func TestPressByEvent(t *testing.T) {
	for _, rate := range []uint32{8000, 48000} {
		virtual(t, Options{}, func(l *lab) {
			s := l.stream()
			defer s.Close()
			alice := l.phone(aliceAddr, s)
			sound := ulaw
			if rate != 8000 {
				sound = fmtOf(Codec{Name: "opus", ClockRate: rate, Channels: 2}, 111)
			}
			s.Agree(terms(alice, sound, fmtOf(Telephone, 101), Format{Codec: Codec{Name: "telephone-event", ClockRate: rate}, SendPT: 97, RecvPT: 98}))
			pt := uint8(97)
			if rate == 8000 {
				pt = 101 // the first of two at the rate
			}
			end := newEnding(t)
			s.Press("0123456789*#ABCD", end.done)
			pause(16*160*time.Millisecond - time.Millisecond)
			end.want("before the last pause is over")
			pause(10 * time.Millisecond)
			end.want("after", true)
			got := alice.heard()
			inSequence(t, got)
			all := events(t, got, pt)
			if names(all) != "0123456789*#ABCD" {
				t.Fatalf("keys %s", names(all))
			}
			ms := int(rate / 1000)
			for i, e := range all {
				if e.ends != 3 || len(e.durations) != 8 {
					t.Errorf("%c: %d packets, %d of them ends", e.key, len(e.durations), e.ends)
				}
				for k, d := range e.durations {
					if want := min(20*ms*(k+1), 100*ms); d != want {
						t.Errorf("%c: packet %d has lasted %d, want %d", e.key, k, d, want)
					}
				}
				if i > 0 && e.ts-all[i-1].ts != uint32(160*ms) {
					t.Errorf("%c: %d ticks after the one before", e.key, e.ts-all[i-1].ts)
				}
			}
			pause(time.Second)
			alice.nothing()
			if st := s.Stats(); st.PacketsOut != 128 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// To a phone that knows none: tones, in its law and its packet time.
func TestPressByTone(t *testing.T) {
	for _, f := range []Format{ulaw, alaw, fmtOf(PCMU, 100)} {
		for _, ptime := range []time.Duration{10, 20, 30, 60} {
			virtual(t, Options{}, func(l *lab) {
				s := l.stream()
				defer s.Close()
				alice := l.phone(aliceAddr, s)
				a := terms(alice, opus, f)
				a.PTime = ptime * time.Millisecond
				s.Agree(a)
				end := newEnding(t)
				s.Press("0123456789*#ABCD", end.done)
				pause(3 * time.Second)
				end.want("all", true)
				got := alice.heard()
				inSequence(t, got)
				if keys := tones(t, got, f); keys != "0123456789*#ABCD" {
					t.Errorf("%v: heard %q", a.PTime, keys)
				}
				if n, want := len(got), (2560+int(ptime)-1)/int(ptime); n != want {
					t.Errorf("%v: %d packets, want %d", a.PTime, n, want)
				}
				for i, b := range got {
					if n := len(payload(t, b)); n != int(ptime)*8 || marked(b) != (i == 0) {
						t.Errorf("%v: packet %d has %d samples, marker %v", a.PTime, i, n, marked(b))
					}
				}
			})
		}
	}
}

// The other party and a sound of the PBX go on around keys: no jump, no overlap, nothing between the packets of one.
func TestPressBetween(t *testing.T) {
	for name, to := range map[string][]Format{"events": {ulaw, event}, "tones": {alaw}} {
		for _, what := range []string{"relay", "sound"} {
			t.Run(name+" "+what, func(t *testing.T) {
				virtual(t, Options{}, func(l *lab) {
					alice, bob, sa, sb := l.call([]Format{ulaw, event}, to)
					defer sa.Close()
					defer sb.Close()
					if what == "sound" {
						sb.Play(quiet{}, nil)
					}
					end := newEnding(t)
					var got [][]byte
					quietFrame := bytes.Repeat([]byte{0xff}, 160)
					for i := range 60 {
						alice.say(0, quietFrame)
						if i == 10 {
							sb.Press("1", nil)
							sb.Press("59", end.done)
						}
						pause(20 * time.Millisecond)
						got = append(got, bob.heard()...)
					}
					end.want(name, true)
					inSequence(t, got)
					keys := ""
					if len(to) > 1 {
						all := events(t, got, 101)
						keys = names(all)
						from, last := 0, 0
						for i, b := range got {
							if read(t, b).pt == 101 {
								if from == 0 {
									from = i
								}
								last = i
							}
						}
						if n := last - from + 1; n < 24+2 || n > 24+8 {
							t.Errorf("%d packets from the first key to the last", n)
						}
						for i, e := range all {
							if len(e.durations) != 8 || e.ends != 3 {
								t.Errorf("key %d: %d packets", i, len(e.durations))
							}
						}
					} else {
						keys = tones(t, got, to[0])
					}
					if keys != "159" {
						t.Errorf("keys %q", keys)
					}
					first, last := read(t, got[0]), read(t, got[len(got)-1])
					if d := int(last.ts-first.ts) - 59*160; d < -320 || d > 320 {
						t.Errorf("the clock is off by %d", d)
					}
					if marked(got[len(got)-1]) || len(got) < 50 {
						t.Errorf("%d packets, the last with marker %v", len(got), marked(got[len(got)-1]))
					}
				})
			})
		}
	}
}

// quiet is silence for ever.
type quiet struct{}

func (quiet) Frame(dst []int16) bool { clear(dst); return true }

func TestPressIsRefused(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		alice := l.phone(aliceAddr, s)
		refused := func(why, keys string) {
			t.Helper()
			end := newEnding(t)
			s.Press(keys, end.done)
			end.want(why, false)
			s.Press(keys, nil)
		}
		refused("nothing agreed", "1")
		s.Agree(terms(alice, opus))
		refused("neither events nor G.711", "1")
		s.Agree(terms(alice, ulaw, event))
		refused("no keys", "")
		refused("what is none", "12e")
		refused("what is none", "1\x00")
		refused("too many", strings.Repeat("1", 65))
		pause(time.Second)
		alice.nothing()
		end := newEnding(t)
		s.Press(strings.Repeat("1", 60), end.done)
		refused("too many wait", "12345")
		s.Press("2345", nil)
		pause(64 * 160 * time.Millisecond)
		end.want("60", true)
		if n := len(events(t, alice.heard(), 101)); n != 64 {
			t.Errorf("%d keys", n)
		}
		s.Close()
		refused("closed", "1")
	})
}

// What ends while keys wait.
func TestPressIsCutShort(t *testing.T) {
	for _, formats := range [][]Format{{ulaw, event}, {ulaw}} {
		for name, c := range map[string]struct {
			cut   func(s *Stream, a Agreement)
			whole []bool
		}{
			"close":      {func(s *Stream, _ Agreement) { s.Close() }, []bool{false}},
			"engine":     {func(s *Stream, _ Agreement) { s.engine.Close() }, []bool{false}},
			"no way":     {func(s *Stream, a Agreement) { a.Formats = []Format{opus}; s.Agree(a) }, []bool{false}},
			"hold":       {func(s *Stream, a Agreement) { a.Send = false; s.Agree(a) }, []bool{false}},
			"disconnect": {func(s *Stream, _ Agreement) { s.Disconnect() }, []bool{true}},
			"echo":       {func(s *Stream, _ Agreement) { s.Echo() }, []bool{true}},
			"play":       {func(s *Stream, _ Agreement) { s.Play(quiet{}, nil) }, []bool{true}},
			"the other way": {func(s *Stream, a Agreement) {
				if a.Formats = []Format{ulaw, event}; len(formats) == 2 {
					a.Formats = []Format{ulaw}
				}
				s.Agree(a)
			}, []bool{len(formats) == 1}},
		} {
			for _, when := range []time.Duration{0, 5 * time.Millisecond, 50 * time.Millisecond, 107 * time.Millisecond, 130 * time.Millisecond, 500 * time.Millisecond} {
				virtual(t, Options{}, func(l *lab) {
					s := l.stream()
					defer s.Close()
					alice := l.phone(aliceAddr, s)
					a := terms(alice, formats...)
					s.Agree(a)
					end := newEnding(t)
					s.Press("123456", end.done)
					pause(when)
					end.want("in the midst of it")
					c.cut(s, a)
					pause(2 * time.Second)
					if name == "the other way" { // the key that was being sent may be lost
						synctest.Wait()
						if len(end.calls) != 1 {
							t.Errorf("%s: ended %v", name, end.calls)
						}
					} else {
						end.want(name, c.whole...)
					}
					if s.typing != nil || s.hushed {
						t.Errorf("%s: still typing", name)
					}
					alice.heard()
				})
			}
		}
	}
}

// A phone's keys as they come through the exchange, from one end of it to the other.
func TestPressReachesKeys(t *testing.T) {
	for name, formats := range map[string][]Format{"events": {ulaw, event}, "tones": {ulaw}, "A-law": {alaw}} {
		virtual(t, Options{}, func(l *lab) {
			a, b := l.stream(), l.stream() // two calls of one engine, as of a third party's: a hears what b sends
			defer a.Close()
			defer b.Close()
			a.Agree(Agreement{Remote: b.LocalRTP(), Send: true, Recv: true, Formats: formats})
			b.Agree(Agreement{Remote: a.LocalRTP(), Send: true, Recv: true, Formats: formats})
			got := hearKeys(a)
			end := newEnding(t)
			b.Press("0123456789*#ABCD", end.done)
			pause(3 * time.Second)
			end.want(name, true)
			if string(*got) != "0123456789*#ABCD" {
				t.Errorf("%s: %q", name, *got)
			}
		})
	}
}

func TestPressDoesNotAllocate(t *testing.T) {
	for _, formats := range [][]Format{{ulaw, event}, {ulaw}} {
		e := benchEngine(t, Options{Listen: inMemory})
		s := must(t, e)
		s.Agree(agreed(1000, formats...))
		s.mu.Lock()
		job, ok := s.enter(strings.Repeat("5", maxTyped), nil)
		s.mu.Unlock()
		if !ok {
			t.Fatal("refused")
		}
		pacer, slot := new(Engine), int64(0)
		n := testing.AllocsPerRun(200, func() {
			slot += max(1, s.typeOn(job, &pacer.player, slot, &e.counters))
		})
		if n != 0 {
			t.Errorf("%v allocations a packet", n)
		}
	}
}
