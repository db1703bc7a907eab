package media

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"ringback/media/mix"
)

var (
	opus      = fmtOf(Codec{Name: "opus", ClockRate: 48000, Channels: 2}, 111)
	event48   = fmtOf(Codec{Name: "telephone-event", ClockRate: 48000, Channels: 1}, 110)
	emptyULaw = bytes.Repeat([]byte{0xff}, 160)
)

// press sends an event as a phone does, on a clock of a rate.
func (p *phone) press(pt, event uint8, rate uint32, ms int, each func()) {
	p.t.Helper()
	for at, ends := 20, 0; ends < 3; at += 20 {
		b := []byte{event, 10, 0, 0}
		if at >= ms {
			b[1] |= 0x80
			ends++
		}
		binary.BigEndian.PutUint16(b[2:], uint16(uint32(min(at, ms))*rate/1000))
		p.send(packet(pt, p.seq, p.ts, p.ssrc, b))
		p.seq++
		if each != nil {
			each()
		}
		pause(20 * time.Millisecond)
	}
	p.ts += uint32(ms+60) * rate / 1000
}

// A phone with events calls one that knows none: it hears tones, and never a payload type that it did not agree to.
func TestEventsBecomeTones(t *testing.T) {
	for _, to := range []Format{ulaw, alaw} {
		virtual(t, Options{}, func(l *lab) {
			alice, bob, sa, sb := l.call([]Format{ulaw, event}, []Format{to})
			defer sa.Close()
			defer sb.Close()
			services := hearKeys(sa)
			var got [][]byte
			speak := func(n int) {
				for range n {
					alice.say(0, emptyULaw)
					pause(20 * time.Millisecond)
				}
			}
			speak(10)
			for _, e := range []uint8{1, 1, 5, 11, 15} {
				alice.press(101, e, 8000, 120, nil)
				speak(5)
			}
			alice.press(101, 16, 8000, 100, nil) // flash is no key
			speak(10)
			got = bob.heard()
			inSequence(t, got)
			for _, b := range got {
				if h := read(t, b); h.pt != to.SendPT {
					t.Errorf("payload type %d", h.pt)
				}
			}
			if keys := tones(t, got, to); keys != "115#D" {
				t.Errorf("heard %q", keys)
			}
			if string(*services) != "115#D" {
				t.Errorf("keys %q", *services)
			}
			if st := sa.Stats(); st.Dropped != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// Where the receiver has no sound of ours, events end as they did.
func TestEventsWithoutTones(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		alice, bob, sa, sb := l.call([]Format{opus, event}, []Format{opus})
		defer sa.Close()
		defer sb.Close()
		alice.press(101, 1, 8000, 100, nil)
		bob.nothing()
		if st := sa.Stats(); st.Dropped == 0 {
			t.Errorf("%+v", st)
		}
	})
}

// Opus phones have events at 48 or at 8 kHz, and so may differ: timestamps and durations are converted, one timestamp an event.
func TestEventClocks(t *testing.T) {
	for name, c := range map[string]struct {
		from, to Format
		ms       int
		want     int // duration at the end
	}{
		"48 to 8":             {event48, event, 100, 800},
		"8 to 48":             {event, event48, 100, 4800},
		"48 to 8, long":       {event48, event, 1300, 10400},
		"8 to 48, longest":    {event, event48, 4000, 0xffff},
		"8 to 8, beside opus": {event, event, 100, 800},
	} {
		for _, mixed := range []bool{false, true} {
			virtual(t, Options{}, func(l *lab) {
				alice, bob, sa, sb := l.call([]Format{opus, c.from}, []Format{opus, c.to})
				defer sa.Close()
				defer sb.Close()
				var soundTS uint32
				speak := func() {
					b := packet(111, alice.seq, soundTS, alice.ssrc, make([]byte, 80))
					alice.seq++
					soundTS += 960
					alice.send(b)
				}
				between := speak
				if !mixed {
					between = nil
				}
				talk := func() {
					for range 5 {
						speak()
						pause(20 * time.Millisecond)
					}
				}
				alice.ts = 1000
				talk()
				for _, e := range []uint8{3, 3, 7} {
					alice.press(c.from.RecvPT, e, c.from.ClockRate, c.ms, between)
					if !mixed {
						soundTS += uint32(c.ms+60) * 48
					}
					talk()
				}
				got := bob.heard()
				seen := make(map[uint32]int)
				keys, last := "", uint32(0)
				for i, b := range got {
					h := read(t, b)
					if i > 0 && h.seq != read(t, got[i-1]).seq+1 {
						t.Errorf("%s: sequence +%d", name, h.seq-read(t, got[i-1]).seq)
					}
					if h.pt != c.to.SendPT {
						continue
					}
					p := payload(t, b)
					if seen[h.ts] == 0 {
						keys += string(keyNames[p[0]])
						if !marked(b) {
							t.Errorf("%s: no marker", name)
						}
						if last != 0 && int32(h.ts-last) <= 0 {
							t.Errorf("%s: timestamp %+d", name, int32(h.ts-last))
						}
						last = h.ts
					}
					seen[h.ts]++
					d := int(binary.BigEndian.Uint16(p[2:]))
					if want := min(min(20*seen[h.ts], c.ms)*int(c.to.ClockRate/1000), 0xffff); d != want {
						t.Errorf("%s: packet %d has lasted %d, want %d", name, seen[h.ts], d, want)
					}
					if p[1]&0x80 != 0 && d != c.want {
						t.Errorf("%s: it lasted %d, want %d", name, d, c.want)
					}
				}
				if keys != "337" {
					t.Errorf("%s, mixed %v: keys %q", name, mixed, keys)
				}
			})
		}
	}
}

// A key held so long that its clock of 48 kHz has to begin another segment is one at 8 kHz.
func TestEventSegmentsBecomeOne(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		alice, bob, sa, sb := l.call([]Format{opus, event48}, []Format{opus, event})
		defer sa.Close()
		defer sb.Close()
		begin, lasted := alice.ts, 0
		send := func(ts uint32, d int, end byte) {
			alice.send(packet(110, alice.seq, ts, alice.ssrc, []byte{9, end | 10, byte(d >> 8), byte(d)}))
			alice.seq++
			pause(20 * time.Millisecond)
		}
		for ; lasted < 0xffff; lasted += 960 {
			send(begin, lasted, 0)
		}
		for d := 960; d <= 9600; d += 960 {
			send(begin+0xffff, d, 0)
		}
		for range 3 {
			send(begin+0xffff, 9600, 0x80)
		}
		send(begin, 960, 0) // late
		got := bob.heard()
		ts := read(t, got[0]).ts
		for _, b := range got {
			if h := read(t, b); h.ts != ts || h.pt != 101 {
				t.Fatalf("%+v", h)
			}
		}
		if d := binary.BigEndian.Uint16(payload(t, got[len(got)-1])[2:]); d != (0xffff+9600)/6 {
			t.Errorf("it lasted %d", d)
		}
		for _, bad := range [][]byte{nil, {1, 2, 3}} {
			alice.send(packet(110, alice.seq, alice.ts+1e6, alice.ssrc, bad))
			alice.seq++
		}
		bob.nothing()
	})
}

