package pbxtest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media/g722"
	"ringback/pbx/pbxtest/memnet"
)

// pair is two phones that call each other without anything between.
type pair struct {
	*testing.T
	ctx        context.Context
	alice, bob *Phone
	net        *memnet.Network
}

// onPair plays f in virtual time over UDP and TCP in memory.
func onPair(t *testing.T, f func(p *pair)) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := memnet.New(1)
				n.SetDefault(memnet.Link{Delay: 2 * time.Millisecond, Jitter: time.Millisecond})
				a := Memory(n.Host(netip.MustParseAddr("10.0.0.1")))
				b := Memory(n.Host(netip.MustParseAddr("10.0.0.2")))
				p := newPair(t, transport, a, b)
				p.net = n
				f(p)
				p.close()
				synctest.Wait()
				if open := n.Open(); len(open) > 0 {
					t.Errorf("sockets left open: %v", open)
				}
				n.Close()
			})
		})
	}
}

func newPair(t *testing.T, transport string, a, b Network) *pair {
	t.Helper()
	bob, err := NewPhone(Config{User: "1001", Name: "bob", Network: b, Transport: transport, Rel100: true, Domain: "example.test"})
	if err != nil {
		t.Fatal(err)
	}
	alice, err := NewPhone(Config{User: "1000", Name: "alice", Network: a, Transport: transport, Rel100: true, Domain: "example.test", Server: bob.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	bob.SetServer(alice.Addr())
	return &pair{T: t, ctx: t.Context(), alice: alice, bob: bob}
}

func (p *pair) must(err error) {
	p.Helper()
	if err != nil {
		p.ladder()
		p.Fatal(err)
	}
}

func (p *pair) ladder() {
	var b bytes.Buffer
	Ladder(&b, "-", p.alice, p.bob)
	p.Log("\n" + b.String())
}

func (p *pair) close() {
	p.Helper()
	for _, ph := range []*Phone{p.alice, p.bob} {
		if err := ph.Close(); err != nil {
			p.Error(err)
		}
		for _, c := range ph.Complaints() {
			p.Error(c)
		}
	}
	if p.Failed() {
		p.ladder()
	}
}

// up calls from alice to bob and answers.
func (p *pair) up() (caller, callee *CallLeg) {
	p.Helper()
	caller, err := p.alice.Call(p.ctx, "1001")
	p.must(err)
	callee, err = p.bob.Incoming(p.ctx)
	p.must(err)
	callee.Ring()
	p.must(caller.Ringing(p.ctx))
	p.must(callee.Answer(p.ctx))
	p.must(caller.Answered(p.ctx))
	return caller, callee
}

func TestPhonesTalk(t *testing.T) {
	onPair(t, func(p *pair) {
		caller, callee := p.up()
		caller.Play(440)
		callee.Play(620)
		p.must(caller.Hears(p.ctx, 620))
		p.must(callee.Hears(p.ctx, 440))
		if h := callee.Listen(p.ctx, 2*time.Second); h.Packets < 99 || h.Packets > 101 || h.Lost+h.Twice+h.Late > 0 || len(h.SSRCs) != 1 {
			p.Error(h)
		}
		if err := callee.Hears(p.ctx, 450); err == nil {
			p.Error("a tone is heard that nobody plays")
		}
		time.Sleep(10 * time.Second)
		if r := callee.Reports(); len(r) < 2 || r[0].CNAME == "" || r[len(r)-1].Lost != 0 {
			p.Error(r)
		}
		caller.Play()
		p.must(callee.Hears(p.ctx))
		p.must(caller.Hangup(p.ctx))
		p.must(callee.Ended(p.ctx))
	})
}

func TestPhonesHold(t *testing.T) {
	onPair(t, func(p *pair) {
		caller, callee := p.up()
		caller.Play(440)
		callee.Play(620)
		for _, hold := range []func(context.Context) error{callee.Hold, callee.HoldInactive, callee.HoldZero} {
			p.must(caller.Hears(p.ctx, 620))
			p.must(hold(p.ctx))
			time.Sleep(100 * time.Millisecond)
			if h := callee.Listen(p.ctx, time.Second); h.Packets > 0 {
				p.Error("the holder hears ", h)
			}
			p.must(callee.Resume(p.ctx))
			p.must(callee.Hears(p.ctx, 440))
		}
		res, err := caller.Update(p.ctx, Media{Direction: "sendonly"})
		p.must(must(res, err))
		if d := caller.RemoteDirection(); d != "recvonly" {
			p.Error(d)
		}
		p.must(must(caller.Update(p.ctx, Media{None: true})))
		p.must(caller.Resume(p.ctx))
		p.must(caller.Info(p.ctx, "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"))
		if len(callee.Infos()) != 1 {
			p.Error("INFO did not come")
		}
		p.must(callee.Hangup(p.ctx))
		p.must(caller.Ended(p.ctx))
	})
}

func TestPhonesKeys(t *testing.T) {
	onPair(t, func(p *pair) {
		caller, callee := p.up()
		p.must(caller.Press(p.ctx, "1234#"))
		p.must(callee.HearsKeys(p.ctx, "1234#"))
		p.must(callee.Press(p.ctx, "*09D"))
		p.must(caller.HearsKeys(p.ctx, "*09D"))
		for _, k := range callee.Keys() {
			if k.Duration != 100*time.Millisecond {
				p.Errorf("%c was pressed for %v", k.Digit, k.Duration)
			}
		}
		p.must(caller.Hangup(p.ctx))
	})
}

func TestPhonesFail(t *testing.T) {
	onPair(t, func(p *pair) {
		for behaviour, status := range map[*Behaviour]int{
			ptr(AutoReject(486, 0)): 486, ptr(AutoReject(603, time.Second)): 603, ptr(AutoRedirect(302, "1002")): 302,
		} {
			p.bob.OnCall(*behaviour)
			l, err := p.alice.Call(p.ctx, "1001")
			p.must(err)
			p.must(l.FailsWith(p.ctx, status))
		}
		p.bob.OnCall(AutoRing())
		l, err := p.alice.Call(p.ctx, "1001")
		p.must(err)
		p.must(l.Ringing(p.ctx))
		p.must(l.Cancel(p.ctx))
		if _, err := p.bob.Expect(p.ctx, "CANCEL"); err != nil {
			p.Error(err)
		}
		time.Sleep(time.Second)
	})
}

func ptr[T any](v T) *T { return &v }

func TestPhonesEarlyMediaReliably(t *testing.T) {
	onPair(t, func(p *pair) {
		caller, err := p.alice.Call(p.ctx, "1001")
		p.must(err)
		callee, err := p.bob.Incoming(p.ctx)
		p.must(err)
		p.must(callee.RingReliably(p.ctx, 180))
		p.must(callee.RingReliably(p.ctx, 183))
		callee.Play(330)
		p.must(caller.Hears(p.ctx, 330))
		p.must(callee.Answer(p.ctx))
		p.must(caller.Answered(p.ctx))
		p.must(callee.Hangup(p.ctx))
	})
}

func TestPhonesDelayedOffer(t *testing.T) {
	onPair(t, func(p *pair) {
		p.bob.OnCall(AutoAnswer(time.Second))
		caller, err := p.alice.Dial(p.ctx, Dialling{Number: "1001", Media: Media{None: true}})
		p.must(err)
		p.must(caller.Answered(p.ctx))
		callee, err := p.bob.LastLeg(p.ctx)
		p.must(err)
		caller.Play(440)
		callee.Play(620)
		p.must(caller.Hears(p.ctx, 620))
		p.must(callee.Hears(p.ctx, 440))
		p.must(must(caller.Reinvite(p.ctx, Media{None: true})))
		p.must(caller.Hears(p.ctx, 620))
		p.must(caller.Hangup(p.ctx))
	})
}

func TestPhonesLossyNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(3)
		p := newPair(t, "udp", Memory(n.Host(netip.MustParseAddr("10.0.0.1"))), Memory(n.Host(netip.MustParseAddr("10.0.0.2"))))
		n.SetDefault(memnet.Link{Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.2, Duplicate: 0.1, Reorder: 0.1})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		p.ctx = ctx
		caller, callee := p.up()
		if h := callee.Listen(ctx, 10*time.Second); h.Lost < 50 || h.Twice < 20 || h.Late < 10 {
			t.Error(h)
		}
		p.must(caller.Hold(ctx))
		p.must(caller.Resume(ctx))
		p.must(caller.Hangup(ctx))
		p.close()
		n.Close()
	})
}

