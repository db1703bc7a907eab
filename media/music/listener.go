package music

import "ringback/media"

// The fades, in frames of 20 ms: nobody is startled as it begins, and nothing clicks as it changes.
const (
	fadeIn  = 16
	unity   = 1 << 15
	patrol  = 250 // frames between two looks at the files
	perTick = unity / fadeIn
)

// listener is one party who hears a class. It implements media.Sound, without end.
type listener struct {
	library *Library
	class   string
	seen    *programme
	track   *track // nil: silence
	at      int    // the next sample of it
	gain    int32  // at the end of the last frame; unity: as it is
	frames  int
}

// Frame implements media.Sound.
func (l *listener) Frame(dst []int16) bool {
	if l.frames++; l.frames == patrol {
		l.frames = 0
		l.library.look()
	}
	next := l.track
	if p := l.library.programme.Load(); p != l.seen || next == nil {
		if next = l.library.track(p, l.class); next == l.track {
			l.seen = p
		}
	}
	if next == l.track && l.gain == unity {
		l.copy(dst)
		return true
	}
	if l.track == nil || next != l.track && l.gain == 0 {
		l.tune(next)
	}
	if l.track == nil {
		clear(dst)
		return true
	}
	l.copy(dst)
	if next != l.track {
		l.ramp(dst, 0)
	} else {
		l.ramp(dst, min(l.gain+perTick, unity))
	}
	return true
}

// tune begins with a track where it is now.
func (l *listener) tune(t *track) {
	l.track, l.gain = t, 0
	if t != nil {
		l.at = int(l.library.now() % int64(len(t.samples)))
	}
}

func (l *listener) copy(dst []int16) {
	for len(dst) > 0 {
		n := copy(dst, l.track.samples[l.at:])
		dst = dst[n:]
		if l.at += n; l.at == len(l.track.samples) {
			l.at = 0
		}
	}
}

// ramp has the gain go on to another one.
func (l *listener) ramp(dst []int16, to int32) {
	from := l.gain
	for i, v := range dst {
		g := from + (to-from)*int32(i)/int32(len(dst))
		dst[i] = int16(int32(v) * g / unity)
	}
	l.gain = to
}

var _ media.Sound = (*listener)(nil)
