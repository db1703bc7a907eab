package pbxtest

import (
	"fmt"
	"net/netip"
	"strings"
)

// Media is what an offer says. The zero value is what the phone is set up with.
type Media struct {
	None      bool     // no SDP
	Text      string   // this SDP, verbatim; %ADDR% and %PORT% stand for the phone's own
	Codecs    []string // in the order preferred
	Direction string   // default: sendrecv
	Zero      bool     // c=0.0.0.0 (hold of RFC 2543)
	Video     bool     // a video line after the audio
}

// session is the state of offer and answer on a leg (RFC 3264). It is guarded by Phone.mu.
type session struct {
	id, version uint64
	last        string // newest description sent, but for o=
	want        string // direction the phone wants
	local       []format
	localDir    string
	remote      *sdp
	offered     *sdp // the remote offer to answer next
	early       string
	lines       int    // m-lines of the newest offer sent
	answerInAck string // text that the ACK has to bring
}

// describe makes the text of a description; its version goes up only if it differs from the last (RFC 3264 §8).
func (l *CallLeg) describe(conn string, mlines []string) string {
	s := &l.session
	host := l.Phone.local.Addr()
	family := "IP4"
	if host.Is6() {
		family = "IP6"
	}
	if conn == "" {
		conn = host.String()
	}
	rest := fmt.Sprintf("s=-\r\nc=IN %s %s\r\nt=0 0\r\n%s", family, conn, strings.Join(mlines, ""))
	if s.id == 0 {
		s.id, s.version = 1000000+uint64(l.audio.localPort()), 1
	} else if rest != s.last {
		s.version++
	}
	s.last = rest
	return fmt.Sprintf("v=0\r\no=- %d %d IN %s %s\r\n%s", s.id, s.version, family, host, rest)
}

func (l *CallLeg) audioLine(formats []format, direction string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "m=audio %d RTP/AVP", l.audio.localPort())
	for _, f := range formats {
		fmt.Fprintf(&b, " %d", f.pt)
	}
	b.WriteString("\r\n")
	for _, f := range formats {
		name := f.name
		if f.event() {
			name = "telephone-event"
		}
		fmt.Fprintf(&b, "a=rtpmap:%d %s/%d\r\n", f.pt, name, f.rate)
		if f.event() {
			fmt.Fprintf(&b, "a=fmtp:%d 0-16\r\n", f.pt)
		}
	}
	fmt.Fprintf(&b, "a=ptime:20\r\na=%s\r\n", direction)
	return b.String()
}

// formatsOf gives the phone's codecs their payload types.
func (p *Phone) formats(names []string) []format {
	if names == nil {
		names = p.c.Codecs
	}
	var all []format
	dynamic := uint8(110)
	for _, n := range names {
		f := format{name: strings.ToUpper(n), rate: 8000}
		found := false
		for pt, s := range staticTypes {
			if s.name == f.name {
				f.pt, found = uint8(pt), true
			}
		}
		switch {
		case found:
		case f.event():
			f.pt = p.c.EventPT
		default:
			if f.name == "OPUS" {
				f.rate = 48000
			}
			f.pt = dynamic
			dynamic++
		}
		all = append(all, f)
	}
	return all
}

// offerIn puts an offer into a request. It needs p.mu.
func (l *CallLeg) offerIn(m *Message, o Media) {
	if o.None {
		return
	}
	s := &l.session
	if o.Text != "" {
		text := strings.NewReplacer("%ADDR%", l.Phone.local.Addr().String(), "%PORT%", fmt.Sprint(l.audio.localPort())).Replace(o.Text)
		m.SetBody("application/sdp", []byte(text))
		if d, _ := parseSDP(text); d.audio() != nil {
			s.local, s.localDir, s.lines = d.audio().list(), d.direction(d.audio()), len(d.media)
		}
		return
	}
	if o.Direction == "" {
		o.Direction = "sendrecv"
	}
	s.want, s.localDir = o.Direction, o.Direction
	s.local = l.Phone.formats(o.Codecs)
	lines := []string{l.audioLine(s.local, o.Direction)}
	if o.Video {
		lines = append(lines, fmt.Sprintf("m=video %d RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n", l.audio.localPort()+2))
	}
	s.lines = len(lines)
	conn := ""
	if o.Zero {
		conn, s.want = "0.0.0.0", "sendonly"
	}
	m.SetBody("application/sdp", []byte(l.describe(conn, lines)))
	l.audio.expect(s.local)
}

func hasSDP(m *Message) bool {
	return len(m.Body) > 0 && strings.HasPrefix(strings.ToLower(m.Get("Content-Type")), "application/sdp")
}

