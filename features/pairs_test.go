package features

import (
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"ringback/pbx"
)

// switched is how each feature is switched on: of 1000, who is called, and of 1001, who calls, where it is a feature of callers.
// Every feature of the lists has a line at least; what several settings switch on has several.
var switched = []struct {
	name    string
	feature any // of the lists; nil: no feature of a subscriber
	on      func(w *world)
}{
	{"redirect", Redirect, func(w *world) {}},
	{"refused redirect", RefuseRedirect, func(w *world) {
		for n := range w.extensions {
			w.of(n).Redirect = pbx.NoOther
		}
	}},
	{"one call", OneCall, func(w *world) { w.of("1000").OneCall = pbx.Switch{On: true, Set: by("1000")} }},
	{"find-me", FindMe, func(w *world) {
		w.of("1000").FindMe = pbx.FindMe{On: true, Set: by("1000"), Steps: []pbx.Step{
			{Places: []pbx.Place{{Number: "1000"}}, Seconds: 10},
			{Places: []pbx.Place{{Number: "1003"}, {Number: w.to("1004"), Confirm: true}}, Seconds: 20},
		}}
	}},
	{"do not disturb", DoNotDisturb, func(w *world) { w.of("1000").DoNotDisturb = pbx.Switch{On: true, Set: by("1000")} }},
	{"forward when busy", Forward, func(w *world) { w.of("1000").Busy = pbx.Forward{On: true, To: w.to("1005"), Set: by("1000")} }},
	{"forward on no answer", Forward, func(w *world) {
		w.of("1000").NoAnswer = pbx.Forward{On: true, To: w.to("1006"), After: 15, Set: by("1000")}
	}},
	{"forward when unreachable", Forward, func(w *world) {
		w.of("1000").Unreachable = pbx.Forward{On: true, To: w.to("1007"), Set: by("1000")}
	}},
	{"closed", Closed, func(w *world) {
		w.hours["office"] = officeHours
		w.of("1000").Closed = pbx.Closed{Hours: "office", To: w.to("1008"), Set: by("1000")}
	}},
	{"forward always", AlwaysForward, func(w *world) {
		w.of("1000").Always = pbx.Forward{On: true, To: w.to("1009"), Ring: 12, Set: by("1000")}
	}},
	{"voicemail", Voicemail, func(w *world) {
		w.box("1000", true)
		w.of("1000").Voicemail = pbx.Voicemail{On: true, After: 20, Set: by("1000")}
	}},
	{"incoming screening", ScreenIncoming, func(w *world) {
		w.of("1000").Incoming = []pbx.Rule{{Name: "nights", Numbers: []string{"1001"}, Schedule: &pbx.Schedule{From: "20:00", To: "07:00"}, Action: pbx.Reject, Set: by("1000")}}
	}},
	{"class of service", ClassOfService, func(w *world) {
		w.office.office.Classes = []pbx.ClassRule{{Prefix: "00", Class: "international"}}
		for _, n := range []string{"1000", "1001"} {
			w.of(n).Class, w.of(n).PINHash = "national", "set"
		}
	}},
	{"outgoing screening", ScreenOutgoing, func(w *world) {
		for _, n := range []string{"1000", "1001"} {
			w.of(n).Outgoing = []pbx.Rule{{Name: "evenings", Prefixes: []string{"1", "0"}, Schedule: &pbx.Schedule{From: "17:00", To: "20:00"}, Action: pbx.TellWhy, Set: by("admin")}}
		}
	}},
	{"hidden number", HideNumber, func(w *world) {
		for _, n := range []string{"1000", "1001"} {
			w.of(n).HideNumber = pbx.Switch{On: true, Set: by(n)}
		}
	}},
	{"ring group", nil, func(w *world) {
		w.groups["600"] = &pbx.Group{Number: "600", Name: "Sales", Enabled: true, Strategy: pbx.RingAll, Members: []string{"1000", "1002"}, Seconds: 20, Overflow: "1010"}
	}},
	{"ring group with forwards", nil, func(w *world) {
		w.groups["600"] = &pbx.Group{Number: "600", Name: "Sales", Enabled: true, Strategy: pbx.InTurn, Members: []string{"1000", "1002"}, Seconds: 20, KeepForwards: true, Overflow: "1010"}
	}},
}

