package line

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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

const tortured = "wire/testdata/torture/"

// TestTorture sends every message of RFC 4475 and RFC 5118 to a whole exchange (sockets, transactions, digest, registrar,
// switchboard, plans; only disk and sound are played), once as a stranger's and once as if its sender had authenticated,
// and compares what comes back with expected.tsv. Then the exchange still has to connect a call.
func TestTorture(t *testing.T) {
	table, err := os.ReadFile(tortured + "expected.tsv")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for row := range strings.Lines(string(table)) {
		f := strings.Split(strings.TrimSpace(row), "\t")
		if strings.HasPrefix(row, "#") || len(f) < 6 {
			continue
		}
		seen++
		b, err := os.ReadFile(filepath.Join(tortured, f[0]+".dat"))
		if err != nil {
			t.Fatal(err)
		}
		whole := b
		if !bytes.Contains(b, []byte("\r\n\r\n")) { // in three of the files
			whole = append(bytes.Clone(b), "\r\n"...)
		}
		for _, who := range []string{"stranger", "phone"} {
			t.Run(f[0]+"/"+who, func(t *testing.T) {
				t.Run("udp", func(t *testing.T) { torture(t, f[4], "udp", who, b) })
				t.Run("tcp", func(t *testing.T) { torture(t, f[5], "tcp", who, whole) })
				if len(whole) != len(b) { // over a stream it has no end, and is answered when its time is over
					t.Run("tcp without the empty line", func(t *testing.T) { torture(t, "400", "tcp", who, b) })
				}
			})
		}
	}
	if seen != 61 {
		t.Errorf("%d messages in the table", seen)
	}
}

var (
	torturer = netip.MustParseAddr("198.51.100.66")
	target   = netip.MustParseAddrPort(pbxAddr + ":5060")
)

func torture(t *testing.T, expected, transport, who string, b []byte) {
	synctest.Test(t, func(t *testing.T) {
		x := newWhole(t, who == "phone")
		defer x.close()
		x.call("before")
		got := x.send(transport, b)
		got.judge(t, expected)
		x.call("after")
		if n := x.line.Stats().Panics; n != 0 {
			t.Errorf("%d panics", n)
		}
		if s := x.sb.Stats(); s.Panics != 0 {
			t.Errorf("%d panics", s.Panics)
		}
	})
}

// reaction is what a message led to.
type reaction struct {
	finals []string // first lines, retransmissions left out
	closed bool     // the connection
}

func (r *reaction) judge(t *testing.T, expected string) {
	t.Logf("%q, closed %v", r.finals, r.closed)
	var codes []int
	for _, f := range r.finals {
		code, err := strconv.Atoi(f[8:11])
		if err != nil || !strings.HasPrefix(f, "SIP/2.0 ") {
			t.Fatalf("%q is no status line", f)
		}
		codes = append(codes, code)
	}
	met, most := false, 1
	for _, want := range strings.Split(expected, ",") {
		switch want {
		case "parsed":
			met = met || slices.ContainsFunc(codes, func(c int) bool { return c != 400 })
		case "challenge":
			met = met || slices.Contains(codes, 401) || slices.Contains(codes, 407)
		case "silence":
			met = met || len(codes) == 0
		case "closed":
			met = met || r.closed
		case "!200":
			if slices.Contains(codes, 200) {
				t.Error("200")
			}
		case "only-first":
		case "both":
			most = 2
			if len(codes) != 2 {
				t.Errorf("%d answers to two requests", len(codes))
			}
		default:
			code, err := strconv.Atoi(want)
			if err != nil {
				t.Fatalf("the table says %q", want)
			}
			met = met || slices.Contains(codes, code)
		}
	}
	if !met || len(codes) > most {
		t.Errorf("answered %q, closed %v; expected %s", r.finals, r.closed, expected)
	}
}

// whole is an exchange of the real parts, with two phones, in memory.
type whole struct {
	*testing.T
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

func newWhole(t *testing.T, trust bool) *whole {
	x := &whole{T: t, net: memnet.New(1), media: &studio{}}
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
	x.wire = wire.New(wire.Options{Network: inMemory{x.net.Host(target.Addr())}, UDP: []netip.AddrPort{target}, TCP: []netip.AddrPort{target},
		Log: quiet, Closed: func(hop wire.Hop) { x.line.Closed(hop) }})
	x.line = New(Options{Send: x.wire, Directory: people, Authenticator: check, Registrar: x.reg, Media: x.media, Locals: x.wire.Locals,
		Domain: "pbx.test", Qualify: -1, Log: quiet})
	x.sb = pbx.New(pbx.Options{Line: x.line, Journal: noDisk{}, Directory: people, Log: quiet,
		Route: features.Router{Directory: people, Codes: features.DefaultCodes}.Route})
	x.line.SetExchange(x.sb)
	x.must(x.wire.Open(x.line.Receive))
	x.net.Tap(func(p memnet.Packet) {
		to := p.To.Addr()
		if p.From.Addr() == target.Addr() && (to == torturer || to != x.alice.Addr().Addr() && to != x.bob.Addr().Addr()) {
			p.Data = bytes.Clone(p.Data)
			x.mu.Lock()
			x.sent = append(x.sent, p)
			x.mu.Unlock()
		}
	})
	x.alice, x.bob = x.phone("1000", "192.0.2.10"), x.phone("1001", "192.0.2.11")
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

func (x *whole) phone(number, ip string) *pbxtest.Phone {
	p, err := pbxtest.NewPhone(pbxtest.Config{User: number, Password: "secret", Domain: "pbx.test", Server: target,
		Network: pbxtest.Memory(x.net.Host(netip.MustParseAddr(ip))), NoAudio: true})
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

// send sends the message, waits until nothing can come any more, and gives what came.
func (x *whole) send(transport string, b []byte) (r reaction) {
	from := netip.AddrPortFrom(torturer, 40000)
	var all []byte
	if transport == "udp" {
		c, err := x.net.ListenPacket(from)
		x.must(err)
		_, err = c.WriteToUDPAddrPort(b, target)
		x.must(err)
		time.Sleep(time.Minute)
		x.must(c.Close())
	} else {
		c, err := x.net.Dial(context.Background(), from, target)
		x.must(err)
		_, err = c.Write(b)
		x.must(err)
		x.must(c.SetReadDeadline(time.Now().Add(time.Minute)))
		all, err = io.ReadAll(c)
		r.closed = err == nil
		x.must(c.Close())
	}
	synctest.Wait()
	x.mu.Lock()
	defer x.mu.Unlock()
	var messages []string
	for _, p := range x.sent {
		if p.To.Addr() != torturer || p.Transport != transport {
			x.Errorf("sent to %s by %s\n%s", p.To, p.Transport, p.Data)
		} else if transport == "udp" {
			messages = append(messages, string(p.Data))
		}
	}
	for len(all) > 0 {
		n, bad := wire.Frame(all)
		if n == 0 {
			x.Fatalf("came back: %s, %q", bad, all)
		}
		messages = append(messages, string(all[:n]))
		all = all[n:]
	}
	once := map[string]bool{}
	for _, m := range messages {
		if first, _, _ := strings.Cut(m, "\r\n"); !strings.HasPrefix(first, "SIP/2.0 1") && !once[m] {
			once[m] = true
			r.finals = append(r.finals, first)
		}
	}
	return r
}
