package media

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"ringback/media/mix"
)

// How a key is sent: it lasts 100 ms, and the next one waits for 60 ms, both more than the 40 ms that any receiver wants.
const (
	keyTime   = 100 * time.Millisecond
	pauseTime = 60 * time.Millisecond

	keySamples   = int(keyTime * soundRate / time.Second)
	pauseSamples = int(pauseTime * soundRate / time.Second)

	updateTime = 20 * time.Millisecond // of an event's packets
	keyEnds    = 3                     // packets that say that a key is up, RFC 4733 §2.5.1.4
	keyVolume  = 10                    // −dBm0
)

// maxTyped bounds the keys that wait to be sent on a stream.
const maxTyped = 64

// typing is what is typed to a phone, guarded by the stream's lock. The goroutine of the player sends it. While a key is sent
// the stream is hushed: nothing else is.
type typing struct {
	job    *playing
	queue  []typed // the first is being sent
	unsent bool    // something of it could not be

	way   way
	began int64  // slot of the first packet
	down  bool   // an event has begun
	ends  int    // packets sent that say it is up
	ts    uint32 // of the event

	tone  keyTone
	at    int    // samples of the tone and the pause after it that were made
	spurt bool   // a packet was sent
	base  uint32 // timestamp of slot 0
	due   int64  // slot of the next packet
}

type typed struct {
	key  byte
	done func(whole bool) // of the last key of a Press
}

// way is how a key goes out.
type way uint8

const (
	unknown way = iota // the next key has not begun
	byEvent
	byTone
	noWay
)

// Press implements Port. Sound from a peer, or what is played, is left out while a key is sent and goes on after it.
func (s *Stream) Press(keys string, done func(whole bool)) {
	s.mu.Lock()
	job, ok := s.enter(keys, done)
	s.mu.Unlock()
	switch {
	case !ok:
		(&playing{stream: s, done: done}).cut()
	case job != nil:
		s.engine.player.add(job, s.engine.now())
	}
}

// enter puts keys at the end of the queue. It returns the job that has to be begun, if there was none. The lock is held.
func (s *Stream) enter(keys string, done func(bool)) (job *playing, ok bool) {
	if s.closed || keys == "" || len(keys) > maxTyped || s.way() == noWay {
		return nil, false
	}
	for _, key := range []byte(keys) {
		if strings.IndexByte(keyNames, key) < 0 {
			return nil, false
		}
	}
	t := s.typing
	switch {
	case t == nil:
		job = &playing{stream: s, typing: true}
		t = &typing{job: job}
		s.typing = t
	case len(t.queue)+len(keys) > maxTyped:
		return nil, false
	}
	for _, key := range []byte(keys) {
		t.queue = append(t.queue, typed{key: key})
	}
	t.queue[len(t.queue)-1].done = done
	return job, true
}

// way is how a key would be sent now.
func (s *Stream) way() way {
	switch {
	case s.voice.eventRate != 0:
		return byEvent
	case s.voice.codec != mix.None:
		return byTone
	}
	return noWay
}

// untype forgets what is typed. The lock is held.
func (s *Stream) untype() {
	t := s.typing
	if t == nil {
		return
	}
	s.typing, s.hushed = nil, false
	t.job.state.Store(over)
	for _, k := range t.queue {
		s.finish(k, false)
	}
}

func (s *Stream) finish(k typed, whole bool) { (&playing{stream: s, done: k.done}).tell(whole) }

// typeOn sends what is due of a job in a slot, and says in how many slots something is due again, 0 if there is nothing more.
func (s *Stream) typeOn(job *playing, e *player, slot int64, c *counters) (after int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.typing
	if t == nil || t.job != job {
		return 0
	}
	for after == 0 && len(t.queue) > 0 {
		if t.way == unknown {
			t.begin(s.way(), slot)
		}
		switch t.way {
		case byEvent:
			after = s.typeEvent(t, e.packet[:], slot, c)
		case byTone:
			after = s.typeTone(t, e, slot, c)
		default:
			t.unsent = true
			t.pop(s)
		}
	}
	if after == 0 {
		s.typing, s.hushed = nil, false
	}
	return after
}

// begin begins the first key of the queue.
func (t *typing) begin(w way, slot int64) {
	t.way, t.began, t.at, t.down, t.ends = w, slot, 0, false, 0
	if w == byTone {
		t.tone = newKeyTone(t.queue[0].key)
	}
}

