package media

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// keyPacket is one of an event: how long it has lasted, in ms, and what has come of it.
type keyPacket struct {
	seq   uint16
	ts    uint32
	event uint8
	ended bool
	ms    int
}

func (p keyPacket) payload() []byte {
	b := []byte{p.event, 10, byte(p.ms * 8 >> 8), byte(p.ms * 8)}
	if p.ended {
		b[1] |= 0x80
	}
	return b
}

// pressing makes the packets of a key as a phone sends them: one each 50 ms, the last one three times.
func pressing(event uint8, seq uint16, ts uint32, ms int) (all []keyPacket) {
	for at := 50; at < ms; at += 50 {
		all = append(all, keyPacket{seq + uint16(len(all)), ts, event, false, at})
	}
	for range 3 {
		all = append(all, keyPacket{seq + uint16(len(all)), ts, event, true, ms})
	}
	return all
}

func TestKeys(t *testing.T) {
	one := pressing(1, 100, 5000, 200)   // 6 packets
	again := pressing(1, 106, 8000, 200) // the same key
	two := pressing(2, 112, 11000, 200)
	join := func(parts ...[]keyPacket) (all []keyPacket) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for name, c := range map[string]struct {
		packets []keyPacket
		want    string
	}{
		"one":                                    {one, "1"},
		"the start is lost":                      {one[2:], "1"},
		"all but the last are lost":              {one[5:], "1"},
		"all ends are lost":                      {one[:3], "1"},
		"all ends are lost, twice":               {join(one[:3], again[:3]), "11"},
		"two equal ones":                         {join(one, again), "11"},
		"equal, one packet each":                 {join(one[5:], again[5:]), "11"},
		"three":                                  {join(one, again, two), "112"},
		"all twice":                              {join(one, one, again, again), "11"},
		"disorder within":                        {[]keyPacket{one[3], one[0], one[5], one[1], one[4], one[2]}, "1"},
		"an end after the next key":              {join(one[:5], two[:2], one[5:], two[2:]), "12"},
		"a start after the end and the next key": {join(one[1:], again[:1], one[:1], again[1:], one[:1]), "11"},
		"flash":                                  {pressing(16, 1, 1, 100), ""},
		"other events":                           {join(pressing(17, 1, 1, 100), pressing(255, 8, 900, 100), one), "1"},
		"an other event between":                 {join(one[:2], pressing(32, 102, 5000, 100)[:1], one[3:]), "1"},
		"no duration":                            {[]keyPacket{{1, 1, 11, false, 0}, {2, 1, 11, true, 0}}, "#"},
		"over the end of the numbers":            {join(pressing(3, 65533, 1<<32-100, 200), pressing(3, 3, 2000, 200)), "33"},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, Options{}, func(l *lab) {
				alice, bob, sa, sb := l.call([]Format{ulaw, event}, []Format{ulaw, event})
				defer sa.Close()
				defer sb.Close()
				got := hearKeys(sa)
				for _, p := range c.packets {
					alice.send(packet(101, p.seq, p.ts, 7, p.payload()))
				}
				if n := len(bob.heard()); n != len(c.packets) {
					t.Errorf("bob got %d of %d packets", n, len(c.packets))
				}
				if string(*got) != c.want {
					t.Errorf("keys %q, want %q", *got, c.want)
				}
			})
		})
	}
}

func hearKeys(s *Stream) *[]byte {
	got := new([]byte)
	s.Keys(func(key byte) bool { *got = append(*got, key); return false })
	return got
}

// dial has a phone press a key as it says.
func (p *phone) dial(pt, event uint8, ms int, say func()) {
	p.t.Helper()
	for _, k := range pressing(event, p.seq, p.ts, ms) {
		p.send(packet(pt, p.seq, k.ts, p.ssrc, k.payload()))
		p.seq++
		if say != nil {
			say()
		}
	}
	p.ts += uint32(ms) * 8
}

