package pbx_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a switchboard with scripted phones, in virtual time.
type rig struct {
	*testing.T
	*pbxtest.Line
	sb      *pbx.Switchboard
	journal *journal
}

// journal keeps what it is given, in order.
type journal struct {
	mu       sync.Mutex
	answered []pbx.CDR
	ended    []pbx.CDR
	order    []string
	full     bool
}

func (j *journal) Bindings(_ string, _ []pbx.Binding, done func(error)) { done(nil) }

func (j *journal) Answered(c pbx.CDR) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.full {
		return errors.New("disk full")
	}
	j.answered = append(j.answered, c)
	j.order = append(j.order, "answered "+c.ID)
	return nil
}

func (j *journal) Ended(c pbx.CDR) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended = append(j.ended, c)
	j.order = append(j.order, "ended "+c.ID)
}

// count is how many calls have ended.
func (j *journal) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.ended)
}

// last is the record of the call that ended last.
func (j *journal) last(t *testing.T) pbx.CDR {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.ended) == 0 {
		t.Fatal("no call record")
	}
	return j.ended[len(j.ended)-1]
}

type directory struct{}

func (directory) Extension(number string) *pbx.Extension {
	if number == "404" {
		return nil
	}
	x := &pbx.Extension{Number: number, Enabled: true, Ring: 20 * time.Second}
	if number == "1005" {
		x.Services.Music = "spring"
	}
	return x
}

// with runs f in a bubble; at its end no call, leg or goroutine may be left. Without plan the dialled number rings 20 s.
func with(t *testing.T, plan func(*pbx.Call) pbx.Target, f func(*rig)) {
	if plan == nil {
		plan = func(c *pbx.Call) pbx.Target { return pbx.Ring(c.Dialled, 20*time.Second) }
	}
	withOptions(t, func(o *pbx.Options) { o.Route = plan }, f)
}

// withOptions is with, of a switchboard that is set otherwise.
func withOptions(t *testing.T, set func(*pbx.Options), f func(*rig)) {
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, Line: pbxtest.NewLine(), journal: &journal{}}
		o := pbx.Options{Line: r.Line, Journal: r.journal, Directory: directory{}, Prompt: prompt}
		set(&o)
		r.sb = pbx.New(o)
		r.Line.Exchange = r.sb
		f(r)
		synctest.Wait()
		r.sb.Close()
		if n := r.sb.Stats().Active; n != 0 {
			t.Errorf("%d calls left over", n)
		}
		if left := r.Line.Left(); len(left) > 0 {
			t.Errorf("legs left over: %q", left)
		}
		if left := r.sb.InUse(); len(left) > 0 {
			t.Errorf("lines still in use: %v", left)
		}
	})
}

// prompt has a sound of every name but "none".
func prompt(name string) media.Sound {
	if kind, _, _ := strings.Cut(name, ":"); kind == pbx.PromptMusic {
		return &pbxtest.Prompt{Name: name, Length: -1}
	}
	switch name {
	case "none":
		return nil
	case pbx.PromptRinging, pbx.PromptBusy, pbx.PromptCongestion:
		return &pbxtest.Prompt{Name: name, Length: -1}
	default:
		return &pbxtest.Prompt{Name: name, Length: promptLength}
	}
}

const promptLength = 2 * time.Second

// g729 is a codec that the PBX passes on and cannot speak.
var g729 = media.Codec{Name: "G729", ClockRate: 8000, Channels: 1}

// told fails the test unless the party is told s within d.
func (r *rig) told(p *pbxtest.Party, s string, d time.Duration) {
	r.Helper()
	if _, err := p.Await(s, d); err != nil {
		r.Error(err)
	}
}

// hears checks who hears whom.
func (r *rig) hears(p *pbxtest.Party, want string) {
	r.Helper()
	if got := p.Hears(); got != want {
		r.Errorf("%s hears %q, want %q", p.Number, got, want)
	}
}

// service is a target made of a function.
type service func(context.Context, *pbx.Call) (*pbx.Leg, pbx.Outcome)

func (s service) Reach(ctx context.Context, c *pbx.Call) (*pbx.Leg, pbx.Outcome) { return s(ctx, c) }
func (service) String() string                                                   { return "service" }
func (s service) Node() pbx.Node                                                 { return pbx.Node{Type: "test", Text: s.String()} }
