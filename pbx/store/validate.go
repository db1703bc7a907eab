package store

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ringback/pbx"
)

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// reserved is how the PBX's own addresses begin: those of announcements in Error-Info (RFC 3261 §20.18), and the targets that are mailboxes.
var reserved = [...]string{"announcement.", pbx.MailboxTarget}

func checkNumber(number string) error {
	solid := false // "." and ".." are no numbers, nor can they stand in a URL
	for _, c := range []byte(number) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '*', c == '#':
			solid = true
		case strings.IndexByte("+._-", c) >= 0:
		default:
			return invalid("number", "A number consists of digits, letters and * # + . - _ only.")
		}
	}
	if !solid || len(number) > 32 {
		return invalid("number", "A number has 1 to 32 characters, a digit or letter among them.")
	}
	for _, r := range reserved {
		if len(number) >= len(r) && strings.EqualFold(number[:len(r)], r) {
			return invalid("number", "Numbers that begin with %s are the PBX's own.", r)
		}
	}
	return nil
}

func checkName(name string) error {
	if !utf8.ValidString(name) {
		return invalid("name", "The name is not valid UTF-8.")
	}
	if name == "" || utf8.RuneCountInString(name) > 128 {
		return invalid("name", "A name has 1 to 128 characters.")
	}
	if strings.ContainsFunc(name, hidden) {
		return invalid("name", "A name must not contain control characters.")
	}
	return nil
}

// hidden are the characters that make a name look like another one, or break a line.
func hidden(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r)
}

func checkContacts(n int) error {
	if n < 1 || n > 32 {
		return invalid("max_contacts", "max_contacts must be between 1 and 32.")
	}
	return nil
}

func checkRing(seconds int) error {
	if seconds < 5 || seconds > 600 {
		return invalid("ring_seconds", "ring_seconds must be between 5 and 600.")
	}
	return nil
}

func checkPassword(password string) error {
	if len(password) < 8 || len(password) > 128 {
		return invalid("password", "A password has 8 to 128 characters.")
	}
	for _, c := range []byte(password) {
		if c < 0x20 || c > 0x7e {
			return invalid("password", "A password consists of printable ASCII characters only.")
		}
	}
	return nil
}

// knownCodecs are the audio encodings that phones offer (RFC 3551 and later payload formats).
var knownCodecs = []string{"PCMU", "PCMA", "G722", "opus", "G729", "G723", "G726-16", "G726-24", "G726-32", "G726-40", "AAL2-G726-32",
	"G728", "G7221", "G719", "GSM", "iLBC", "speex", "AMR", "AMR-WB", "EVS", "SILK", "BV16", "BV32", "L16", "MP4A-LATM"}

// checkCodecs returns the list with each name spelt as its RFC does.
func checkCodecs(codecs []string) ([]string, error) {
	if len(codecs) > 16 {
		return nil, invalid("codecs", "An extension has at most 16 codecs.")
	}
	list := make([]string, 0, len(codecs))
	for _, name := range codecs {
		spelt := ""
		for _, k := range knownCodecs {
			if strings.EqualFold(k, name) {
				spelt = k
			}
		}
		if spelt == "" {
			return nil, invalid("codecs", "%s is not a known codec; known are %s.", quoted(name), strings.Join(knownCodecs, ", "))
		}
		for _, l := range list {
			if l == spelt {
				return nil, invalid("codecs", "The codec %s is listed twice.", spelt)
			}
		}
		list = append(list, spelt)
	}
	return list, nil
}

// checkTarget checks a number that may be dialled, or a part of one.
func checkTarget(field, number string) error {
	if len(strings.TrimPrefix(number, pbx.MailboxTarget)) > 32 || strings.ContainsFunc(number, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("*#+._-", r)
	}) {
		return invalid(field, "%s is not a number: it has 1 to 32 digits, letters and * # + . - _.", quoted(number))
	}
	return nil
}

func checkSeconds(field string, n, least int) error {
	if n != 0 && (n < least || n > 600) {
		return invalid(field, "%s must be 0 or between %d and 600 seconds.", field, least)
	}
	return nil
}

// checkLabel checks a short text that may be left out.
func checkLabel(field, text string) error {
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > 128 || strings.ContainsFunc(text, hidden) {
		return invalid(field, "%s has at most 128 characters, and no control characters.", field)
	}
	return nil
}

func checkSet(field string, set pbx.Set) error {
	if y := set.At.Year(); !set.At.IsZero() && (y < 1970 || y > 9999) {
		return invalid(field, "%s is of no plausible time.", field)
	}
	return checkLabel(field, set.By)
}

func checkPIN(pin string) error {
	if len(pin) < 4 || len(pin) > 12 || strings.ContainsFunc(pin, func(r rune) bool { return r < '0' || r > '9' }) {
		return invalid("pin", "A PIN has 4 to 12 digits.")
	}
	return nil
}

// checkFree checks that a number can be given to somebody new.
func (s *Store) checkFree(d *directory, field, number string) error {
	if who := d.holder(number); who != "" {
		return invalid(field, "%s is already %s.", number, who)
	}
	if s.opts.IsCode != nil && s.opts.IsCode(d.office, number) {
		return invalid(field, "%s is a feature code.", number)
	}
	return nil
}

// checkFurther checks the further numbers of e that it did not have before.
func (s *Store) checkFurther(d *directory, e, before *pbx.Extension) error {
	for i, n := range e.Numbers {
		field := fmt.Sprintf("numbers[%d]", i)
		if n == e.Number {
			return invalid(field, "%s is the extension's own number already.", n)
		}
		if before != nil && slices.Contains(before.Numbers, n) {
			continue
		}
		if err := s.checkFree(d, field, n); err != nil {
			return err
		}
	}
	return nil
}

// checkNumbers checks the form of further numbers and returns them as they are stored.
func checkNumbers(list []string) (string, error) {
	if len(list) > maxNumbers {
		return "", invalid("numbers", "An extension has at most %d further numbers.", maxNumbers)
	}
	for i, n := range list {
		field := fmt.Sprintf("numbers[%d]", i)
		if err := checkNumber(n); err != nil {
			return "", invalid(field, "%s", err.Error())
		}
		if slices.Contains(list[:i], n) {
			return "", invalid(field, "The further number %s is listed twice.", n)
		}
	}
	return strings.Join(list, " "), nil
}
