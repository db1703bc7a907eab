package line

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/line/digest"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
	"ringback/pbx/pbxtest/memnet"
)

// scene is a line on an in-memory network, with everything around it played: registrar, exchange, media, phones.
// What the phones send and get is SIP text.
type scene struct {
	t     *testing.T
	net   *memnet.Network
	line  *Line
	wire  *wire.Transport
	x     *exchange
	reg   *registry
	media *studio
	ids   int
}

const pbxAddr = "192.0.2.1"

// play runs f in virtual time and then checks that nothing is left over: no leg, no port, no INVITE, no timer.
func play(t *testing.T, f func(s *scene), set ...func(*Options)) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t, net: memnet.New(1), x: &exchange{}, reg: &registry{bindings: map[string]entry{}}, media: &studio{}}
		host := s.net.Host(netip.MustParseAddr(pbxAddr))
		at := netip.MustParseAddrPort(pbxAddr + ":5060")
		quiet := slog.New(slog.DiscardHandler)
		s.wire = wire.New(wire.Options{Network: inMemory{host}, UDP: []netip.AddrPort{at}, TCP: []netip.AddrPort{at}, Log: quiet,
			Closed: func(hop wire.Hop) { s.line.Closed(hop) }})
		o := Options{Send: s.wire, Exchange: s.x, Directory: directory{}, Authenticator: guard{}, Registrar: s.reg, Media: s.media,
			Locals: s.wire.Locals, Domain: "pbx.test", Qualify: -1, Log: quiet}
		for _, f := range set {
			f(&o)
		}
		s.line = New(o)
		if err := s.wire.Open(s.line.Receive); err != nil {
			t.Fatal(err)
		}
		defer func() { // also after t.Fatal
			_ = s.wire.Close()
			s.line.Close()
			s.net.Close()
		}()
		f(s)
		s.line.HangupAll(pbx.Hangup)
		time.Sleep(2 * time.Minute) // virtual: longer than any timer of RFC 3261
		synctest.Wait()
		if n := s.line.Stats().Legs; n != 0 {
			t.Errorf("%d legs left", n)
		}
		s.line.invites.Range(func(k, v any) bool { t.Error("an INVITE left in the table"); return true })
		if n := s.media.open(); n != 0 {
			t.Errorf("%d ports left", n)
		}
		for leg, n := range s.x.ends() {
			if n != 1 {
				t.Errorf("Ended told %d times of leg %s", n, leg)
			}
		}
		if n := s.line.Stats().Panics; n != s.x.panics {
			t.Errorf("%d panics", n)
		}
	})
}

type inMemory struct{ *memnet.Host }

func (m inMemory) ListenPacket(local netip.AddrPort) (wire.PacketConn, error) {
	return m.Host.ListenPacket(local)
}

// directory has every number from 1000 to 1999; 1500 may use A-law only.
type directory struct{}

func (directory) Extension(n string) *pbx.Extension {
	if len(n) != 4 || n[0] != '1' {
		return nil
	}
	e := &pbx.Extension{Number: n, Name: "Phone " + n, Enabled: true}
	if n == "1500" {
		e.Codecs = []string{"PCMA"}
	}
	return e
}

// guard lets in whoever says who he is.
type guard struct{}

func (guard) Check(req *sip.Request, from wire.Hop) digest.Result {
	if h := req.GetHeader("Authorization"); h != nil {
		if n, ok := strings.CutPrefix(h.Value(), "Test "); ok {
			return digest.Result{OK: true, Extension: directory{}.Extension(n)}
		}
	}
	res := wire.NewResponse(req, 401, "Unauthorized", "guard")
	res.AppendHeader(sip.NewHeader("WWW-Authenticate", "Test"))
	return digest.Result{Response: res}
}

type entry struct {
	b   pbx.Binding
	hop wire.Hop
}

// registry is a registrar whose bindings the test sets.
type registry struct {
	mu       sync.Mutex
	bindings map[string]entry
	marks    []string
	seen     []string // REGISTERs
}

func (r *registry) Register(tx *transaction.Server, ext *pbx.Extension) {
	r.mu.Lock()
	r.seen = append(r.seen, ext.Number)
	r.mu.Unlock()
	_ = tx.Respond(wire.NewResponse(tx.Request, 200, "OK", "registrar"))
}

func (r *registry) Contacts(n string) (all []pbx.Contact) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, e := range r.bindings {
		if e.b.Extension == n {
			all = append(all, pbx.Contact{Extension: n, Number: n, ID: id, URI: e.b.Contact, Q: 1000})
		}
	}
	return all
}

func (r *registry) Binding(id string) (pbx.Binding, wire.Hop, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.bindings[id]
	return e.b, e.hop, ok
}

