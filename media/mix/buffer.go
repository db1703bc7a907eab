package mix

import "math/bits"

// Counts are what a Buffer has seen, in packets if not said otherwise.
type Counts struct {
	Packets   uint64 // taken
	Late      uint64 // came after their time, and were not heard
	Duplicate uint64 // came again
	Malformed uint64 // empty, or longer than 200 ms
	Excess    uint64 // ticks left out because more had come than may wait
	Concealed uint64 // ticks that were missing and made up for
	Resets    uint64 // new sources and jumps of timestamps
}

// Add adds more.
func (c *Counts) Add(d Counts) {
	c.Packets += d.Packets
	c.Late += d.Late
	c.Duplicate += d.Duplicate
	c.Malformed += d.Malformed
	c.Excess += d.Excess
	c.Concealed += d.Concealed
	c.Resets += d.Resets
}

// Buffer is an adaptive jitter buffer of octets, each in its place by its RTP timestamp; of what length the packets were, in
// which order and how often they came makes no difference.
//
// The delay of a sound, from when its packet comes until it is played, is least by how much packets are late now and then. It
// grows at once when one comes too late: what is not played yet is put off, where there was nothing to be played anyway, or in
// the next pause. It shrinks by a little at a time, mostly in pauses, when for two seconds all packets came earlier than they
// must.
type Buffer struct {
	Counts

	octets [ring]byte
	there  [ring / 64]uint64 // which of octets have come, from past before at until future after it

	started bool
	cut     bool   // what is played next does not follow from what was played
	at      uint32 // what is played next
	newest  uint32 // the end of the newest packet
	dry     int    // ticks that were missing just before at, at most past
	due     int64  // when the next frame is taken, in ns

	suspect uint32 // where a source that has jumped would go on
	doubted bool   // suspect is set

	wider    int // ticks to be put off in the next pause
	narrower int // ticks to be left out in pauses
	spare    int // the least that a packet came before its time, in ticks
	heard    int // packets that spare is of
	frames   int // taken since
}

const (
	ring   = 4096
	future = 2560
	past   = ring - future

	// MaxDelay bounds what waits, in ticks.
	MaxDelay  = 200 * ms
	maxPacket = 200 * ms

	reserve = 10 * ms // at least so much before its time a packet should come
	enough  = 22 * ms // more than this is too much
	window  = 100     // frames in which all packets came early enough
	piece   = 10 * ms // is put off, or left out, in a pause at a time
	hurry   = 20      // frames from one piece to the next where there is no pause
)

// Put takes the octets of a packet that came at a time.
func (b *Buffer) Put(ts uint32, octets []byte, now int64) {
	n := len(octets)
	if n == 0 || n > maxPacket {
		b.Malformed++
		return
	}
	b.Packets++
	if !b.started {
		b.start(ts, now)
	}
	slack := int(int32(ts - b.at))
	if slack < -past || slack+n > future {
		if !b.jumped(ts, n) {
			b.Late++
			return
		}
		b.restart(ts, now)
		slack = int(int32(ts - b.at))
	}
	b.doubted = false
	if b.has(ts) {
		b.Duplicate++
		return
	}
	if slack < 0 {
		if -slack <= b.dry && int(int32(b.newest-ts)) <= MaxDelay {
			b.dry += slack
			b.at, slack = ts, 0
		} else {
			b.wider = max(b.wider, min(reserve-slack, MaxDelay))
			if -slack >= n {
				b.Late++
				return
			}
			octets, ts, slack, n = octets[-slack:], b.at, 0, n+slack
		}
		b.measureAgain()
	}
	b.spare = min(b.spare, slack+b.untilDue(now))
	b.heard++
	b.store(ts, octets)
	if end := ts + uint32(n); int32(end-b.newest) > 0 {
		b.newest = end
	}
	if excess := int(int32(b.newest-b.at)) - max(MaxDelay, n); excess > 0 {
		b.Excess += uint64(excess)
		b.advance(excess)
		b.dry, b.cut = 0, true
		b.measureAgain()
	}
}

