package features

import (
	"strings"
	"testing"
	"time"

	"ringback/pbx"
)

// office is a directory made of values.
type office struct {
	extensions map[string]*pbx.Extension
	groups     map[string]*pbx.Group
	rooms      map[string]*pbx.Room
	menus      map[string]*pbx.Menu
	mailboxes  map[string]*pbx.Mailbox
	hours      map[string]*pbx.Hours
	office     pbx.Office
}

func (o *office) Extension(number string) *pbx.Extension { return o.extensions[number] }
func (o *office) Group(number string) *pbx.Group         { return o.groups[number] }
func (o *office) Room(number string) *pbx.Room           { return o.rooms[number] }
func (o *office) Mailbox(number string) *pbx.Mailbox     { return o.mailboxes[number] }
func (o *office) Menu(number string) *pbx.Menu           { return o.menus[number] }
func (o *office) Begins(digits string) bool {
	for n, e := range o.extensions {
		for _, n := range append([]string{n}, e.Numbers...) {
			if len(n) > len(digits) && strings.HasPrefix(n, digits) {
				return true
			}
		}
	}
	return false
}
func (o *office) Hours(name string) *pbx.Hours { return o.hours[name] }
func (o *office) Office() *pbx.Office          { return &o.office }
func (o *office) Owner(number string) *pbx.Extension {
	if e := o.extensions[number]; e != nil {
		return e
	}
	for _, e := range o.extensions {
		for _, n := range e.Numbers {
			if n == number {
				return e
			}
		}
	}
	return nil
}

// morning is when plans are made in tests: Monday, 2 March 2026.
var morning = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func TestPlans(t *testing.T) {
	r := &Router{Directory: &office{extensions: map[string]*pbx.Extension{
		"1000": {Number: "1000", Enabled: true, Ring: 30 * time.Second},
		"1001": {Number: "1001", Enabled: false, Ring: 30 * time.Second},
		"1002": {Number: "1002", Enabled: true, Ring: 30 * time.Second},
	}}}
	for dialled, want := range map[string]string{
		"1000": "ring 1000 for 30s",
		"1001": "refuse: failed 404 (system)",
		"9999": "refuse: failed 404 (system)",
		"":     "refuse: failed 404 (system)",
		"*43":  "echo test",
		"*430": "refuse: failed 404 (system)",
	} {
		if got := r.Plan(pbx.Identity{Number: "1002"}, dialled, morning).String(); got != want {
			t.Errorf("plan for %q: %s, want %s", dialled, got, want)
		}
	}
}

func BenchmarkRoute(b *testing.B) {
	r := &Router{Directory: &office{extensions: map[string]*pbx.Extension{"1000": {Number: "1000", Enabled: true, Ring: 30 * time.Second}}}}
	b.ReportAllocs()
	for b.Loop() {
		if r.Plan(pbx.Identity{Number: "1002"}, "1000", morning) == nil {
			b.Fatal("no plan")
		}
	}
}
