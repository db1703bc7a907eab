package media

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Everybody comes, goes, is muted, held, closed, connected and played to as it happens.
func TestRoomStorm(t *testing.T) {
	e := benchEngine(t, Options{Listen: inMemory})
	var streams [12]atomic.Pointer[Stream]
	for i := range streams {
		s := must(t, e)
		s.Agree(agreed(uint16(1000+2*i), ulaw, event))
		streams[i].Store(s)
	}
	var rooms [3]atomic.Pointer[Room]
	for i := range rooms {
		r := e.NewRoom()
		rooms[i].Store(&r)
	}
	var begun, ended atomic.Int64
	var wg sync.WaitGroup
	stop := time.Now().Add(700 * time.Millisecond)
	for g := range 6 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(g), 9))
			buf, h := make([]byte, 200), new(header)
			p := packet(0, 0, 0, uint32(g), make([]byte, 160))
			for n := 0; n < 60000 && time.Now().Before(stop); n++ {
				k := rnd.IntN(len(streams))
				at, room := &streams[k], &rooms[rnd.IntN(len(rooms))]
				s, r := at.Load(), *room.Load()
				done := func(bool) { ended.Add(1) }
				switch rnd.IntN(40) {
				case 0:
					r.Join(s)
				case 1:
					r.Leave(s)
				case 2:
					r.Mute(s, rnd.IntN(2) == 0)
				case 3:
					begun.Add(1)
					s.Play(&tune{hz: 500, peak: 100, frames: rnd.IntN(5)}, done)
				case 4:
					begun.Add(1)
					r.Play(&tune{hz: 500, peak: 100, frames: rnd.IntN(5)}, done)
				case 5:
					if rnd.IntN(10) == 0 {
						s.Close()
						fresh, err := e.Open(StreamOptions{})
						if err == nil && !at.CompareAndSwap(s, fresh) {
							fresh.Close()
						}
					}
				case 6:
					if rnd.IntN(10) == 0 {
						r.Close()
						fresh := e.NewRoom()
						if old := room.Load(); *old != r || !room.CompareAndSwap(old, &fresh) {
							fresh.Close()
						}
					}
				case 7:
					s.Connect(streams[rnd.IntN(len(streams))].Load())
				case 8:
					f := []Format{ulaw, alaw, wide, fmtOf(Codec{Name: "opus", ClockRate: 48000}, 111)}[rnd.IntN(4)]
					a := agreed(uint16(1000+2*k), f, event)
					a.Send, a.Recv = rnd.IntN(4) > 0, rnd.IntN(4) > 0
					s.Agree(a)
				case 9:
					r.Level(s)
					r.Stats()
					e.Stats()
				case 10:
					r.Record(func([]int16) {})
				default:
					b := buf[:copy(buf, p)]
					b[1] = []byte{0, 8, 9, 101}[rnd.IntN(4)]
					b[2], b[3], b[5], b[6] = byte(n>>8), byte(n), byte(rnd.IntN(3)), byte(n)
					s.arrived(b, false, agreed(uint16(1000+2*k)).Remote, e.now(), h, &e.counters)
				}
			}
		})
	}
	wg.Wait()
	for i := range rooms {
		(*rooms[i].Load()).Close()
	}
	for i := range streams {
		streams[i].Load().Close()
	}
	if err := e.Leaks(); err != nil {
		t.Error(err)
	}
	for _, c := range e.clocks.all {
		if n := len(c.all()); n != 0 {
			t.Errorf("%d rooms are left", n)
		}
	}
	e.Close()
	for range 1000 { // what ends a sound runs by itself
		if begun.Load() == ended.Load() {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if begun.Load() != ended.Load() {
		t.Errorf("%d sounds begun, %d ended", begun.Load(), ended.Load())
	}
	if n := e.Stats().Panics; n != 0 {
		t.Errorf("%d panics", n)
	}
}