// start has the first packet played a little after it came, however soon the next frame is taken.
func (b *Buffer) start(ts uint32, now int64) {
	b.started, b.cut = true, true
	b.at, b.newest = ts, ts
	if soon := reserve - b.untilDue(now); soon > 0 {
		b.at -= uint32(soon)
	}
	b.dry, b.wider = 0, 0
	b.measureAgain()
}

// restart follows a source that has jumped, or another one.
func (b *Buffer) restart(ts uint32, now int64) {
	b.Resets++
	b.there = [len(b.there)]uint64{}
	b.start(ts, now)
}

// jumped reports whether a source has jumped: it has said so twice, or there is nothing of it left to be played.
func (b *Buffer) jumped(ts uint32, n int) bool {
	if b.dry > 0 || b.doubted && b.suspect == ts {
		return true
	}
	b.doubted, b.suspect = true, ts+uint32(n)
	return false
}

// Reset is told of another source. Nothing of the one before is played any more.
func (b *Buffer) Reset() {
	if b.started {
		b.Resets++
		b.started, b.doubted = false, false
		b.there = [len(b.there)]uint64{}
	}
}

// untilDue is how many ticks it takes until the next frame is taken.
func (b *Buffer) untilDue(now int64) int {
	return int(min(max((b.due-now)*ms/1e6, 0), Frame))
}

func (b *Buffer) measureAgain() {
	b.spare, b.heard, b.frames, b.narrower = future, 0, 0, 0
}

// begin is told that a frame is taken that was due now; the next one will be 20 ms later.
func (b *Buffer) begin(now int64) {
	b.due = now + 20e6
	if b.frames++; b.frames < window {
		return
	}
	spare, heard := b.spare, b.heard
	b.measureAgain()
	if heard > 0 && spare > enough {
		b.narrower = spare - (reserve+enough)/2
	}
}

// advance leaves ticks out, or has them played.
func (b *Buffer) advance(n int) {
	b.clear(b.at+future, min(n, ring))
	b.at += uint32(n)
}

// run is how many octets, at most so many, are all there from at on, or all missing.
func (b *Buffer) run(most int) (n int, present bool) {
	if !b.started {
		return most, false
	}
	at := b.at % ring
	present = b.there[at/64]>>(at%64)&1 == 1
	for n < most {
		word := b.there[at/64] >> (at % 64)
		if present {
			word = ^word
		}
		left := int(64 - at%64)
		k := min(bits.TrailingZeros64(word), left)
		n += k
		if k < left {
			break
		}
		at = (at + uint32(left)) % ring
	}
	return min(n, most), present
}

// read is what run found to be present, in two parts where the ring ends. They are valid until the next Put.
func (b *Buffer) read(n int) (first, second []byte) {
	at := int(b.at % ring)
	first = b.octets[at:min(at+n, ring)]
	second = b.octets[:n-len(first)]
	b.advance(n)
	b.dry = 0
	return
}

// miss passes over what run found to be missing.
func (b *Buffer) miss(n int) {
	if b.started {
		b.advance(n)
		b.dry = min(b.dry+n, past)
	}
}

func (b *Buffer) has(ts uint32) bool {
	at := ts % ring
	return b.there[at/64]>>(at%64)&1 == 1
}

func (b *Buffer) store(ts uint32, octets []byte) {
	at := ts % ring
	n := copy(b.octets[at:], octets)
	copy(b.octets[:], octets[n:])
	for left := len(octets); left > 0; {
		k := min(64-int(at%64), left)
		b.there[at/64] |= mask(k) << (at % 64)
		at = (at + uint32(k)) % ring
		left -= k
	}
}

func (b *Buffer) clear(ts uint32, n int) {
	at := ts % ring
	for n > 0 {
		k := min(64-int(at%64), n)
		b.there[at/64] &^= mask(k) << (at % 64)
		at = (at + uint32(k)) % ring
		n -= k
	}
}

func mask(n int) uint64 { return ^uint64(0) >> (64 - n) }
