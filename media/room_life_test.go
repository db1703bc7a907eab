package media

import (
	"errors"
	"testing"
	"time"
)

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
