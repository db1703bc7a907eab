package line

import (
	"bytes"
	"strings"
)

// maxKey bounds a body that says which key was pressed, in bytes.
const maxKey = 128

// keyOf is the key that an INFO of a media type tells: Signal= of application/dtmf-relay, or all there is of
// application/dtmf. No RFC has either; phones write * and # also as 10 and 11, and A to D as 12 to 15. ok is false if it
// tells none.
func keyOf(mediaType string, body []byte) (key byte, ok bool) {
	if len(body) > maxKey {
		return 0, false
	}
	switch mediaType {
	case "application/dtmf":
		return keyNamed(string(bytes.TrimSpace(body)))
	case "application/dtmf-relay":
	default:
		return 0, false
	}
	signals := 0
	for line := range strings.Lines(string(body)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, equals := strings.Cut(line, "=")
		if !equals {
			return 0, false
		}
		switch name, value = strings.TrimSpace(name), strings.TrimSpace(value); {
		case strings.EqualFold(name, "Signal"):
			signals++
			if key, ok = keyNamed(value); !ok || signals > 1 {
				return 0, false
			}
		case strings.EqualFold(name, "Duration"): // milliseconds; a key is one key however long it was held
			if len(value) > 6 || value == "" || strings.Trim(value, "0123456789") != "" {
				return 0, false
			}
		}
	}
	return key, signals == 1
}

func keyNamed(s string) (byte, bool) {
	switch len(s) {
	case 1:
		c := s[0]
		if c >= 'a' && c <= 'd' {
			c -= 'a' - 'A'
		}
		return c, strings.IndexByte("0123456789*#ABCD", c) >= 0
	case 2:
		if s[0] == '1' && s[1] >= '0' && s[1] <= '5' {
			return "*#ABCD"[s[1]-'0'], true
		}
	}
	return 0, false
}
