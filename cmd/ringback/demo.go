package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"ringback/pbx/pbxtest"
	"ringback/pbx/store"
)

func init() {
	more = append(more, kong.DynamicCommand("demo", "Make calls between built-in phones through an exchange of its own, and say whether all went well.", "", &demoCmd{}))
}

type demoCmd struct {
	Verbose bool `short:"v" help:"Print the ladder of every call, and the exchange's log."`
}

// demo is a temporary exchange with phones, and what came of the calls so far.
type demo struct {
	*demoCmd
	out    io.Writer
	i      *instance
	dir    string
	phones []*pbxtest.Phone
	failed int
}

// demoStep is one thing that is shown. It fails by an error.
type demoStep struct {
	what string
	run  func(ctx context.Context) error
}

const demoPassword = "only for the demo"

// demoLimit is for all of it.
const demoLimit = 30 * time.Second

// Run shows the main job without any phone at hand. It leaves nothing behind, and fails unless everything went well.
func (x *demoCmd) Run(ctx context.Context, a app) error {
	ctx, cancel := context.WithTimeout(ctx, demoLimit)
	defer cancel()
	began := time.Now()
	d := &demo{demoCmd: x, out: a.out}
	defer d.close()
	if err := d.start(a.err); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "Ringback runs at %s, in a temporary directory.\n\n", d.i.transport.Locals("udp")[0])
	if err := d.setUp(ctx); err != nil {
		return err
	}
	alice, bob, desk, kitchen := d.phones[0], d.phones[1], d.phones[2], d.phones[3]
	var shown time.Time
	for _, s := range []demoStep{
		{"1000 dials the echo test *43 and hears itself", func(ctx context.Context) error { return d.echo(ctx, alice) }},
		{"1000 calls 1001, they talk, 1000 hangs up", func(ctx context.Context) error {
			shown = time.Now()
			return d.talk(ctx, alice, bob)
		}},
		{"1000 calls 1001, who is busy", func(ctx context.Context) error { return d.busy(ctx, alice, bob) }},
		{"1000 calls 1001 and gives up while it rings", func(ctx context.Context) error { return d.cancel(ctx, alice, bob) }},
		{"1000 calls 1002: two phones ring, one over TCP; that one answers", func(ctx context.Context) error {
			return d.fork(ctx, alice, desk, kitchen)
		}},
		{"1002 presses keys, 1000 holds and resumes", func(ctx context.Context) error { return d.keysAndHold(ctx, desk, alice) }},
		{"1000 calls a number that does not exist", func(ctx context.Context) error { return d.unknown(ctx, alice) }},
		{"no phone complains of any message or packet", func(context.Context) error { return d.complaints() }},
		{"nothing is left over, and each call has its record", d.leftovers},
	} {
		d.do(ctx, s)
		if s.what == "1000 calls 1001, they talk, 1000 hangs up" {
			var ladder strings.Builder
			pbxtest.LadderSince(&ladder, shown, "ringback", alice, bob)
			fmt.Fprintf(d.out, "\n%s\n", ladder.String())
		}
	}
	took := time.Since(began).Round(100 * time.Millisecond)
	if d.failed > 0 {
		if x.Verbose {
			pbxtest.Ladder(d.out, "ringback", d.phones...)
		}
		fmt.Fprintf(d.out, "\n%d failed, in %v.\n", d.failed, took)
		return errSaid
	}
	if x.Verbose {
		pbxtest.Ladder(d.out, "ringback", d.phones...)
	}
	fmt.Fprintf(d.out, "\nAll went well, in %v.\n", took)
	return nil
}

func (d *demo) do(ctx context.Context, s demoStep) {
	ctx, cancel := context.WithTimeout(ctx, 6*time.Second)
	defer cancel()
	if err := s.run(ctx); err != nil {
		d.failed++
		fmt.Fprintf(d.out, "FAILED  %s\n        %v\n", s.what, err)
		for _, p := range d.phones { // the next step shall begin with no call
			for _, l := range p.Legs() {
				if l.State() == "up" {
					_ = l.Hangup(ctx)
				}
			}
			p.OnCall(nil)
		}
		return
	}
	fmt.Fprintf(d.out, "ok      %s\n", s.what)
}

