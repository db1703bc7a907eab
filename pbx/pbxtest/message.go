package pbxtest

import (
	"bytes"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Header is one header line. Value is as it came, without the space around it.
type Header struct{ Name, Value string }

// Message is a SIP message as lines of text: nothing is interpreted or put in order (RFC 3261 §7).
type Message struct {
	Method, URI string // of a request
	Status      int    // of a response
	Phrase      string
	Headers     []Header
	Body        []byte

	// How it came; zero for messages that were built.
	At        time.Time
	From      netip.AddrPort
	Transport string
	raw       []byte
	conn      *stream
	seen      bool // by Expect

	next netip.AddrPort // where it is to go; invalid: to the server
}

var compact = map[string]string{
	"a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "e": "Content-Encoding", "f": "From", "i": "Call-ID",
	"k": "Supported", "l": "Content-Length", "m": "Contact", "o": "Event", "r": "Refer-To", "s": "Subject", "t": "To",
	"u": "Allow-Events", "v": "Via", "x": "Session-Expires",
}

func longName(name string) string {
	if len(name) == 1 {
		if long := compact[strings.ToLower(name)]; long != "" {
			return long
		}
	}
	return name
}

// Parse reads one message. Folded lines are joined; the body is all that follows the empty line.
func Parse(b []byte) (*Message, error) {
	m := &Message{raw: b}
	head, body, found := bytes.Cut(b, []byte("\r\n\r\n"))
	if !found {
		return nil, fmt.Errorf("no empty line after the headers in %.60q", b)
	}
	m.Body = append([]byte(nil), body...)
	lines := strings.Split(string(head), "\r\n")
	first := strings.SplitN(lines[0], " ", 3)
	if len(first) < 2 {
		return nil, fmt.Errorf("bad first line %q", lines[0])
	}
	if strings.HasPrefix(first[0], "SIP/") {
		code, err := strconv.Atoi(first[1])
		if first[0] != "SIP/2.0" || err != nil || code < 100 || code > 699 || len(first[1]) != 3 || len(first) < 3 {
			return nil, fmt.Errorf("bad status line %q", lines[0])
		}
		m.Status, m.Phrase = code, first[2]
	} else {
		if len(first) != 3 || first[2] != "SIP/2.0" {
			return nil, fmt.Errorf("bad request line %q", lines[0])
		}
		m.Method, m.URI = first[0], first[1]
	}
	for _, line := range lines[1:] {
		if strings.ContainsAny(line, "\n\r") {
			return nil, fmt.Errorf("bare CR or LF in %q", line)
		}
		if line[:min(len(line), 1)] == " " || line[:min(len(line), 1)] == "\t" {
			if len(m.Headers) == 0 {
				return nil, fmt.Errorf("first header line is folded: %q", line)
			}
			last := &m.Headers[len(m.Headers)-1]
			last.Value += " " + strings.TrimSpace(line)
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if !found || name == "" {
			return nil, fmt.Errorf("bad header line %q", line)
		}
		m.Headers = append(m.Headers, Header{strings.TrimRight(name, " \t"), strings.TrimSpace(value)})
	}
	return m, nil
}

// Bytes is the message as text. A Content-Length is added if there is none.
func (m *Message) Bytes() []byte {
	var b bytes.Buffer
	if m.Status != 0 {
		fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", m.Status, m.Phrase)
	} else {
		fmt.Fprintf(&b, "%s %s SIP/2.0\r\n", m.Method, m.URI)
	}
	length := false
	for _, h := range m.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
		length = length || strings.EqualFold(longName(h.Name), "Content-Length")
	}
	if !length {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(m.Body))
	}
	b.WriteString("\r\n")
	b.Write(m.Body)
	return b.Bytes()
}

// String is the message in a word: "INVITE" or "200 INVITE".
func (m *Message) String() string {
	if m.Status == 0 {
		return m.Method
	}
	_, method := m.CSeq()
	return fmt.Sprintf("%d %s", m.Status, method)
}

// Raw is the message as it came, or Bytes.
func (m *Message) Raw() []byte {
	if m.raw != nil {
		return m.raw
	}
	return m.Bytes()
}

