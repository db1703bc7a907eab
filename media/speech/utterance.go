package speech

// The gaps, in samples.
const (
	wordGap  = 8000 * 40 / 1000  // between the words of a number
	digitGap = 8000 * 100 / 1000 // between digits that are read out
	pauseGap = 8000 * 220 / 1000 // where a comma would be
)

// utterance is sounds one after the other. It implements media.Wideband.
type utterance struct {
	pieces []piece
	at     int // in the first of them, in samples at 8 kHz
}

// piece is a recording, or silence where that is nil.
type piece struct {
	recording *recording
	silence   int
}

func (u *utterance) say(r *recording) { u.pieces = append(u.pieces, piece{recording: r}) }
func (u *utterance) wait(samples int) { u.pieces = append(u.pieces, piece{silence: samples}) }

// Frame implements media.Sound. The last frame ends with silence.
func (u *utterance) Frame(dst []int16) bool { return u.fill(dst, 1) }

// Wide implements media.Wideband.
func (u *utterance) Wide(dst []int16) bool { return u.fill(dst, 2) }

// fill makes a frame at a multiple of 8 kHz.
func (u *utterance) fill(dst []int16, times int) bool {
	n := 0
	for n < len(dst) && len(u.pieces) > 0 {
		p := &u.pieces[0]
		length, made := p.silence, 0
		switch r := p.recording; {
		case r == nil:
			made = min(len(dst)-n, (length-u.at)*times)
			clear(dst[n : n+made])
		case times == 2:
			length, made = len(r.narrow), copy(dst[n:], r.wide[2*u.at:])
		default:
			length, made = len(r.narrow), copy(dst[n:], r.narrow[u.at:])
		}
		n += made
		if u.at += made / times; u.at == length {
			u.pieces, u.at = u.pieces[1:], 0
		}
	}
	if n == 0 {
		return false
	}
	clear(dst[n:])
	return true
}
