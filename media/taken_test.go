package media

import (
	"strings"
	"testing"
	"time"
)

// taker takes some keys, and notes all.
func taker(s *Stream, keys string) *[]byte {
	got := new([]byte)
	s.Keys(func(key byte) bool {
		*got = append(*got, key)
		return strings.IndexByte(keys, key) >= 0
	})
	return got
}

// dialled are the keys that a phone got as events, each once, and how many packets they were.
func dialled(t testing.TB, packets [][]byte, pt uint8) (keys string, n int) {
	t.Helper()
	seen := make(map[uint32]bool)
	for _, b := range packets {
		if h := read(t, b); h.pt == pt {
			if n++; !seen[h.ts] {
				seen[h.ts] = true
				keys += string(keyNames[payload(t, b)[0]])
			}
		}
	}
	return
}

// Of a key that was taken the peer gets nothing, whatever comes of it, in which order and how often; it gets all others, at once, and the numbers
// of what it gets have no gap but for what was lost on the way.
func TestKeysTaken(t *testing.T) {
	star := pressing(10, 100, 5000, 200) // 6 packets
	one := pressing(1, 106, 8000, 200)
	two := pressing(2, 112, 11000, 200)
	join := func(parts ...[]keyPacket) (all []keyPacket) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for name, c := range map[string]struct {
		packets []keyPacket
		takes   string
		want    string // at the peer
		count   int    // packets there
	}{
		"a code":                              {join(star, one, two), "*1", "2", 6},
		"none":                                {join(star, one, two), "", "*12", 18},
		"all":                                 {join(star, one, two), "*12", "", 0},
		"the first one only":                  {join(star, one), "*", "1", 6},
		"the second one only":                 {join(star, one), "1", "*", 6},
		"its start is lost":                   {join(star[2:], one), "*", "1", 6},
		"all but its last packet are lost":    {join(star[5:], one), "*", "1", 6},
		"its ends are lost":                   {join(star[:3], one), "*", "1", 6},
		"all twice":                           {join(star, star, one), "*", "1", 6},
		"each twice":                          {twice(join(star, one)), "*", "1", 12},
		"disorder within":                     {join([]keyPacket{star[3], star[0], star[5], star[1], star[4], star[2]}, one), "*", "1", 6},
		"its end after the next key":          {join(star[:5], one[:2], star[5:], one[2:]), "*", "1", 6},
		"its ends after two more":             {join(star[:3], one[:2], two[:2], star[3:], one[2:], two[2:]), "*1", "2", 6},
		"one that passes ends after the next": {join(one[:5], two[:2], one[5:], two[2:]), "2", "1", 6},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, Options{}, func(l *lab) {
				alice, bob, sa, sb := l.call([]Format{ulaw, event}, []Format{ulaw, event})
				defer sa.Close()
				defer sb.Close()
				taker(sa, c.takes)
				for _, p := range c.packets {
					alice.send(packet(101, p.seq, p.ts, 7, p.payload()))
				}
				got := bob.heard()
				if keys, n := dialled(t, got, 101); keys != c.want || n != c.count {
					t.Errorf("the peer gets %q in %d packets, want %q in %d", keys, n, c.want, c.count)
				}
				last := read(t, packet(0, 0, 0, 0, nil))
				for _, b := range got {
					h := read(t, b)
					if d := int16(h.seq - last.seq); last.ssrc != 0 && (d > 1 || d < -6) {
						t.Errorf("number %d after %d", h.seq, last.seq)
					}
					last = h
				}
			})
		})
	}
}

func twice(packets []keyPacket) (all []keyPacket) {
	for _, p := range packets {
		all = append(all, p, p)
	}
	return all
}

// Between sound, of which some is lost: the peer misses what was lost, and not what was taken; its clock goes on as the phone's does.
func TestKeysTakenBetweenSound(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		alice, bob, sa, sb := l.call([]Format{ulaw, event}, []Format{ulaw, event})
		defer sa.Close()
		defer sb.Close()
		got := taker(sa, "*1")
		speak := func(n int) {
			for range n {
				alice.say(0, frame(0))
				pause(20 * time.Millisecond)
			}
		}
		lose := func() { alice.seq++; alice.ts += 160 }
		sends := alice.ts
		speak(5)
		alice.press(101, 10, 8000, 120, nil)
		speak(3)
		lose()
		alice.press(101, 1, 8000, 120, nil) // the packet before it is lost
		speak(3)
		alice.press(101, 2, 8000, 120, nil)
		speak(3)
		heard := bob.heard()
		first, last := read(t, heard[0]), read(t, heard[len(heard)-1])
		if keys, n := dialled(t, heard, 101); keys != "2" || n != 8 {
			t.Errorf("%q in %d packets", keys, n)
		}
		if string(*got) != "*12" {
			t.Errorf("keys %q", *got)
		}
		if gaps := int(last.seq-first.seq) + 1 - len(heard); gaps != 1 {
			t.Errorf("%d packets are missing, one was lost", gaps)
		}
		if there, here := last.ts-first.ts, alice.ts-160-sends; there != here {
			t.Errorf("the clock has gone on by %d, the phone's by %d", there, here)
		}
		if st := sb.Stats(); st.PacketsOut != uint64(len(heard)) {
			t.Errorf("%+v", st)
		}
	})
}

