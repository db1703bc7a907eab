package media

// receiver keeps the statistics of what a phone sends, RFC 3550 §6.4.1, A.1, A.3 and A.8.
// They go on over changes of SSRC; its stream's lock guards it.
type receiver struct {
	started bool
	epoch   uint32 // rises with each new source
	ssrc    uint32
	base    uint32 // extended sequence numbers
	max     uint32
	bad     uint32 // the sequence number after one that jumped

	received       uint64 // of this source
	packets, bytes uint64 // of all sources
	gaps           uint64 // how often packets were missed in a row, of all sources; one that comes late leaves its gap

	transit int64  // in timestamp units
	jitter  uint64 // the same, times 16
	rate    uint32 // of transit and jitter
	timed   bool   // transit is set

	lostBefore                    uint64 // of the sources before
	expectedBefore, receivedPrior uint64 // at the last report

	reportID uint32 // the middle of the NTP time of its last sender report
	reportAt int64  // when that came
}

const (
	maxDropout  = 3000
	maxMisorder = 100
	seqCycle    = 1 << 16
)

// observe notes a packet. It says false for one whose sequence number jumps and is not confirmed yet.
func (r *receiver) observe(h *header, size int, rate uint32, timed bool, now int64) bool {
	if !r.started || h.SSRC != r.ssrc {
		r.restart(h)
	} else {
		switch delta := h.SequenceNumber - uint16(r.max); {
		case delta < maxDropout:
			if delta > 1 {
				r.gaps++
			}
			r.max += uint32(delta)
		case delta <= uint16(seqCycle-maxMisorder):
			if uint32(h.SequenceNumber) != r.bad {
				r.bad = uint32(h.SequenceNumber + 1)
				return false
			}
			r.restart(h) // two in sequence: the other side has started anew
		}
	}
	r.received++
	r.packets++
	r.bytes += uint64(size)
	if timed {
		r.time(h.Timestamp, rate, now)
	}
	return true
}

func (r *receiver) restart(h *header) {
	r.lostBefore += r.lost()
	r.started = true
	r.epoch++
	r.ssrc = h.SSRC
	r.base, r.max = uint32(h.SequenceNumber)+seqCycle, uint32(h.SequenceNumber)+seqCycle // room for one that comes late
	r.bad = seqCycle
	r.received, r.expectedBefore, r.receivedPrior = 0, 0, 0
	r.timed = false
}

// extended is a sequence number that was observed, with the cycles counted.
func (r *receiver) extended(seq uint16) uint32 { return r.max - uint32(uint16(r.max)-seq) }

// pause makes the next packet that of a new source: what was missed meanwhile is not lost.
func (r *receiver) pause() {
	if r.started {
		r.lostBefore += r.lost()
		r.received, r.base = 0, r.max+1
		r.started = false
	}
}

func (r *receiver) time(ts, rate uint32, now int64) {
	transit := int64(uint32(ticks(now, rate)) - ts)
	if r.timed && r.rate == rate {
		d := int64(int32(uint32(transit) - uint32(r.transit)))
		if d < 0 {
			d = -d
		}
		r.jitter += uint64(d) - (r.jitter+8)>>4
	} else if r.rate != rate {
		r.jitter = 0
	}
	r.transit, r.rate, r.timed = transit, rate, true
}

// ticks converts nanoseconds to units of a clock.
func ticks(d int64, rate uint32) int64 { return d / 1000 * int64(rate) / 1e6 }

func (r *receiver) expected() uint64 { return uint64(r.max - r.base + 1) }

// lost is what this source has lost, never negative: duplicates count as received.
func (r *receiver) lost() uint64 {
	if expected := r.expected(); r.started && expected > r.received {
		return expected - r.received
	}
	return 0
}

// fraction is the share of packets lost since the last call, in 256ths.
func (r *receiver) fraction() uint8 {
	expected, received := r.expected()-r.expectedBefore, r.received-r.receivedPrior
	r.expectedBefore, r.receivedPrior = r.expected(), r.received
	if expected == 0 || received >= expected {
		return 0
	}
	return uint8(min((expected-received)*256/expected, 255))
}
