package pbxtest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Summary is what message-summary tells (RFC 3842 §5.2).
type Summary struct {
	Waiting bool
	Account string           // URI, "": it does not say
	Counts  map[string]Count // by message context, such as "voice-message"
}

// Count is how many messages of a kind there are; those that are urgent are part of the others.
type Count struct{ New, Old, UrgentNew, UrgentOld uint64 }

// Voice is how many voice messages there are.
func (s *Summary) Voice() Count { return s.Counts["voice-message"] }

// contexts of messages (RFC 3458 §6).
var contexts = []string{"voice-message", "video-message", "fax-message", "pager-message", "multimedia-message", "text-message", "none"}

var countLine = regexp.MustCompile(`^(\d+)[ \t]*/[ \t]*(\d+)(?:[ \t]*\([ \t]*(\d+)[ \t]*/[ \t]*(\d+)[ \t]*\))?$`)

// ParseSummary reads a body of application/simple-message-summary, and takes nothing that the grammar does not have.
func ParseSummary(body []byte) (*Summary, error) {
	text := string(body)
	if !strings.HasSuffix(text, "\r\n") {
		return nil, fmt.Errorf("the last line does not end with CRLF")
	}
	lines := strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n")
	s := &Summary{Counts: make(map[string]Count)}
	for i, line := range lines {
		if strings.ContainsAny(line, "\r\n") {
			return nil, fmt.Errorf("a bare CR or LF in %q", line)
		}
		name, value, found := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimRight(name, " \t")), strings.TrimSpace(value)
		switch {
		case i > 0 && line == "": // the headers of messages follow, which are the phone's to skip
			return s, s.check()
		case !found:
			return nil, fmt.Errorf("a line without a colon: %q", line)
		case i == 0:
			if name != "messages-waiting" || value != "yes" && value != "no" {
				return nil, fmt.Errorf("the first line is %q", line)
			}
			s.Waiting = value == "yes"
		case name == "message-account":
			if i != 1 || !strings.HasPrefix(value, "sip:") && !strings.HasPrefix(value, "sips:") {
				return nil, fmt.Errorf("line %d is %q", i+1, line)
			}
			s.Account = value
		case !slices.Contains(contexts, name):
			return nil, fmt.Errorf("no such message context: %q (RFC 3458 §6)", line)
		default:
			if _, twice := s.Counts[name]; twice {
				return nil, fmt.Errorf("%s comes twice", name)
			}
			c, err := parseCount(value)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
			s.Counts[name] = c
		}
	}
	return s, s.check()
}

func parseCount(value string) (c Count, err error) {
	m := countLine.FindStringSubmatch(value)
	if m == nil {
		return c, fmt.Errorf("no counts of messages")
	}
	for i, into := range []*uint64{&c.New, &c.Old, &c.UrgentNew, &c.UrgentOld} {
		if m[i+1] == "" {
			continue
		}
		if *into, err = strconv.ParseUint(m[i+1], 10, 32); err != nil {
			return c, fmt.Errorf("more than 2³²−1 messages")
		}
	}
	if c.UrgentNew > c.New || c.UrgentOld > c.Old {
		return c, fmt.Errorf("more urgent messages than messages")
	}
	return c, nil
}

// check: messages wait if, and only if, there are new ones.
func (s *Summary) check() error {
	fresh := uint64(0)
	for _, c := range s.Counts {
		fresh += c.New
	}
	if len(s.Counts) > 0 && s.Waiting != (fresh > 0) {
		return fmt.Errorf("messages wait: %v, and %d are new", s.Waiting, fresh)
	}
	return nil
}
