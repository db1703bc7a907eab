package mail

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"ringback/pbx"
)

// maxText bounds a name or number that came from outside, in characters.
const maxText = 64

// caller is who left a message.
func caller(v pbx.VoiceMessage) string {
	if v.From == "" {
		return "a caller who hides his number"
	}
	return person(v.From, v.FromName)
}

// person is a name with its number.
func person(number, name string) string {
	number, name = clean(number), clean(name)
	if name == "" || name == number {
		return number
	}
	return name + " (" + number + ")"
}

// clean is text from outside in one line and bounded, without what steers a terminal, turns the direction of what is read, or is
// taken for an encoded word (RFC 2047).
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r), r == unicode.ReplacementChar: // controls and formatting, those of direction among them
			return -1
		}
		return r
	}, s[:min(len(s), 8*maxText)])
	s = strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "=?", "= ?")
	if runes := []rune(s); len(runes) > maxText {
		return string(runes[:maxText-1]) + "…"
	}
	return s
}

// length is a duration as people say it.
func length(d time.Duration) string {
	s := int((d + time.Second/2) / time.Second)
	switch {
	case s == 1:
		return "1 second"
	case s < 60:
		return fmt.Sprintf("%d seconds", s)
	default:
		return fmt.Sprintf("%d:%02d minutes", s/60, s%60)
	}
}

// short bounds what a server says, for the log.
func short(s string) string {
	if runes := []rune(s); len(runes) > 300 {
		return string(runes[:300]) + "…"
	}
	return s
}
