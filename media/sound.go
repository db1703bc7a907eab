package media

import (
	"encoding/binary"
	"sync/atomic"

	"ringback/media/g722"
	"ringback/media/mix"
)

// FrameSamples is 20 ms of linear sound at 8 kHz.
const FrameSamples = 160

// Sound is sound that the PBX makes itself: a tone, a prompt, music. One goroutine at a time reads it, and nobody does once
// the function given to Play was called.
type Sound interface {
	// Frame fills dst, FrameSamples long, with the next 20 ms, 16-bit linear at 8 kHz. It reports false, and leaves dst
	// alone, once there is no more. It must not block.
	Frame(dst []int16) bool
}

// Wideband is a Sound that has more in it than is heard at 8 kHz. A phone whose codec is G.722 when the sound begins is played
// Wide, any other one Frame, and through the life of a Play only one of the two is called: after a change of codec in the midst a sound
// that is read wide goes on to be heard, without its upper half where the codec has none.
type Wideband interface {
	Sound
	// Wide fills dst, 2*FrameSamples long, with the next 20 ms, 16-bit linear at 16 kHz. Otherwise it is as Frame.
	Wide(dst []int16) bool
}

// Play implements Port. What the phone heard before ends also where nothing can be played. On hold nothing is sent, but
// the sound goes on in time; an Agreement without a codec that can be made from linear sound cuts it short.
func (s *Stream) Play(sound Sound, done func(whole bool)) {
	p := &playing{stream: s, sound: sound, done: done}
	s.engine.topology.Lock()
	if s.seat == nil {
		s.detach()
	} else {
		s.hush()
	}
	began := s.begin(p)
	s.engine.topology.Unlock()
	if !began {
		p.cut()
		return
	}
	s.engine.player.add(p, s.engine.now())
}

// playing is a sound on its way to a phone. What has no guard named belongs to the goroutine of the player.
type playing struct {
	stream *Stream
	sound  Sound
	typing bool // instead of a sound: what is typed to the stream
	done   func(whole bool)
	state  atomic.Uint32
	next   *playing // in the player's slot

	frame   [FrameSamples]int16
	upper   *upper // nil: it is read at 8 kHz
	left    int    // samples of frame that were not sent yet
	samples int    // of the next packet; 0 before the first Agreement

	begun bool   // a packet was sent
	base  uint32 // timestamp of slot 0
	due   int64  // slot of the next packet, if none is left out
}

// upper is what a sound has above 4 kHz.
type upper struct {
	sound Wideband
	split g722.Analysis
	whole [2 * FrameSamples]int16
	frame [FrameSamples]int16 // that of playing is the lower band
}

// agree is told how the phone is to be played what begins.
func (p *playing) agree(v *voice) {
	p.samples = v.samples
	if w, ok := p.sound.(Wideband); ok && v.codec == mix.G722 {
		p.upper = &upper{sound: w}
	}
}

// The states of a playing. Who takes it to over calls done; if it is being read just then, the player does.
const (
	resting uint32 = iota
	reading
	over
)

// cut ends it from any goroutine, with any lock. A second time it does nothing.
func (p *playing) cut() {
	if p.state.Swap(over) == resting {
		p.tell(false)
	}
}

func (p *playing) tell(whole bool) {
	if p.done != nil {
		go func() {
			defer p.stream.engine.survive("end of a sound")
			p.done(whole)
		}()
	}
}

// read fills low, and where there is one the upper band, with what comes next, and with silence after the end. It reports false if
// there was nothing more.
func (p *playing) read(low, high []int16) bool {
	n := 0
	for n < len(low) {
		if p.left == 0 {
			if !p.fill() {
				break
			}
			p.left = FrameSamples
		}
		from := FrameSamples - p.left
		if p.upper != nil {
			copy(high[n:], p.upper.frame[from:])
		}
		copied := copy(low[n:], p.frame[from:])
		p.left -= copied
		n += copied
	}
	clear(low[n:])
	clear(high[n:])
	return n > 0
}

// fill reads 20 ms.
func (p *playing) fill() bool {
	u := p.upper
	if u == nil {
		return p.sound.Frame(p.frame[:])
	}
	if !u.sound.Wide(u.whole[:]) {
		return false
	}
	u.split.Split(p.frame[:], u.frame[:], u.whole[:])
	return true
}

