package tone

import (
	"time"

	"ringback/media"
)

// frame is what a Sound gives at a time.
const frame = 20 * time.Millisecond

// Join plays sounds one after the other. Each begins with a frame of its own.
func Join(sounds ...media.Sound) media.Sound { return &sequence{sounds} }

type sequence struct{ left []media.Sound }

func (s *sequence) Frame(dst []int16) bool {
	for len(s.left) > 0 {
		if s.left[0].Frame(dst) {
			return true
		}
		s.left = s.left[1:]
	}
	return false
}

// Limit plays no more than d of a sound, in whole frames, and fades it over 5 ms if it goes on.
func Limit(s media.Sound, d time.Duration) media.Sound {
	return &limit{sound: s, left: int((d + frame - 1) / frame)}
}

type limit struct {
	sound media.Sound
	left  int // frames
}

func (l *limit) Frame(dst []int16) bool {
	if l.left <= 0 || !l.sound.Frame(dst) {
		return false
	}
	if l.left--; l.left == 0 {
		end := dst[len(dst)-fade:]
		for i := range end {
			end[i] = int16(int32(end[i]) * edge[fade-1-i] >> 15)
		}
	}
	return true
}

// Silence is nothing to be heard for d.
func Silence(d time.Duration) media.Sound {
	return Limit(steady(nil).Sound(), d)
}