// Over real sockets the same code must work; there is nothing virtual about time.
func TestPhonesOverSockets(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, transport, Sockets, Sockets)
			caller, callee := p.up()
			caller.Play(440)
			callee.Play(620)
			p.must(caller.Hears(p.ctx, 620))
			p.must(callee.Hears(p.ctx, 440))
			p.must(callee.Press(p.ctx, "42"))
			p.must(caller.HearsKeys(p.ctx, "42"))
			p.must(caller.Hangup(p.ctx))
			p.must(callee.Ended(p.ctx))
			p.close()
		})
	}
}

func TestLadder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		p := newPair(t, "udp", Memory(n.Host(netip.MustParseAddr("10.0.0.1"))), Memory(n.Host(netip.MustParseAddr("10.0.0.2"))))
		caller, _ := p.up()
		p.must(caller.Hangup(p.ctx))
		var b bytes.Buffer
		Ladder(&b, "pbx", p.alice, p.bob)
		p.close()
		n.Close()
		for _, want := range []string{"INVITE 1001 +SDP", "180 Ringing", "200 OK +SDP", "ACK", "BYE", "200 OK (BYE)"} {
			if strings.Count(b.String(), want+" -") != 1 {
				t.Errorf("%q is not in the ladder once:\n%s", want, b.String())
			}
		}
	})
}

