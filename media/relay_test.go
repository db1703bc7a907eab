package media

import (
	"bytes"
	"testing"
	"time"

	"github.com/zaf/g711"
)

func frame(from byte) []byte {
	b := make([]byte, 160)
	for i := range b {
		b[i] = from + byte(i)
	}
	return b
}

func TestRelayMapsPayloadTypes(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		bobEvent := Format{Codec: Telephone, SendPT: 96, RecvPT: 97}
		alice, bob, sa, sb := l.call([]Format{ulaw, event}, []Format{ulaw, bobEvent})
		defer sa.Close()
		defer sb.Close()

		alice.say(0, frame(1))
		got := bob.one()
		if !bytes.Equal(payload(t, got), frame(1)) || read(t, got).pt != 0 {
			t.Errorf("bob heard %x", got)
		}
		alice.say(101, []byte{5, 0, 0, 160})
		if got := bob.one(); read(t, got).pt != 96 {
			t.Errorf("event came as %d", read(t, got).pt)
		}
		bob.say(97, []byte{6, 0, 0, 160})
		if got := alice.one(); read(t, got).pt != 101 {
			t.Errorf("event came back as %d", read(t, got).pt)
		}
		bob.say(96, []byte{6, 0, 0, 160}) // what bob wants to get is not what he may send
		alice.nothing()
		st := sb.Stats()
		if st.Dropped != 1 || st.PacketsIn != 1 || st.PacketsOut != 2 {
			t.Errorf("stats %+v", st)
		}
	})
}

func TestRelayTranscodes(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		alice, bob, sa, sb := l.call([]Format{ulaw, event}, []Format{alaw, event})
		defer sa.Close()
		defer sb.Close()
		for from := range 2 {
			in := frame(byte(from * 160))
			want := make([]byte, len(in))
			for i, c := range in {
				want[i] = g711.EncodeAlawFrame(g711.DecodeUlawFrame(c))
			}
			alice.say(0, in)
			if got := bob.one(); read(t, got).pt != 8 || !bytes.Equal(payload(t, got), want) {
				t.Errorf("to A-law:\n got %x\nwant %x", payload(t, got), want)
			}
			for i, c := range in {
				want[i] = g711.EncodeUlawFrame(g711.DecodeAlawFrame(c))
			}
			bob.say(8, in)
			if got := alice.one(); read(t, got).pt != 0 || !bytes.Equal(payload(t, got), want) {
				t.Errorf("to µ-law:\n got %x\nwant %x", payload(t, got), want)
			}
		}
	})
}

func TestNoCommonCodec(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		sa, sb := l.stream(), l.stream()
		defer sa.Close()
		defer sb.Close()
		alice, bob := l.phone(aliceAddr, sa), l.phone(bobAddr, sb)
		sa.Agree(terms(alice, ulaw, event))
		sb.Agree(terms(bob, opus, event))
		if err := sa.Connect(sb); err != ErrNoCommonCodec {
			t.Fatalf("got %v", err)
		}
		alice.say(101, []byte{1, 0, 0, 0})
		bob.nothing()
		if err := sa.Connect(sa); err != ErrForeign {
			t.Fatalf("got %v", err)
		}
		sb.Agree(terms(bob, opus, alaw))
		if err := sa.Connect(sb); err != nil {
			t.Fatal(err)
		}
		alice.say(0, frame(0))
		bob.one()
	})
}

// A leg's SSRC, sequence and timestamp go on whoever is heard.
func TestOutgoingStreamGoesOn(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		alice, bob, sa, sb := l.call([]Format{ulaw, event}, []Format{ulaw, event})
		defer sa.Close()
		defer sb.Close()
		sc := l.stream()
		defer sc.Close()
		carol := l.phone(natAddr, sc)
		sc.Agree(terms(carol, ulaw))

		alice.say(0, frame(0))
		first := bob.one()
		last := read(t, first)
		if !marked(first) {
			t.Error("the first packet has no marker")
		}
		next := func(got []byte, ticks uint32, marker bool, why string) {
			t.Helper()
			h := read(t, got)
			if h.ssrc != last.ssrc {
				t.Errorf("%s: SSRC %x, before %x", why, h.ssrc, last.ssrc)
			}
			if h.seq != last.seq+1 || h.ts != last.ts+ticks {
				t.Errorf("%s: sequence +%d, timestamp +%d; want +1, +%d", why, h.seq-last.seq, h.ts-last.ts, ticks)
			}
			if marked(got) != marker {
				t.Errorf("%s: marker %v", why, marked(got))
			}
			last = h
		}
		pause(20 * time.Millisecond)
		alice.say(0, frame(0))
		next(bob.one(), 160, false, "same source")

		pause(time.Second)
		alice.ssrc, alice.seq, alice.ts = 77, 100, 5000
		alice.say(0, frame(0))
		next(bob.one(), 8000, true, "new SSRC")

		pause(40 * time.Millisecond)
		if err := sc.Connect(sb); err != nil {
			t.Fatal(err)
		}
		alice.say(0, frame(0))
		bob.nothing()
		carol.say(0, frame(0))
		next(bob.one(), 320, true, "new peer")

		pause(20 * time.Millisecond)
		carol.ts += 1 << 30
		carol.say(0, frame(0))
		next(bob.one(), 160, true, "leap of the source's clock")

		// bob holds the call and comes back.
		held := terms(bob, ulaw, event)
		held.Send = false
		sb.Agree(held)
		for range 50 {
			pause(20 * time.Millisecond)
			carol.say(0, frame(0))
		}
		bob.nothing()
		sb.Agree(terms(bob, ulaw, event))
		pause(20 * time.Millisecond)
		carol.say(0, frame(0))
		next(bob.one(), 51*160, true, "after hold")

		// What is not passed on leaves no gap.
		sc.Agree(terms(carol, ulaw, event))
		sb.Agree(terms(bob, ulaw))
		pause(20 * time.Millisecond)
		carol.say(0, frame(0))
		next(bob.one(), 160, true, "new agreement")
		carol.say(101, []byte{1, 0, 0, 0})
		bob.nothing()
		carol.say(0, frame(0))
		next(bob.one(), 320, false, "after a dropped event")
		if n := l.engine.Stats().Dropped[Held]; n != 50 {
			t.Errorf("%d held, want 50", n)
		}
	})
}

