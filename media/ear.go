package media

// law is an encoding of G.711.
type law uint8

const (
	noLaw law = iota
	uLaw
	aLaw
)

func lawOf(c Codec) law {
	switch {
	case c.Same(PCMU):
		return uLaw
	case c.Same(PCMA):
		return aLaw
	}
	return noLaw
}

// ear listens to keys in the sound of a phone that cannot send events. Its stream's lock guards it.
type ear struct {
	detector Detector
	known    bool
	epoch    uint32 // of the source
	next     uint32 // timestamp
	waiting  []byte // keys, of a packet that had more than one
	room     [8]byte
}

// listen has an ear where one is needed: somebody wants to know of keys, and they can come as sound only. The lock is held.
func (s *Stream) listen() {
	wanted := s.onKey.Load() != nil && !s.closed
	linear := false
	for _, f := range s.terms.Formats {
		wanted = wanted && !f.IsEvent()
		linear = linear || lawOf(f.Codec) != noLaw
	}
	switch wanted = wanted && linear; {
	case !wanted:
		s.ear = nil
	case s.ear == nil:
		s.ear = new(ear)
	}
	s.lastType, s.lastPT = format{}, 0
}

// hear takes the sound of a packet. It returns the key that has begun in it, 0 if none has. What is lost or was not sent is
// silence: a packet that is missing in the midst of a key does not make two of it. What comes late is left out.
func (e *ear) hear(sound []byte, h *header, l law, epoch uint32) byte {
	switch gap := int32(h.Timestamp - e.next); {
	case !e.known || epoch != e.epoch || gap < -soundRate:
		e.detector.Silence(soundRate)
	case gap < 0:
		return 0
	default:
		e.detector.Silence(int(gap))
	}
	e.known, e.epoch, e.next = true, epoch, h.Timestamp+uint32(len(sound))
	if len(e.waiting) == 0 {
		e.waiting = e.room[:0]
	}
	if l == uLaw {
		e.waiting = e.detector.ULaw(e.waiting, sound)
	} else {
		e.waiting = e.detector.ALaw(e.waiting, sound)
	}
	if len(e.waiting) == 0 {
		return 0
	}
	key := e.waiting[0]
	e.waiting = e.waiting[1:]
	return key
}