func TestKeysOfAStream(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		defer s.Close()
		alice := l.phone(aliceAddr, s)
		got := hearKeys(s)
		want := func(why, keys string) {
			t.Helper()
			alice.heard()
			if string(*got) != keys {
				t.Errorf("%s: keys %q, want %q", why, *got, keys)
			}
			*got = nil
		}
		own := Format{Codec: Telephone, SendPT: 96, RecvPT: 97}
		s.Agree(terms(alice, ulaw, own))
		for e := range uint8(20) {
			alice.dial(97, e, 100, nil)
		}
		want("all of them, unconnected", "0123456789*#ABCD")
		alice.dial(96, 1, 100, nil)
		alice.dial(0, 1, 100, nil)
		want("of another payload type", "")
		alice.dial(97, 5, 300, func() { alice.send(packet(0, alice.seq, alice.ts, alice.ssrc, frame(0))); alice.seq++ })
		want("between sound", "5")
		for range 200 { // far more than half of the sequence numbers between two keys
			for range 200 {
				alice.say(0, frame(0))
			}
			alice.heard()
		}
		alice.dial(97, 5, 100, nil)
		want("after 40,000 packets", "5")

		// Longer than the duration's field: further segments follow (RFC 4733 §2.5.1.3).
		for segment := range 3 {
			last := 0xffff
			for d := 4000; d < last; d += 4000 {
				alice.send(packet(97, alice.seq, alice.ts, alice.ssrc, []byte{9, 10, byte(d >> 8), byte(d)}))
				alice.seq++
			}
			if segment == 2 {
				alice.send(packet(97, alice.seq, alice.ts, alice.ssrc, []byte{9, 0x8a, 0xff, 0xff}))
				alice.seq++
			}
			alice.ts += 0xffff
		}
		want("held for 25 s", "9")
		alice.dial(97, 9, 100, nil)
		want("pressed again", "9")

		for _, b := range [][]byte{nil, {1}, {1, 0}, {1, 0, 0}} {
			alice.ts += 1000
			alice.say(97, b)
		}
		want("cut short", "")
		alice.ts += 1000
		alice.say(97, []byte{1, 0, 0, 8, 0, 0})
		want("longer than need be", "1")

		// Another source, whose numbers say nothing of the former's.
		alice.ssrc, alice.seq, alice.ts = 99, 5, 5
		alice.dial(97, 1, 100, nil)
		want("another source", "1")

		s.Echo()
		alice.dial(97, 2, 100, nil)
		want("echo", "2")
		s.Play(&ramp{t: t, frames: -1}, nil)
		alice.dial(97, 3, 100, nil)
		want("while a sound is played", "3")
		held := terms(alice, ulaw, own)
		held.Recv = false
		s.Agree(held)
		alice.dial(97, 4, 100, nil)
		want("it was not to send", "")
		s.Agree(terms(alice, ulaw))
		alice.dial(97, 4, 100, nil)
		want("not agreed", "")
		s.Agree(terms(alice, ulaw, own))
		s.Keys(nil)
		alice.dial(97, 5, 100, nil)
		want("nobody listens", "")
		first := pressing(6, alice.seq, alice.ts, 200)
		alice.send(packet(97, alice.seq, alice.ts, alice.ssrc, first[0].payload()))
		alice.heard()
		got = hearKeys(s)
		for _, k := range first[1:] {
			alice.send(packet(97, k.seq, k.ts, alice.ssrc, k.payload()))
		}
		want("it was down before somebody listened", "")
	})
}

// The rest of a key that was pressed before there was a peer (1, to accept a call) is not for the peer; what follows is, without a gap.
func TestKeyBeforePeer(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s, p := l.stream(), l.stream()
		defer s.Close()
		defer p.Close()
		alice, bob := l.phone(aliceAddr, s), l.phone(bobAddr, p)
		s.Agree(terms(alice, ulaw, event))
		p.Agree(terms(bob, ulaw, event))
		got := hearKeys(s)
		first := pressing(1, alice.seq, alice.ts, 200)
		for i, k := range first {
			if i == 2 {
				alice.heard() // what was sent has come
				if err := s.Connect(p); err != nil {
					t.Fatal(err)
				}
				alice.ts, alice.seq = k.ts, k.seq
				alice.say(0, frame(1)) // sound between
				for j := range first[i:] {
					first[i+j].seq++
				}
				k = first[i]
			}
			alice.send(packet(101, k.seq, k.ts, alice.ssrc, k.payload()))
			alice.seq = k.seq + 1
		}
		alice.ts += 1600
		alice.say(0, frame(2))
		alice.dial(101, 2, 100, nil)
		heard := bob.heard()
		var last uint16
		events := 0
		for i, b := range heard {
			h := read(t, b)
			if i > 0 && h.seq != last+1 {
				t.Errorf("packet %d has the number %d after %d", i, h.seq, last)
			}
			if last = h.seq; h.pt == 101 {
				events++
				if e := payload(t, b)[0]; e != 2 {
					t.Errorf("the peer gets the key %d: %x", e, b)
				}
			}
		}
		if string(*got) != "12" || events == 0 {
			t.Errorf("keys %q, %d packets of the second at the peer", *got, events)
		}
	})
}