// A phone without events presses keys in its sound: whoever listens hears them, the other phone gets them as sound.
func TestTonesAreHeard(t *testing.T) {
	for _, f := range []Format{ulaw, alaw} {
		virtual(t, Options{}, func(l *lab) {
			alice, bob, sa, sb := l.call([]Format{f}, []Format{f, event})
			defer sa.Close()
			defer sb.Close()
			pcm := newScore(1)
			each(func(k byte) dual { return usual(k, 60) }, 60)(pcm)
			sound := make([]byte, len(pcm.pcm)/160*160)
			if f.Same(PCMU) {
				mix.EncodeULaw(sound, pcm.linear()[:len(sound)])
			} else {
				mix.EncodeALaw(sound, pcm.linear()[:len(sound)])
			}
			say := func(each func(i int) bool) {
				for i := 0; i < len(sound); i += 160 {
					if each != nil && !each(i/160) {
						alice.seq++
						alice.ts += 160
						continue
					}
					alice.say(f.SendPT, sound[i:i+160])
				}
			}
			say(nil)
			if n := len(bob.heard()); n != len(sound)/160 {
				t.Errorf("bob heard %d packets", n)
			}
			if sa.ear != nil {
				t.Error("it listens for nobody")
			}
			got := hearKeys(sa)
			want := func(why, keys string) {
				t.Helper()
				bob.heard()
				if string(*got) != keys {
					t.Errorf("%s: %q, want %q", why, *got, keys)
				}
				*got = nil
			}
			say(nil)
			want("all", allKeys)
			alice.ts -= 160 // one comes twice
			alice.seq--
			say(nil)
			want("again", allKeys)
			alice.ts += 1 << 30
			say(nil)
			want("after a leap of the clock", allKeys)
			alice.ts -= 1 << 30
			say(nil)
			want("and back", allKeys)
			alice.ssrc, alice.seq, alice.ts = 9, 9, 9
			say(nil)
			want("another source", allKeys)
			one := newScore(1).dial(usual('5', 200)).linear()
			sound = sound[:1600]
			if f.Same(PCMU) {
				mix.EncodeULaw(sound, one)
			} else {
				mix.EncodeALaw(sound, one)
			}
			say(nil)
			alice.ts += 8000 // silence is not sent
			say(func(i int) bool { return i != 4 })
			want("with silence left out, and with a lost packet", "55")

			sa.Agree(terms(alice, f, event))
			alice.ts += 8000
			say(nil)
			want("events are agreed", "")
			sa.Agree(terms(alice, f))
			say(nil)
			want("no longer", "5")
			sa.Keys(nil)
			if sa.ear != nil {
				t.Error("it listens for nobody")
			}
		})
	}
}

