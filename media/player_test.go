package media

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// 1,000 at once, begun at any time: each hears each packet when it is due.
func TestPlayToMany(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		const streams, frames = 1000, 50
		conn := l.phone(aliceAddr, l.stream())
		var late atomic.Int64
		count := make(map[uint32]int)
		dues := make(map[uint32]time.Time)
		conn.inbox = nil
		c := &listener{inner: conn.conn, heard: func(b []byte) {
			h := read(t, b)
			if due, ok := dues[h.ssrc]; ok && !due.Equal(time.Now()) {
				late.Add(1)
			}
			count[h.ssrc]++
			dues[h.ssrc] = time.Now().Add(20 * time.Millisecond)
		}}
		conn.conn.Close()
		again, err := l.net.ListenPacket(conn.at)
		if err != nil {
			t.Fatal(err)
		}
		c.inner = again
		go c.read()
		for _, s := range l.engine.ports.open() {
			s.Close()
		}
		all := make([]*Stream, streams)
		for i := range all {
			all[i] = l.stream()
			all[i].Agree(terms(conn, ulaw))
			all[i].Play(&ramp{t: t, frames: frames}, nil)
			pause(137 * time.Microsecond)
		}
		pause(2 * time.Second)
		synctest.Wait()
		for _, s := range all {
			if n := count[s.tx.ssrc]; n != frames {
				t.Errorf("%d frames", n)
			}
			s.Close()
		}
		if n := late.Load(); n != 0 {
			t.Errorf("%d frames were late", n)
		}
	})
}

// listener hears what comes to a socket.
type listener struct {
	inner PacketConn
	heard func([]byte)
}

func (c *listener) read() {
	b := make([]byte, 1500)
	for {
		n, _, err := c.inner.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		c.heard(b[:n])
	}
}

// While nothing is played nothing ticks: the goroutine has nothing to wait for.
func TestPlayerSleeps(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		defer s.Close()
		idle := func(why string) {
			t.Helper()
			if due, _, wait := l.engine.player.take(l.engine.now()); due != nil || wait >= 0 {
				t.Errorf("%s: waits for %v", why, wait)
			}
		}
		idle("nothing was played")
		s.Agree(terms(l.phone(aliceAddr, s), ulaw))
		s.Play(&ramp{t: t, frames: 10}, nil)
		pause(time.Second)
		idle("it has ended")
		s.Play(&ramp{t: t, frames: -1}, nil)
		pause(time.Second)
		s.Disconnect()
		pause(maxPTime)
		idle("it was cut short")
	})
}

// A machine that stood still catches up with a little, and leaves the rest out.
func TestPlayerCatchesUp(t *testing.T) {
	const slot = int64(slotTime)
	for _, still := range []int64{0, 1, 3, 15, 16, 17, 100, 12345} {
		w := &player{wake: make(chan struct{}, 1)}
		now := 1000*slot + 1
		all := make([]*playing, 4)
		for i := range all {
			all[i] = &playing{}
			w.add(all[i], now)
			now += slot
		}
		round := func() (n int) {
			for {
				p, at, wait := w.take(now)
				if p == nil {
					if wait <= 0 || wait > slotCount*slotTime {
						t.Fatalf("waits for %v", wait)
					}
					return n
				}
				if at*slot > now || now-at*slot >= (slotCount+1)*slot {
					t.Fatalf("slot %d at %d", at, now/slot)
				}
				for p != nil {
					q := p
					p = p.next
					n++
					w.again(q, at+4)
				}
			}
		}
		round()
		now += still * slot
		want := still
		if still > slotCount {
			want = still % slotCount
		}
		if n := round(); int64(n) != want {
			t.Errorf("after %d slots %d packets, want %d", still, n, want)
		}
		for range 100 {
			now += slot
			if n := round(); n != 1 {
				t.Fatalf("%d slots stood still, and then %d packets in one", still, n)
			}
		}
	}
}

// A gap in time is a gap in timestamps, and a new talk spurt.
func TestPlayAfterAGap(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		defer s.Close()
		alice := l.phone(aliceAddr, s)
		s.Agree(terms(alice, ulaw))
		s.Play(&ramp{t: t, frames: -1, stall: slotTime * slotCount * 10}, nil)
		heard := line{t: t}
		pause(slotTime)
		heard.follows(alice.one(), 0, 160, true, "first")
		pause(slotTime*8 + slotTime*slotCount*10)
		got := alice.heard()
		heard.follows(got[0], 0, 160, false, "late")
		heard.follows(got[1], 0, 160+slotTicks(slotCount*10), true, "after the gap")
		for _, b := range got[2:] {
			heard.follows(b, 0, 160, false, "after the gap")
		}
		if len(got) != 2 {
			t.Errorf("%d packets", len(got))
		}
	})
}

// What one leg costs for each frame, without the send and the making of the sound itself.
func benchmarkPlay(b *testing.B, f Format, sound Sound) {
	e := benchEngine(b, Options{Listen: inMemory})
	s := must(b, e)
	s.Agree(agreed(1000, f))
	p := &playing{stream: s, sound: sound}
	if !s.begin(p) {
		b.Fatal("not begun")
	}
	b.ReportAllocs()
	slot, pacer := int64(0), new(Engine) // without the goroutine that would go on with it
	for b.Loop() {
		pacer.step(p, slot)
		slot += 4
		pacer.player.slots[slot%slotCount] = nil
	}
	if s.Stats().PacketsOut != uint64(b.N) {
		b.Fatalf("%d of %d", s.Stats().PacketsOut, b.N)
	}
}

// hum is a sound that costs nothing to make but is not silent.
type hum struct{}

func (hum) Frame(dst []int16) bool {
	for i := range dst {
		dst[i] = int16(i * 100)
	}
	return true
}

func BenchmarkPlayULaw(b *testing.B) { benchmarkPlay(b, ulaw, hum{}) }
func BenchmarkPlayALaw(b *testing.B) { benchmarkPlay(b, alaw, hum{}) }

func TestPlayDoesNotAllocate(t *testing.T) {
	e := benchEngine(t, Options{Listen: inMemory})
	s := must(t, e)
	s.Agree(agreed(1000, ulaw))
	p := &playing{stream: s, sound: hum{}}
	s.begin(p)
	slot, pacer := int64(0), new(Engine) // without the goroutine that would go on with it
	n := testing.AllocsPerRun(1000, func() {
		pacer.step(p, slot)
		slot += 4
		pacer.player.slots[slot%slotCount] = nil
	})
	if n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
	if sent := s.Stats().PacketsOut; sent != uint64(slot/4) {
		t.Errorf("%d of %d packets sent", sent, slot/4)
	}
}
