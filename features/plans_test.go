package features

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ringback/pbx"
)

// TestGoldenPlans is what pairs of features do not show: chains, loops, groups, rules, modes.
func TestGoldenPlans(t *testing.T) {
	always := func(w *world, chain ...string) {
		for i, from := range chain[:len(chain)-1] {
			w.of(from).Always = pbx.Forward{On: true, To: chain[i+1]}
		}
	}
	for name, c := range map[string]struct {
		dialled string // "": 1000
		from    pbx.Identity
		on      func(w *world)
	}{
		"chain of three": {on: func(w *world) { always(w, "1000", "1002", "1003", "1004") }},
		"loop":           {on: func(w *world) { always(w, "1000", "1002", "1000") }},
		"loop to itself": {on: func(w *world) { always(w, "1000", "1000") }},
		"loop by a further number": {on: func(w *world) {
			always(w, "1000", "1002", "2000")
		}},
		"loop of forwards on no answer": {on: func(w *world) {
			w.of("1000").NoAnswer = pbx.Forward{On: true, To: "1002", After: 10}
			w.of("1002").NoAnswer = pbx.Forward{On: true, To: "1000", After: 10}
			w.of("1002").Busy = pbx.Forward{On: true, To: "1003"}
		}},
		"ten forwards": {on: func(w *world) {
			always(w, "1000", "1002", "1003", "1004", "1005", "1006", "1007", "1008", "1009", "1010", "1011")
		}},
		"eleven forwards": {on: func(w *world) {
			always(w, "1000", "1002", "1003", "1004", "1005", "1006", "1007", "1008", "1009", "1010", "1011", "1012")
		}},
		"forward to the caller": {on: func(w *world) { always(w, "1000", "1001") }},
		"forward to a number that is not there": {on: func(w *world) {
			always(w, "1000", "777")
		}},
		"forward to a disabled extension": {on: func(w *world) { always(w, "1000", "1002"); w.extensions["1002"].Enabled = false }},
		"forward to a feature code":       {on: func(w *world) { always(w, "1000", "*43") }},
		"forward with ring time": {on: func(w *world) {
			w.of("1000").Always = pbx.Forward{On: true, To: "1002", Ring: 7}
			w.of("1002").NoAnswer = pbx.Forward{On: true, To: "1003", After: 20, Ring: 9}
		}},
		"forward always keeps the ring time of the one before": {on: func(w *world) {
			w.of("1000").Always = pbx.Forward{On: true, To: "1002", Ring: 7}
			always(w, "1002", "1003")
		}},
		"forward by 302": {on: func(w *world) {
			w.of("1000").Busy = pbx.Forward{On: true, To: "1002", Answer: "redirect", Set: by("admin")}
		}},
		"forward always by 302": {on: func(w *world) {
			w.of("1000").Always = pbx.Forward{On: true, To: "00441234", Answer: "redirect", Set: by("1000")}
		}},
		"redirections that the caller follows": {on: func(w *world) { w.of("1000").Redirect = pbx.PassOn }},
		"forward by 302 to itself": {on: func(w *world) {
			w.of("1000").Always = pbx.Forward{On: true, To: "1000", Answer: "redirect"}
		}},
		"all three forwards": {on: func(w *world) {
			w.of("1000").Busy = pbx.Forward{On: true, To: "1002"}
			w.of("1000").NoAnswer = pbx.Forward{On: true, To: "1003"}
			w.of("1000").Unreachable = pbx.Forward{On: true, To: "1004"}
		}},
		"further number":  {dialled: "2000"},
		"disabled":        {on: func(w *world) { w.extensions["1000"].Enabled = false }},
		"no such number":  {dialled: "4242"},
		"announcement":    {dialled: "announcement.rejected", on: func(w *world) { w.of("1001").Outgoing = []pbx.Rule{{Action: pbx.Reject}} }},
		"no announcement": {dialled: "announcement.secret"},

		"find-me on a schedule": {on: func(w *world) {
			w.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "1002"}}}},
				Schedule: &pbx.Schedule{Days: []string{"mon", "tue"}, From: "08:00", To: "12:00", Zone: "Europe/Berlin"}}
		}},
		"find-me by a further number": {on: func(w *world) {
			w.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "2000"}, {Number: "1002"}}, Seconds: 5}}}
		}},
		"find-me with confirmation at the end of a forward": {on: func(w *world) {
			w.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "1002", Confirm: true}}, Seconds: 12}}}
			always(w, "1002", "1003")
			w.of("1003").NoAnswer = pbx.Forward{On: true, To: "1004"}
		}},
		"find-me of each other": {on: func(w *world) {
			w.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "1000"}, {Number: "1002"}}}}}
			w.of("1002").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "1002"}, {Number: "1000"}}}}}
		}},
		"find-me without a place": {on: func(w *world) { w.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Seconds: 5}}} }},

		"closed without a number": {on: func(w *world) {
			w.hours["office"] = officeHours
			w.of("1000").Closed = pbx.Closed{Hours: "office"}
		}},
		"switched to night": {on: func(w *world) {
			night := *officeHours
			night.Mode = "night"
			w.hours["office"] = &night
			w.of("1000").Closed = pbx.Closed{Hours: "office", To: "1002"}
		}},
		"hours that nobody has set": {on: func(w *world) { w.of("1000").Closed = pbx.Closed{Hours: "office", To: "1002"} }},

		"rules of the office first": {on: func(w *world) {
			w.office.office.Incoming = []pbx.Rule{{Name: "let in", Numbers: []string{"1001"}, Action: pbx.LetIn}, {Action: pbx.Reject}}
			w.of("1000").Incoming = []pbx.Rule{{Name: "boss", Prefixes: []string{"10"}, Action: pbx.SendTo, To: "1002", Set: by("1000")}}
		}},
		"the first rule decides": {on: func(w *world) {
			w.of("1000").Incoming = []pbx.Rule{{Numbers: []string{"1009"}, Action: pbx.Reject}, {Numbers: []string{"1001"}, Action: pbx.LetIn}, {Action: pbx.Reject}}
		}},
		"announce": {on: func(w *world) { w.of("1000").Incoming = []pbx.Rule{{Name: "tell", Action: pbx.TellWhy}} }},
		"anonymous": {from: pbx.Identity{Number: "1001", Hidden: true}, on: func(w *world) {
			w.of("1000").Incoming = []pbx.Rule{{Anonymous: true, Action: pbx.Reject}}
		}},
		"not anonymous": {on: func(w *world) {
			w.of("1000").Incoming = []pbx.Rule{{Anonymous: true, Action: pbx.Reject}}
		}},
		"hidden by a setting, refused as anonymous": {on: func(w *world) {
			w.of("1001").HideNumber.On = true
			w.of("1000").Incoming = []pbx.Rule{{Anonymous: true, Action: pbx.TellWhy}}
		}},
		"hidden number that is blocked": {from: pbx.Identity{Number: "1001", Hidden: true}, on: func(w *world) {
			w.of("1000").Incoming = []pbx.Rule{{Numbers: []string{"1001"}, Action: pbx.Reject}}
		}},
		"hidden number that would be let in": {from: pbx.Identity{Number: "1001", Hidden: true}, on: func(w *world) {
			w.of("1000").Incoming = []pbx.Rule{{Numbers: []string{"1001"}, Action: pbx.LetIn}, {Numbers: []string{"1001"}, Action: pbx.SendTo, To: "1002"}, {Anonymous: true, Action: pbx.Reject}}
		}},
		"rule about a group": {on: func(w *world) {
			w.groups["600"] = &pbx.Group{Number: "600", Enabled: true, Members: []string{"1001"}}
			w.of("1000").Incoming = []pbx.Rule{{Name: "colleagues", Group: "600", Action: pbx.SendTo, To: "1002"}}
		}},
		"rule about a trunk": {on: func(w *world) { w.of("1000").Incoming = []pbx.Rule{{Trunk: "carrier", Action: pbx.Reject}} }},
		"rule outside hours": {on: func(w *world) {
			w.hours["office"] = officeHours
			w.of("1000").Incoming = []pbx.Rule{{Name: "closed", Hours: "office", Action: pbx.Reject}}
		}},
		"rule at a time outside hours": {on: func(w *world) {
			w.hours["office"] = officeHours
			w.of("1000").Incoming = []pbx.Rule{{Hours: "office", Schedule: &pbx.Schedule{Days: []string{"mon"}}, Action: pbx.Reject}, {Numbers: []string{"1009"}, Action: pbx.Reject}}
		}},
		"rule of hours that nobody has set": {on: func(w *world) { w.of("1000").Incoming = []pbx.Rule{{Hours: "office", Action: pbx.Reject}} }},
		"send to oneself":                   {on: func(w *world) { w.of("1000").Incoming = []pbx.Rule{{Action: pbx.SendTo, To: "1000"}} }},
		"outgoing to the operator": {dialled: "1005", on: func(w *world) {
			w.of("1001").Outgoing = []pbx.Rule{{Name: "operator", Action: pbx.SendTo, To: "1002"}}
		}},
		"outgoing to the operator itself": {dialled: "1002", on: func(w *world) {
			w.of("1001").Outgoing = []pbx.Rule{{Name: "operator", Action: pbx.SendTo, To: "1002"}}
		}},
		"outgoing to and fro": {dialled: "1005", on: func(w *world) {
			w.of("1001").Outgoing = []pbx.Rule{{Numbers: []string{"1005"}, Action: pbx.SendTo, To: "1006"}, {Numbers: []string{"1006"}, Action: pbx.SendTo, To: "1005"}}
		}},
		"outgoing, for everybody": {on: func(w *world) {
			w.office.office.Outgoing = []pbx.Rule{{Name: "no boss", Numbers: []string{"1000"}, Action: pbx.Reject, Set: by("admin")}}
		}},

		"class without a PIN": {dialled: "0900123", on: func(w *world) {
			w.office.office.Classes = []pbx.ClassRule{{Prefix: "0", Class: "national"}, {Prefix: "0900", Class: "premium"}}
			w.of("1001").Class = "national"
		}},
		"class that allows it": {dialled: "0800123", on: func(w *world) {
			w.office.office.Classes = []pbx.ClassRule{{Prefix: "0", Class: "national"}, {Prefix: "0900", Class: "premium"}}
			w.of("1001").Class = "national"
		}},
		"class internal": {dialled: "123456", on: func(w *world) { w.of("1001").Class = "internal" }},

		"group in order": {dialled: "600", on: func(w *world) {
			w.groups["600"] = &pbx.Group{Number: "600", Name: "Sales", Enabled: true, Strategy: pbx.LongestIdle, Members: []string{"1002", "1003", "4711"}, Seconds: 15, Set: by("admin")}
		}},
		"group that is disabled": {dialled: "600", on: func(w *world) { w.groups["600"] = &pbx.Group{Number: "600", Members: []string{"1002"}} }},
		"group of nobody": {dialled: "600", on: func(w *world) {
			w.groups["600"] = &pbx.Group{Number: "600", Name: "Sales", Enabled: true, Strategy: pbx.RingAll, Members: []string{"4711"}, Overflow: "1002"}
		}},
		"group with hours": {dialled: "600", on: func(w *world) {
			w.hours["office"] = officeHours
			w.groups["600"] = &pbx.Group{Number: "600", Name: "Sales", Enabled: true, Strategy: pbx.RingAll, Members: []string{"1002"}, Closed: pbx.Closed{Hours: "office", To: "1003", Set: by("admin")}}
		}},
		"group in a group is none": {dialled: "600", on: func(w *world) {
			w.groups["600"] = &pbx.Group{Number: "600", Name: "Sales", Enabled: true, Strategy: pbx.RingAll, Members: []string{"1002", "601"}}
			w.groups["601"] = &pbx.Group{Number: "601", Name: "Support", Enabled: true, Strategy: pbx.RingAll, Members: []string{"1003"}}
		}},
		"forward to one's own group": {on: func(w *world) {
			w.of("1000").NoAnswer = pbx.Forward{On: true, To: "600"}
			w.groups["600"] = &pbx.Group{Number: "600", Name: "Sales", Enabled: true, Strategy: pbx.RingAll, Members: []string{"1000", "1002"}, Seconds: 10}
		}},
		"overflow to itself": {dialled: "600", on: func(w *world) {
			w.groups["600"] = &pbx.Group{Number: "600", Name: "Sales", Enabled: true, Strategy: pbx.RingAll, Members: []string{"1002"}, Overflow: "600"}
		}},
		"group screened by the office": {dialled: "600", on: func(w *world) {
			w.groups["600"] = &pbx.Group{Number: "600", Name: "Sales", Enabled: true, Strategy: pbx.RingAll, Members: []string{"1002"}}
			w.office.office.Incoming = []pbx.Rule{{Name: "spam", Numbers: []string{"1001"}, Action: pbx.Reject}}
		}},
		"conference room": {dialled: "800", on: func(w *world) {
			w.rooms["800"] = &pbx.Room{Number: "800", Name: "Board", Enabled: true, Set: by("admin")}
			w.of("1001").Class = "internal"
		}},
		"conference room with a PIN, by a forward": {on: func(w *world) {
			w.rooms["800"] = &pbx.Room{Number: "800", Name: "Board", Enabled: true, PINHash: "x"}
			always(w, "1000", "800")
		}},
		"conference room that is disabled": {dialled: "800", on: func(w *world) { w.rooms["800"] = &pbx.Room{Number: "800", Name: "Board"} }},
		"conference room screened by the office": {dialled: "800", on: func(w *world) {
			w.rooms["800"] = &pbx.Room{Number: "800", Name: "Board", Enabled: true, ModeratorPINHash: "x"}
			w.office.office.Incoming = []pbx.Rule{{Name: "spam", Numbers: []string{"1001"}, Action: pbx.Reject}}
		}},
		"menu": {dialled: "700", on: func(w *world) {
			w.menus["700"] = &pbx.Menu{Number: "700", Name: "Sales", Enabled: true, Set: by("admin"), DialExtension: true, Timeout: "1005", Invalid: "701",
				Keys: map[string]string{"1": "1002", "2": "701", "12": "777", "*": "700", "#": "*43"}}
			w.menus["701"] = &pbx.Menu{Number: "701", Name: "More", Enabled: true, Keys: map[string]string{"1": "700", "2": "1003", "3": "702"}}
			w.menus["702"] = &pbx.Menu{Number: "702", Name: "Off"}
			always(w, "1002", "1001", "700")
			w.of("1001").Class = "internal"
		}},
		"menu, by a forward and screened": {on: func(w *world) {
			w.menus["700"] = &pbx.Menu{Number: "700", Name: "Sales", Enabled: true, Keys: map[string]string{"1": "1000", "2": "1002"}}
			always(w, "1000", "700")
			w.office.office.Incoming = []pbx.Rule{{Name: "spam", Numbers: []string{"1009"}, Action: pbx.Reject}}
		}},
		"menus without end": {dialled: "700", on: func(w *world) {
			for i := range 30 {
				m := &pbx.Menu{Number: fmt.Sprint(700 + i), Name: "M", Enabled: true, Keys: map[string]string{}}
				for k := range 30 {
					m.Keys[fmt.Sprint(k)] = fmt.Sprint(700 + k)
				}
				w.menus[m.Number] = m
			}
		}},
		"mailbox": {dialled: "mailbox.1000", on: func(w *world) { w.box("1000", false).Set = by("admin"); w.of("1001").Class = "internal" }},
		"mailbox of an operator, busy": {on: func(w *world) {
			w.box("1000", false).Operator = "1005"
			w.of("1000").Busy = pbx.Forward{On: true, To: "mailbox.1000"}
		}},
		"mailbox that is not there": {dialled: "mailbox.1000"},
		"mailbox that is disabled":  {dialled: "mailbox.1000", on: func(w *world) { w.box("1000", false).Enabled = false }},
		"mailbox screened by the office": {dialled: "mailbox.1000", on: func(w *world) {
			w.box("1000", false)
			w.office.office.Incoming = []pbx.Rule{{Name: "spam", Numbers: []string{"1001"}, Action: pbx.Reject}}
		}},
		"mailbox as overflow, and of members": {dialled: "600", on: func(w *world) {
			w.box("1000", false)
			w.box("1002", false)
			w.of("1002").Voicemail.On = true
			w.of("1003").NoAnswer = pbx.Forward{On: true, To: "mailbox.1000"}
			w.of("1004").Always = pbx.Forward{On: true, To: "mailbox.1000"}
			w.groups["600"] = &pbx.Group{Number: "600", Name: "Sales", Enabled: true, Strategy: pbx.RingAll, Members: []string{"1002", "1003", "1004"}, KeepForwards: true, Seconds: 10, Overflow: "mailbox.1000"}
		}},
		"mailbox in a menu": {dialled: "700", on: func(w *world) {
			w.box("1000", false)
			w.menus["700"] = &pbx.Menu{Number: "700", Name: "Sales", Enabled: true, Keys: map[string]string{"1": "mailbox.1000", "2": "mailbox.4242"}, Timeout: "mailbox.1000"}
		}},
		"voicemail of two in a row": {on: func(w *world) {
			for _, n := range []string{"1000", "1002"} {
				w.box(n, false)
				w.of(n).Voicemail.On = true
			}
			w.of("1000").NoAnswer = pbx.Forward{On: true, To: "1002"}
			w.of("1002").Busy = pbx.Forward{On: true, To: "1003"}
		}},
		"voicemail with all three forwards, closed": {on: func(w *world) {
			w.box("3000", false)
			w.hours["office"] = officeHours
			sv := w.of("1000")
			sv.Voicemail = pbx.Voicemail{On: true, Box: "3000"}
			sv.Closed = pbx.Closed{Hours: "office", To: "1008"}
			sv.Busy = pbx.Forward{On: true, To: "1002"}
			sv.NoAnswer = pbx.Forward{On: true, To: "1003"}
			sv.Unreachable = pbx.Forward{On: true, To: "mailbox.3000"}
		}},
		"voicemail and forward by 302": {on: func(w *world) {
			w.box("1000", false)
			w.of("1000").Voicemail.On = true
			w.of("1000").Busy = pbx.Forward{On: true, To: "1002", Answer: "redirect"}
		}},
		"find-me at a mailbox": {on: func(w *world) {
			w.box("1000", false)
			w.box("1002", false)
			w.of("1002").Voicemail.On = true
			w.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "mailbox.1000"}, {Number: "1002"}}, Seconds: 5}}}
		}},
		"members with do-not-disturb and one call": {dialled: "600", on: func(w *world) {
			w.groups["600"] = &pbx.Group{Number: "600", Name: "Sales", Enabled: true, Strategy: pbx.RoundRobin, Members: []string{"1002", "1003"}, Seconds: 10}
			w.of("1002").DoNotDisturb.On = true
			w.of("1003").OneCall.On = true
			always(w, "1003", "1004")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			if c.on != nil {
				c.on(w)
			}
			if c.dialled == "" {
				c.dialled = "1000"
			}
			if c.from.Number == "" {
				c.from.Number = "1001"
			}
			golden(t, "plans/"+name, c.from.Number+" calls "+c.dialled+":\n"+indented(pbx.Text(w.router().Plan(c.from, c.dialled, morning))))
		})
	}
}