func TestEventsKeepOneTimestamp(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		alice, bob, sa, sb := l.call([]Format{ulaw, event}, []Format{ulaw, event})
		defer sa.Close()
		defer sb.Close()
		alice.say(0, frame(0))
		audio := read(t, bob.one())
		begin := alice.ts
		var stamps []uint32
		for i := range 200 { // a key held for 4 s
			pause(20 * time.Millisecond)
			alice.send(packet(101, alice.seq, begin, alice.ssrc, []byte{5, 10, byte(i * 160 >> 8), byte(i * 160)}))
			alice.seq++
			stamps = append(stamps, read(t, bob.one()).ts)
		}
		for i, ts := range stamps {
			if ts != audio.ts+160 {
				t.Fatalf("packet %d of the event: timestamp +%d, want +160", i, ts-audio.ts)
			}
		}
		pause(20 * time.Millisecond)
		alice.ts = begin + 201*160
		alice.say(0, frame(0))
		if h := read(t, bob.one()); h.ts != audio.ts+202*160 || h.seq != audio.seq+201 {
			t.Errorf("after the event: timestamp +%d, sequence +%d", h.ts-audio.ts, h.seq-audio.seq)
		}
	})
}

func TestHold(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		alice, bob, sa, sb := l.call([]Format{ulaw}, []Format{ulaw})
		defer sa.Close()
		defer sb.Close()
		quiet := terms(alice, ulaw)
		quiet.Recv = false
		quiet.Source = natAddr
		sa.Agree(quiet)
		alice.say(0, frame(0))
		bob.nothing()
		bob.say(0, frame(0))
		alice.one()
		// The address is learned all the same.
		outside := l.phone(natAddr, sa)
		sa.Agree(terms(alice, ulaw)) // reset what was learned
		quiet.Source = natAddr
		sa.Agree(quiet)
		outside.say(0, frame(0))
		bob.nothing()
		bob.say(0, frame(0))
		outside.one()
		alice.nothing()
		if st := sa.Stats(); st.PacketsIn != 0 {
			t.Errorf("%d packets in", st.PacketsIn)
		}
	})
}

func TestEcho(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		defer s.Close()
		alice := l.phone(aliceAddr, s)
		s.Echo() // before anything is agreed
		s.Agree(terms(alice, Format{Codec: PCMA, SendPT: 100, RecvPT: 8}, event))
		alice.say(8, frame(9))
		got := alice.one()
		h := read(t, got)
		if h.pt != 100 || h.ssrc == alice.ssrc || !bytes.Equal(payload(t, got), frame(9)) {
			t.Errorf("echo %x", got)
		}
		s.Disconnect()
		alice.say(8, frame(9))
		alice.nothing()
	})
}

func TestRepeatedAgreementChangesMaps(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		alice, bob, sa, sb := l.call([]Format{ulaw}, []Format{ulaw})
		defer sa.Close()
		defer sb.Close()
		alice.say(0, frame(0))
		bob.one()
		sb.Agree(terms(bob, alaw))
		alice.say(0, frame(0))
		if h := read(t, bob.one()); h.pt != 8 {
			t.Errorf("payload type %d", h.pt)
		}
		sb.Close()
		alice.say(0, frame(0))
		bob.heard() // BYE is sent to the RTCP port, not here
		if n := l.engine.Stats().Dropped[Unconnected]; n != 1 {
			t.Errorf("%d packets to nobody, want 1", n)
		}
		if err := sa.Connect(sb); err != ErrClosed {
			t.Errorf("connect to a closed stream: %v", err)
		}
	})
}