func (r *registry) Mark(id string, reachable bool, _ time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marks = append(r.marks, id+" "+strconv.FormatBool(reachable))
}

func (r *registry) marked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.marks)
}

func (r *registry) ConnClosed(wire.Hop)            {}
func (r *registry) Registered(netip.AddrPort) bool { return false }

// Resolve knows the GRUU of one phone that is there, of one that is not, and no other.
func (r *registry) Resolve(u *sip.Uri) (string, []string) {
	switch gr, _ := u.UriParams.Get("gr"); gr {
	case "there":
		return "1001", []string{"b1"}
	case "gone":
		return "1001", nil
	}
	return "", nil
}

func (r *registry) Qualify(slot int, visit func(string, pbx.Binding, wire.Hop)) {
	if slot != 0 {
		return
	}
	r.mu.Lock()
	all := make(map[string]entry)
	for id, e := range r.bindings {
		all[id] = e
	}
	r.mu.Unlock()
	for id, e := range all {
		visit(id, e.b, e.hop)
	}
}

// exchange notes what a line tells, and may do something about it.
type exchange struct {
	mu       sync.Mutex
	events   []string
	legs     []*pbx.Leg
	outcomes []pbx.Outcome
	ended    map[*pbx.Leg]int
	panics   int64
	incoming func(leg *pbx.Leg)
	message  func(m pbx.Message, reply func(pbx.Outcome))
}

func (x *exchange) note(format string, a ...any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.events = append(x.events, fmt.Sprintf(format, a...))
}

func (x *exchange) Incoming(leg *pbx.Leg, dialled string, hops int) {
	x.note("incoming %s from %s hops %d", dialled, leg.Party.Number, hops)
	x.mu.Lock()
	x.legs = append(x.legs, leg)
	f := x.incoming
	x.expectEnd(leg)
	x.mu.Unlock()
	if f != nil {
		f(leg)
	}
}

func (x *exchange) expectEnd(leg *pbx.Leg) {
	if x.ended == nil {
		x.ended = map[*pbx.Leg]int{}
	}
	x.ended[leg] += 0
}

func (x *exchange) Ended(leg *pbx.Leg, o pbx.Outcome) {
	x.note("ended %s cause %d", o, o.Cause)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.expectEnd(leg)
	x.ended[leg]++
	x.outcomes = append(x.outcomes, o)
}

func (x *exchange) ends() map[string]int {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := map[string]int{}
	for leg, n := range x.ended {
		all[leg.ID] = n
	}
	return all
}

func (x *exchange) Held(_ *pbx.Leg, held bool) { x.note("held %v", held) }
func (x *exchange) Info(_ *pbx.Leg, contentType string, body []byte) {
	x.note("info %s %q", contentType, body)
}
func (x *exchange) Message(m pbx.Message, reply func(pbx.Outcome)) {
	x.note("message from %s to %s %s %q", m.From.Number, m.To, m.ContentType, m.Body)
	if x.message != nil {
		x.message(m, reply)
		return
	}
	reply(pbx.Outcome{Kind: pbx.Answered, Status: 200})
}
func (x *exchange) Mismatch(*pbx.Leg)        { x.note("mismatch") }
func (x *exchange) Key(_ *pbx.Leg, key byte) { x.note("key %c", key) }

func (x *exchange) log() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.events)
}

// studio opens streams that only note what was agreed.
type studio struct {
	mu      sync.Mutex
	next    uint16
	streams []*tape
	full    bool
	host    netip.Addr // of the ports; none is pbxAddr
}

func (m *studio) Open(remote netip.Addr, dead func()) (Stream, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full {
		return nil, media.ErrNoPorts
	}
	p := &tape{studio: m, port: 20000 + m.next, dead: dead}
	m.next += 2
	m.streams = append(m.streams, p)
	return p, nil
}

func (m *studio) open() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.streams {
		if !s.closed {
			n++
		}
	}
	return n
}

func (m *studio) last() *tape {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.streams[len(m.streams)-1]
}

type tape struct {
	studio *studio
	port   uint16
	dead   func()
	agreed []media.Agreement
	closed bool
}

