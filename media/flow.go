package media

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
	coded  bool // some of it by G.722, which has a memory
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
	toTone // an event, to a phone that knows none
	toALaw // from µ-law, octet for octet
	toULaw
	g722ToULaw // these have a memory, see transcoder
	g722ToALaw
	uLawToG722
	aLawToG722
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
		default:
			r.op, r.pt = transcoding(in.Codec, wants)
		}
		if r.op == refuse || r.pt > 127 || r.rate == 0 {
			continue
		}
		f.routes[i+1], f.index[in.RecvPT] = r, uint8(i+1)
		f.sound = f.sound || !in.IsEvent() && !in.IsComfortNoise()
		f.coded = f.coded || r.op >= g722ToULaw
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
		if f.Linear() && f.SendPT <= 127 {
			return true
		}
	}
	return false
}

// transcoding is how c comes to a phone that does not know it, if it can. From one law of G.711 to the other is the cheapest.
func transcoding(c Codec, wants []Format) (op, uint8) {
	for _, w := range transcodings {
		if c.Same(w.from) {
			if out, ok := find(wants, w.to); ok {
				return w.op, out.SendPT
			}
		}
	}
	return refuse, 0
}

var transcodings = []struct {
	from, to Codec
	op       op
}{
	{PCMU, PCMA, toALaw},
	{PCMA, PCMU, toULaw},
	{PCMU, G722, uLawToG722},
	{PCMA, G722, aLawToG722},
	{G722, PCMU, g722ToULaw},
	{G722, PCMA, g722ToALaw},
}