// Whoever hears a key may do anything with the stream.
func TestKeysMayAct(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		alice := l.phone(aliceAddr, s)
		s.Agree(terms(alice, ulaw, event))
		end := newEnding(t)
		s.Play(&ramp{t: t, frames: -1}, end.done)
		s.Keys(func(byte) bool {
			s.Keys(nil)
			s.Echo()
			s.Stats()
			s.Close()
			return false
		})
		alice.dial(101, 1, 100, nil)
		alice.heard()
		end.want("a key closed it", false)
	})
}

// Random loss, duplicates and slight disorder: as many keys as had any packet come through before the next one, in order.
func TestKeysAtRandom(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		var k keypad
		var got, want []byte
		seq, ts := rnd.Uint32(), rnd.Uint32()
		for range 50 {
			event := uint8(rnd.IntN(16))
			arrived := false
			all := pressing(event, 0, ts, 50+rnd.IntN(3000))
			for i, p := range all {
				if rnd.IntN(2) == 0 {
					continue
				}
				at := seq + uint32(i)
				for range 1 + rnd.IntN(2) {
					h := header{}
					h.Timestamp, h.SequenceNumber = p.ts, uint16(at)
					if key := k.press(p.payload(), &h, 1, at); key != 0 {
						got = append(got, key)
					}
				}
				arrived = true
			}
			if arrived {
				want = append(want, keyNames[event])
			}
			seq += uint32(len(all))
			ts += uint32(rnd.IntN(1<<20)) + 30000
		}
		if string(got) != string(want) {
			t.Fatalf("seed %d: %q, want %q", seed, got, want)
		}
	}
}

// FuzzKeys: never a panic, and never two keys of one event or a key that is none.
func FuzzKeys(f *testing.F) {
	for _, p := range pressing(5, 1, 1, 200) {
		f.Add(p.payload(), uint32(p.seq), p.ts, []byte{5, 0x80, 0, 1}, uint32(1), uint32(2))
	}
	f.Add([]byte{1}, uint32(0), uint32(0), []byte{255, 255, 255, 255}, uint32(1<<31), uint32(1<<31))
	f.Fuzz(func(t *testing.T, a []byte, seqA, tsA uint32, b []byte, seqB, tsB uint32) {
		var k keypad
		press := func(p []byte, seq, ts uint32) byte {
			h := header{}
			h.Timestamp, h.SequenceNumber = ts, uint16(seq)
			key := k.press(p, &h, 1, seq)
			if key != 0 && (len(p) < 4 || p[0] > 15 || key != "0123456789*#ABCD"[p[0]]) {
				t.Fatalf("%x is key %q", p, key)
			}
			return key
		}
		first := press(a, seqA, tsA)
		if (first != 0) != (len(a) >= 4 && a[0] < 16) {
			t.Fatalf("%x is key %q", a, first)
		}
		if press(a, seqA, tsA) != 0 || press(a, seqA+1, tsA) != 0 {
			t.Fatal("one event, two keys")
		}
		second := press(b, seqB, tsB)
		if press(b, seqB, tsB) != 0 {
			t.Fatal("one event, two keys")
		}
		if first != 0 && second != 0 && tsA == tsB && a[0] == b[0] {
			t.Fatal("one event, two keys")
		}
	})
}

func BenchmarkKeys(b *testing.B) {
	e := benchEngine(b, Options{Listen: inMemory})
	s := must(b, e)
	s.Agree(agreed(1000, ulaw, event))
	n := 0
	s.Keys(func(byte) bool { n++; return false })
	from, sent := netip.AddrPortFrom(loopback, 1000), packet(101, 0, 0, 1, []byte{5, 10, 0, 160})
	in, h := make([]byte, 16), new(header)
	b.ReportAllocs()
	i := uint32(0)
	for b.Loop() {
		copy(in, sent)
		ts := i / 8 * 800
		in[2], in[3] = byte(i>>8), byte(i)
		in[4], in[5], in[6], in[7] = byte(ts>>24), byte(ts>>16), byte(ts>>8), byte(ts)
		i++
		s.arrived(in, false, from, 1e9, h, &e.counters)
	}
	if n != (b.N+7)/8 {
		b.Fatalf("%d keys of %d packets", n, b.N)
	}
}