// start starts an exchange on free loopback ports.
func (d *demo) start(log io.Writer) (err error) {
	if d.dir, err = os.MkdirTemp("", "ringback-demo"); err != nil {
		return err
	}
	cfg := defaultConfig()
	cfg.Data = d.dir
	sip, err := freeLoopback()
	if err != nil {
		return err
	}
	cfg.SIP.Listen = []Listen{{Addr: sip}}
	cfg.HTTP.Listen = []Listen{{Addr: netip.AddrPortFrom(sip.Addr(), 0)}}
	cfg.RTP.Ports = PortRange{30000, 31999}
	cfg.Calls.Grace = 0
	o := options{log: slog.New(slog.DiscardHandler)}
	if d.Verbose {
		o.log = slog.New(slog.NewTextHandler(log, nil))
	}
	d.i, err = startInstance(&cfg, o)
	return err
}

// freeLoopback is a port that is free for UDP and TCP.
func freeLoopback() (netip.AddrPort, error) {
	for range 20 {
		u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return netip.AddrPort{}, err
		}
		a := u.LocalAddr().(*net.UDPAddr).AddrPort()
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(a))
		_ = u.Close()
		if err == nil {
			return a, l.Close()
		}
	}
	return netip.AddrPort{}, errors.New("no loopback port is free for UDP and TCP")
}

// setUp adds three extensions and registers four phones.
func (d *demo) setUp(ctx context.Context) error {
	for _, e := range []store.NewExtension{{Number: "1000", Name: "Alice"}, {Number: "1001", Name: "Bob"}, {Number: "1002", Name: "Carol"}} {
		e.Password = demoPassword
		if _, _, err := d.i.store.CreateExtension(ctx, e); err != nil {
			return err
		}
	}
	server := d.i.transport.Locals("udp")[0]
	for _, c := range []pbxtest.Config{
		{Name: "Alice", User: "1000"},
		{Name: "Bob", User: "1001", Rel100: true},
		{Name: "Carol's desk", User: "1002", Transport: "tcp"},
		{Name: "Carol's kitchen", User: "1002"},
	} {
		c.Server, c.Password = server, demoPassword
		p, err := pbxtest.NewPhone(c)
		if err != nil {
			return err
		}
		d.phones = append(d.phones, p)
		if _, err := p.Register(ctx, 300); err != nil {
			return fmt.Errorf("a phone cannot register: %w", err)
		}
	}
	return nil
}

// inOrder runs the steps until one fails.
func inOrder(steps ...func() error) error {
	for _, s := range steps {
		if err := s(); err != nil {
			return err
		}
	}
	return nil
}

// hear plays a tone at each end and listens at the other.
func hear(ctx context.Context, a, b *pbxtest.CallLeg) error {
	a.Play(440)
	b.Play(620)
	return inOrder(func() error { return a.Hears(ctx, 620) }, func() error { return b.Hears(ctx, 440) })
}

func (d *demo) echo(ctx context.Context, from *pbxtest.Phone) error {
	l, err := from.Call(ctx, "*43")
	if err != nil {
		return err
	}
	l.Play(710)
	return inOrder(func() error { return l.Answered(ctx) }, func() error { return l.Hears(ctx, 710) }, func() error { return l.Hangup(ctx) })
}

// ring calls, and lets the called phone ring.
func (d *demo) ring(ctx context.Context, from, to *pbxtest.Phone) (caller, callee *pbxtest.CallLeg, err error) {
	if caller, err = from.Call(ctx, to.User()); err != nil {
		return nil, nil, err
	}
	if callee, err = to.Incoming(ctx); err != nil {
		return nil, nil, err
	}
	callee.Ring()
	return caller, callee, caller.Ringing(ctx)
}

