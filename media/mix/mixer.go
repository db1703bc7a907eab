package mix

// Mixer adds up what is heard in a room. Its zero value is ready.
type Mixer struct {
	low, high [Frame]int32
	turned    [Frame]int32 // the part of low that is of Inputs with Turned
	wide      bool         // high is not silent
	turns     bool         // somebody who is heard is Turned
	at        int          // of background
	gain      float32      // of all, less than 1 where it would be too loud; 0 before the first frame
	before    float32      // gain in the frame before
}

// Input is one member of a room.
type Input struct {
	// Turned sets those apart whose sound may come back from others that are Turned too: they do not hear each other.
	Turned bool
	// Muted has nobody hear it.
	Muted bool

	low, high []int16 // nil: silent
	level     float32 // mean square, falling slowly
	gain      float32 // 1: heard
	heard     bool    // one of those who are to be heard
	added     bool    // to the present mix
	scaled    [2][Frame]int16
}

// Speakers is how many of a room are heard at once: the loudest.
const Speakers = 8

const (
	falling    = 0.9 // of level, a frame
	preference = 4   // of those who are heard already, in power
	speaking   = 4 * pause
)

// Set is what the member says in the next frame, as Voice.Take has made it.
func (in *Input) Set(low, high []int16) {
	in.low, in.high = low, high
	now := float32(0)
	if low != nil {
		now = float32(meanSquare(low))
	}
	in.level = max(now, in.level*falling)
	if in.level < 1 {
		in.level = 0
	}
}

// Level is the mean square of what the member says, falling slowly where it was louder before; 0 if it is Muted.
func (in *Input) Level() float64 {
	if in.Muted {
		return 0
	}
	return float64(in.level)
}

// Speaking reports whether it is one of those who are heard, and loud enough to speak.
func (in *Input) Speaking() bool { return in.heard && !in.Muted && in.level > speaking }

// Mix adds the next frame up. sound, if not nil, is heard by all.
func (m *Mixer) Mix(inputs []*Input, sound []int16) {
	choose(inputs)
	m.wide, m.turns = false, false
	copy(m.low[:], background[m.at:])
	m.at = (m.at + Frame) % (len(background) - Frame)
	for i, v := range sound {
		m.low[i] += int32(v)
	}
	for _, in := range inputs {
		m.add(in)
	}
	m.level()
}

// choose finds the loudest. Who is heard already stays so until somebody is much louder.
func choose(inputs []*Input) {
	candidates := 0
	for _, in := range inputs {
		if in.low != nil && !in.Muted {
			candidates++
		}
	}
	if candidates <= Speakers {
		for _, in := range inputs {
			in.heard = in.low != nil && !in.Muted
		}
		return
	}
	var best [Speakers]*Input // the loudest first
	var score [Speakers]float32
	for _, in := range inputs {
		if in.low == nil || in.Muted {
			in.heard = false
			continue
		}
		s := in.level + 1
		if in.heard {
			s *= preference
		}
		in.heard = false
		i := Speakers
		for i > 0 && (best[i-1] == nil || score[i-1] < s) {
			i--
		}
		if i < Speakers {
			copy(best[i+1:], best[i:])
			copy(score[i+1:], score[i:])
			best[i], score[i] = in, s
		}
	}
	for _, in := range best {
		if in != nil {
			in.heard = true
		}
	}
}

// add adds a member up, fading it in or out where it begins or ceases to be heard.
func (m *Mixer) add(in *Input) {
	was, now := in.gain, float32(0)
	if in.heard {
		now = 1
	}
	in.gain = now
	in.added = in.low != nil && (was > 0 || now > 0)
	if !in.added {
		return
	}
	if was != now {
		fade(in.scaled[0][:], in.low, was, now)
		in.low = in.scaled[0][:]
		if in.high != nil {
			fade(in.scaled[1][:], in.high, was, now)
			in.high = in.scaled[1][:]
		}
	}
	sum(&m.low, in.low)
	if in.high != nil {
		if !m.wide {
			m.wide, m.high = true, [Frame]int32{}
		}
		sum(&m.high, in.high)
	}
	if in.Turned {
		if !m.turns {
			m.turns, m.turned = true, [Frame]int32{}
		}
		sum(&m.turned, in.low)
	}
}

