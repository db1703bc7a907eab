package media

import "encoding/binary"

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

// take keeps the rest of the event that a packet is of from whoever hears the phone. It reports whether it is one.
func (s *Stream) take(h *header) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := &s.keypad
	if !k.known || h.Timestamp != k.ts {
		return false
	}
	k.alone = true
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
		ended: payload[1]&0x80 != 0, duration: binary.BigEndian.Uint16(payload[2:]), alone: k.alone}
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
	case int32(seq-k.seq) <= 0: // of an event before, late
		return 0
	case k.goesOn(&now):
		*k = now
		return 0
	}
	*k = now
	return keyNames[now.event]
}

// keeps reports whether a packet is of a key that whoever hears the phone now shall not have the rest of.
func (k *keypad) keeps(h *header) bool { return k.alone && k.known && h.Timestamp == k.ts }

// goesOn reports whether an event is a further segment of the one before.
func (k *keypad) goesOn(next *keypad) bool {
	gap := next.ts - k.ts
	return next.event == k.event && !k.ended && k.duration >= longEvent && gap >= uint32(k.duration) && gap <= 1<<16
}