// A picky phone complains: every check must be able to fail.
func TestComplaints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		p := newPair(t, "udp", Memory(n.Host(netip.MustParseAddr("10.0.0.1"))), Memory(n.Host(netip.MustParseAddr("10.0.0.2"))))
		defer n.Close()
		send := func(mods ...Mod) { p.alice.Send(p.alice.NewRequest("OPTIONS", "1001", mods...)) }
		for want, mod := range map[string]Mod{
			"has no Max-Forwards":    Without("Max-Forwards"),
			"has no Call-ID":         Without("Call-ID"),
			"no tag in From":         With("From", "<sip:1000@example.test>"),
			"bad CSeq":               With("CSeq", "1 INVITE"),
			"RFC 3261 branch":        With("Via", "SIP/2.0/UDP 10.0.0.1:5060;branch=1"),
			"2 To headers":           Adding("To", "<sip:x@y>"),
			"says Content-Length 99": With("Content-Length", "99"),
			"no Content-Type":        func(m *Message) { m.Body = []byte("x") },
			"has a bad To":           With("To", "1001"),
			"has an empty Subject":   With("Subject", ""),
		} {
			send(mod)
			synctest.Wait()
			if !contains(p.bob.Complaints(), want) {
				t.Errorf("no complaint that %q: %q", want, p.bob.Complaints())
			}
		}
		_ = p.alice.SendRaw([]byte("INVITE sip:x SIP/3.0\r\n\r\n"))
		synctest.Wait()
		if !contains(p.bob.Complaints(), "not SIP") {
			t.Error("garbage was taken")
		}
		// Responses.
		p.bob.Manual("OPTIONS")
		for want, mods := range map[string][]Mod{
			"Via is":               {func(m *Message) { m.Set("Via", m.Get("Via")+";x=1") }},
			"To has no tag":        {With("To", "<sip:1001@example.test>")},
			"From is":              {With("From", "<sip:else@example.test>;tag=1")},
			"it has no Accept":     {},
			"that answers nothing": {With("CSeq", "7 BYE")},
		} {
			p.alice.Send(p.alice.NewRequest("OPTIONS", "1001"))
			m, err := p.bob.Expect(p.ctx, "OPTIONS", func(m *Message) bool { return p.bob.untouched(m) })
			p.must(err)
			p.bob.Respond(m, 200, "OK", mods...)
			synctest.Wait()
			if !contains(p.alice.Complaints(), want) {
				t.Errorf("no complaint that %q: %q", want, p.alice.Complaints())
			}
		}
		_ = p.alice.Close()
		_ = p.bob.Close()
	})
}

func (p *Phone) untouched(m *Message) bool {
	s := p.servers[servedKey(m, m.Method)]
	return s != nil && s.status == 0
}