func sum(dst *[Frame]int32, src []int16) {
	src = src[:Frame]
	for i, v := range src {
		dst[i] += int32(v)
	}
}

func fade(dst, src []int16, from, to float32) {
	step := (to - from) / Frame
	for i, v := range src {
		from += step
		dst[i] = int16(float32(v) * from)
	}
}

const (
	loudest = 26000 // above which sound is limited
	most    = 32124 // the loudest that G.711 has
	quickly = 5 * ms
	louder  = 1.06 // a frame, after it was too loud
)

// level makes all quieter within 5 ms where it would be too loud, and louder again by and by.
func (m *Mixer) level() {
	peak := int32(0)
	for _, v := range m.low {
		peak = max(peak, v, -v)
	}
	if m.gain == 0 {
		m.gain = 1
	}
	m.before = m.gain
	m.gain = min(m.gain*louder, 1)
	if m.gain*float32(peak) > loudest {
		m.gain = loudest / float32(peak)
	}
}

// Common is what those hear who are not heard themselves, and are not Turned. See For.
func (m *Mixer) Common(low, high []int16) bool { return m.give(low, high, nil, nil) }

// Apart reports whether a member hears something else than Common.
func (m *Mixer) Apart(in *Input) bool { return in.added || in.Turned && m.turns }

// For makes what a member hears: all, but for itself. It reports whether there is anything in the upper band; high, which
// may be nil, is silence otherwise.
func (m *Mixer) For(in *Input, low, high []int16) bool {
	switch {
	case in.Turned && m.turns:
		return m.give(low, nil, nil, &m.turned) // the upper band is left out: it is nobody's telephone
	case in.added:
		return m.give(low, high, in, nil)
	default:
		return m.Common(low, high)
	}
}

func (m *Mixer) give(low, high []int16, own *Input, others *[Frame]int32) bool {
	var less, lessHigh []int16
	if own != nil {
		less, lessHigh = own.low, own.high
	}
	m.finish(low[:Frame], &m.low, less, others)
	if high == nil || others != nil || !m.wide {
		return false
	}
	m.finish(high[:Frame], &m.high, lessHigh, nil)
	return true
}

// finish makes a band of a mix loud enough, and not too loud.
func (m *Mixer) finish(dst []int16, all *[Frame]int32, less []int16, others *[Frame]int32) {
	dst = dst[:Frame]
	clipped := false
	limited := m.gain != 1 || m.before != 1
	switch {
	case limited, others != nil:
		ramp, from, to := quickly, m.before, m.gain
		if to > from {
			ramp = Frame
		}
		for i, v := range all {
			if less != nil {
				v -= int32(less[i])
			}
			if others != nil {
				v -= others[i]
			}
			g := to
			if i < ramp {
				g = from + (to-from)*float32(i+1)/float32(ramp)
			}
			dst[i] = soft(int32(float32(v) * g))
		}
		return
	case less != nil:
		less = less[:Frame]
		for i, v := range all {
			v -= int32(less[i])
			dst[i] = int16(v)
			clipped = clipped || uint32(v+loudest) > 2*loudest
		}
	default: // whose peak is known not to be too loud, in the lower band
		for i, v := range all {
			dst[i] = int16(v)
			clipped = clipped || uint32(v+loudest) > 2*loudest
		}
	}
	if clipped {
		for i, v := range all {
			if less != nil {
				v -= int32(less[i])
			}
			dst[i] = soft(v)
		}
	}
}

// soft bends what is too loud, without an edge.
func soft(v int32) int16 {
	const knee, room = float32(loudest), float32(most - loudest)
	switch {
	case v > loudest:
		over := (float32(v) - knee) / room
		return int16(knee + room*over/(1+over))
	case v < -loudest:
		over := (-float32(v) - knee) / room
		return -int16(knee + room*over/(1+over))
	default:
		return int16(v)
	}
}