// gotDescription takes what a message says of the session: an offer in a request (sent is nil), or what the response
// to the request sent brings. It needs p.mu.
func (l *CallLeg) gotDescription(m, sent *Message) {
	if !hasSDP(m) {
		if sent != nil && m.Status/100 == 2 && m.Method == "" {
			if _, method := m.CSeq(); method == "INVITE" && l.session.early == "" && !(sent.Method == "UPDATE") {
				l.Phone.complainLocked("the %s has no SDP", m)
			}
		}
		return
	}
	d := l.remoteDescription(m)
	switch {
	case sent == nil:
		l.session.offered = d
	case hasSDP(sent):
		l.gotAnswer(m, m.Status >= 200)
	case m.Status/100 == 2: // the answer goes into the ACK
		l.session.offered = d
		answer := &Message{}
		l.answerMod(m)(answer)
		l.session.answerInAck = string(answer.Body)
	}
}

// remoteDescription parses and checks a description that came. It needs p.mu.
func (l *CallLeg) remoteDescription(m *Message) *sdp {
	d, wrong := parseSDP(string(m.Body))
	for _, w := range wrong {
		l.Phone.complainLocked("%s: %s", m, w)
	}
	l.checkVersion(m, d)
	return d
}

// gotAnswer takes the answer to the offer sent last. It needs p.mu.
func (l *CallLeg) gotAnswer(m *Message, final bool) {
	s := &l.session
	if !hasSDP(m) {
		l.Phone.complainLocked("%s brings no answer (RFC 3261 §13.2.1)", m)
		return
	}
	d := s.remote
	if d == nil || d.text != string(m.Body) {
		d = l.remoteDescription(m)
	}
	if m.Status >= 101 && !l.answered && m.Status < 200 || m.Status/100 == 2 && s.early != "" {
		if s.early != "" && s.early != d.text {
			l.Phone.complainLocked("%s has another answer than the 1xx before (RFC 3261 §13.2.1)", m)
		}
		s.early = d.text
		if final {
			s.early = ""
		}
	}
	l.checkAnswer(m, d)
	s.remote = d
	a := d.audio()
	if a == nil || a.port == 0 {
		l.audio.hush()
		return
	}
	l.apply(d, a, s.localDir)
}

// answerMod gives a message the answer to the offer that came last, or an offer if m had none. It needs p.mu.
func (l *CallLeg) answerMod(m *Message) Mod {
	s := &l.session
	return func(r *Message) {
		if !hasSDP(m) {
			if r.Status/100 == 2 {
				l.offerIn(r, Media{Direction: s.want})
			}
			return
		}
		d := s.offered
		if s.want == "" {
			s.want = "sendrecv"
		}
		var lines []string
		done := false
		for _, o := range d.media {
			var common []format
			sound := false
			if o.kind == "audio" && !done && o.port != 0 {
				for _, f := range o.list() {
					for _, mine := range l.Phone.formats(nil) {
						if f.name == mine.name && f.rate == mine.rate && (f.event() || !sound || !l.Phone.c.OneCodec) {
							common = append(common, f)
							sound = sound || !f.event()
						}
					}
				}
			}
			if !sound {
				lines = append(lines, fmt.Sprintf("m=%s 0 %s %s\r\n", o.kind, o.proto, strings.Join(o.formats, " ")))
				continue
			}
			done = true
			s.local, s.localDir = common, both(reverse(d.direction(o)), s.want)
			lines = append(lines, l.audioLine(common, s.localDir))
			l.audio.expect(common)
		}
		r.SetBody("application/sdp", []byte(l.describe("", lines)))
		s.remote = d
		if a := d.audio(); a != nil && done {
			l.apply(d, a, s.localDir)
		}
	}
}

// apply sends and receives as agreed. It needs p.mu.
func (l *CallLeg) apply(d *sdp, a *mline, localDir string) {
	dir := both(localDir, reverse(d.direction(a)))
	to := d.address(a)
	send := (dir == "sendrecv" || dir == "sendonly") && to.IsValid()
	var use, event format
	for _, f := range a.list() {
		for _, mine := range l.session.local {
			if f.name != mine.name || f.rate != mine.rate {
				continue
			}
			if f.event() && event.name == "" {
				event = f
			} else if !f.event() && use.name == "" {
				use = f
			}
		}
	}
	if use.name == "" {
		send = false
	}
	if !send {
		to = netip.AddrPort{}
	}
	l.audio.agree(to, d.rtcp(a), use, event, d.address(a))
}

// Remote is the newest session description of the other side, "" if none came.
func (l *CallLeg) Remote() string {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	if l.session.remote == nil {
		return ""
	}
	return l.session.remote.text
}

// RemoteDirection is what the other side said last: "sendrecv", "sendonly", "recvonly", "inactive"; "" if it rejected
// the audio or said nothing.
func (l *CallLeg) RemoteDirection() string {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	d := l.session.remote
	if d == nil || d.audio() == nil || d.audio().port == 0 {
		return ""
	}
	return d.direction(d.audio())
}