func (p *tape) addr(port uint16) netip.AddrPort {
	if host := p.studio.host; host.IsValid() {
		return netip.AddrPortFrom(host, port)
	}
	return netip.AddrPortFrom(netip.MustParseAddr(pbxAddr), port)
}
func (p *tape) LocalRTP() netip.AddrPort  { return p.addr(p.port) }
func (p *tape) LocalRTCP() netip.AddrPort { return p.addr(p.port + 1) }
func (p *tape) Agree(a media.Agreement) {
	p.studio.mu.Lock()
	defer p.studio.mu.Unlock()
	p.agreed = append(p.agreed, a)
}
func (p *tape) now() media.Agreement {
	p.studio.mu.Lock()
	defer p.studio.mu.Unlock()
	if len(p.agreed) == 0 {
		return media.Agreement{}
	}
	return p.agreed[len(p.agreed)-1]
}
func (p *tape) Formats() []media.Format      { return p.now().Formats }
func (p *tape) Connect(media.Port) error     { return nil }
func (p *tape) Echo()                        {}
func (p *tape) Play(media.Sound, func(bool)) {}
func (p *tape) Keys(func(byte))              {}
func (p *tape) Disconnect()                  {}
func (p *tape) Stats() media.Stats           { return media.Stats{} }
func (p *tape) Close() media.Stats {
	p.studio.mu.Lock()
	defer p.studio.mu.Unlock()
	if p.closed {
		panic("closed twice")
	}
	p.closed = true
	return media.Stats{}
}

// phone is a socket that sends and gets SIP text.
type phone struct {
	s      *scene
	number string
	addr   netip.AddrPort
	conn   *memnet.PacketConn
	stream net.Conn

	mu     sync.Mutex
	inbox  []message
	trying []message // 100: it comes after 200 ms wherever nothing else has come, so it is no part of the conversation
}

type message struct {
	text string
	at   time.Time
}

func (s *scene) phone(number, ip string) *phone {
	p := &phone{s: s, number: number, addr: netip.MustParseAddrPort(ip + ":5060")}
	c, err := s.net.ListenPacket(p.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	p.conn = c
	go func() {
		buf := make([]byte, 65536)
		for {
			n, _, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			p.got(string(buf[:n]))
		}
	}()
	return p
}

// tcp makes the phone use a stream; messages are cut at Content-Length by one read each, as memnet keeps writes whole.
func (s *scene) tcp(number, ip string) *phone {
	p := &phone{s: s, number: number, addr: netip.MustParseAddrPort(ip + ":5060")}
	c, err := s.net.Dial(context.Background(), netip.MustParseAddrPort(ip+":40000"), netip.MustParseAddrPort(pbxAddr+":5060"))
	if err != nil {
		s.t.Fatal(err)
	}
	p.stream = c
	go p.readStream(c)
	return p
}

func (s *scene) phoneOver(transport, number, ip string) *phone {
	if transport == "tcp" {
		return s.tcp(number, ip)
	}
	return s.phone(number, ip)
}

func (p *phone) readStream(c net.Conn) {
	buf := make([]byte, 65536)
	var rest []byte
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		rest = append(rest, buf[:n]...)
		for {
			n, bad := wire.Frame(rest)
			if n <= 0 || bad != "" || n > len(rest) {
				break
			}
			p.got(string(rest[:n]))
			rest = rest[n:]
		}
	}
}

func (p *phone) got(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.HasPrefix(text, "SIP/2.0 100") {
		p.trying = append(p.trying, message{text, time.Now()})
		return
	}
	p.inbox = append(p.inbox, message{text, time.Now()})
}

// send writes SIP text: \n is CRLF, and Content-Length is added.
func (p *phone) send(text string) {
	p.s.t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	body = strings.ReplaceAll(body, "\n", "\r\n")
	b := strings.ReplaceAll(strings.TrimSpace(head), "\n", "\r\n") + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	var err error
	if p.stream != nil {
		_, err = p.stream.Write([]byte(b))
	} else {
		_, err = p.conn.WriteToUDPAddrPort([]byte(b), netip.MustParseAddrPort(pbxAddr+":5060"))
	}
	if err != nil {
		p.s.t.Fatal(err)
	}
}

// next is the next message that came; it waits until nothing happens any more at this moment.
func (p *phone) next() string {
	p.s.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.inbox) == 0 {
		p.s.t.Fatalf("%s got nothing; the exchange heard %q", p.number, p.s.x.log())
	}
	m := p.inbox[0]
	p.inbox = p.inbox[1:]
	return m.text
}

// expect is next, and checks how it starts.
func (p *phone) expect(start string) string {
	p.s.t.Helper()
	m := p.next()
	if !strings.HasPrefix(m, start) {
		p.s.t.Fatalf("%s got\n%s\nwant %q", p.number, m, start)
	}
	return m
}

// until skips retransmissions of what came before.
func (p *phone) until(start, skip string) string {
	p.s.t.Helper()
	for {
		m := p.next()
		if strings.HasPrefix(m, start) {
			return m
		}
		if !strings.HasPrefix(m, skip) {
			p.s.t.Fatalf("%s got\n%s\nwant %q", p.number, m, start)
		}
	}
}

func (p *phone) silent() {
	p.s.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.inbox) > 0 {
		p.s.t.Fatalf("%s got unexpectedly\n%s", p.number, p.inbox[0].text)
	}
}

