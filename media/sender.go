package media

import (
	"encoding/binary"
	"math/rand/v2"
)

// sender is a leg's own RTP source: SSRC, sequence and timestamp go on for the leg's whole life, whoever is heard.
// Its stream's lock guards it.
type sender struct {
	ssrc    uint32
	seq     uint16 // the last one sent
	started bool

	// The newest timestamp sent, and when: the leg's clock is extrapolated from there.
	ts   uint32
	at   int64
	rate uint32
	span uint32 // how long the packet lasts, where it was our own

	// The source that the offsets hold for.
	flow   *Flow
	epoch  uint32
	srcTS  uint32
	srcSeq uint16 // the newest, passed on or not
	seqOff uint16
	tsOff  uint32

	event eventClock

	packets, octets uint64
	numbers         uint64 // sequence numbers used, with those of packets that never came here
	pt              uint8  // of the last packet that was no event
	reported        uint64 // packets at the last report
}

// start draws the random initial values that RFC 3550 §5.1 asks for.
func (t *sender) start() {
	a, b := rand.Uint64(), rand.Uint64()
	t.ssrc, t.ts, t.seq = uint32(a), uint32(a>>32), uint16(b)
}

// clock is the leg's timestamp now.
func (t *sender) clock(now int64) uint32 {
	if !t.started {
		return t.ts
	}
	return t.ts + uint32(ticks(now-t.at, t.rate))
}

// stamp rewrites the header of a packet of f in place.
func (t *sender) stamp(b []byte, h *header, f *Flow, r route, epoch uint32, now int64) {
	b[1] = b[1]&0x80 | r.pt
	if t.flow != f || t.epoch != epoch || t.rate != r.rate {
		t.adopt(h, f, r.rate, epoch, now)
		b[1] |= 0x80
	} else if d := int32(h.Timestamp - t.srcTS); !r.event && (d > int32(2*r.rate) || d < -int32(2*r.rate)) && t.leapt(d, now) {
		t.tsOff = t.next(now, r.rate) - h.Timestamp // the source's clock jumps, ours does not
		b[1] |= 0x80
	}
	seq, ts := h.SequenceNumber+t.seqOff, h.Timestamp+t.tsOff
	if ahead := int16(seq - t.seq); ahead > 0 {
		t.numbers += uint64(ahead)
		t.seq, t.srcSeq = seq, h.SequenceNumber
	}
	if !r.event {
		t.pt = r.pt
	}
	if !t.started || int32(ts-t.ts) > 0 {
		t.ts, t.at, t.srcTS, t.started = ts, now, h.Timestamp, true
	}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	binary.BigEndian.PutUint32(b[8:], t.ssrc)
}

// adopt fits the offsets to a new source: the next sequence number, and a timestamp advanced by the wall clock.
func (t *sender) adopt(h *header, f *Flow, rate, epoch uint32, now int64) {
	t.seqOff, t.srcSeq = t.seq+1-h.SequenceNumber, h.SequenceNumber
	t.tsOff = t.next(now, rate) - h.Timestamp
	t.flow, t.epoch, t.rate, t.srcTS, t.span = f, epoch, rate, h.Timestamp, 0
}

// next is the timestamp for a packet that does not follow the one before by its source's clock.
func (t *sender) next(now int64, rate uint32) uint32 {
	if !t.started {
		return t.ts
	}
	return t.ts + uint32(max(ticks(now-t.at, rate), int64(max(rate/50, t.span))))
}

// wait is in how many slots the packet before is over.
func (t *sender) wait(now int64) int64 {
	if !t.started || t.rate == 0 {
		return 0
	}
	left := t.at + int64(max(t.rate/50, t.span))*1e9/int64(t.rate) - now
	return (max(left, 0) + int64(slotTime) - 1) / int64(slotTime)
}

// leapt says whether a source's timestamp moved by d against the wall clock.
func (t *sender) leapt(d int32, now int64) bool {
	return d < 0 || int64(d) > ticks(now-t.at, t.rate)+int64(2*t.rate)
}

// skip closes the gap that a packet leaves which is not passed on, so that the phone does not count it as lost. What was lost before
// it stays missing; where that comes late its number is taken.
func (t *sender) skip(h *header, f *Flow, epoch uint32) {
	if t.flow == f && t.epoch == epoch && int16(h.SequenceNumber-t.srcSeq) > 0 {
		t.srcSeq = h.SequenceNumber
		t.seqOff--
	}
}

// drop forgets the source: the next packet, whosever it is, follows without a gap.
func (t *sender) drop() { t.flow = nil }
