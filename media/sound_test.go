package media

import (
	"bytes"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"github.com/zaf/g711"
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