// Clone is a deep copy that did not come from anywhere.
func (m *Message) Clone() *Message {
	return &Message{Method: m.Method, URI: m.URI, Status: m.Status, Phrase: m.Phrase,
		Headers: append([]Header(nil), m.Headers...), Body: append([]byte(nil), m.Body...)}
}

// Get is the first value of a header, by its long name; "" if there is none.
func (m *Message) Get(name string) string {
	for _, h := range m.Headers {
		if strings.EqualFold(longName(h.Name), name) {
			return h.Value
		}
	}
	return ""
}

// Has reports whether there is such a header.
func (m *Message) Has(name string) bool {
	for _, h := range m.Headers {
		if strings.EqualFold(longName(h.Name), name) {
			return true
		}
	}
	return false
}

// All are the values of a header, those joined by commas taken apart (RFC 3261 §7.3.1).
func (m *Message) All(name string) []string {
	var all []string
	for _, h := range m.Headers {
		if strings.EqualFold(longName(h.Name), name) {
			switch strings.ToLower(name) {
			case "www-authenticate", "proxy-authenticate", "authorization", "proxy-authorization", "subject", "date", "user-agent", "server":
				all = append(all, h.Value)
			default:
				all = append(all, splitList(h.Value)...)
			}
		}
	}
	return all
}

// Mentions lists the headers in which a number or word stands by itself ("body" for the body), in the order they came.
func (m *Message) Mentions(word string) []string {
	found := regexp.MustCompile(`(^|[^0-9A-Za-z])` + regexp.QuoteMeta(word) + `($|[^0-9A-Za-z])`)
	var all []string
	for _, h := range m.Headers {
		if found.MatchString(h.Value) {
			all = append(all, longName(h.Name))
		}
	}
	if found.Match(m.Body) {
		all = append(all, "body")
	}
	return all
}

// Lists reports whether a header has the token in its list, such as Supported "100rel".
func (m *Message) Lists(name, token string) bool {
	for _, v := range m.All(name) {
		if strings.EqualFold(v, token) {
			return true
		}
	}
	return false
}

// Set replaces a header, in its place, or adds it.
func (m *Message) Set(name, value string) *Message {
	for i, h := range m.Headers {
		if strings.EqualFold(longName(h.Name), name) {
			rest := append([]Header(nil), m.Headers[i+1:]...)
			m.Headers = append(m.Headers[:i:i], Header{name, value})
			for _, h := range rest {
				if !strings.EqualFold(longName(h.Name), name) {
					m.Headers = append(m.Headers, h)
				}
			}
			return m
		}
	}
	return m.Add(name, value)
}

// Add appends a header.
func (m *Message) Add(name, value string) *Message {
	m.Headers = append(m.Headers, Header{name, value})
	return m
}

// Del takes all headers of a name out.
func (m *Message) Del(name string) *Message {
	var kept []Header
	for _, h := range m.Headers {
		if !strings.EqualFold(longName(h.Name), name) {
			kept = append(kept, h)
		}
	}
	m.Headers = kept
	return m
}

// SetBody gives the message a body and its Content-Type.
func (m *Message) SetBody(contentType string, body []byte) *Message {
	m.Body = body
	return m.Set("Content-Type", contentType)
}

// CSeq is the number and method of the CSeq header; 0 and "" if it is malformed.
func (m *Message) CSeq() (uint32, string) {
	number, method, _ := strings.Cut(m.Get("CSeq"), " ")
	n, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return 0, ""
	}
	return uint32(n), strings.TrimSpace(method)
}

// CallID is the Call-ID.
func (m *Message) CallID() string { return m.Get("Call-ID") }

// FromTag and ToTag are the tags of the parties; "" if there is none.
func (m *Message) FromTag() string { return Param(m.Get("From"), "tag") }

// ToTag is the tag of To.
func (m *Message) ToTag() string { return Param(m.Get("To"), "tag") }

// Branch is that of the topmost Via.
func (m *Message) Branch() string {
	if via := m.All("Via"); len(via) > 0 {
		return Param(via[0], "branch")
	}
	return ""
}

// RetryAfter is the Retry-After in seconds, 0 if none.
func (m *Message) RetryAfter() int {
	n, _ := strconv.Atoi(strings.TrimSpace(strings.SplitN(strings.SplitN(m.Get("Retry-After"), ";", 2)[0], "(", 2)[0]))
	return n
}
