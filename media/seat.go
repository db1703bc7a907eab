package media

import (
	"math"
	"sync/atomic"
	"time"

	"ringback/media/g722"
	"ringback/media/mix"
)

// seat is a stream's place in a room.
type seat struct {
	room   *room
	stream *Stream
	muted  atomic.Bool
	turned atomic.Bool   // see Stream.turnsBack
	level  atomic.Uint32 // of mix.Input, as bits of a float32; the lowest says whether it is speaking

	// What the stream's lock guards.
	intake
	out outlet

	// What belongs to the goroutine that mixes.
	input   mix.Input
	encoder g722.Encoder
	encodes mix.Codec // what was encoded last
	queue   [2 * len(player{}.linear)]byte
	queued  int    // octets that wait for their packet to be full
	ts      uint32 // of the first of them
	slot    int64  // of the next frame, if none is left out
	begun   bool   // a packet was sent, and nothing else after it
}

// outlet is how a member is sent the mix.
type outlet struct {
	codec   mix.Codec // None: not at all
	pt      uint8
	samples int // of a packet
}

func (c Codec) mixed() mix.Codec {
	switch {
	case c.Same(PCMU):
		return mix.ULaw
	case c.Same(PCMA):
		return mix.ALaw
	case c.Same(G722):
		return mix.G722
	default:
		return mix.None
	}
}

// newOutlet takes the first format that can be mixed.
func newOutlet(a *Agreement) outlet {
	for _, f := range a.Formats {
		if c := f.mixed(); c != mix.None && f.SendPT <= 127 {
			return outlet{c, f.SendPT, packetSamples(a.PTime)}
		}
	}
	return outlet{}
}

// packetSamples is the phone's packet time if it is one of 10, 20 … 60 ms, else 20 ms.
func packetSamples(ptime time.Duration) int {
	if ptime >= 10*time.Millisecond && ptime <= maxPTime && ptime%(10*time.Millisecond) == 0 {
		return int(ptime / (10 * time.Millisecond) * 80)
	}
	return FrameSamples
}

// loudness is for Room.Level.
func (st *seat) loudness() Level {
	bits := st.level.Load()
	return Level{DBm0: mix.DBm0(float64(math.Float32frombits(bits &^ 1))), Speaking: bits&1 == 1}
}

// sit has a stream's packets taken, and sent, by a seat. It is called with Engine.topology held.
func (s *Stream) sit(st *seat) {
	st.turned.Store(s.turnsBack())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seat = st
	if s.agreed {
		st.out = newOutlet(&s.terms)
	}
}

// rise takes a stream out of its room. It is called with Engine.topology held.
func (s *Stream) rise() {
	s.mu.Lock()
	st := s.seat
	s.seat = nil
	s.mu.Unlock()
	if st != nil {
		st.room.remove(st)
	}
}

// mixes gives a packet to the room, if the stream is in one. Keys are not heard there.
func (s *Stream) mixes(b []byte, h *header, epoch uint32, now int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.seat
	if st == nil {
		return false
	}
	st.put(s.terms.Formats, b[h.payload:h.end], h, epoch, now)
	return true
}

// take has the member say what is due. It says how it hears.
func (st *seat) take(due int64) outlet {
	s := st.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seat != st || s.closed {
		st.input.Set(nil, nil)
		return outlet{}
	}
	st.input.Muted, st.input.Turned = st.muted.Load(), st.turned.Load()
	st.input.Set(st.voice.Take(due))
	if s.playing != nil || s.hushed || !s.maySend {
		return outlet{}
	}
	return st.out
}

// tell notes the level for whoever asks.
func (st *seat) tell() {
	bits := math.Float32bits(float32(st.input.Level())) &^ 1
	if st.input.Speaking() {
		bits |= 1
	}
	if st.level.Load() != bits {
		st.level.Store(bits)
	}
}

// send sends what the member hears from a slot on, as out says. b is room for a packet.
func (st *seat) send(octets []byte, out outlet, b []byte, slot int64, c *counters) {
	s := st.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seat != st || s.closed || s.playing != nil || s.hushed || !s.maySend || st.out != out {
		st.begun = false
		return
	}
	at := slot * int64(slotTime)
	spurt := !st.begun || slot != st.slot
	if spurt {
		st.begun, st.queued, st.ts = true, 0, s.tx.next(at, soundRate)
	}
	st.slot = slot + slotsOf(len(octets))
	st.queued += copy(st.queue[st.queued:], octets)
	sent := 0
	for ; st.queued-sent >= out.samples; sent += out.samples {
		b := b[:rtpHeaderLen+out.samples]
		copy(b[rtpHeaderLen:], st.queue[sent:])
		s.tx.speak(b, out.pt, spurt, st.ts, at)
		st.ts += uint32(out.samples)
		spurt = false
		if !s.socket.send(b, &s.to) {
			c.drop(Unsent)
			continue
		}
		s.tx.packets++
		s.tx.octets += uint64(out.samples)
		c.out()
	}
	st.queued = copy(st.queue[:], st.queue[sent:st.queued])
}
