// Package music is what a party hears who is on hold: a piece that was composed for it, rendered once, and whatever WAV files
// an administrator puts in its place.
//
// Music is in classes, by name. A directory of the library is a class: its *.wav files, one after the other in the order of
// their names, again and again. The class "default" is our own piece unless there is such a directory; so is a class that
// does not exist.
//
// It plays like a radio: it goes on whether or not anybody listens, and a listener tunes in where it is now. Who is held
// three times in a row hears it go on, and not its first bars three times; and who is held for long and who is held for a
// moment have the same chance to hear any of it.
//
// A Library may be used from any goroutine. Nothing that a listener does waits: files are read, and the piece is rendered, by
// a goroutine of the library, and until that is done there is silence. All listeners share what is in memory.
package music

import (
	"strings"

	"ringback/media"
)

// Default is the class of who has none.
const Default = "default"

const (
	rate    = 8000 // samples a second
	maxName = 32
)

// ValidClass reports whether a class may have this name: 1 to 32 of a-z, 0-9 and "-".
func ValidClass(name string) bool {
	return name != "" && len(name) <= maxName && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// Prompt is the sound of a prompt named "music" or "music:CLASS"; nil if it is named otherwise.
func (l *Library) Prompt(name string) media.Sound {
	switch kind, class, _ := strings.Cut(name, ":"); {
	case kind != "music":
		return nil
	case class == "":
		return l.Class(Default)
	default:
		return l.Class(class)
	}
}

// track is sound that goes round. It is never changed.
type track struct{ samples []int16 }
