package speech

// The gaps, in samples.
const (
	wordGap  = 8000 * 40 / 1000  // between the words of a number
	digitGap = 8000 * 100 / 1000 // between digits that are read out
	pauseGap = 8000 * 220 / 1000 // where a comma would be
)

// utterance is sounds one after the other. It implements media.Sound.
type utterance struct {
	pieces []piece
	at     int // in the first of them
}

// piece is a recording, or silence where samples is nil. Its samples are everybody's.
type piece struct {
	samples []int16
	silence int
}

func (u *utterance) say(samples []int16) { u.pieces = append(u.pieces, piece{samples: samples}) }
func (u *utterance) wait(samples int)    { u.pieces = append(u.pieces, piece{silence: samples}) }

// Frame implements media.Sound. The last frame ends with silence.
func (u *utterance) Frame(dst []int16) bool {
	n := 0
	for n < len(dst) && len(u.pieces) > 0 {
		p := &u.pieces[0]
		var done bool
		if p.samples == nil {
			silent := min(len(dst)-n, p.silence-u.at)
			clear(dst[n : n+silent])
			n, u.at, done = n+silent, u.at+silent, u.at+silent == p.silence
		} else {
			copied := copy(dst[n:], p.samples[u.at:])
			n, u.at, done = n+copied, u.at+copied, u.at+copied == len(p.samples)
		}
		if done {
			u.pieces, u.at = u.pieces[1:], 0
		}
	}
	if n == 0 {
		return false
	}
	clear(dst[n:])
	return true
}