func (d *demo) talk(ctx context.Context, from, to *pbxtest.Phone) error {
	caller, callee, err := d.ring(ctx, from, to)
	if err != nil {
		return err
	}
	return inOrder(
		func() error { return callee.Answer(ctx) },
		func() error { return caller.Answered(ctx) },
		func() error { return hear(ctx, caller, callee) },
		func() error { return caller.Hangup(ctx) },
		func() error { return callee.Ended(ctx) },
	)
}

func (d *demo) busy(ctx context.Context, from, to *pbxtest.Phone) error {
	to.OnCall(pbxtest.AutoReject(486, 0))
	defer to.OnCall(nil)
	l, err := from.Call(ctx, to.User())
	if err != nil {
		return err
	}
	return l.FailsWith(ctx, 486)
}

func (d *demo) cancel(ctx context.Context, from, to *pbxtest.Phone) error {
	caller, callee, err := d.ring(ctx, from, to)
	if err != nil {
		return err
	}
	return inOrder(func() error { return caller.Cancel(ctx) }, func() error { return callee.Ended(ctx) })
}

func (d *demo) fork(ctx context.Context, from, answers, rings *pbxtest.Phone) error {
	caller, winner, err := d.ring(ctx, from, answers)
	if err != nil {
		return err
	}
	other, err := rings.Incoming(ctx)
	if err != nil {
		return err
	}
	other.Ring()
	return inOrder(
		func() error { return winner.Answer(ctx) },
		func() error { return caller.Answered(ctx) },
		func() error { return other.Ended(ctx) },
		func() error {
			if c := other.Cancelled(); c == nil || !strings.Contains(c.Get("Reason"), "cause=200") {
				return errors.New("the other phone was not told that the call was completed elsewhere")
			}
			return nil
		},
		func() error { return hear(ctx, caller, winner) },
		func() error { return winner.Hangup(ctx) },
		func() error { return caller.Ended(ctx) },
	)
}

func (d *demo) keysAndHold(ctx context.Context, from, to *pbxtest.Phone) error {
	caller, callee, err := d.ring(ctx, from, to)
	if err != nil {
		return err
	}
	return inOrder(
		func() error { return callee.Answer(ctx) },
		func() error { return caller.Answered(ctx) },
		func() error { return caller.Press(ctx, "42#") },
		func() error { return callee.HearsKeys(ctx, "42#") },
		func() error { return callee.Hold(ctx) },
		func() error { return callee.Hears(ctx) }, // silence
		func() error { return callee.Resume(ctx) },
		func() error { return hear(ctx, caller, callee) },
		func() error { return caller.Hangup(ctx) },
		func() error { return callee.Ended(ctx) },
	)
}

func (d *demo) unknown(ctx context.Context, from *pbxtest.Phone) error {
	l, err := from.Call(ctx, "9999")
	if err != nil {
		return err
	}
	return l.FailsWith(ctx, 404)
}

func (d *demo) complaints() error {
	var all []string
	for _, p := range d.phones {
		all = append(all, p.Complaints()...)
	}
	if all != nil {
		return errors.New(strings.Join(all, "\n        "))
	}
	return nil
}

// leftovers: the last call may still be on its way out, and its record on its way in.
func (d *demo) leftovers(ctx context.Context) error {
	var outcomes []string
	for {
		outcomes = outcomes[:0]
		for c, err := range d.i.store.CDRs(ctx, store.CDRFilter{}) {
			if err != nil {
				return err
			}
			outcomes = append(outcomes, c.Outcome)
		}
		slices.Sort(outcomes)
		calls := len(d.i.switchboard.Calls())
		if calls == 0 && strings.Join(outcomes, ", ") == "answered, answered, answered, answered, busy, cancelled, failed" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d calls are left; the records say %s", calls, strings.Join(outcomes, ", "))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (d *demo) close() {
	for _, p := range d.phones {
		_ = p.Close()
	}
	if d.i != nil {
		d.i.close()
	}
	if d.dir != "" {
		_ = os.RemoveAll(d.dir)
	}
}
