package media

import "encoding/binary"

// eventClock is the newest event that was passed on between two clocks.
type eventClock struct {
	epoch    uint32
	flow     *Flow // nil: none
	event    uint8
	ended    bool
	duration uint16
	from     uint32 // timestamp of the packet that it came with first
	segment  uint32 // and of its present segment
	ts       uint32 // as it goes out
}

// stampEvent rewrites a packet of an event whose clock is another one than that of the sound it came with, or than the
// other side has for events (RFC 4733 §2.1 wants neither, phones with Opus do): all packets of an event have one timestamp, whatever
// sound is between them, and the duration is converted. Segments of a long event become one. It says false for a packet that cannot
// be passed on.
func (t *sender) stampEvent(b []byte, h *header, f *Flow, r route, epoch uint32, now int64) bool {
	payload := b[h.payload:h.end]
	if len(payload) < 4 {
		t.skip(h, f, epoch)
		return false
	}
	if t.flow != f || t.epoch != epoch {
		t.seqOff, t.srcSeq = t.seq+1-h.SequenceNumber, h.SequenceNumber
		t.flow, t.epoch, t.rate, t.span = f, epoch, 0, 0 // the next sound begins a timestamp of its own
	}
	duration, ended := binary.BigEndian.Uint16(payload[2:]), payload[1]&0x80 != 0
	e := &t.event
	switch known, gap := e.flow == f && e.epoch == epoch, h.Timestamp-e.segment; {
	case known && gap == 0 && e.event == payload[0]:
		e.ended = e.ended || ended
		e.duration = max(e.duration, duration)
	case known && int32(gap) < 0:
		t.skip(h, f, epoch) // of the one before, late
		return false
	case known && e.event == payload[0] && !e.ended && e.duration >= longEvent && gap >= uint32(e.duration) && gap <= 1<<16:
		e.segment, e.duration, e.ended = h.Timestamp, duration, ended
	default:
		*e = eventClock{epoch, f, payload[0], ended, duration, h.Timestamp, h.Timestamp, t.eventStart(now, r.out)}
		b[1] |= 0x80
	}
	lasted := uint64(h.Timestamp-e.from) + uint64(duration)
	binary.BigEndian.PutUint16(payload[2:], uint16(min(lasted*uint64(r.out)/uint64(r.rate), 0xffff)))
	b[1] = b[1]&0x80 | r.pt
	seq := h.SequenceNumber + t.seqOff
	if ahead := int16(seq - t.seq); ahead > 0 {
		t.numbers += uint64(ahead)
		t.seq, t.srcSeq = seq, h.SequenceNumber
	}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], e.ts)
	binary.BigEndian.PutUint32(b[8:], t.ssrc)
	return true
}

// eventStart is the timestamp of an event that begins now.
func (t *sender) eventStart(now int64, rate uint32) uint32 {
	ts := t.next(now, rate)
	if t.event.flow != nil && int32(ts-t.event.ts) <= 0 {
		ts = t.event.ts + rate/50
	}
	if !t.started {
		t.ts, t.at, t.started = ts, now, true
	}
	return ts
}
