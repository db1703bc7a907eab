package media

import (
	"errors"
	"testing"
	"time"
)

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
