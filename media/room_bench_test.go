package media

import (
	"encoding/binary"
	"math"
	"net/netip"
	"runtime"
	"testing"

	"ringback/media/mix"
)

// benchRoom is a room without a clock: its members talk and hear when the benchmark says so.
type benchRoom struct {
	e       *Engine
	r       *room
	streams []*Stream
	packets [][]byte
	buf     []byte
	h       header
	table   table
	slot    int64
	i       uint32
}

func newBenchRoom(tb testing.TB, e *Engine, members int, formats ...Format) *benchRoom {
	x := &benchRoom{e: e, r: e.NewRoom().(*room), buf: make([]byte, 1500), slot: 1 << 20}
	x.r.clock.remove(x.r)
	for i := range members {
		s, f := must(tb, e), formats[i%len(formats)]
		s.Agree(agreed(uint16(1000+2*i), f))
		if err := x.r.Join(s); err != nil {
			tb.Fatal(err)
		}
		linear, octets := make([]int16, 160), make([]byte, 160)
		for k := range linear {
			linear[k] = int16(3000 * math.Sin(2*math.Pi*float64(400+100*i%3000)*float64(k)/8000))
		}
		mix.EncodeULaw(octets, linear)
		x.streams = append(x.streams, s)
		x.packets = append(x.packets, packet(f.RecvPT, 0, 0, uint32(i), octets))
	}
	return x
}

// frame is 20 ms: a packet of each that talks, and one to each.
func (x *benchRoom) frame(talking int) {
	x.i++
	now := x.slot * int64(slotTime)
	for k, s := range x.streams[:talking] {
		b := x.buf[:copy(x.buf, x.packets[k])]
		b[2], b[3] = byte(x.i>>8), byte(x.i)
		ts := x.i * 160
		b[4], b[5], b[6], b[7] = byte(ts>>24), byte(ts>>16), byte(ts>>8), byte(ts)
		s.arrived(b, false, netip.AddrPortFrom(loopback, uint16(1000+2*k)), now, &x.h, &x.e.counters)
	}
	x.slot += frameSlots
	x.r.frame(x.slot, &x.table)
}

// What a participant costs in each 20 ms, without the kernel: its packet taken, decoded, mixed, and one encoded.
func BenchmarkRoom(b *testing.B) {
	for _, c := range []struct {
		name             string
		members, talking int
		formats          []Format
	}{
		{"3", 3, 3, []Format{ulaw}},
		{"3 A-law", 3, 3, []Format{alaw}},
		{"3 G722", 3, 3, []Format{wide}},
		{"10", 10, 10, []Format{ulaw, alaw}},
		{"100 of whom 3 talk", 100, 3, []Format{ulaw}},
	} {
		b.Run(c.name, func(b *testing.B) {
			e := benchEngine(b, Options{Listen: inMemory})
			x := newBenchRoom(b, e, c.members, c.formats...)
			for range 10 {
				x.frame(c.talking)
			}
			b.ReportAllocs()
			for b.Loop() {
				x.frame(c.talking)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(c.members), "ns/participant")
		})
	}
}

// On the system's sockets, one frame after the other: a packet from each participant by loopback, and one to each. What the phones'
// own calls cost is included.
func BenchmarkRoomSockets(b *testing.B) {
	const members = 30
	e := benchEngine(b, Options{Loops: 1})
	conn := listenUDP(b, loopback)
	var rooms []*room
	var streams []*Stream
	for i := range members {
		if i%3 == 0 {
			r := e.NewRoom().(*room)
			r.clock.remove(r)
			rooms = append(rooms, r)
		}
		s := must(b, e)
		s.Agree(agreed(port(conn), ulaw))
		if err := rooms[len(rooms)-1].Join(s); err != nil {
			b.Fatal(err)
		}
		streams = append(streams, s)
	}
	p, buf, t := packet(0, 0, 0, 1, make([]byte, 160)), make([]byte, 1500), new(table)
	b.ReportAllocs()
	i, slot := uint32(0), int64(1<<20)
	for b.Loop() {
		i++
		binary.BigEndian.PutUint16(p[2:], uint16(i))
		binary.BigEndian.PutUint32(p[4:], i*160)
		for _, s := range streams {
			conn.WriteToUDPAddrPort(p, s.LocalRTP())
		}
		for _, s := range streams {
			for !came(s, uint64(i)) {
				runtime.Gosched()
			}
		}
		slot += frameSlots
		for _, r := range rooms {
			r.frame(slot, t)
		}
		for range members {
			conn.ReadFromUDPAddrPort(buf)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/members, "ns/participant")
}

func came(s *Stream, packets uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rx.packets >= packets
}
