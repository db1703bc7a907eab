package line

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
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
		if n := s.line.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions left", n)
		}
		s.line.events.leftovers(t)
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

func (s *scene) id() string { s.ids++; return strconv.Itoa(s.ids) }

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