func contains(all []string, part string) bool {
	for _, s := range all {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

func TestDigestVectors(t *testing.T) {
	// RFC 7616 §3.9.1 with a fixed cnonce cannot be played by Answer, whose cnonce is random: RFC 2069 style has none.
	c := &Challenge{Realm: "testrealm@host.com", Nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093", Algorithm: "MD5"}
	got := c.Answer("Mufasa", "Circle Of Life", "GET", "/dir/index.html")
	if !strings.Contains(got, `response="670fd8c2df070c60b045671b8b24ff02"`) {
		t.Error(got)
	}
	for _, v := range []string{`Digest realm=x, nonce="y"`, `Digest nonce="y"`, `Basic realm="x"`, `Digest realm="x", nonce="y", algorithm="MD5"`} {
		if _, err := ParseChallenge(v); err == nil {
			t.Errorf("%s was taken", v)
		}
	}
}

func TestG711(t *testing.T) {
	for i := range 256 {
		b := byte(i)
		if got := encodeULaw(decodeULaw(b)); got != b && !(b == 0x7f && got == 0xff) {
			t.Errorf("mu-law %02x becomes %02x", b, got)
		}
		if got := encodeALaw(decodeALaw(b)); got != b {
			t.Errorf("A-law %02x becomes %02x", b, got)
		}
	}
	// ITU-T G.711 table 2a and 1a: the extreme values.
	if decodeULaw(0x80) != 32124 || decodeULaw(0x00) != -32124 || decodeULaw(0xff) != 0 || decodeALaw(0xaa) != 32256 || decodeALaw(0x2a) != -32256 {
		t.Error(decodeULaw(0x80), decodeULaw(0), decodeULaw(0xff), decodeALaw(0xaa), decodeALaw(0x2a))
	}
	samples := make([]int16, rate)
	g := tone{frequencies: []float64{440, 620}}
	g.fill(samples)
	for _, name := range []string{"PCMU", "PCMA", "G722"} {
		var in, out codec
		got := in.decode(name, out.encode(name, samples, nil), nil)
		for f, heard := range map[float64]bool{440: true, 620: true, 530: false, 450: false} {
			if level := Level(got, f); (level > audible) != heard {
				t.Errorf("%s: %.0f Hz at %.1f dB", name, f, level)
			}
		}
		if want, have := Loudness(samples), Loudness(got); math.Abs(want-have) > 0.5 {
			t.Errorf("%s: %.1f dB become %.1f dB", name, want, have)
		}
	}
}

// The PBX's own G.722 was written by others: both read from each byte the same, bit by bit.
func TestG722(t *testing.T) {
	samples := make([]int16, rate)
	(&tone{frequencies: []float64{440, 620}}).fill(samples)
	var out, in codec
	b := out.encode("G722", samples, nil)
	mine := in.decode("G722", b, nil)
	low, high := make([]int16, len(b)), make([]int16, len(b))
	g722.NewDecoder().Decode(low, high, b)
	for i := range low {
		if mine[i] != low[i] || high[i] < -4 || high[i] > 4 {
			t.Fatalf("sample %d: %d, theirs is %d and %d", i, mine[i], low[i], high[i])
		}
	}
}

func TestParse(t *testing.T) {
	m, err := Parse([]byte("INVITE sip:1001@x SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b;branch=z9hG4bK2\r\nf: \"a, <b>\" <sip:1@x>;tag=7\r\n" +
		"Subject: one\r\n  two\r\ni: 1\r\n\r\nbody"))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(len(m.All("Via")), m.Branch(), m.FromTag(), NameOf(m.Get("From")), AddrOf(m.Get("From")), m.Get("Subject"), m.CallID(), string(m.Body))
	if got != "2 z9hG4bK1 7 a, <b> sip:1@x one two 1 body\n" {
		t.Error(got)
	}
	for _, s := range []string{"", "\r\n\r\n", "INVITE sip:x\r\n\r\n", "SIP/2.0 2000 OK\r\n\r\n", "SIP/2.0 99 OK\r\n\r\n", "A b SIP/2.0\r\nno colon\r\n\r\n", "A b SIP/2.0\r\n folded\r\n\r\n"} {
		if m, err := Parse([]byte(s)); err == nil {
			t.Errorf("%q was read as %v", s, m)
		}
	}
}
