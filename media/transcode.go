package media

import (
	"github.com/zaf/g711"

	"ringback/media/g722"
	"ringback/media/mix"
)

// G.711 between its two laws, a byte for a byte.
var uLawToALaw, aLawToULaw = func() (a, u [256]byte) {
	for i := range 256 {
		a[i], u[i] = g711.Ulaw2AlawFrame(uint8(i)), g711.Alaw2UlawFrame(uint8(i))
	}
	return
}()

func translate(b []byte, table *[256]byte) {
	for i, c := range b {
		b[i] = table[c]
	}
}

// transcoder changes the payload of what a stream sends on, between G.711 and G.722: the lower band of that is the sound of a telephone
// at 8 kHz, the upper one is silent. The octets are as many and RTP's clock is the same (RFC 3551 §4.5.2), so only they
// change. The stream's lock guards it.
//
// What is lost is not made up for: its number stays missing, and the phone conceals it as any other loss. The decoder goes on
// from where it was, since what G.722 remembers fades within 20 ms; the encoder has not seen what the phone has not either, so they stay
// in step. What comes late or again is coded besides, and leaves no trace in what follows.
type transcoder struct {
	flow    *Flow // of the decoder
	epoch   uint32
	seq     uint16 // the newest of the source
	decoder g722.Decoder
	encoder *g722.Encoder // of the stream
}

// transcode changes the payload of a packet of f in place. The lock is held.
func (s *Stream) transcode(o op, payload []byte, h *header, f *Flow, epoch uint32) {
	switch o {
	case pass:
	case toALaw:
		translate(payload, &uLawToALaw)
	case toULaw:
		translate(payload, &aLawToULaw)
	default:
		s.coder.apply(o, payload, h, f, epoch)
	}
}

// drop forgets the source, of which something was left out; nil does nothing.
func (t *transcoder) drop() {
	if t != nil {
		t.flow = nil
	}
}

func (t *transcoder) apply(o op, payload []byte, h *header, f *Flow, epoch uint32) {
	if t.flow != f || t.epoch != epoch {
		t.flow, t.epoch = f, epoch
		t.decoder.Reset()
	} else if int16(h.SequenceNumber-t.seq) <= 0 {
		decoder, encoder := t.decoder, *t.encoder
		transcode(o, payload, &decoder, &encoder)
		return
	}
	t.seq = h.SequenceNumber
	transcode(o, payload, &t.decoder, t.encoder)
}

func transcode(o op, payload []byte, d *g722.Decoder, e *g722.Encoder) {
	var room [FrameSamples]int16
	for len(payload) > 0 {
		b := payload[:min(len(payload), len(room))]
		payload = payload[len(b):]
		linear := room[:len(b)]
		switch o {
		case g722ToULaw:
			d.Decode(linear, nil, b)
			mix.EncodeULaw(b, linear)
		case g722ToALaw:
			d.Decode(linear, nil, b)
			mix.EncodeALaw(b, linear)
		case uLawToG722:
			mix.DecodeULaw(linear, b)
			e.Encode(b, linear, nil)
		case aLawToG722:
			mix.DecodeALaw(linear, b)
			e.Encode(b, linear, nil)
		}
	}
}
