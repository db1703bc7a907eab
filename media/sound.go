package media

// FrameSamples is 20 ms of linear sound at 8 kHz.
const FrameSamples = 160

// Sound is sound that the PBX makes itself: a tone, a prompt, music. One goroutine at a time reads it.
type Sound interface {
	// Frame fills dst, FrameSamples long, with the next 20 ms, 16-bit linear at 8 kHz. It reports false, and leaves dst
	// alone, once there is no more. It must not block.
	Frame(dst []int16) bool
}

// Play implements Port.
func (s *Stream) Play(_ Sound, done func(bool)) {
	if done != nil {
		go done(false)
	}
}

// Keys implements Port.
func (s *Stream) Keys(func(byte)) {}
