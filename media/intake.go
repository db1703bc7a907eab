package media

import (
	"slices"

	"ringback/media/mix"
)

// intake is what comes from a phone for a room or a capture. The stream's lock guards it.
type intake struct {
	voice mix.Voice
	epoch uint32 // of the source in voice
}

// put takes a packet, of which sound and comfort noise are heard. It returns the format of sound that it cannot take, else nil.
func (in *intake) put(formats []Format, payload []byte, h *header, epoch uint32, now int64) (undecoded *Format) {
	i := slices.IndexFunc(formats, func(f Format) bool { return f.RecvPT == h.PayloadType })
	if i < 0 {
		return nil
	}
	f := &formats[i]
	if c := f.mixed(); c != mix.None {
		if in.epoch != epoch {
			in.epoch = epoch
			in.voice.Reset()
		}
		in.voice.Use(c)
		in.voice.Put(h.Timestamp, payload, now)
	} else if f.IsComfortNoise() && len(payload) > 0 {
		in.voice.ComfortNoise(payload[0])
	} else if !f.IsComfortNoise() && !f.IsEvent() {
		return f
	}
	return nil
}
