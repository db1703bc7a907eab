package wire

import (
	"bytes"
	"hash/maphash"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Malformed is a message that did not pass.
type Malformed struct {
	Code   int    // 400, 413, 414, 505 …; also when nobody is answered
	What   string // what is malformed; never a part of the message
	Reply  []byte // nil: silence (a response, an ACK, or nobody to answer to)
	To     Hop    // where Reply goes
	Close  bool   // of a stream it is not known any more where the next message begins
	Method string // "" for responses or if it could not be read
}

func (m *Malformed) Error() string { return m.What }

// malformed builds the answer statelessly from what can still be read of b (RFC 3261 §8.2.6, §21.4.1: "The Reason-Phrase
// SHOULD identify the syntax problem in more detail").
func malformed(b []byte, from Hop, code int, what string) *Malformed {
	m := &Malformed{Code: code, What: what, To: from}
	if code == 0 {
		m.Code = sip.StatusBadRequest
	}
	m.Close = from.Reliable() && unframed(what)
	if i := bytes.Index(b, crlf2); i >= 0 {
		b = b[:i]
	}
	if len(b) > maxHead {
		b = b[:maxHead]
	}
	lines := strings.Split(string(b), "\n")
	first := strings.TrimRight(lines[0], " \t\r")
	if len(first) > 4 && fold(first[:4], "sip/") {
		return m // a response
	}
	if last := strings.LastIndexByte(first, ' '); last < 0 || len(first) < last+5 || !fold(first[last+1:last+5], "sip/") {
		m.Close = from.Reliable() // not SIP at all
		return m
	}
	if method, _, _ := strings.Cut(first, " "); token(method) && len(method) <= maxMethod {
		m.Method = method
	}
	if m.Method == "ACK" {
		return m
	}

	var via, from_, to, callID, cseq string
	for i := 1; i < len(lines); i++ {
		line := lines[i]
		for i+1 < len(lines) && lines[i+1] != "" && class[lines[i+1][0]]&isLWS != 0 && len(line) <= maxLine {
			i++
			line += " " + lines[i]
		}
		colon := strings.IndexByte(line, ':')
		if colon < 0 || len(line) > maxLine {
			continue
		}
		v := printable(line[colon+1:])
		field := trim(line[:colon])
		if v == "" || !token(field) {
			continue
		}
		switch canonical(field).id {
		case hVia:
			if via == "" {
				v, m.To = stampText(v, from)
			}
			via += "Via: " + v + "\r\n"
		case hFrom:
			from_ = first1(from_, v)
		case hTo:
			to = first1(to, v)
		case hCallID:
			callID = first1(callID, v)
		case hCSeq:
			cseq = first1(cseq, v)
		}
	}
	if via == "" || len(via)+len(from_)+len(to)+len(callID)+len(cseq) > maxHead {
		return m // "a response is sent to where the Via says"; more than came is never sent
	}
	var r strings.Builder
	r.WriteString("SIP/2.0 " + strconv.Itoa(m.Code) + " " + phrase(m.Code, what) + "\r\n" + via)
	if from_ != "" {
		r.WriteString("From: " + from_ + "\r\n")
	}
	if to != "" {
		if !strings.Contains(strings.ToLower(to[strings.LastIndexByte(to, '>')+1:]), "tag") && what != "To: unterminated quote" {
			to += ";tag=" + StatelessTag(via)
		}
		r.WriteString("To: " + to + "\r\n")
	}
	if callID != "" {
		r.WriteString("Call-ID: " + callID + "\r\n")
	}
	if cseq != "" {
		r.WriteString("CSeq: " + cseq + "\r\n")
	}
	r.WriteString("Content-Length: 0\r\n\r\n")
	m.Reply = []byte(r.String())
	return m
}

func first1(old, v string) string {
	if old != "" {
		return old
	}
	return v
}

func phrase(code int, what string) string {
	switch code {
	case sip.StatusVersionNotSupported:
		return "Version Not Supported"
	case sip.StatusRequestURITooLong:
		return "Request-URI Too Long"
	case sip.StatusMessageTooLarge:
		return "Message Too Large"
	}
	return "Bad Request (" + what + ")"
}

// unframed says whether what makes the end of a stream's message unknown (RFC 3261 §18.3).
func unframed(what string) bool {
	return strings.HasPrefix(what, "Content-Length") || what == "end of headers" || what == "headers too long"
}

// stampText stamps the first via-parm of v, if it can be read, and says where the answer goes; otherwise v stays, and
// the answer goes to where the message came from.
func stampText(v string, from Hop) (string, Hop) {
	via := new(sip.ViaHeader)
	next, what := parseVia(v, 0, via)
	if what != "" {
		return v, from
	}
	stamp(via, from.Remote)
	return string(appendVia(nil, via)) + v[next:], ResponseHop(via, from)
}

// printable drops what may not stand in a header.
func printable(s string) string {
	return trim(strings.Map(func(c rune) rune {
		if c < 0x20 && c != '\t' || c == 0x7f {
			return -1
		}
		return c
	}, s))
}

var tagSeed = maphash.MakeSeed()

// StatelessTag is a To tag for responses that leave no state: the same for every retransmission of a request
// (RFC 3261 §8.2.7), here for the same key.
func StatelessTag(key string) string {
	return "s" + strconv.FormatUint(maphash.String(tagSeed, key), 36)
}
