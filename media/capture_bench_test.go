package media

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What a channel costs in each 20 ms: a packet put into its buffer, and a frame taken of it. What the packet costs anyway is
// BenchmarkRelay.
func BenchmarkCapture(b *testing.B) {
	for _, f := range []Format{ulaw, alaw, wide} {
		b.Run(f.Name, func(b *testing.B) {
			const channels = 2
			e := benchEngine(b, Options{Listen: inMemory})
			samples := 0
			c := e.NewCapture(channels, func(frame []int16) { samples += len(frame) }).(*capture)
			c.clock.remove(c)
			speech := newCoder(f).encode(sounds()["speech"])
			var streams [channels]*Stream
			for i := range streams {
				streams[i] = must(b, e)
				streams[i].Agree(agreed(uint16(1000+2*i), f))
				if err := c.Hear(i, streams[i]); err != nil {
					b.Fatal(err)
				}
			}
			p, h, slot := packet(f.RecvPT, 0, 0, 1, make([]byte, 160)), new(header), int64(1<<20)
			i := uint32(0)
			b.ReportAllocs()
			for b.Loop() {
				now := slot * int64(slotTime)
				if !h.read(p) {
					b.Fatal("not read")
				}
				h.SequenceNumber, h.Timestamp = uint16(i), i*160
				copy(p[rtpHeaderLen:], speech[i%500*160:][:160])
				i++
				for _, s := range streams {
					s.mu.Lock()
					s.tapped(p, h, now)
					s.mu.Unlock()
				}
				slot += frameSlots
				c.frame(slot, nil)
			}
			if samples != int(i)*channels*FrameSamples {
				b.Fatalf("%d samples of %d frames", samples, i)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/channels, "ns/channel")
		})
	}
}

// A frame is made without allocating anything, whatever comes.
func TestCaptureDoesNotAllocate(t *testing.T) {
	e := benchEngine(t, Options{Listen: inMemory})
	c := e.NewCapture(3, func([]int16) {}).(*capture)
	c.clock.remove(c)
	s := must(t, e)
	s.Agree(agreed(1000, ulaw, wide, event))
	for i := range 2 {
		if err := c.Hear(i, s); err != nil {
			t.Fatal(err)
		}
	}
	buf, h, slot, from := make([]byte, 200), new(header), int64(1<<20), netip.AddrPortFrom(loopback, 1000)
	p := packet(0, 0, 0, 1, make([]byte, 160))
	i := uint32(0)
	if n := testing.AllocsPerRun(200, func() {
		b := buf[:copy(buf, p)]
		b[1] = []byte{0, 0, 9, 101}[i%20/5]
		b[2], b[3], b[6], b[7] = byte(i>>8), byte(i), byte(i*160>>8), byte(i*160)
		if i++; i%7 == 0 {
			i += 3
		}
		s.arrived(b, false, from, slot*int64(slotTime), h, &e.counters)
		slot += frameSlots
		c.frame(slot, nil)
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// Captures, rooms, calls and streams begin, change and end in any order while packets come; nothing is left of any of them.
func TestCaptureStorm(t *testing.T) {
	e := benchEngine(t, Options{Listen: inMemory})
	var streams [8]atomic.Pointer[Stream]
	for i := range streams {
		s := must(t, e)
		s.Agree(agreed(uint16(1000+2*i), ulaw, event))
		streams[i].Store(s)
	}
	room := e.NewRoom()
	var captures [4]atomic.Pointer[Capture]
	var frames atomic.Int64
	capture := func() *Capture {
		c := e.NewCapture(3, func(frame []int16) { frames.Add(int64(len(frame))) })
		return &c
	}
	for i := range captures {
		captures[i].Store(capture())
	}
	var wg sync.WaitGroup
	stop := time.Now().Add(500 * time.Millisecond)
	for g := range 6 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(g), 11))
			buf, h := make([]byte, 200), new(header)
			p := packet(0, 0, 0, uint32(g), make([]byte, 160))
			for n := 0; n < 60000 && time.Now().Before(stop); n++ {
				k, i := rnd.IntN(len(streams)), rnd.IntN(len(captures))
				at, c := &streams[k], &captures[i]
				s := at.Load()
				switch rnd.IntN(40) {
				case 0, 1, 2:
					(*c.Load()).Hear(rnd.IntN(4), s)
				case 3:
					(*c.Load()).Hear(rnd.IntN(3), nil)
				case 4:
					old, fresh := c.Load(), capture()
					if c.CompareAndSwap(old, fresh) {
						(*old).Close()
					} else {
						(*fresh).Close()
					}
				case 5:
					if rnd.IntN(5) == 0 {
						s.Close()
						if fresh, err := e.Open(StreamOptions{}); err == nil && !at.CompareAndSwap(s, fresh) {
							fresh.Close()
						}
					}
				case 6:
					room.Join(s)
				case 7:
					s.Connect(streams[rnd.IntN(len(streams))].Load())
				case 8:
					f := []Format{ulaw, alaw, wide, opus}[rnd.IntN(4)]
					a := agreed(uint16(1000+2*k), f, event)
					a.Recv = rnd.IntN(4) > 0
					s.Agree(a)
				case 9:
					s.Echo()
				case 10:
					s.Disconnect()
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
	for i := range captures {
		(*captures[i].Load()).Close()
	}
	for i := range streams {
		s := streams[i].Load()
		if s.taps != nil {
			t.Error("a tap is left")
		}
		s.Close()
	}
	room.Close()
	for _, c := range e.clocks.all {
		if n := len(c.all()); n != 0 {
			t.Errorf("%d captures are left", n)
		}
	}
	if err := e.Leaks(); err != nil {
		t.Error(err)
	}
	if n := e.Stats().Panics; n != 0 {
		t.Errorf("%d panics", n)
	}
	if n := frames.Load(); n%(3*FrameSamples) != 0 {
		t.Errorf("%d samples are no whole frames", n)
	}
}
