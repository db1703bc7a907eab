package line

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/features"
	"ringback/pbx"
	"ringback/pbx/line/digest"
	"ringback/pbx/line/registrar"
	"ringback/pbx/line/wire"
	"ringback/pbx/pbxtest"
	"ringback/pbx/pbxtest/memnet"
)

// whole is an exchange of the real parts, with two phones, in memory.
type whole struct {
	*testing.T
	at         netip.AddrPort
	net        *memnet.Network
	wire       *wire.Transport
	line       *Line
	sb         *pbx.Switchboard
	reg        *registrar.Registrar
	media      *studio
	alice, bob *pbxtest.Phone

	mu   sync.Mutex
	sent []memnet.Packet // by the exchange to the torturer, or to nobody that is here
}

// subscribers are two extensions with passwords.
type subscribers map[string]*pbx.Extension

func (s subscribers) Extension(n string) *pbx.Extension { return s[n] }
func (s subscribers) Owner(n string) *pbx.Extension     { return s[n] }
func (subscribers) Group(string) *pbx.Group             { return nil }
func (subscribers) Room(string) *pbx.Room               { return nil }
func (subscribers) Menu(string) *pbx.Menu               { return nil }
func (subscribers) Mailbox(string) *pbx.Mailbox         { return nil }
func (subscribers) Begins(string) bool                  { return false }
func (subscribers) Hours(string) *pbx.Hours             { return nil }
func (subscribers) Office() *pbx.Office                 { return &pbx.Office{} }

// trusting lets everybody in who does not come from a phone.
type trusting struct {
	*digest.Authenticator
	as *pbx.Extension
}

func (a trusting) Check(req *sip.Request, from wire.Hop) digest.Result {
	if from.Remote.Addr() == torturer {
		return digest.Result{OK: true, Extension: a.as}
	}
	return a.Authenticator.Check(req, from)
}

// noDisk is a journal that has everything at once.
type noDisk struct{}

func (noDisk) Bindings(_ string, _ []pbx.Binding, done func(error)) { done(nil) }
func (noDisk) Answered(pbx.CDR) error                               { return nil }
func (noDisk) Ended(pbx.CDR)                                        {}

func newWhole(t *testing.T, at netip.AddrPort, trust bool) *whole {
	x := &whole{T: t, at: at, net: memnet.New(1), media: &studio{host: at.Addr()}}
	people := subscribers{}
	for _, n := range []string{"1000", "1001"} {
		a1 := []byte(n + ":pbx.test:secret")
		people[n] = &pbx.Extension{Number: n, Name: "Phone " + n, Enabled: true, MaxContacts: 3, Ring: 20 * time.Second,
			HA1MD5: fmt.Sprintf("%x", md5.Sum(a1)), HA1SHA256: fmt.Sprintf("%x", sha256.Sum256(a1))}
	}
	quiet := slog.New(slog.DiscardHandler)
	auth, err := digest.New(digest.Options{Realm: "pbx.test", Directory: people, Nonces: 256, FailureTable: 256})
	x.must(err)
	var check Authenticator = auth
	if trust {
		check = trusting{auth, people["1000"]}
	}
	x.reg, err = registrar.New(registrar.Options{Journal: noDisk{}, Directory: people, Secret: make([]byte, 16)})
	x.must(err)
	x.wire = wire.New(wire.Options{Network: inMemory{x.net.Host(at.Addr())}, UDP: []netip.AddrPort{at}, TCP: []netip.AddrPort{at},
		Log: quiet, Closed: func(hop wire.Hop) { x.line.Closed(hop) }})
	x.line = New(Options{Send: x.wire, Directory: people, Authenticator: check, Registrar: x.reg, Media: x.media, Locals: x.wire.Locals,
		Domain: "pbx.test", Qualify: -1, Log: quiet})
	x.sb = pbx.New(pbx.Options{Line: x.line, Journal: noDisk{}, Directory: people, Log: quiet,
		Route: (&features.Router{Directory: people}).Route})
	x.line.SetExchange(x.sb)
	x.must(x.wire.Open(x.line.Receive))
	x.net.Tap(func(p memnet.Packet) {
		to := p.To.Addr()
		if p.From.Addr() == at.Addr() && (to == torturer || to != x.alice.Addr().Addr() && to != x.bob.Addr().Addr()) {
			p.Data = bytes.Clone(p.Data)
			x.mu.Lock()
			x.sent = append(x.sent, p)
			x.mu.Unlock()
		}
	})
	near := at.Addr().Next()
	x.alice, x.bob = x.phone("1000", near), x.phone("1001", near.Next())
	_, err = x.bob.Register(t.Context(), 3600)
	x.must(err)
	return x
}

func (x *whole) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

func (x *whole) phone(number string, ip netip.Addr) *pbxtest.Phone {
	p, err := pbxtest.NewPhone(pbxtest.Config{User: number, Password: "secret", Domain: "pbx.test", Server: x.at,
		Network: pbxtest.Memory(x.net.Host(ip)), NoAudio: true})
	x.must(err)
	return p
}

func (x *whole) close() {
	for _, p := range []*pbxtest.Phone{x.alice, x.bob} {
		x.must(p.Close())
		for _, c := range p.Complaints() {
			x.Error(c)
		}
	}
	x.line.HangupAll(pbx.Hangup)
	time.Sleep(time.Minute)
	synctest.Wait()
	if n := x.line.Stats().Legs; n != 0 || len(x.sb.Calls()) != 0 || x.media.open() != 0 {
		x.Errorf("left over: %d legs, %d calls, %d ports", n, len(x.sb.Calls()), x.media.open())
	}
	x.must(x.wire.Close())
	x.sb.Close()
	x.line.Close()
	x.reg.Close()
	x.net.Close()
}

// call is a call from 1000 to 1001, answered and hung up.
func (x *whole) call(when string) {
	x.Helper()
	ctx := x.Context()
	caller, err := x.alice.Call(ctx, "1001")
	x.must(err)
	callee, err := x.bob.Incoming(ctx)
	x.must(err)
	callee.Ring()
	x.must(caller.Ringing(ctx))
	x.must(callee.Answer(ctx))
	x.must(caller.Answered(ctx))
	x.must(caller.Hangup(ctx))
	if err := callee.Ended(ctx); err != nil {
		x.Errorf("%s: %v", when, err)
	}
}

// Everything works between IPv6 addresses as well: registration, Via, Contact, dialogs, session descriptions.
func TestCallOverIPv6(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newWhole(t, netip.MustParseAddrPort("[2001:db8::1]:5060"), false)
		defer x.close()
		x.call("over IPv6")
		for _, s := range x.media.streams {
			if s.now().Remote.Addr().Is4() {
				t.Errorf("sound goes to %s", s.now().Remote)
			}
		}
	})
}
