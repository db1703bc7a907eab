package features

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// codeOffice is an office whose settings change while calls are made: a directory and pbx.Settings in memory.
type codeOffice struct {
	writing sync.Mutex // one change at a time
	mu      sync.Mutex // now and changes
	now     office
	fails   error         // of every change
	waits   time.Duration // a change takes this long
	changes int
}

func (o *codeOffice) snapshot() *office {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.now
	return &s
}

func (o *codeOffice) Extension(number string) *pbx.Extension { return o.snapshot().Extension(number) }
func (o *codeOffice) Owner(number string) *pbx.Extension     { return o.snapshot().Owner(number) }
func (o *codeOffice) Group(number string) *pbx.Group         { return o.snapshot().Group(number) }
func (o *codeOffice) Room(number string) *pbx.Room           { return o.snapshot().Room(number) }
func (o *codeOffice) Menu(number string) *pbx.Menu           { return o.snapshot().Menu(number) }
func (o *codeOffice) Mailbox(number string) *pbx.Mailbox     { return o.snapshot().Mailbox(number) }
func (o *codeOffice) Begins(digits string) bool              { return o.snapshot().Begins(digits) }
func (o *codeOffice) Hours(name string) *pbx.Hours           { return o.snapshot().Hours(name) }
func (o *codeOffice) Office() *pbx.Office                    { return o.now.Office() }

func (o *codeOffice) wait(ctx context.Context) error {
	select {
	case <-time.After(o.waits):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return o.fails
}

func (o *codeOffice) ChangeServices(ctx context.Context, extension string, change func(*pbx.Services) error) error {
	if err := o.wait(ctx); err != nil {
		return err
	}
	o.writing.Lock()
	defer o.writing.Unlock()
	e := o.Extension(extension)
	if e == nil {
		return errors.New("no such extension")
	}
	changed := *e
	if err := change(&changed.Services); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now.extensions = maps.Clone(o.now.extensions)
	o.now.extensions[extension] = &changed
	o.changes++
	return nil
}

func (o *codeOffice) SwitchHours(ctx context.Context, name, mode string, by pbx.Set) error {
	if err := o.wait(ctx); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	h := o.now.hours[name]
	if h == nil {
		return errors.New("no such hours")
	}
	changed := *h
	changed.Mode, changed.Set = mode, by
	o.now.hours = maps.Clone(o.now.hours)
	o.now.hours[name] = &changed
	o.changes++
	return nil
}

func (o *codeOffice) CheckPIN(context.Context, string, string) bool        { return false }
func (o *codeOffice) CheckMailboxPIN(context.Context, string, string) bool { return false }
func (o *codeOffice) SetMailboxPIN(context.Context, string, string, pbx.Set) error {
	return errors.New("no mailboxes")
}
func (o *codeOffice) CheckRoomPIN(context.Context, string, string) (ok, moderator bool) {
	return false, false
}

// noJournal keeps no records.
type noJournal struct{}

func (noJournal) Bindings(_ string, _ []pbx.Binding, done func(error)) { done(nil) }
func (noJournal) Answered(pbx.CDR) error                               { return nil }
func (noJournal) Ended(pbx.CDR)                                        {}

// codeRig is a switchboard with scripted phones, and 1000, 1001 and 1002 as extensions; 1003 is disabled.
type codeRig struct {
	*testing.T
	*pbxtest.Line
	office *codeOffice
	router *Router
}

func newCodeOffice() *codeOffice {
	o := &codeOffice{now: office{extensions: make(map[string]*pbx.Extension), hours: make(map[string]*pbx.Hours)}}
	for _, n := range []string{"1000", "1001", "1002", "1003"} {
		o.now.extensions[n] = &pbx.Extension{Number: n, Enabled: n != "1003", Ring: 30 * time.Second}
	}
	o.now.extensions["1000"].Numbers = []string{"5550100"}
	return o
}

// withCodes runs f in a bubble; at its end no call, leg or goroutine may be left.
func withCodes(t *testing.T, f func(*codeRig)) {
	synctest.Test(t, func(t *testing.T) {
		o := newCodeOffice()
		r := &codeRig{T: t, Line: pbxtest.NewLine(), office: o, router: &Router{Directory: o, Settings: o, Recent: pbx.NewRecent()}}
		sb := pbx.New(pbx.Options{Line: r.Line, Journal: noJournal{}, Route: r.router.Route, Directory: o, Recent: r.router.Recent,
			Prompt: func(name string) media.Sound { return &pbxtest.Prompt{Name: name, Length: time.Second} }})
		r.Line.Exchange = sb
		f(r)
		synctest.Wait()
		sb.Close()
		if n := sb.Stats().Active; n != 0 {
			t.Errorf("%d calls left over", n)
		}
		if left := r.Line.Left(); len(left) > 0 {
			t.Errorf("legs left over: %q", left)
		}
	})
}

// set changes the services of an extension before the calls.
func (r *codeRig) set(extension string, f func(*pbx.Services)) {
	r.Helper()
	if err := r.office.ChangeServices(r.Context(), extension, func(s *pbx.Services) error { f(s); return nil }); err != nil {
		r.Fatal(err)
	}
}

// services are those of an extension as JSON.
func (r *codeRig) services(extension string) string {
	text, err := json.Marshal(r.office.Extension(extension).Services)
	if err != nil {
		r.Fatal(err)
	}
	return string(text)
}

// listen waits for the end of the call, a minute at most, and says all that the party heard.
func (r *codeRig) listen(p *pbxtest.Party) string {
	r.Helper()
	var all []string
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 600 {
		synctest.Wait()
		if h := p.Hears(); h != "" && (len(all) == 0 || all[len(all)-1] != h) {
			all = append(all, h)
		}
		select {
		case <-p.Done():
			return strings.Join(all, " ")
		case <-tick.C:
		}
	}
	r.Errorf("the call has not ended: %q", p.Told())
	p.Bye()
	return strings.Join(all, " ")
}

// dials lets 1000 dial and then type keys, one after the other, once it hears the question. It says all that 1000 heard.
func (r *codeRig) dials(number, keys string) string {
	r.Helper()
	p := r.Call("1000", number)
	if keys != "" {
		time.Sleep(500 * time.Millisecond)
		heard := p.Hears()
		for _, k := range keys {
			p.Press(string(k))
			time.Sleep(300 * time.Millisecond)
		}
		return strings.TrimSpace(heard + " " + r.listen(p))
	}
	return r.listen(p)
}
