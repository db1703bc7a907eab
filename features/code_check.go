package features

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ringback/pbx"
)

// wrong is a sentence for whoever sets codes.
type wrong string

func (w wrong) Error() string { return string(w) }

func sentence(format string, a ...any) error { return wrong(fmt.Sprintf(format, a...)) }

// maxCode is the length of a code.
const maxCode = 8

// CheckCodes says in a sentence what is wrong with the codes of an office, nil if nothing is. taken tells which numbers
// are in use. A code that takes an argument may be the beginning of another one, unless the next character of that is a digit: then
// the longer code could be the shorter one with its argument. (An argument never begins with *, # or a letter.)
func CheckCodes(office *pbx.Office, taken func(number string) bool) error {
	c := &office.Codes
	if _, known := profiles[c.Profile]; !known && c.Profile != "" {
		return sentence("There is no profile of feature codes named %.40q; there are %s.", c.Profile, listed(profiles))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Changed)) {
		if !slices.ContainsFunc(codeServices, func(s codeService) bool { return s.name == name }) {
			return sentence("There is no service named %.40q that could have a code.", name)
		}
	}
	codes := Codes(office)
	for i, a := range codes {
		if err := checkCode(a); err != nil {
			return err
		}
		for _, b := range codes[:i] {
			if err := checkPair(a, b); err != nil {
				return err
			}
		}
		if taken != nil && taken(a.Code) {
			return sentence("The code %s (%s) is a number in use.", a.Code, a.Service)
		}
	}
	return nil
}

func checkCode(c Code) error {
	if len(c.Code) > maxCode {
		return sentence("The code of %s is longer than %d characters.", c.Service, maxCode)
	}
	if strings.Trim(c.Code, "0123456789*#ABCD") != "" {
		return sentence("The code %q (%s) has characters other than 0-9 * # A-D.", c.Code, c.Service)
	}
	if first := c.Code[0]; c.Argument != NoArgument && first >= '0' && first <= '9' {
		return sentence("The code %s (%s) must not begin with a digit: with the number that follows it, it could be any other number.",
			c.Code, c.Service)
	}
	return nil
}

func checkPair(a, b Code) error {
	if a.Code == b.Code {
		return sentence("The code %s is that of two services, %s and %s.", a.Code, b.Service, a.Service)
	}
	if len(a.Code) > len(b.Code) {
		a, b = b, a
	}
	rest, begins := strings.CutPrefix(b.Code, a.Code)
	if begins && a.Argument != NoArgument && isArgument(rest) {
		return sentence("The code %s (%s) could also be %s (%s) followed by %s.", b.Code, b.Service, a.Code, a.Service, rest)
	}
	return nil
}

func listed(m map[string]map[string]string) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