// voice is how a stream sends what the PBX makes itself: linear sound, and keys.
type voice struct {
	codec     mix.Codec // None: no sound
	pt        uint8
	samples   int // of a packet
	eventPT   uint8
	eventRate uint32 // Hz; 0: no keys as events (RFC 4733)
}

// newVoice takes the first format that can be made from linear sound.
func newVoice(a *Agreement) voice {
	out := newOutlet(a)
	v := voice{codec: out.codec, pt: out.pt, samples: packetSamples(a.PTime)}
	rate := soundOf(a.Formats).ClockRate
	for _, f := range a.Formats {
		if f.IsEvent() && f.SendPT <= 127 && (v.eventRate == 0 || v.eventRate != rate && f.ClockRate == rate) {
			v.eventPT, v.eventRate = f.SendPT, f.ClockRate
		}
	}
	return v
}

// soundOf is the first format that carries a voice, the zero Format if none does.
func soundOf(formats []Format) Format {
	for _, f := range formats {
		if !f.IsEvent() && !f.IsComfortNoise() {
			return f
		}
	}
	return Format{}
}

// encode makes a payload of sound at 8 kHz, as many octets as samples. The lock is held.
func (s *Stream) encode(payload []byte, linear []int16) {
	switch s.voice.codec {
	case mix.ULaw:
		mix.EncodeULaw(payload, linear)
	case mix.ALaw:
		mix.EncodeALaw(payload, linear)
	case mix.G722:
		s.wideband().Encode(payload, linear, nil)
	}
}

// wideband is the encoder of all that is made for the phone in G.722 but a room's mix: it lasts as long as the phone's decoder,
// which has to be in step with it. The lock is held.
func (s *Stream) wideband() *g722.Encoder {
	if s.encoder == nil {
		s.encoder = g722.NewEncoder()
	}
	return s.encoder
}

// begin reports whether p can be played, now or once something is agreed.
func (s *Stream) begin(p *playing) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.agreed && s.voice.codec == mix.None {
		return false
	}
	s.playing = p
	if s.agreed {
		p.agree(&s.voice)
	}
	return true
}

// ready tells p how it is played, once that is agreed.
func (s *Stream) ready(p *playing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.agreed {
		p.agree(&s.voice)
	}
}

// hush ends what is played to the phone.
func (s *Stream) hush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.playing != nil {
		s.playing.cut()
		s.playing = nil
	}
}

// played forgets p, which has come to its end.
func (s *Stream) played(p *playing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.playing == p {
		s.playing = nil
	}
	if s.typing != nil && s.typing.job == p { // it panicked
		s.untype()
	}
}

// speak sends a packet of p that is due in a slot, high is its upper band, if it has one. b is room for it.
func (s *Stream) speak(p *playing, linear, high []int16, b []byte, slot int64, c *counters) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.samples = s.voice.samples
	if s.playing != p { // cut short meanwhile
		return
	}
	if !s.maySend || s.hushed {
		return
	}
	at, spurt := slot*int64(slotTime), !p.begun || slot != p.due
	if !p.begun {
		p.begun, p.base = true, s.tx.next(at, soundRate)-slotTicks(slot)
	}
	b = b[:rtpHeaderLen+len(linear)]
	if p.upper != nil && s.voice.codec == mix.G722 {
		s.wideband().Encode(b[rtpHeaderLen:], linear, high)
	} else {
		s.encode(b[rtpHeaderLen:], linear)
	}
	s.tx.speak(b, s.voice.pt, spurt, p.base+slotTicks(slot), at)
	p.due = slot + slotsOf(len(linear))
	if !s.socket.send(b, &s.to) {
		c.drop(Unsent)
		return
	}
	s.tx.packets++
	s.tx.octets += uint64(len(linear))
	c.out()
}

// speak writes the header of a packet of our own sound at a time.
func (t *sender) speak(b []byte, pt uint8, marker bool, ts uint32, at int64) {
	t.begin(ts, at, soundRate)
	t.span, t.pt = uint32(len(b)-rtpHeaderLen), pt
	t.head(b, pt, marker, ts)
}

// begin notes a timestamp of our own.
func (t *sender) begin(ts uint32, at int64, rate uint32) {
	t.ts, t.at, t.rate, t.started, t.span = ts, at, rate, true, 0
}

// head writes the header of the next packet, one of our own.
func (t *sender) head(b []byte, pt uint8, marker bool, ts uint32) {
	t.seq++
	t.numbers++
	b[0], b[1] = 0x80, pt
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], t.seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	binary.BigEndian.PutUint32(b[8:], t.ssrc)
}