// TestClasses allows a number by its longest prefix, and nothing by a class that is none.
func TestClasses(t *testing.T) {
	w := newWorld()
	w.office.office.Classes = []pbx.ClassRule{{Prefix: "0", Class: "national"}, {Prefix: "00", Class: "international"}, {Prefix: "0900", Class: "premium"}, {Prefix: "0901", Class: "premiun"}}
	r := w.router().begin(pbx.Identity{Number: "1001"}, morning)
	for _, c := range []struct {
		limit, number string
		want          bool
	}{
		{"", "0900", true}, {"internal", "1000", true}, {"internal", "2000", true}, {"internal", "123", false},
		{"local", "123", true}, {"local", "0123", false}, {"national", "0123", true}, {"national", "00123", false},
		{"international", "00123", true}, {"international", "0900123", false}, {"premium", "0900123", true},
		{"premium", "0901123", false}, {"", "0901123", true}, {"nationall", "1000", false},
	} {
		w.of("1001").Class = c.limit
		if got := r.mayCall(w.extensions["1001"], c.number); got != c.want {
			t.Errorf("class %q calls %s: %v", c.limit, c.number, got)
		}
	}
}

// TestReasonsHaveDates has dates in the zone of the PBX.
func TestReasonsHaveDates(t *testing.T) {
	w := newWorld()
	w.of("1000").Always = pbx.Forward{On: true, To: "1002", Set: pbx.Set{By: "admin", At: time.Date(2026, 3, 1, 23, 30, 0, 0, time.UTC)}}
	r := w.router()
	r.Zone, _ = time.LoadLocation("Europe/Berlin")
	text := pbx.Text(r.Plan(pbx.Identity{Number: "1001"}, "1000", morning))
	if !strings.Contains(text, "[forward always, set by admin on 2 March 2026]") {
		t.Error(text)
	}
}
