package line

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/dialog"
)

const (
	allow      = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE, INFO, PRACK, UPDATE, SUBSCRIBE"
	supported  = "100rel, timer, path, gruu"
	asks       = supported + ", histinfo" // of a phone that is called (RFC 7044 §6.1)
	accept     = "application/sdp, application/dtmf-relay, application/dtmf, text/plain"
	maxText    = 512 // bytes of a remote party's text that are kept
	maxReasons = 4   // Reason and Error-Info values that are kept
)

// stock are headers that every message has in the same words; they are shared and never changed.
type stock struct {
	allow, supported, asks, accept, acceptSDP, encoding, server, userAgent, allowEvents, requireTimer, require100rel, typeSDP sip.Header
}

func newStock(o Options) stock {
	return stock{
		allow:         sip.NewHeader("Allow", allow),
		supported:     sip.NewHeader("Supported", supported),
		asks:          sip.NewHeader("Supported", asks),
		accept:        sip.NewHeader("Accept", accept),
		acceptSDP:     sip.NewHeader("Accept", "application/sdp"),
		encoding:      sip.NewHeader("Accept-Encoding", "identity"),
		server:        sip.NewHeader("Server", o.Product),
		userAgent:     sip.NewHeader("User-Agent", o.Product),
		allowEvents:   sip.NewHeader("Allow-Events", eventNames(o)),
		requireTimer:  sip.NewHeader("Require", "timer"),
		require100rel: sip.NewHeader("Require", "100rel"),
		typeSDP:       sip.NewHeader("Content-Type", "application/sdp"),
	}
}

// newTag is 64 random bits as a token.
func newTag() string { return strconv.FormatUint(rand.Uint64(), 36) }

// newCallID is 128 random bits; it names no host (RFC 7118 §8 likes that, and so does privacy).
func newCallID() string {
	return strconv.FormatUint(rand.Uint64(), 36) + "-" + strconv.FormatUint(rand.Uint64(), 36)
}

func number(name string, n int) sip.Header { return sip.NewHeader(name, strconv.Itoa(n)) }

// setBody gives m a body. Content-Length is the serialiser's; with the right one there SetBody does not look for it.
func setBody(m sip.Message, contentType sip.Header, body []byte) {
	if len(body) == 0 {
		return
	}
	n := sip.ContentLengthHeader(len(body))
	m.AppendHeader(contentType)
	m.AppendHeader(&n)
	m.SetBody(body)
}

// hasToken looks for an element of a comma-separated header, whatever lines it comes in.
func hasToken(m sip.Message, name, token string) bool {
	for t := range tokens(m, name) {
		if strings.EqualFold(t, token) {
			return true
		}
	}
	return false
}

// named compares exactly: package wire gives every header its registered spelling.
func named(h sip.Header, name string) bool { return h.Name() == name }

// value is the first header of that name, "" if there is none.
func value(m sip.Message, name string) string {
	for _, h := range headersOf(m) {
		if named(h, name) {
			return h.Value()
		}
	}
	return ""
}

func headersOf(m sip.Message) []sip.Header {
	switch m := m.(type) {
	case *sip.Request:
		return m.Headers()
	case *sip.Response:
		return m.Headers()
	}
	return nil
}

// tokens goes through the elements of a comma-separated header. Quoted commas do not occur where it is used.
func tokens(m sip.Message, name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, h := range headersOf(m) {
			if !named(h, name) {
				continue
			}
			for rest, more := h.Value(), true; more; {
				var t string
				t, rest, more = strings.Cut(rest, ",")
				if t = strings.TrimSpace(t); t != "" && !yield(t) {
					return
				}
			}
		}
	}
}

// texts are the values of a header that are kept for records and passed on. One that is longer than maxText is left out: what
// it would be cut to need not be a value any more.
func texts(m sip.Message, name string) []string {
	var all []string
	for _, h := range headersOf(m) {
		if !named(h, name) {
			continue
		}
		if v := h.Value(); len(v) <= maxText && len(all) < maxReasons {
			all = append(all, bounded(v))
		}
	}
	return all
}

// bounded is s without control characters and at most maxText bytes long.
func bounded(s string) string {
	s = dialog.Clean(s)
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return strings.Clone(s) // what it was cut from may be a whole message
}

// q850 is the cause of a Reason header with protocol Q.850 (RFC 3326 §2), 0 if there is none.
func q850(reasons []string) int {
	for _, r := range reasons {
		for _, one := range strings.Split(r, ",") {
			parts := strings.Split(one, ";")
			if !strings.EqualFold(strings.TrimSpace(parts[0]), "Q.850") {
				continue
			}
			for _, p := range parts[1:] {
				k, v, _ := strings.Cut(p, "=")
				if strings.EqualFold(strings.TrimSpace(k), "cause") {
					if n, err := strconv.Atoi(strings.TrimSpace(v)); err == nil && n > 0 && n < 128 {
						return n
					}
				}
			}
		}
	}
	return 0
}

// mediaType is a Content-Type without its parameters, in lower case.
func mediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(s))
}

// seconds reads a delta-seconds with whatever follows it cut off; ok is false if there is no number.
func seconds(s string) (n int, ok bool) {
	s = strings.TrimSpace(s)
	if i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		s = s[:i]
	}
	v, err := strconv.ParseUint(s, 10, 31)
	return int(v), err == nil
}
