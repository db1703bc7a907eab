package music

// The piece: "Waiting Room", 40 bars of four beats at 63 a minute, 2 min 32 s, in D major. Nothing in it leaves the scale,
// the harmony changes once a bar, and there is neither drum nor deep bass: what a telephone does not carry (below 300 Hz) is not
// written. It is tuned to a' = 424 Hz, about as in Mozart's time: that is where detectors of DTMF, also careless ones, find no
// key in it (see the tests).
const (
	beatsPerMinute = 63
	beatsOfBar     = 4
	pitchOfA4      = 424.0 // Hz
	seed           = 1876  // of the small unevenness of a player's hands
)

// Pitches are MIDI numbers: 69 is a'.
type bar struct {
	chord  [4]int // of the pad, and what is plucked
	bass   int
	pluck  string // eight quavers: 0-3 a note of the chord, 4-7 the same an octave higher, "." nothing
	melody []note
}

// note lasts some beats; pitch 0 is a rest.
type note struct {
	pitch int
	beats float64
}

const (
	rest                                       = 0
	d4, e4, fis4, g4, a4, b4, cis5, d5, e5     = 62, 64, 66, 67, 69, 71, 73, 74, 76
	fis5, g5, a5, b5                           = 78, 79, 81, 83
	bassD, bassE, bassFis, bassG, bassA, bassB = 50, 52, 54, 55, 57, 59
)

// The chords as they are laid, so that voices move little.
var (
	inD    = [4]int{fis4, a4, d5, e5}
	inFis  = [4]int{fis4, a4, cis5, e5}
	inB    = [4]int{fis4, a4, b4, d5}
	inG    = [4]int{g4, b4, d5, fis5}
	inE    = [4]int{g4, b4, d5, e5}
	inAsus = [4]int{e4, a4, d5, e5}
	inA    = [4]int{e4, a4, cis5, e5}
	inA6   = [4]int{e4, a4, cis5, fis5}
	inA9   = [4]int{g4, b4, d5, e5}
)

// The ways to pluck a bar.
const (
	rising  = "0.12.321"
	rocking = "0.213.12"
	wide    = "0.2.4.32"
	falling = "3.21.012"
	sparse  = "0..2..3."
)

// The five parts of eight bars.
var (
	theme = []bar{
		{inD, bassD, rising, []note{{fis5, 2}, {a5, 1}, {e5, 1}}},
		{inB, bassB, rising, []note{{d5, 3}, {rest, 1}}},
		{inG, bassG, rocking, []note{{d5, 1}, {e5, 1}, {fis5, 2}}},
		{inAsus, bassA, rising, []note{{e5, 2}, {cis5, 2}}},
		{inFis, bassFis, rising, []note{{a5, 2}, {fis5, 1}, {e5, 1}}},
		{inB, bassB, rocking, []note{{fis5, 3}, {rest, 1}}},
		{inE, bassE, rising, []note{{g5, 1}, {fis5, 1}, {e5, 1}, {d5, 1}}},
		{inA9, bassA, falling, []note{{e5, 3}, {rest, 1}}},
	}
	answer = []bar{
		{inD, bassD, rocking, []note{{fis5, 1}, {e5, 1}, {a5, 2}}},
		{inFis, bassFis, rising, []note{{e5, 1}, {fis5, 2}, {rest, 1}}},
		{inG, bassG, rising, []note{{d5, 1}, {b4, 1}, {d5, 2}}},
		{inA, bassA, rocking, []note{{cis5, 2}, {e5, 2}}},
		{inFis, bassFis, rising, []note{{a5, 1}, {b5, 1}, {a5, 2}}},
		{inB, bassB, rocking, []note{{fis5, 2}, {d5, 1}, {rest, 1}}},
		{inE, bassE, rising, []note{{b4, 1}, {d5, 1}, {e5, 1}, {fis5, 1}}},
		{inD, bassD, falling, []note{{d5, 3}, {rest, 1}}},
	}
	middle = []bar{
		{inG, bassG, wide, []note{{b5, 2}, {a5, 2}}},
		{inA6, bassA, wide, []note{{e5, 3}, {rest, 1}}},
		{inFis, bassFis, wide, []note{{a5, 2}, {fis5, 2}}},
		{inB, bassB, rocking, []note{{d5, 3}, {rest, 1}}},
		{inE, bassE, wide, []note{{g5, 2}, {fis5, 1}, {e5, 1}}},
		{inFis, bassFis, rocking, []note{{e5, 2}, {cis5, 2}}},
		{inG, bassG, wide, []note{{d5, 1}, {e5, 1}, {fis5, 1}, {a5, 1}}},
		{inA9, bassA, falling, []note{{b5, 2}, {a5, 2}}},
	}
	again = []bar{
		{inD, bassD, wide, []note{{rest, 1}, {fis5, 1}, {a5, 1}, {e5, 1}}},
		{inB, bassB, falling, []note{{fis5, 1}, {d5, 2}, {rest, 1}}},
		{inG, bassG, wide, []note{{d5, 1}, {e5, 1}, {fis5, 1}, {g5, 1}}},
		{inAsus, bassA, rising, []note{{a5, 2}, {e5, 2}}},
		{inFis, bassFis, falling, []note{{a5, 3}, {fis5, 1}}},
		{inB, bassB, rising, []note{{fis5, 1}, {e5, 1}, {d5, 1}, {rest, 1}}},
		{inE, bassE, wide, []note{{e5, 1}, {g5, 1}, {fis5, 1}, {d5, 1}}},
		{inA9, bassA, rocking, []note{{e5, 3}, {rest, 1}}},
	}
	quiet = []bar{
		{inB, bassB, sparse, []note{{rest, 2}, {fis5, 2}}},
		{inE, bassE, sparse, []note{{rest, 2}, {b4, 1}, {d5, 1}}},
		{inA, bassA, rising, []note{{e5, 3}, {rest, 1}}},
		{inD, bassD, sparse, []note{{fis5, 2}, {rest, 2}}},
		{inG, bassG, rising, []note{{rest, 2}, {d5, 1}, {fis5, 1}}},
		{inD, bassFis, sparse, []note{{a5, 3}, {rest, 1}}},
		{inE, bassE, rocking, []note{{g5, 1}, {e5, 1}, {d5, 2}}},
		{inA9, bassA, falling, []note{{e5, 4}}},
	}
	waitingRoom = [][]bar{theme, answer, middle, again, quiet}
)
