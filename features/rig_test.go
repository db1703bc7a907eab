package features

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// exchange is a world with a switchboard and scripted phones, in virtual time.
type exchange struct {
	*testing.T
	*pbxtest.Line
	*world
	sb   *pbx.Switchboard
	pins *pins
	cdrs cdrs
}

type cdrs struct {
	mu  sync.Mutex
	all []pbx.CDR
}

func (*cdrs) Bindings(_ string, _ []pbx.Binding, done func(error)) { done(nil) }
func (*cdrs) Answered(pbx.CDR) error                               { return nil }
func (c *cdrs) Ended(r pbx.CDR) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, r)
}

// calls runs f in a bubble; at its end no call, leg or goroutine may be left. The bubble begins on Saturday, 1 January 2000, at
// midnight UTC.
func calls(t *testing.T, f func(x *exchange)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := &exchange{T: t, Line: pbxtest.NewLine(), world: newWorld(), pins: &pins{}}
		router := &Router{Directory: x.office, Settings: x.pins, Recent: pbx.NewRecent(), Messages: x.memory}
		x.sb = pbx.New(pbx.Options{Line: x.Line, Journal: &x.cdrs, Route: router.Route, Directory: x.office, Recent: router.Recent, NewRoom: newRoom, NewCapture: pbxtest.NewCapture,
			Prompt: func(name string) media.Sound { return &pbxtest.Prompt{Name: name, Length: time.Second} }})
		x.Exchange = x.sb
		f(x)
		synctest.Wait()
		x.sb.Close()
		if x.memory.open != 0 {
			t.Errorf("%d tapes are neither kept nor dropped", x.memory.open)
		}
		if n := x.sb.Stats().Active; n != 0 {
			t.Errorf("%d calls left over", n)
		}
		if left := x.Left(); len(left) > 0 {
			t.Errorf("legs left over: %q", left)
		}
	})
}

// told fails the test unless the party has been told just this by now, in this order.
func (x *exchange) told(p *pbxtest.Party, want ...string) {
	x.Helper()
	synctest.Wait()
	if got := strings.Join(p.Told(), ", "); got != strings.Join(want, ", ") {
		x.Errorf("%v: %s was told %q, want %q", since(), p.Number, got, strings.Join(want, ", "))
	}
}

// rang fails the test unless the phone has been called so often by now.
func (x *exchange) rang(h *pbxtest.Handset, n int) {
	x.Helper()
	synctest.Wait()
	if got := len(h.Calls()); got != n {
		x.Errorf("%v: %s was called %d times, want %d", since(), h.Contact.Extension, got, n)
	}
}

// via is how the newest call came to the phone.
func (x *exchange) via(h *pbxtest.Handset) string {
	x.Helper()
	synctest.Wait()
	if h.Last() == nil {
		x.Fatalf("%v: %s was not called", since(), h.Contact.Extension)
	}
	var b strings.Builder
	for _, d := range h.Last().Invitation.Via {
		fmt.Fprintf(&b, "%s>%s %s %d", d.From, d.To, d.Reason, d.Status)
		if d.Hidden {
			b.WriteString(" hidden")
		}
		b.WriteString("; ")
	}
	return strings.TrimSuffix(b.String(), "; ")
}

// since is how long the test has run.
func since() time.Duration { return time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) }

// after lets time pass until so long after the beginning.
func after(d time.Duration) { time.Sleep(d - since()); synctest.Wait() }

func (x *exchange) last() pbx.CDR {
	x.Helper()
	synctest.Wait()
	x.cdrs.mu.Lock()
	defer x.cdrs.mu.Unlock()
	if len(x.cdrs.all) == 0 {
		x.Fatal("no call record")
	}
	return x.cdrs.all[len(x.cdrs.all)-1]
}