func BenchmarkTonesAreHeard(b *testing.B) {
	e := benchEngine(b, Options{Listen: inMemory})
	sa, sb := must(b, e), must(b, e)
	sa.Agree(agreed(1000, ulaw))
	sb.Agree(agreed(2000, ulaw))
	if err := sa.Connect(sb); err != nil {
		b.Fatal(err)
	}
	n := 0
	sa.Keys(func(byte) bool { n++; return false })
	speech := newScore(1)
	voices(speech)
	sound := make([]byte, len(speech.pcm))
	mix.EncodeULaw(sound, speech.linear())
	in, h, at := packet(0, 0, 0, 1, emptyULaw), new(header), 0
	from := sa.terms.Remote
	b.ReportAllocs()
	i := uint32(0)
	for b.Loop() {
		copy(in, packet0)
		binary.BigEndian.PutUint16(in[2:], uint16(i))
		binary.BigEndian.PutUint32(in[4:], i*160)
		copy(in[12:], sound[at:at+160])
		i++
		if at += 160; at+160 > len(sound) {
			at = 0
		}
		sa.arrived(in, false, from, e.now(), h, &e.counters)
	}
	if out := sb.Stats().PacketsOut; out != uint64(i) {
		b.Fatalf("%d of %d packets", out, i)
	}
}

var packet0 = packet(0, 0, 0, 1, nil)

// FuzzEventClock: whatever comes, what goes out has the other side's payload type, one timestamp an event and sequence numbers
// without a leap.
func FuzzEventClock(f *testing.F) {
	f.Add([]byte{5, 10, 3, 192, 5, 138, 18, 192}, uint32(48000), uint32(8000), uint32(960))
	f.Add([]byte{1}, uint32(8000), uint32(48000), uint32(1)<<31)
	f.Add(bytes.Repeat([]byte{9, 10, 0xff, 0xff}, 8), uint32(1), uint32(1<<32-1), uint32(0xffff))
	f.Fuzz(func(t *testing.T, b []byte, in, out, step uint32) {
		if in == 0 || out == 0 {
			return
		}
		var s sender
		s.start()
		flow, seq := new(Flow), s.seq
		r := route{op: pass, pt: 101, event: true, apart: true, rate: in, out: out}
		for i, ts := 0, uint32(0); len(b) > 0; i++ {
			n := min(4, len(b))
			p := packet(96, uint16(i), ts, 7, b[:n])
			if b = b[n:]; i%2 == 1 {
				ts += step
			}
			var h header
			if !h.read(p) {
				t.Fatal("not read")
			}
			if !s.stampEvent(p, &h, flow, r, 1, int64(i)*2e7) {
				continue
			}
			seq++
			if got := read(t, p); got.pt != 101 || got.seq != seq || got.ssrc != s.ssrc || got.ts != s.event.ts {
				t.Fatalf("packet %d: %+v, want %d", i, got, seq)
			}
		}
	})
}
