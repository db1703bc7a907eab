package media

import (
	"slices"
	"sync"
	"sync/atomic"

	"ringback/media/mix"
)

// room is a Room. Who is in it is changed with Engine.topology held; the goroutine of its clock mixes whoever was in it when
// the frame began, and a seat that was left sends nothing.
type room struct {
	place
	engine *Engine

	members atomic.Pointer[members]
	tap     atomic.Pointer[func([]int16)]
	frames  atomic.Uint64

	mu     sync.Mutex
	closed bool
	sounds []*announcement // the first is heard
	left   mix.Counts      // of those that have left

	mixer mix.Mixer // of the clock's goroutine
}

// members never change once stored.
type members struct {
	seats  []*seat
	inputs []*mix.Input
}

func newMembers(seats []*seat) *members {
	m := &members{seats: seats, inputs: make([]*mix.Input, len(seats))}
	for i, st := range seats {
		m.inputs[i] = &st.input
	}
	return m
}

func newRoom(e *Engine) *room {
	r := &room{engine: e}
	r.members.Store(newMembers(nil))
	e.topology.Lock()
	defer e.topology.Unlock()
	r.closed = !e.clocks.add(r, e.now())
	return r
}

// Join implements Room.
func (r *room) Join(p Port) error {
	s, ok := p.(*Stream)
	if !ok || s == nil || s.engine != r.engine {
		return ErrForeign
	}
	r.engine.topology.Lock()
	defer r.engine.topology.Unlock()
	switch formats := s.Formats(); {
	case s.isClosed() || r.isClosed():
		return ErrClosed
	case formats != nil && !hearsTones(formats):
		return ErrNoCommonCodec
	case r.seat(p) != nil:
		return nil
	}
	s.detach()
	st := &seat{room: r, stream: s}
	r.members.Store(newMembers(append(slices.Clip(r.members.Load().seats), st)))
	s.sit(st)
	return nil
}

// Leave implements Room.
func (r *room) Leave(p Port) {
	r.engine.topology.Lock()
	defer r.engine.topology.Unlock()
	if st := r.seat(p); st != nil {
		st.stream.detach()
	}
}

// remove forgets a seat that its stream has left.
func (r *room) remove(st *seat) {
	seats := slices.Clone(r.members.Load().seats)
	r.members.Store(newMembers(slices.DeleteFunc(seats, func(other *seat) bool { return other == st })))
	counts := st.counts()
	r.mu.Lock()
	r.left.Add(counts)
	r.mu.Unlock()
}

func (r *room) seat(p Port) *seat {
	for _, st := range r.members.Load().seats {
		if st.stream == p {
			return st
		}
	}
	return nil
}

// Mute implements Room.
func (r *room) Mute(p Port, muted bool) {
	if st := r.seat(p); st != nil {
		st.muted.Store(muted)
	}
}

// Level implements Room.
func (r *room) Level(p Port) Level {
	if st := r.seat(p); st != nil {
		return st.loudness()
	}
	return Level{DBm0: -127}
}

// Record implements Room.
func (r *room) Record(sink func(frame []int16)) {
	if sink == nil {
		r.tap.Store(nil)
		return
	}
	r.tap.Store(&sink)
}

// Stats implements Room.
func (r *room) Stats() RoomStats {
	r.mu.Lock()
	sum := r.left
	r.mu.Unlock()
	seats := r.members.Load().seats
	for _, st := range seats {
		sum.Add(st.counts())
	}
	return RoomStats{
		Members:   len(seats),
		Frames:    r.frames.Load(),
		Late:      sum.Late,
		Duplicate: sum.Duplicate,
		Excess:    sum.Excess / mix.Frame,
		Concealed: sum.Concealed / mix.Frame,
		Resets:    sum.Resets,
	}
}

// Close implements Room.
func (r *room) Close() {
	r.engine.topology.Lock()
	defer r.engine.topology.Unlock()
	r.mu.Lock()
	closed, sounds := r.closed, r.sounds
	r.closed, r.sounds = true, nil
	r.mu.Unlock()
	if closed {
		return
	}
	r.tap.Store(nil)
	r.clock.remove(r)
	for _, st := range r.members.Load().seats {
		st.stream.detach()
	}
	for _, a := range sounds {
		a.cut()
	}
}

func (r *room) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// frame mixes 20 ms that are due in a slot.
func (r *room) frame(slot int64, t *table) {
	defer r.engine.survive("mix")
	m := r.members.Load()
	due := slot * int64(slotTime)
	t.outlets = t.outlets[:0]
	for _, st := range m.seats {
		t.outlets = append(t.outlets, st.take(due))
	}
	r.mixer.Mix(m.inputs, r.sound(t.sound[:]))
	t.common = [len(t.common)]bool{}
	for i, st := range m.seats {
		st.tell()
		if out := t.outlets[i]; out.codec == mix.None {
			st.begun = false
		} else {
			st.send(r.encode(st, out.codec, t), out, t.packet[:], slot, &t.counters)
		}
	}
	if tap := r.tap.Load(); tap != nil {
		r.mixer.Common(t.low[:], nil)
		(*tap)(t.low[:])
	}
	r.frames.Add(1)
}

// encode makes what a member hears. Those who hear the same, in a codec without memory, have it made once.
func (r *room) encode(st *seat, codec mix.Codec, t *table) []byte {
	changed := st.encodes != codec
	st.encodes = codec
	if codec == mix.G722 {
		if changed {
			st.encoder.Reset()
		}
		high := t.high[:]
		if !r.mixer.For(&st.input, t.low[:], high) {
			high = nil
		}
		st.encoder.Encode(t.own[:], t.low[:], high)
		return t.own[:]
	}
	if r.mixer.Apart(&st.input) {
		r.mixer.For(&st.input, t.low[:], nil)
		encodeLaw(codec, t.own[:], t.low[:])
		return t.own[:]
	}
	if !t.common[codec] {
		t.common[codec] = true
		r.mixer.Common(t.low[:], nil)
		encodeLaw(codec, t.shared[codec][:], t.low[:])
	}
	return t.shared[codec][:]
}

func encodeLaw(codec mix.Codec, dst []byte, src []int16) {
	if codec == mix.ALaw {
		mix.EncodeALaw(dst, src)
	} else {
		mix.EncodeULaw(dst, src)
	}
}

func (st *seat) counts() mix.Counts {
	st.stream.mu.Lock()
	defer st.stream.mu.Unlock()
	return st.voice.Counts
}
