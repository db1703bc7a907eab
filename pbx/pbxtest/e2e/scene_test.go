package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// scene is one test: the phones in it, and the exchange between them.
type scene struct {
	*testing.T
	ctx       context.Context
	x         *exchange
	transport string
	phones    []*pbxtest.Phone
	allowed   []string // complaints that this test provokes
	logged    int      // bytes that the exchange had logged before
}

var lastNumber atomic.Int64

func init() { lastNumber.Store(2000) }

// play runs a scene over UDP and over TCP.
func play(t *testing.T, f func(s *scene)) {
	t.Parallel()
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			playOn(t, shared, transport, f)
		})
	}
}

func playOn(t *testing.T, x *exchange, transport string, f func(s *scene)) {
	s := &scene{T: t, ctx: t.Context(), x: x, transport: transport, logged: len(x.log.String())}
	t.Cleanup(s.end)
	f(s)
}

// end: nothing is left over, and no phone has had to complain.
func (s *scene) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, p := range s.phones {
		for _, sub := range p.Subscriptions() { // or else it is told of the next change
			_ = sub.Unsubscribe(ctx)
		}
		if p.Granted() > 0 { // or else the exchange goes on asking a port that another phone may get
			_ = p.Unregister(ctx)
		}
		if err := p.Close(); err != nil {
			s.Error(err)
		}
		for _, c := range p.Complaints() {
			if !s.allowedText(c) {
				s.Error(c)
			}
		}
	}
	if s.Failed() && len(s.phones) > 0 {
		var b bytes.Buffer
		pbxtest.Ladder(&b, "ringback", s.phones...)
		s.Log("\n" + b.String())
		s.Log("\n" + s.warnings())
	}
}

// warnings are what the exchange has logged of trouble since the scene began, in this scene or another one.
func (s *scene) warnings() string {
	var b strings.Builder
	text := s.x.log.String()
	for line := range strings.Lines(text[min(s.logged, len(text)):]) {
		if b.Len() < 10_000 && (strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR")) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func (s *scene) allowedText(c string) bool {
	for _, a := range s.allowed {
		if strings.Contains(c, a) {
			return true
		}
	}
	return false
}

// allow lets phones complain of that.
func (s *scene) allow(text string) { s.allowed = append(s.allowed, text) }

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

const password = "correct-horse"

// extension adds an extension and returns its number.
func (s *scene) extension(more ...any) string {
	s.Helper()
	number := fmt.Sprint(lastNumber.Add(1))
	body := map[string]any{"number": number, "name": "Name of " + number, "password": password, "enabled": true}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	s.must(s.x.api(s.ctx, "POST", "/extensions", body, nil))
	return number
}

// another makes a phone of an extension that is there, not registered.
func (s *scene) another(number string, mods ...func(*pbxtest.Config)) *pbxtest.Phone {
	s.Helper()
	c := pbxtest.Config{Name: fmt.Sprintf("%s.%d", number, len(s.phones)+1), User: number, Password: password, Server: s.x.sip, Transport: s.transport, Patience: patience}
	for _, mod := range mods {
		mod(&c)
	}
	p, err := pbxtest.NewPhone(c)
	s.must(err)
	s.phones = append(s.phones, p)
	return p
}

// registered is another phone of an extension, registered.
func (s *scene) registered(number string, mods ...func(*pbxtest.Config)) *pbxtest.Phone {
	s.Helper()
	p := s.another(number, mods...)
	_, err := p.Register(s.ctx, 300)
	s.must(err)
	return p
}

// phone is a registered phone of an extension of its own.
func (s *scene) phone(mods ...func(*pbxtest.Config)) *pbxtest.Phone {
	s.Helper()
	return s.registered(s.extension(), mods...)
}

// call calls from one phone to another, which rings.
func (s *scene) call(from, to *pbxtest.Phone, mods ...pbxtest.Mod) (caller, callee *pbxtest.CallLeg) {
	s.Helper()
	caller, err := from.Call(s.ctx, to.User(), mods...)
	s.must(err)
	callee, err = to.Incoming(s.ctx)
	s.must(err)
	callee.Ring()
	s.must(caller.Ringing(s.ctx))
	return caller, callee
}

// up is call, answered, with a tone each way.
func (s *scene) up(from, to *pbxtest.Phone, mods ...pbxtest.Mod) (caller, callee *pbxtest.CallLeg) {
	s.Helper()
	caller, callee = s.call(from, to, mods...)
	s.answer(caller, callee)
	return caller, callee
}

func (s *scene) answer(caller, callee *pbxtest.CallLeg) {
	s.Helper()
	s.must(callee.Answer(s.ctx))
	s.must(caller.Answered(s.ctx))
	caller.Play(440)
	callee.Play(620)
}

// talk checks sound both ways.
func (s *scene) talk(caller, callee *pbxtest.CallLeg) {
	s.Helper()
	s.must(caller.Hears(s.ctx, 620))
	s.must(callee.Hears(s.ctx, 440))
}

// over hangs up at one end, and waits for the other to be told.
func (s *scene) over(by, other *pbxtest.CallLeg) {
	s.Helper()
	s.must(by.Hangup(s.ctx))
	s.must(other.Ended(s.ctx))
}

// status fails unless a response has the status.
func (s *scene) status(m *pbxtest.Message, err error, want ...int) *pbxtest.Message {
	s.Helper()
	s.must(err)
	for _, w := range want {
		if m.Status == w {
			return m
		}
	}
	s.Fatalf("%s: the status is %d %s and not of %v", m, m.Status, m.Phrase, want)
	return nil
}

// eventually asks again until what it asks for has come true, no longer than patience.
func (s *scene) eventually(what string, ask func() bool) {
	s.Helper()
	for end := time.Now().Add(patience); !ask(); {
		if time.Now().After(end) {
			s.Fatalf("it did not come to be that %s", what)
		}
		time.Sleep(20 * time.Millisecond) // another process: nothing else tells
	}
}

func rel100(c *pbxtest.Config) { c.Rel100 = true }

func codecs(names ...string) func(*pbxtest.Config) {
	return func(c *pbxtest.Config) { c.Codecs = names }
}

func over(transport string) func(*pbxtest.Config) {
	return func(c *pbxtest.Config) { c.Transport = transport }
}

func from(addr string) func(*pbxtest.Config) {
	return func(c *pbxtest.Config) { c.Local = netip.MustParseAddr(addr) }
}
