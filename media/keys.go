package media

import (
	"encoding/binary"
	"slices"
)

// Keys implements Port. A key that is down when f is given was pressed before: f does not hear of it.
func (s *Stream) Keys(f func(key byte) (taken bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f == nil {
		s.onKey.Store(nil)
	} else {
		s.onKey.Store(&f)
	}
	s.listen()
}

// press tells of a key, without a lock held, and reports whether it was taken.
func (s *Stream) press(key byte) (taken bool) {
	f := s.onKey.Load()
	return f != nil && (*f)(key)
}

// take keeps the event that a key began with from whoever hears the phone. It reports false for a key in the sound.
func (s *Stream) take(h *header) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.format(h.PayloadType)
	if !ok || !t.keys {
		return false
	}
	s.keypad.alone = true
	return true
}

// keyNames are the events that are keys, RFC 4733 §3.2.
const keyNames = "0123456789*#ABCD"

// keypad makes keys of telephone-event packets, RFC 4733 §2.5. All packets of an event have the timestamp of its
// beginning, whatever of them is lost: a key is pressed with the first one that comes. Its stream's lock guards it.
type keypad struct {
	known    bool
	epoch    uint32 // of the source
	seq      uint32 // the newest, extended
	ts       uint32
	event    uint8
	ended    bool
	duration uint16
	alone    bool // it was pressed while nobody heard the phone, or it was taken

	before [4]uint32 // timestamps of the last ones before it that were alone, of which a packet may come late
	count  int       // of all such ones
}

// longEvent is the duration after which an event may go on as a further segment with a timestamp of its own: the field is
// full at 0xFFFF (§2.5.1.3), and the packets just before may be lost.
const longEvent = 0xF000

// press notes a packet. It returns the key that it says was pressed, 0 if it does not say so for the first time.
func (k *keypad) press(payload []byte, h *header, epoch, seq uint32) byte {
	if len(payload) < 4 || int(payload[0]) >= len(keyNames) {
		return 0
	}
	now := keypad{known: true, epoch: epoch, seq: seq, ts: h.Timestamp, event: payload[0],
		ended: payload[1]&0x80 != 0, duration: binary.BigEndian.Uint16(payload[2:]), alone: k.alone, before: k.before, count: k.count}
	switch {
	case !k.known:
	case now.ts == k.ts && now.event == k.event:
		now.ended = now.ended || k.ended
		now.duration = max(now.duration, k.duration)
		if epoch == k.epoch && int32(seq-k.seq) < 0 {
			now.seq = k.seq
		}
		*k = now
		return 0
	case epoch != k.epoch:
		now.count = 0
	case int32(seq-k.seq) <= 0: // of an event before, late
		return 0
	case k.goesOn(&now):
		now.remember(k)
		*k = now
		return 0
	default:
		now.remember(k)
	}
	*k = now
	return keyNames[now.event]
}

// remember notes the event before, if it was alone.
func (k *keypad) remember(last *keypad) {
	if last.alone {
		k.before[k.count%len(k.before)] = last.ts
		k.count++
	}
}

// keeps reports whether a packet is of a key that whoever hears the phone now shall not have the rest of.
func (k *keypad) keeps(h *header) bool {
	return k.known && (k.alone && h.Timestamp == k.ts || slices.Contains(k.before[:min(k.count, len(k.before))], h.Timestamp))
}

// goesOn reports whether an event is a further segment of the one before.
func (k *keypad) goesOn(next *keypad) bool {
	gap := next.ts - k.ts
	return next.event == k.event && !k.ended && k.duration >= longEvent && gap >= uint32(k.duration) && gap <= 1<<16
}
