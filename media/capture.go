package media

import (
	"fmt"
	"sync/atomic"
)

// Capture takes what phones say, each in a channel of its own, in step: 20 ms of all of them at a time. All methods may be called
// from any goroutine, and none of them blocks; after Close they do nothing.
type Capture interface {
	// Hear has a channel, from 0, take what p's phone says from now on instead of what it took before, whoever else hears the
	// phone; nil: silence. It fails with ErrForeign if p is not a stream of the same engine, ErrClosed if it or the capture is closed,
	// ErrChannel if there is no such channel; then the channel stays as it was. Who is heard already goes on without a gap.
	// While p has no Agreement, or sends what is not Linear, the channel is silent. One port may be heard by several captures.
	Hear(channel int, p Port) error
	// Undecoded names a codec in which the phone of a channel has spoken and that is not Linear, so that this is not in what was taken; ""
	// if there was none, or no such channel. It may be asked after Close.
	Undecoded(channel int) string
	// Close ends it. A call of the sink that has begun may still run when Close returns.
	Close()
}

// NewCapture opens a capture whose channels are silent. Each 20 ms, until Close or the end of the engine, sink is called with
// FrameSamples of each channel, interleaved as in a WAV file, 16-bit linear at 8 kHz, one call after the other. It must not
// block, nor keep the slice.
//
// Time is not lost: where the machine stood still, up to a second of it is silence in the place of what was missed.
//
// A channel is what a member of a Room would be heard with: put in order and in time by a jitter buffer, with what was lost made up
// for, of G.722 the lower band. What a phone does not send is silence, and so is one on hold; keys that come as events are not in it.
func (e *Engine) NewCapture(channels int, sink func(frame []int16)) Capture {
	channels = max(channels, 0)
	c := &capture{engine: e, sink: sink, channels: make([]atomic.Pointer[tap], channels), undecoded: make([]atomic.Pointer[string], channels), sound: make([]int16, channels*FrameSamples)}
	e.topology.Lock()
	defer e.topology.Unlock()
	c.closed.Store(!e.clocks.add(c, e.now()))
	return c
}

// capture is a Capture. Its channels are changed with Engine.topology held; the goroutine of its clock reads them.
type capture struct {
	place
	engine    *Engine
	sink      func([]int16)
	closed    atomic.Bool // written with Engine.topology held
	channels  []atomic.Pointer[tap]
	undecoded []atomic.Pointer[string]

	// Of the clock's goroutine.
	sound []int16
	last  int64 // slot of the frame before; 0: there was none
}

// mostMissed is how many frames that the clock has skipped are made up for at a time: whoever writes them behind our back has room for
// no more.
const mostMissed = 50

// tap is a channel that hears a stream, whose lock guards it.
type tap struct {
	intake
	stream    *Stream
	next      *tap                    // of the same stream
	undecoded *atomic.Pointer[string] // of its channel
}

// Hear implements Capture.
func (c *capture) Hear(channel int, p Port) error {
	s, ok := p.(*Stream)
	if p != nil && (!ok || s == nil || s.engine != c.engine) {
		return ErrForeign
	}
	c.engine.topology.Lock()
	defer c.engine.topology.Unlock()
	switch {
	case c.closed.Load() || s != nil && s.isClosed():
		return ErrClosed
	case channel < 0 || channel >= len(c.channels):
		return fmt.Errorf("%w %d", ErrChannel, channel)
	}
	at := &c.channels[channel]
	before := at.Load()
	if before != nil && before.stream == s {
		return nil
	}
	var now *tap
	if s != nil {
		now = &tap{stream: s, undecoded: &c.undecoded[channel]}
		now.voice.Narrow()
		s.open(now)
	}
	at.Store(now)
	before.close()
	return nil
}

// Undecoded implements Capture.
func (c *capture) Undecoded(channel int) string {
	if channel >= 0 && channel < len(c.undecoded) {
		if name := c.undecoded[channel].Load(); name != nil {
			return *name
		}
	}
	return ""
}

// Close implements Capture.
func (c *capture) Close() {
	c.engine.topology.Lock()
	defer c.engine.topology.Unlock()
	if c.closed.Swap(true) {
		return
	}
	c.clock.remove(c)
	for i := range c.channels {
		c.channels[i].Swap(nil).close()
	}
}

// frame gives the sink 20 ms that are due in a slot.
func (c *capture) frame(slot int64, _ *table) {
	defer c.engine.survive("capture")
	c.missed(slot)
	for i := range c.channels {
		at := &c.channels[i]
		if t := at.Load(); t == nil {
			c.fill(i, nil)
		} else if !c.take(i, t, slot*int64(slotTime)) {
			at.CompareAndSwap(t, nil)
		}
	}
	if !c.closed.Load() {
		c.sink(c.sound)
	}
}

// missed gives the sink silence for the frames that the clock has skipped (see clock.take).
func (c *capture) missed(slot int64) {
	skipped := int64(0)
	if c.last > 0 {
		skipped = min((slot-c.last)/frameSlots-1, mostMissed)
	}
	c.last = slot
	if skipped > 0 {
		clear(c.sound)
	}
	for ; skipped > 0 && !c.closed.Load(); skipped-- {
		c.sink(c.sound)
	}
}

// take has a channel take what is due of a tap. It reports false once the stream is closed.
func (c *capture) take(channel int, t *tap, due int64) bool {
	t.stream.mu.Lock()
	defer t.stream.mu.Unlock()
	if t.stream.closed {
		c.fill(channel, nil)
		return false
	}
	low, _ := t.voice.Take(due)
	c.fill(channel, low)
	return true
}

// fill puts 20 ms into a channel; nil is silence.
func (c *capture) fill(channel int, low []int16) {
	step, sound := len(c.channels), c.sound[channel:]
	if low == nil {
		for i := 0; i < len(sound); i += step {
			sound[i] = 0
		}
		return
	}
	for _, v := range low[:FrameSamples-1] {
		sound[0] = v
		sound = sound[step:]
	}
	sound[0] = low[FrameSamples-1]
}

// open has a tap take what the phone says from now on.
func (s *Stream) open(t *tap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.next, s.taps = s.taps, t
}

// close has its stream forget a tap; nil is none.
func (t *tap) close() {
	if t == nil {
		return
	}
	s := t.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	for at := &s.taps; *at != nil; at = &(*at).next {
		if *at == t {
			*at = t.next
			return
		}
	}
}

// tapped gives a packet that was admitted to whoever captures. The lock is held.
func (s *Stream) tapped(b []byte, h *header, now int64) {
	for t := s.taps; t != nil; t = t.next {
		if f := t.put(s.terms.Formats, b[h.payload:h.end], h, s.rx.epoch, now); f != nil && t.undecoded.Load() == nil {
			name := f.Name
			t.undecoded.Store(&name)
		}
	}
}
