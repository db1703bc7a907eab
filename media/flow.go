package media

import (
	"github.com/zaf/g711"
)

// maxFormats is how many formats of an agreement count.
const maxFormats = 15

// Flow is one direction of a relay: what becomes of each payload type of one stream on its way to another.
// It never changes once installed; Connect, Echo, Disconnect and Agree install another one.
// Sequence and timestamp offsets belong to the receiving leg, which outlives its flows.
type Flow struct {
	to     *Stream
	index  [128]uint8 // by payload type, into routes; routes[0] drops
	routes [maxFormats + 1]route
	sound  bool // a codec for sound passes
}

type route struct {
	op    op
	pt    uint8
	event bool
	apart bool   // an event on another clock than the sound, or than it has at the other side
	rate  uint32 // as it comes
	out   uint32 // of apart: as it goes
}

type op uint8

const (
	refuse op = iota
	pass
	toALaw
	toULaw
	toTone // an event, to a phone that knows none
)

// newFlow maps what from may send to what to wants to get.
func newFlow(from []Format, to *Stream, wants []Format) *Flow {
	f := &Flow{to: to}
	sound := soundOf(from).ClockRate
	for i, in := range from[:min(len(from), maxFormats)] {
		if in.RecvPT > 127 || f.index[in.RecvPT] != 0 {
			continue
		}
		r := route{rate: in.ClockRate, event: in.IsEvent()}
		out, ok := find(wants, in.Codec)
		switch {
		case ok:
			r.op, r.pt, r.out, r.apart = pass, out.SendPT, out.ClockRate, r.event && in.ClockRate != sound
		case in.IsEvent():
			if out, ok = eventOf(wants); ok {
				r.op, r.pt, r.out, r.apart = pass, out.SendPT, out.ClockRate, true
			} else if hearsTones(wants) {
				r.op = toTone
			}
		case in.Same(PCMU):
			if out, ok = find(wants, PCMA); ok {
				r.op, r.pt = toALaw, out.SendPT
			}
		case in.Same(PCMA):
			if out, ok = find(wants, PCMU); ok {
				r.op, r.pt = toULaw, out.SendPT
			}
		}
		if r.op == refuse || r.pt > 127 || r.rate == 0 {
			continue
		}
		f.routes[i+1], f.index[in.RecvPT] = r, uint8(i+1)
		f.sound = f.sound || !in.IsEvent() && !in.IsComfortNoise()
	}
	return f
}

func find(formats []Format, c Codec) (Format, bool) {
	for _, f := range formats {
		if f.Same(c) {
			return f, true
		}
	}
	return Format{}, false
}

// eventOf is the first telephone-event, at any rate.
func eventOf(formats []Format) (Format, bool) {
	for _, f := range formats {
		if f.IsEvent() && f.ClockRate != 0 {
			return f, true
		}
	}
	return Format{}, false
}

// hearsTones says whether the PBX can make sound for a phone.
func hearsTones(formats []Format) bool {
	for _, f := range formats {
		if f.Mixable() && f.SendPT <= 127 {
			return true
		}
	}
	return false
}

// G.711 between its two laws, a byte for a byte.
var uLawToALaw, aLawToULaw = func() (a, u [256]byte) {
	for i := range 256 {
		a[i], u[i] = g711.Ulaw2AlawFrame(uint8(i)), g711.Alaw2UlawFrame(uint8(i))
	}
	return
}()

func (o op) apply(payload []byte) {
	switch o {
	case toALaw:
		translate(payload, &uLawToALaw)
	case toULaw:
		translate(payload, &aLawToULaw)
	}
}

func translate(b []byte, table *[256]byte) {
	for i, c := range b {
		b[i] = table[c]
	}
}
