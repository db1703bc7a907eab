package features

import (
	"slices"
	"strings"
	"sync/atomic"

	"ringback/pbx"
)

// Code is a feature code that is in force.
type Code struct {
	Code     string   `json:"code"`
	Service  string   `json:"service"` // stable name, the key of pbx.FeatureCodes.Changed
	Argument Argument `json:"argument,omitempty"`
	Text     string   `json:"text"` // what it does, for people
}

// Argument is what is dialled after a code. Where it is missing, the caller is asked for it.
type Argument string

// The arguments of codes. All of them begin with a digit or +, which is what keeps a code that takes one and a longer
// code apart.
const (
	NoArgument  Argument = ""
	ANumber     Argument = "number"
	ASpeedDial  Argument = "speed dial" // a key of pbx.Services.SpeedDials
	maxArgument          = 32           // characters, as of every number
)

// Codes lists the codes that an office has in force, by service.
func Codes(office *pbx.Office) []Code {
	all := make([]Code, 0, len(codeServices))
	for i := range codeServices {
		s := &codeServices[i]
		if code := codeOf(&office.Codes, s.name); code != "" {
			all = append(all, Code{Code: code, Service: s.name, Argument: s.takes, Text: s.text})
		}
	}
	return all
}

// IsCode reports whether extensions of the office that dial the number reach a service instead of a subscriber: such a number can be
// given to nobody.
func IsCode(office *pbx.Office, number string) bool {
	s, _ := codesOf(office).find(number)
	return s != nil
}

// IsMyMailbox reports whether extensions of the office that dial the number hear their own messages.
func IsMyMailbox(office *pbx.Office, number string) bool {
	s, _ := codesOf(office).find(number)
	return s != nil && s.name == "my_mailbox"
}

// codeOf is the code of a service, "" if it has none.
func codeOf(c *pbx.FeatureCodes, service string) string {
	if code, changed := c.Changed[service]; changed {
		return code
	}
	profile := c.Profile
	if profile == "" {
		profile = DefaultProfile
	}
	return profiles[profile][service]
}

// codeTable is the codes of one office, made for looking them up. It does not change.
type codeTable struct {
	office *pbx.Office // whose codes they are: it lives as long as the table, so its address is not used again
	first  [256]bool   // bytes that some code begins with
	codes  []codeEntry // longest first
}

type codeEntry struct {
	code    string
	service *codeService
}

// newestCodes is the table of the office that was asked for last. There is one office at a time, so it is nearly always the
// right one; if not, it is made again.
var newestCodes atomic.Pointer[codeTable]

func codesOf(office *pbx.Office) *codeTable {
	if t := newestCodes.Load(); t != nil && t.office == office {
		return t
	}
	t := compile(office)
	newestCodes.Store(t)
	return t
}

func compile(office *pbx.Office) *codeTable {
	t := &codeTable{office: office, codes: make([]codeEntry, 0, len(codeServices))}
	for i := range codeServices {
		if code := codeOf(&office.Codes, codeServices[i].name); code != "" {
			t.codes = append(t.codes, codeEntry{code, &codeServices[i]})
			t.first[code[0]] = true
		}
	}
	slices.SortStableFunc(t.codes, func(a, b codeEntry) int { return len(b.code) - len(a.code) })
	return t
}

// find is the service of the longest code that what is dialled can be, with its argument; nil if there is none.
func (t *codeTable) find(dialled string) (*codeService, string) {
	if dialled == "" || !t.first[dialled[0]] {
		return nil, ""
	}
	for i := range t.codes {
		e := &t.codes[i]
		rest, ok := strings.CutPrefix(dialled, e.code)
		if ok && (rest == "" || e.service.takes != NoArgument && isArgument(rest)) {
			return e.service, rest
		}
	}
	return nil, ""
}

// isArgument reports whether s can stand behind a code.
func isArgument(s string) bool {
	if s == "" || len(s) > maxArgument || s[0] != '+' && (s[0] < '0' || s[0] > '9') {
		return false
	}
	return isNumber(s)
}

// isNumber reports whether s has only characters that numbers may have.
func isNumber(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case strings.IndexByte("*#+._-", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// code is the service that a dialled number stands for, nil if it is none. Codes are for extensions only.
func (r *route) code(caller *pbx.Extension, dialled string) pbx.Target {
	if caller == nil {
		return nil
	}
	s, argument := codesOf(r.Directory.Office()).find(dialled)
	if s == nil {
		return nil
	}
	return s.plan(&codeCall{codeService: s, route: r, caller: caller, argument: argument})
}