// A key that is held and taken, longer than the duration's field, stays taken (RFC 4733 §2.5.1.3).
func TestKeyTakenInSegments(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		alice, bob, sa, sb := l.call([]Format{ulaw, event}, []Format{ulaw, event})
		defer sa.Close()
		defer sb.Close()
		got := taker(sa, "9")
		for range 3 {
			for d := 4000; d < 0xffff; d += 4000 {
				alice.send(packet(101, alice.seq, alice.ts, alice.ssrc, []byte{9, 10, byte(d >> 8), byte(d)}))
				alice.seq++
			}
			alice.ts += 0xffff
		}
		bob.nothing()
		alice.dial(101, 2, 100, nil)
		if keys, _ := dialled(t, bob.heard(), 101); keys != "2" || string(*got) != "92" {
			t.Errorf("the peer gets %q of %q", keys, *got)
		}
	})
}

// Where the peer has events on another clock, or none, or hears its own phone, what is taken is taken as well.
func TestKeysTakenAndConverted(t *testing.T) {
	virtual(t, Options{}, func(l *lab) { // tones
		alice, bob, sa, sb := l.call([]Format{ulaw, event}, []Format{ulaw})
		defer sa.Close()
		defer sb.Close()
		taker(sa, "*1")
		speak := func() {
			for range 10 {
				alice.say(0, emptyULaw)
				pause(20 * time.Millisecond)
			}
		}
		speak()
		for _, e := range []uint8{10, 1, 5, 1, 7} {
			alice.press(101, e, 8000, 120, nil)
			speak()
		}
		heard := bob.heard()
		inSequence(t, heard)
		if keys := tones(t, heard, ulaw); keys != "57" {
			t.Errorf("heard %q", keys)
		}
	})
	virtual(t, Options{}, func(l *lab) { // another clock
		alice, bob, sa, sb := l.call([]Format{opus, event48}, []Format{opus, event})
		defer sa.Close()
		defer sb.Close()
		taker(sa, "3")
		for _, e := range []uint8{3, 7, 3, 9} {
			alice.press(110, e, 48000, 100, nil)
		}
		heard := bob.heard()
		if keys, _ := dialled(t, heard, 101); keys != "79" {
			t.Errorf("the peer gets %q", keys)
		}
		for i := 1; i < len(heard); i++ {
			if d := read(t, heard[i]).seq - read(t, heard[i-1]).seq; d != 1 {
				t.Errorf("sequence +%d", d)
			}
		}
	})
	virtual(t, Options{}, func(l *lab) { // echo
		s := l.stream()
		defer s.Close()
		alice := l.phone(aliceAddr, s)
		s.Agree(terms(alice, ulaw, event))
		s.Echo()
		taker(s, "1")
		alice.dial(101, 1, 100, nil)
		alice.dial(101, 2, 100, nil)
		if keys, _ := dialled(t, alice.heard(), 101); keys != "2" {
			t.Errorf("it hears %q", keys)
		}
	})
}

// A key in the sound is told of, and heard whether it was taken or not.
func TestKeyInTheSoundIsNotTaken(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		alice, bob, sa, sb := l.call([]Format{ulaw}, []Format{ulaw, event})
		defer sa.Close()
		defer sb.Close()
		got := taker(sa, "0123456789*#ABCD")
		s := newScore(1).dial(usual('5', 100)).pause(60).dial(usual('#', 100)).pause(60)
		said := newCoder(ulaw).encode(s.linear())
		for i := 0; i+160 <= len(said); i += 160 {
			alice.say(0, said[i:i+160])
		}
		if n := len(bob.heard()); n != len(said)/160 || string(*got) != "5#" {
			t.Errorf("keys %q, %d of %d packets", *got, n, len(said)/160)
		}
	})
}

// Whom the rest of a key that was taken meets does not get it either.
func TestKeyTakenMeetsAnotherPeer(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		alice, bob, sa, sb := l.call([]Format{ulaw, event}, []Format{ulaw, event})
		sc := l.stream()
		carol := l.phone(natAddr, sc)
		sc.Agree(terms(carol, ulaw, event))
		for _, s := range []*Stream{sa, sb, sc} {
			defer s.Close()
		}
		taker(sa, "1")
		all := pressing(1, alice.seq, alice.ts, 200)
		for i, k := range all {
			if i == 2 {
				bob.nothing()
				if err := sa.Connect(sc); err != nil {
					t.Fatal(err)
				}
			}
			alice.send(packet(101, k.seq, k.ts, alice.ssrc, k.payload()))
		}
		carol.nothing()
		alice.seq += uint16(len(all))
		alice.ts += 1600
		alice.dial(101, 2, 100, nil)
		if keys, n := dialled(t, carol.heard(), 101); keys != "2" || n != 4 {
			t.Errorf("%q in %d packets", keys, n)
		}
	})
}