var officeHours = &pbx.Hours{Name: "office", Open: []pbx.Span{{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "08:00", To: "18:00"}}}

// apart are the pairs that cannot meet: two values of one setting.
var apart = map[string]bool{
	"redirect × refused redirect":           true,
	"ring group × ring group with forwards": true,
}

// pairs calls f for each pair of features that can meet.
func pairs(f func(name string, a, b func(*world))) {
	for i, a := range switched {
		for _, b := range switched[i+1:] {
			if name := a.name + " × " + b.name; !apart[name] {
				f(name, a.on, b.on)
			}
		}
	}
}

// TestPairs has a golden file for each feature, and for each pair of features: what is planned for all the calls that matter.
func TestPairs(t *testing.T) {
	for _, s := range switched {
		t.Run(s.name, func(t *testing.T) { golden(t, "features/"+s.name, met(s.name, s.on)) })
	}
	n := 0
	pairs(func(name string, a, b func(*world)) {
		n++
		t.Run(name, func(t *testing.T) { golden(t, "pairs/"+name, met(name, a, b)) })
	})
	if n < 60 {
		t.Errorf("%d pairs", n)
	}
	if files, err := os.ReadDir("testdata/pairs"); err != nil || len(files) != n {
		t.Errorf("%d files for %d pairs (%v)", len(files), n, err)
	}
}

func met(name string, on ...func(*world)) string {
	w := newWorld()
	// Classes are about numbers outside: with them forwards go there.
	w.abroad = strings.Contains(name, "class of service")
	for _, f := range on {
		f(w)
	}
	calls := []string{"1000"}
	for _, s := range switched {
		if _, ok := s.feature.(func(*route, *pbx.Extension, string, plan) pbx.Target); ok && strings.Contains(name, s.name) {
			calls = []string{"1000", "00441234"}
		}
	}
	if w.groups["600"] != nil {
		calls = append(calls, "600")
	}
	var b strings.Builder
	for _, number := range calls {
		t := w.router().Plan(pbx.Identity{Number: "1001"}, number, morning)
		b.WriteString("1001 calls " + number + ":\n" + indented(pbx.Text(t)))
		if strings.Contains(name, "redirect") {
			b.WriteString(indented(redirections(t.Node(), "1012")))
		}
	}
	return b.String()
}

// TestEveryFeatureIsSwitchedOn fails for a feature that is added to a list and not to the table.
func TestEveryFeatureIsSwitchedOn(t *testing.T) {
	has := make(map[uintptr]bool)
	for _, s := range switched {
		if s.feature != nil {
			has[reflect.ValueOf(s.feature).Pointer()] = true
		}
	}
	check := func(list, feature any) {
		if p := reflect.ValueOf(feature).Pointer(); !has[p] {
			t.Errorf("%s of %s is not switched on by any line of the table", runtime.FuncForPC(p).Name(), list)
		}
	}
	for _, f := range Terminating {
		check("Terminating", f)
	}
	for _, f := range Member {
		check("Member", f)
	}
	for _, f := range Originating {
		check("Originating", f)
	}
}

// TestPairsAreDocumented wants a row of the table in docs/features.md for each pair.
func TestPairsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/features.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) == 5 && strings.TrimSpace(cells[2]) != "" && strings.TrimSpace(cells[3]) != "" {
			rows[strings.TrimSpace(cells[1])] = true
		}
	}
	pairs(func(name string, _, _ func(*world)) {
		if !rows[name] {
			t.Errorf("the table has no row for %s", name)
		}
		delete(rows, name)
	})
	for row := range rows {
		if strings.Contains(row, " × ") {
			t.Errorf("the table has a row for %s, which is no pair any more", row)
		}
	}
}
