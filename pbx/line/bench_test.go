package line

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/line/subscription"
	"ringback/pbx/line/wire"
)

// BenchmarkCall is a whole call through the line, both legs, every message parsed and written, without sockets and
// without media: INVITE 100 180 200 ACK BYE 200 on each side. The phones' own work is in it, as text.
func BenchmarkCall(b *testing.B) {
	w := &loop{out: make(chan []byte, 64)}
	hop := wire.Hop{Transport: "udp", Remote: netip.MustParseAddrPort(benchCallee), Local: benchLocal}
	reg := &registry{bindings: map[string]entry{"b": {pbx.Binding{Extension: "1001", Contact: "sip:1001@" + benchCallee, Transport: "udp"}, hop}}}
	x := &relay{}
	l := New(Options{Send: w, Exchange: x, Directory: directory{}, Authenticator: guard{}, Registrar: reg, Media: blank{},
		Domain: "pbx.test", Qualify: -1, Log: slog.New(slog.DiscardHandler), MaxTx: 10_000_000})
	x.line, w.line = l, l
	defer l.Close()
	b.ReportAllocs()
	before := heap()
	for b.Loop() {
		w.call()
	}
	b.ReportMetric(float64(heap()-before)/float64(w.calls), "kept-B/op") // until the transactions' timers are over
	if n := x.ended.Load(); n != int64(2*w.calls) {
		b.Fatalf("%d ends for %d calls", n, w.calls)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

const benchCaller, benchCallee = "192.0.2.10:5060", "192.0.2.20:5060"
const benchSDP = "v=0\r\no=- 7 7 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n" +
	"m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"

var benchLocal = netip.MustParseAddrPort(pbxAddr + ":5060")

// loop is the network and both phones.
type loop struct {
	line  *Line
	out   chan []byte
	calls int
}

func (w *loop) Send(_ wire.Hop, b []byte) error {
	w.out <- bytes.Clone(b)
	return nil
}

func (w *loop) receive(from, text string) {
	hop := wire.Hop{Transport: "udp", Remote: netip.MustParseAddrPort(from), Local: benchLocal}
	m, bad := wire.Parse([]byte(text), hop)
	if bad != nil {
		panic(bad)
	}
	w.line.Receive(m, hop)
}

func (w *loop) next(start string) string {
	for {
		if m := <-w.out; bytes.HasPrefix(m, []byte(start)) {
			return string(m)
		}
	}
}

func (w *loop) call() {
	w.calls++
	id := strconv.Itoa(w.calls)
	request := func(method, to, seq, more, body string) string {
		return method + " sip:1001@pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP " + benchCaller + ";rport;branch=z9hG4bK" + id + method +
			"\r\nMax-Forwards: 70\r\nFrom: <sip:1000@pbx.test>;tag=a\r\nTo: " + to + "\r\nCall-ID: " + id + "\r\nCSeq: " + seq + " " + method +
			"\r\nContact: <sip:1000@" + benchCaller + ">\r\n" + more + "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	}
	response := func(req, status, tag, body string) string {
		head := "SIP/2.0 " + status
		for _, l := range strings.Split(req, "\r\n") {
			switch {
			case strings.HasPrefix(l, "To:") && tag != "":
				head += "\r\n" + l + ";tag=" + tag
			case strings.HasPrefix(l, "Via:"), strings.HasPrefix(l, "From:"), strings.HasPrefix(l, "To:"), strings.HasPrefix(l, "Call-ID:"), strings.HasPrefix(l, "CSeq:"):
				head += "\r\n" + l
			}
		}
		if body != "" {
			head += "\r\nContent-Type: application/sdp"
		}
		return head + "\r\nContact: <sip:1001@" + benchCallee + ">\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	}
	w.receive(benchCaller, request("INVITE", "<sip:1001@pbx.test>", "1", "Authorization: Test 1000\r\nContent-Type: application/sdp\r\n", benchSDP))
	inv := w.next("INVITE")
	w.receive(benchCallee, response(inv, "180 Ringing", "b", ""))
	w.next("SIP/2.0 180")
	w.receive(benchCallee, response(inv, "200 OK", "b", benchSDP))
	w.next("ACK")
	to := header(w.next("SIP/2.0 200"), "To")
	w.receive(benchCaller, request("ACK", to, "1", "", ""))
	w.receive(benchCaller, request("BYE", to, "2", "", ""))
	w.receive(benchCallee, response(w.next("BYE"), "200 OK", "", ""))
}

// relay is the least of an exchange: who calls gets 1001.
type relay struct {
	exchange
	line  *Line
	pair  atomic.Pointer[[2]*pbx.Leg]
	ended atomic.Int64
}

func (x *relay) Incoming(leg *pbx.Leg, _ string, hops int) {
	go func() {
		to := pbx.Contact{Extension: "1001", Number: "1001", ID: "b"}
		callee, o := x.line.Dial(context.Background(), pbx.Invitation{To: to, From: leg.Party, Codecs: leg.Offered(), AnswerAfter: -1,
			MaxForwards: hops - 1, Progress: func(p pbx.Progress) { p.Early = nil; leg.Progress(p) }})
		if callee == nil {
			leg.Refuse(o)
			return
		}
		x.pair.Store(&[2]*pbx.Leg{leg, callee})
		_ = leg.Answer([]media.Codec{media.PCMU})
	}()
}

func (x *relay) Ended(leg *pbx.Leg, _ pbx.Outcome) {
	x.ended.Add(1)
	if p := x.pair.Load(); p[0] == leg {
		p[1].Hangup(pbx.Hangup)
	}
}

// blank is media without sockets.
type blank struct{}

func (blank) Open(netip.Addr, func()) (Stream, error) { return &blankStream{}, nil }

type blankStream struct{ a media.Agreement }

func (*blankStream) LocalRTP() netip.AddrPort     { return netip.AddrPortFrom(benchLocal.Addr(), 20000) }
func (*blankStream) LocalRTCP() netip.AddrPort    { return netip.AddrPortFrom(benchLocal.Addr(), 20001) }
func (s *blankStream) Agree(a media.Agreement)    { s.a = a }
func (s *blankStream) Formats() []media.Format    { return s.a.Formats }
func (*blankStream) Connect(media.Port) error     { return nil }
func (*blankStream) Echo()                        {}
func (*blankStream) Play(media.Sound, func(bool)) {}
func (*blankStream) Keys(func(byte) bool)         {}
func (*blankStream) Press(string, func(bool))     {}
func (*blankStream) Disconnect()                  {}
func (*blankStream) Stats() (none media.Stats)    { return }
func (*blankStream) Close() (none media.Stats)    { return }

// BenchmarkNotify is a change that 1,000 phones watch: a NOTIFY each, and its 200, parsed and written, without sockets. ns and
// allocations are those of all 1,000.
func BenchmarkNotify(b *testing.B) {
	for _, pkg := range []eventPackage{messageSummary, conferenceState} {
		b.Run(pkg.name, func(b *testing.B) { benchmarkNotify(b, pkg) })
	}
}

func benchmarkNotify(b *testing.B, pkg eventPackage) {
	const phones = 1000
	board, out := newBoard(), &outbox{}
	board.boxes["1000"] = pbx.MessageCount{New: 2}
	var members []pbx.MemberInfo
	for i := range 10 {
		members = append(members, member(strconv.Itoa(1000+i), "Phone"))
	}
	board.rooms["1000"] = pbx.ConferenceInfo{Number: "1000", Members: members}
	pkg.rules.Pause = 0
	l := New(Options{Send: out, Exchange: &exchange{}, Directory: directory{}, Authenticator: guard{}, State: board, Media: blank{},
		Registrar: &registry{bindings: map[string]entry{}}, Domain: "pbx.test", Qualify: -1, Log: slog.New(slog.DiscardHandler), MaxTx: 100_000_000})
	defer l.Close()
	hop := wire.Hop{Transport: "udp", Remote: netip.MustParseAddrPort(benchCaller), Local: benchLocal}
	receive := func(text string) {
		m, bad := wire.Parse([]byte(text), hop)
		if bad != nil {
			b.Fatal(bad)
		}
		l.Receive(m, hop)
	}
	answer := func(want int) {
		all := out.take()
		notifies := 0
		for _, m := range all {
			if !strings.HasPrefix(m, "NOTIFY") {
				continue
			}
			notifies++
			res := "SIP/2.0 200 OK\r\n"
			for _, h := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
				res += h + ": " + header(m, h) + "\r\n"
			}
			receive(res + "Content-Length: 0\r\n\r\n")
		}
		if notifies != want {
			b.Fatalf("%d NOTIFYs", notifies)
		}
	}
	before := heap()
	for i := range phones {
		id := strconv.Itoa(i)
		who := strconv.Itoa(1000 + i%50)
		if pkg.name == messageSummary.name {
			who = "1000"
		}
		l.events.mu.Lock()
		delete(l.events.owners, who) // the bound of an extension does not matter here
		l.events.mu.Unlock()
		receive("SUBSCRIBE sip:1000@pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP " + benchCaller + ";rport;branch=z9hG4bKs" + id +
			"\r\nMax-Forwards: 70\r\nFrom: <sip:" + who + "@pbx.test>;tag=a\r\nTo: <sip:1000@pbx.test>\r\nCall-ID: s" + id + "\r\nCSeq: 1 SUBSCRIBE\r\nContact: <sip:" + who + "@" +
			benchCaller + ">\r\nEvent: " + pkg.name + "\r\nAuthorization: Test " + who + "\r\nContent-Length: 0\r\n\r\n")
	}
	answer(phones)
	kept := heap() - before
	for _, w := range l.events.watches {
		w.pkg = &pkg // without a pause
		now := time.Now()
		w.state, _ = subscription.State{}.On(subscription.Event{Kind: subscription.Subscribed, Now: now, Granted: time.Hour}, pkg.rules)
		w.state, _ = w.state.On(subscription.Event{Kind: subscription.Answered, Now: now, Status: 200}, pkg.rules)
	}
	t := topic{&messageSummary, "1000"}
	if pkg.name == conferenceState.name {
		t.pkg = &conferenceState
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, w := range l.events.watching(t) {
			w.changed()
		}
		b.StopTimer()
		answer(phones)
		b.StartTimer()
	}
	b.ReportMetric(float64(kept)/phones, "kept-B/subscription") // with two transactions each, until their timers are over
}
