package speech

import (
	"strconv"
	"strings"
	"time"
)

// What comes from a caller's phone or a configuration has bounds.
const (
	maxParts  = 16
	maxDigits = 64
	maxID     = 64
	maxNumber = 999_999_999_999
)

// phrase is prompts that are heard as one, with a gap (samples) between them.
type phrase struct {
	words []string
	gap   int
}

// pause is among words where a comma would be.
const pause = ","

// compose is what is said for a name. It reports false if the name means nothing.
func compose(g *grammar, name string) ([]phrase, bool) {
	parts := strings.Split(name, ",")
	if len(parts) > maxParts {
		return nil, false
	}
	phrases := make([]phrase, 0, len(parts))
	for _, part := range parts {
		p := phrase{gap: wordGap}
		kind, argument, composed := strings.Cut(part, ":")
		switch {
		case !composed && isID(part):
			p.words = []string{part}
		case !composed:
		case kind == "digits":
			p = phrase{spell(argument), digitGap}
		case kind == "number":
			if n, ok := number(argument); ok {
				p.words = g.number(n)
			}
		case kind == "slot":
			p.words = slot(g, argument)
		case kind == "time":
			if t, err := time.Parse("15:04", argument); err == nil {
				p.words = g.clock(t.Hour(), t.Minute())
			}
		case kind == "date":
			if t, err := time.Parse(time.DateOnly, argument); err == nil && t.Year() >= 2000 && t.Year() <= 2099 {
				p.words = g.date(t.Date())
			}
		case kind == "mailbox":
			a, b, _ := strings.Cut(argument, ":")
			fresh, ok1 := number(a)
			old, ok2 := number(b)
			if ok1 && ok2 {
				p.words = g.mailbox(fresh, old)
			}
		case kind == "participants":
			if n, ok := number(argument); ok {
				p.words = participants(g, n)
			}
		}
		if len(p.words) == 0 {
			return nil, false
		}
		phrases = append(phrases, p)
	}
	return phrases, true
}

// isID reports whether a name is one of a recording: [a-z0-9-], in parts with / between them. So it is no path.
func isID(name string) bool {
	if len(name) > maxID {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

func number(s string) (n int64, ok bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= 0 && n <= maxNumber && s[0] != '+'
}

// spell reads out. What is neither a digit nor a letter nor a key is a pause.
func spell(s string) (words []string) {
	for _, c := range []byte(s[:min(len(s), maxDigits)]) {
		switch {
		case c >= '0' && c <= '9':
			words = append(words, "digits/"+string(c))
		case c == '*':
			words = append(words, "digits/star")
		case c == '#':
			words = append(words, "digits/pound")
		case c == '+':
			words = append(words, "digits/plus")
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			words = append(words, "letters/"+string(c|0x20))
		case len(words) > 0 && words[len(words)-1] != pause:
			words = append(words, pause)
		}
	}
	return words
}

// slot is where a call is parked: "71" as a number, what is longer digit by digit.
func slot(g *grammar, s string) []string {
	said := spell(s)
	if len(said) == 0 {
		return nil
	}
	if n, ok := number(s); ok && len(s) <= 2 && s[0] != '0' {
		said = g.number(n)
	}
	return append([]string{"parked-at"}, said...)
}

func participants(g *grammar, n int64) []string {
	if n <= 1 {
		return []string{"conf-alone"}
	}
	return g.participants(n)
}