// pop ends the first key of the queue.
func (t *typing) pop(s *Stream) {
	if k := t.queue[0]; k.done != nil {
		s.finish(k, !t.unsent)
		t.unsent = false
	}
	t.queue = slices.Delete(t.queue, 0, 1)
	t.way, s.hushed = unknown, false
}

// typeEvent sends a packet of an event, RFC 4733 §2.5.1: all have the timestamp of its beginning and how long it has lasted
// by the end of the packet; the last one is sent three times. Once the pause after it is over it returns 0.
func (s *Stream) typeEvent(t *typing, b []byte, slot int64, c *counters) int64 {
	rate := s.voice.eventRate
	if t.ends == keyEnds || rate == 0 { // or the phone does not want events any more
		t.unsent = t.unsent || t.ends == 0
		t.pop(s)
		return 0
	}
	first := !t.down
	if first {
		s.silence()
		at := slot * int64(slotTime)
		if wait := s.tx.wait(at); wait > 0 {
			return wait
		}
		t.down, t.began, t.ts = true, slot, s.tx.next(at, rate)
		s.tx.begin(t.ts, at, rate)
	}
	lasted := time.Duration(slot-t.began)*slotTime + updateTime
	event := [4]byte{byte(strings.IndexByte(keyNames, t.queue[0].key)), keyVolume}
	after := int64(updateTime / slotTime)
	if lasted > keyTime {
		lasted = keyTime
		event[1] |= 0x80
		t.ends++
		after = 1
	}
	binary.BigEndian.PutUint16(event[2:], uint16(min(ticks(int64(lasted), rate), 0xffff)))
	s.sendTyped(t, b[:rtpHeaderLen+copy(b[rtpHeaderLen:], event[:])], s.voice.eventPT, first, t.ts, c)
	if t.ends == keyEnds {
		s.hushed = false
		after = int64(pauseTime/slotTime) - keyEnds + 1
	}
	return after
}

// typeTone sends a packet of a key's tone and of the silence after it, and goes on to the next key in the midst of a packet.
// It returns 0 if there is nothing to be sent.
func (s *Stream) typeTone(t *typing, e *player, slot int64, c *counters) int64 {
	if s.voice.codec == mix.None {
		t.unsent = true
		t.pop(s)
		return 0
	}
	at, linear := slot*int64(slotTime), e.linear[:s.voice.samples]
	if !t.spurt {
		s.silence()
		if wait := s.tx.wait(at); wait > 0 {
			return wait
		}
		t.base = s.tx.next(at, soundRate) - slotTicks(slot)
	}
	t.fill(s, linear, slot)
	s.silence()
	b := e.packet[:rtpHeaderLen+len(linear)]
	s.encode(b[rtpHeaderLen:], linear)
	ts := t.base + slotTicks(slot)
	s.tx.begin(ts, at, soundRate)
	s.tx.span, s.tx.pt = uint32(len(linear)), s.voice.pt
	s.sendTyped(t, b, s.voice.pt, !t.spurt || slot != t.due, ts, c)
	t.spurt, t.due = true, slot+slotsOf(len(linear))
	return slotsOf(len(linear))
}

// fill makes the sound of the keys of the queue.
func (t *typing) fill(s *Stream, linear []int16, slot int64) {
	for len(linear) > 0 && len(t.queue) > 0 {
		if t.way == unknown {
			t.begin(byTone, slot)
		}
		n := min(len(linear), keySamples+pauseSamples-t.at)
		if t.at < keySamples {
			n = min(n, keySamples-t.at)
			t.tone.fill(linear[:n], keySamples)
		} else {
			clear(linear[:n])
		}
		linear = linear[n:]
		if t.at += n; t.at == keySamples+pauseSamples {
			t.pop(s)
		}
	}
	clear(linear)
}

// silence has nothing else sent. What is heard otherwise goes on later as after a gap.
func (s *Stream) silence() {
	s.hushed = true
	s.tx.drop()
	if s.playing != nil {
		s.playing.begun = false
	}
}

// sendTyped sends b, whose payload is there already, or does not on hold.
func (s *Stream) sendTyped(t *typing, b []byte, pt uint8, marker bool, ts uint32, c *counters) {
	if !s.maySend {
		t.unsent = true
		return
	}
	s.tx.head(b, pt, marker, ts)
	if !s.socket.send(b, &s.to) {
		t.unsent = true
		c.drop(Unsent)
		return
	}
	s.tx.packets++
	s.tx.octets += uint64(len(b) - rtpHeaderLen)
	c.out()
}