// times takes everything that came and gives when, counted from since.
func (p *phone) times(start string, since time.Time) (at []time.Duration) {
	p.s.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.inbox {
		if !strings.HasPrefix(m.text, start) {
			p.s.t.Fatalf("%s got\n%s\nwant only %q", p.number, m.text, start)
		}
		at = append(at, m.at.Sub(since))
	}
	p.inbox = nil
	return at
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

func (s *scene) id() string { s.ids++; return strconv.Itoa(s.ids) }

// call is a phone's side of a dialog.
type call struct {
	p             *phone
	id            string
	local, remote string // header values with tags
	target        string
	seq           int
	branch        string // of the newest request
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

// bind registers a phone, without a REGISTER.
func (s *scene) bind(p *phone, path ...string) pbx.Contact {
	transport, conn := "udp", uint64(0)
	uri := "sip:" + p.number + "@" + p.addr.String()
	remote := p.addr
	if p.stream != nil {
		transport, uri = "tcp", uri+";transport=tcp"
		remote = p.stream.LocalAddr().(*net.TCPAddr).AddrPort()
	}
	hop := wire.Hop{Transport: transport, Remote: remote, Local: netip.MustParseAddrPort(pbxAddr + ":5060"), Conn: conn}
	id := "b" + s.id()
	s.reg.mu.Lock()
	s.reg.bindings[id] = entry{pbx.Binding{Extension: p.number, Contact: uri, Path: path, Transport: transport}, hop}
	s.reg.mu.Unlock()
	return pbx.Contact{Extension: p.number, Number: p.number, ID: id, URI: uri, Q: 1000}
}

// dialling is a Dial under way.
type dialling struct {
	leg    *pbx.Leg
	o      pbx.Outcome
	done   chan struct{}
	cancel context.CancelCauseFunc
	mu     sync.Mutex
	news   []pbx.Progress
}

func (s *scene) dial(to pbx.Contact, set ...func(*pbx.Invitation)) *dialling {
	ctx, cancel := context.WithCancelCause(context.Background())
	d := &dialling{done: make(chan struct{}), cancel: cancel}
	inv := pbx.Invitation{CallID: "c1", To: to, From: pbx.Identity{Number: "1000", Name: "Alice"}, AnswerAfter: -1, MaxForwards: 69,
		Progress: func(p pbx.Progress) { d.mu.Lock(); d.news = append(d.news, p); d.mu.Unlock() }}
	for _, f := range set {
		f(&inv)
	}
	go func() {
		defer close(d.done)
		d.leg, d.o = s.line.Dial(ctx, inv)
		if d.leg != nil {
			s.x.mu.Lock()
			s.x.expectEnd(d.leg)
			s.x.mu.Unlock()
		}
	}()
	return d
}

// result waits until Dial has returned.
func (d *dialling) result() (*pbx.Leg, pbx.Outcome) { <-d.done; return d.leg, d.o }

func (d *dialling) pending(t *testing.T) {
	t.Helper()
	synctest.Wait()
	select {
	case <-d.done:
		t.Fatalf("Dial returned %v", d.o)
	default:
	}
}

func (d *dialling) statuses() (all []int) {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.news {
		all = append(all, p.Status)
	}
	return all
}

// wantHeader checks a header of a message.
func wantHeader(t *testing.T, m, name, want string) {
	t.Helper()
	if got := header(m, name); got != want {
		t.Errorf("%s: %q, want %q in\n%s", name, got, want, m)
	}
}

func wantEvents(t *testing.T, s *scene, want ...string) {
	t.Helper()
	synctest.Wait()
	if got := s.x.log(); !slices.Equal(got, want) {
		t.Errorf("the exchange heard\n%q\nwant\n%q", got, want)
	}
}

// up makes a call of an incoming leg that is answered and ACKed.
func (s *scene) up(p *phone, to string, more ...string) (*call, *pbx.Leg) {
	s.t.Helper()
	c := p.invite(to, sdp(p, 4000, "0 8"), more...)
	synctest.Wait()
	leg := s.x.legs[len(s.x.legs)-1]
	if err := leg.Answer(nil); err != nil {
		s.t.Fatal(err)
	}
	c.take(p.expect("SIP/2.0 200"))
	c.send("ACK", "")
	synctest.Wait()
	return c, leg
}

// out makes a call of an outgoing leg that is answered.
func (s *scene) out(p *phone, more ...string) (*call, *pbx.Leg) {
	s.t.Helper()
	d := s.dial(s.bind(p))
	inv := p.expect("INVITE")
	p.respond(inv, "200 OK", "b1", sdp(p, 4000, "0"), more...)
	leg, _ := d.result()
	p.expect("ACK")
	return p.side(inv, "b1"), leg
}
