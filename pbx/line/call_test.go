package line

import (
	"cmp"
	"strconv"
	"strings"
)

// call is a phone's side of a dialog.
type call struct {
	p             *phone
	id            string
	local, remote string // header values with tags
	target        string
	seq           int
	branch        string // of the newest request
	first         string // of the first one
	request       string // the newest one, for CANCEL and ACK
	contact       string // "" is the phone's address
}

// sdp is a description with one audio stream.
func sdp(p *phone, port int, codecs string, more ...string) string {
	ip := p.addr.Addr().String()
	s := "v=0\no=- 7 7 IN IP4 " + ip + "\ns=-\nc=IN IP4 " + ip + "\nt=0 0\nm=audio " + strconv.Itoa(port) + " RTP/AVP " + codecs + "\n"
	for _, m := range more {
		s += m + "\n"
	}
	return s
}

// invite sends an INVITE to a number. more are header lines.
func (p *phone) invite(to, sdp string, more ...string) *call {
	p.s.t.Helper()
	c := &call{p: p, id: "call" + p.s.id(), local: "<sip:" + p.number + "@pbx.test>;tag=p" + p.s.id(), remote: "<sip:" + to + "@pbx.test>", target: "sip:" + to + "@pbx.test"}
	c.send("INVITE", sdp, append([]string{"Authorization: Test " + p.number}, more...)...)
	return c
}

// send sends a request of the call.
func (c *call) send(method, body string, more ...string) {
	c.p.s.t.Helper()
	if method != "ACK" && method != "CANCEL" {
		c.seq++
	}
	c.sendSeq(method, c.seq, body, more...)
}

func (c *call) sendSeq(method string, seq int, body string, more ...string) {
	c.p.s.t.Helper()
	if method != "CANCEL" {
		c.branch = "z9hG4bKt" + c.p.s.id()
		c.first = cmp.Or(c.first, c.branch)
	}
	transport := "UDP"
	if c.p.stream != nil {
		transport = "TCP"
	}
	b := method + " " + c.target + " SIP/2.0\nVia: SIP/2.0/" + transport + " " + c.p.addr.String() + ";branch=" + c.branch +
		"\nMax-Forwards: 70\nFrom: " + c.local + "\nTo: " + c.remote + "\nCall-ID: " + c.id + "\nCSeq: " + strconv.Itoa(seq) + " " + method +
		"\nContact: " + cmp.Or(c.contact, "<sip:"+c.p.number+"@"+c.p.addr.String()+">") + "\n"
	for _, m := range more {
		b += m + "\n"
	}
	if body != "" && !strings.Contains(b, "Content-Type:") {
		b += "Content-Type: application/sdp\n"
	}
	c.request = b + "\n" + body
	c.p.send(c.request)
}

// take learns the remote tag and target from a response.
func (c *call) take(m string) string {
	c.remote = header(m, "To")
	if u := uri(header(m, "Contact")); u != "" {
		c.target = u
	}
	return m
}

// cancel cancels the newest request.
func (c *call) cancel(more ...string) {
	c.p.s.t.Helper()
	remote := c.remote
	c.remote, _, _ = strings.Cut(remote, ";tag=")
	c.send("CANCEL", "", more...)
	c.remote = remote
}

// cancelFirst cancels the INVITE, whatever was sent after it.
func (c *call) cancelFirst(more ...string) {
	c.p.s.t.Helper()
	seq, branch := c.seq, c.branch
	c.branch, c.seq = c.first, 1
	c.cancel(more...)
	c.seq, c.branch = seq, branch
}

// respond answers a request that the phone got.
func (p *phone) respond(req string, status string, tag, body string, more ...string) {
	p.s.t.Helper()
	to := header(req, "To")
	if tag != "" && !strings.Contains(to, ";tag=") {
		to += ";tag=" + tag
	}
	b := "SIP/2.0 " + status + "\n"
	head, _, _ := strings.Cut(req, "\r\n\r\n")
	for _, l := range strings.Split(head, "\r\n") {
		if strings.HasPrefix(l, "Via:") || strings.HasPrefix(l, "Record-Route:") {
			b += l + "\n"
		}
	}
	b += "From: " + header(req, "From") + "\nTo: " + to + "\nCall-ID: " + header(req, "Call-ID") + "\nCSeq: " + header(req, "CSeq") + "\n"
	contact := true
	for _, m := range more {
		b += m + "\n"
		contact = contact && !strings.HasPrefix(m, "Contact:")
	}
	if contact {
		transport := ""
		if p.stream != nil {
			transport = ";transport=tcp"
		}
		b += "Contact: <sip:" + p.number + "@" + p.addr.String() + transport + ">\n"
	}
	if body != "" {
		b += "Content-Type: application/sdp\n"
	}
	p.send(b + "\n" + body)
}

// accept makes the called phone's side of a dialog from the INVITE it got.
func (p *phone) side(invite, tag string) *call {
	return &call{p: p, id: header(invite, "Call-ID"), local: header(invite, "To") + ";tag=" + tag, remote: header(invite, "From"),
		target: uri(header(invite, "Contact")), seq: 100}
}

// header is the value of a header in SIP text, "" if it is not there.
func header(m, name string) string {
	head, _, _ := strings.Cut(m, "\r\n\r\n")
	for _, l := range strings.Split(head, "\r\n")[1:] {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func body(m string) string {
	_, b, _ := strings.Cut(m, "\r\n\r\n")
	return b
}

func tagIn(v string) string {
	_, t, _ := strings.Cut(v, ";tag=")
	t, _, _ = strings.Cut(t, ";")
	return t
}

// uri is what is between < and >.
func uri(v string) string {
	_, u, _ := strings.Cut(v, "<")
	u, _, _ = strings.Cut(u, ">")
	return u
}
