package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ringback/pbx"
)

func many[T any](n int, v T) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = v
	}
	return list
}

func manyNumbers(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint(100000 + i)
	}
	return list
}

// about checks that err is about a field, in a sentence; field "" that there is none.
func about(t *testing.T, what, field string, err error) {
	t.Helper()
	var v *ValidationError
	switch {
	case field == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case field != "" && !errors.As(err, &v):
		t.Errorf("%s: %v, want one about %s", what, err, field)
	case field != "" && v.Field != field:
		t.Errorf("%s is about %s (%s), want %s", what, v.Field, v.Sentence, field)
	case field != "" && (!strings.HasSuffix(v.Sentence, ".") || strings.ContainsAny(v.Sentence, "\n\x00") || len(v.Sentence) > 300):
		t.Errorf("%s: no sentence: %q", what, v.Sentence)
	}
}

func TestServicesAreValidated(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	place := pbx.Place{Number: "1001"}
	steps := func(n, places int) []pbx.Step { return many(n, pbx.Step{Places: many(places, place)}) }
	rule := func(r pbx.Rule) func(*pbx.Services) {
		return func(v *pbx.Services) { v.Incoming = []pbx.Rule{{Action: pbx.LetIn}, r} }
	}
	schedule := func(x pbx.Schedule) func(*pbx.Services) {
		return func(v *pbx.Services) { v.FindMe.Schedule = &x }
	}
	reject := pbx.Rule{Action: pbx.Reject}
	for i, c := range []struct {
		field  string
		change func(*pbx.Services)
	}{
		{"", func(v *pbx.Services) {}},
		{"", func(v *pbx.Services) { *v = fullServices() }},
		{"", func(v *pbx.Services) { v.Always = pbx.Forward{To: "1001"} }},
		{"", func(v *pbx.Services) { v.Always = pbx.Forward{On: true, To: "*#+aZ9._-", After: 5, Ring: 600} }},
		{"forward_always.to", func(v *pbx.Services) { v.Always.On = true }},
		{"forward_busy.to", func(v *pbx.Services) { v.Busy = pbx.Forward{On: true, To: "1001@example.com"} }},
		{"forward_busy.to", func(v *pbx.Services) { v.Busy = pbx.Forward{To: "10 01"} }},
		{"forward_no_answer.to", func(v *pbx.Services) { v.NoAnswer = pbx.Forward{To: strings.Repeat("1", 33)} }},
		{"forward_no_answer.after", func(v *pbx.Services) { v.NoAnswer.After = 4 }},
		{"forward_no_answer.after", func(v *pbx.Services) { v.NoAnswer.After = -1 }},
		{"forward_no_answer.ring", func(v *pbx.Services) { v.NoAnswer.Ring = 601 }},
		{"forward_unreachable.answer", func(v *pbx.Services) { v.Unreachable.Answer = "302" }},
		{"forward_unreachable.set", func(v *pbx.Services) { v.Unreachable.Set.By = "a\nb" }},
		{"do_not_disturb.set", func(v *pbx.Services) { v.DoNotDisturb.Set.By = strings.Repeat("x", 129) }},
		{"one_call.set", func(v *pbx.Services) { v.OneCall.Set.At = time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"hide_number.set", func(v *pbx.Services) { v.HideNumber.Set.By = "\xff" }},

		{"", func(v *pbx.Services) { v.Voicemail = pbx.Voicemail{On: true, Box: "info", After: 5} }},
		{"", func(v *pbx.Services) { v.Voicemail = pbx.Voicemail{Box: "info", After: 600} }},
		{"voicemail.box", func(v *pbx.Services) { v.Voicemail = pbx.Voicemail{On: true, Box: "404"} }},
		{"voicemail.box", func(v *pbx.Services) { v.Voicemail.Box = "../info" }},
		{"voicemail.after", func(v *pbx.Services) { v.Voicemail.After = 4 }}, {"voicemail.after", func(v *pbx.Services) { v.Voicemail.After = 601 }},
		{"voicemail.set", func(v *pbx.Services) { v.Voicemail.Set.By = "a\nb" }}, {"record.set", func(v *pbx.Services) { v.Record.Set.By = "a\nb" }},
		{"", func(v *pbx.Services) { v.Busy = pbx.Forward{On: true, To: pbx.MailboxTarget + strings.Repeat("1", 32)} }},
		{"forward_busy.to", func(v *pbx.Services) { v.Busy = pbx.Forward{On: true, To: pbx.MailboxTarget + strings.Repeat("1", 33)} }},
		{"", func(v *pbx.Services) { v.FindMe.Steps = steps(3, 10) }},
		{"", func(v *pbx.Services) { v.FindMe.Steps = steps(10, 3) }},
		{"find_me.steps", func(v *pbx.Services) { v.FindMe.On = true }},
		{"find_me.steps", func(v *pbx.Services) { v.FindMe.Steps = steps(11, 1) }},
		{"find_me.steps", func(v *pbx.Services) { v.FindMe.Steps = steps(4, 8) }},
		{"find_me.steps[0].places", func(v *pbx.Services) { v.FindMe.Steps = steps(1, 11) }},
		{"find_me.steps[1].places", func(v *pbx.Services) { v.FindMe.Steps = append(steps(1, 1), pbx.Step{}) }},
		{"find_me.steps[0].places[1].number", func(v *pbx.Services) { v.FindMe.Steps = []pbx.Step{{Places: []pbx.Place{place, {}}}} }},
		{"find_me.steps[0].places[0].number", func(v *pbx.Services) { v.FindMe.Steps = []pbx.Step{{Places: []pbx.Place{{Number: "x y"}}}} }},
		{"find_me.steps[0].places[0].number", func(v *pbx.Services) {
			v.FindMe.Steps = []pbx.Step{{Places: []pbx.Place{{Number: pbx.MailboxTarget + "1000"}}}}
		}},
		{"find_me.steps[0].seconds", func(v *pbx.Services) { v.FindMe.Steps = []pbx.Step{{Places: []pbx.Place{place}, Seconds: 2}} }},
		{"find_me.steps[0].seconds", func(v *pbx.Services) { v.FindMe.Steps = []pbx.Step{{Places: []pbx.Place{place}, Seconds: 601}} }},

		{"", schedule(pbx.Schedule{})},
		{"", schedule(pbx.Schedule{Days: days, From: "22:00", To: "06:00", Zone: "America/Argentina/Buenos_Aires"})},
		{"find_me.schedule.days", schedule(pbx.Schedule{Days: []string{"monday"}})},
		{"find_me.schedule.days", schedule(pbx.Schedule{Days: []string{"mon", "mon"}})},
		{"find_me.schedule.from", schedule(pbx.Schedule{From: "8:00", To: "17:00"})},
		{"find_me.schedule.from", schedule(pbx.Schedule{From: "24:00", To: "17:00"})},
		{"find_me.schedule.from", schedule(pbx.Schedule{To: "17:00"})},
		{"find_me.schedule.to", schedule(pbx.Schedule{From: "08:00"})},
		{"find_me.schedule.to", schedule(pbx.Schedule{From: "08:00", To: "17:60"})},
		{"find_me.schedule.to", schedule(pbx.Schedule{From: "08:00", To: "08:00"})},
		{"find_me.schedule.zone", schedule(pbx.Schedule{Zone: "Europe/Bonn"})},
		{"find_me.schedule.zone", schedule(pbx.Schedule{Zone: "Local"})},
		{"find_me.schedule.zone", schedule(pbx.Schedule{Zone: "../../etc/passwd"})},

		{"closed.hours", func(v *pbx.Services) { v.Closed.Hours = "shop" }},
		{"closed.to", func(v *pbx.Services) { v.Closed = pbx.Closed{Hours: "office", To: "?"} }},

		{"", func(v *pbx.Services) { v.Outgoing = many(200, reject) }},
		{"outgoing", func(v *pbx.Services) { v.Outgoing = many(201, reject) }},
		{"", rule(pbx.Rule{Action: pbx.Reject, Numbers: manyNumbers(500)})},
		{"incoming[1].numbers", rule(pbx.Rule{Action: pbx.Reject, Numbers: manyNumbers(300), Prefixes: manyNumbers(201)})},
		{"incoming[1].action", rule(pbx.Rule{})},
		{"incoming[1].action", rule(pbx.Rule{Action: "deny"})},
		{"incoming[1].to", rule(pbx.Rule{Action: pbx.SendTo})},
		{"incoming[1].to", rule(pbx.Rule{Action: pbx.SendTo, To: "a b"})},
		{"incoming[1].numbers[0]", rule(pbx.Rule{Action: pbx.Reject, Numbers: []string{""}})},
		{"incoming[1].prefixes[0]", rule(pbx.Rule{Action: pbx.Reject, Prefixes: []string{""}})},
		{"incoming[1].prefixes[1]", rule(pbx.Rule{Action: pbx.Reject, Prefixes: []string{"0", "0x(y"}})},
		{"incoming[1].group", rule(pbx.Rule{Action: pbx.Reject, Group: "601"})},
		{"incoming[1].hours", rule(pbx.Rule{Action: pbx.Reject, Hours: "shop"})},
		{"incoming[1].name", rule(pbx.Rule{Action: pbx.Reject, Name: "a\u202eb"})},
		{"incoming[1].trunk", rule(pbx.Rule{Action: pbx.Reject, Trunk: strings.Repeat("t", 129)})},
		{"incoming[1].schedule.days", rule(pbx.Rule{Action: pbx.Reject, Schedule: &pbx.Schedule{Days: []string{""}}})},

		{"class", func(v *pbx.Services) { v.Class = "Internal" }},
		{"redirect", func(v *pbx.Services) { v.Redirect = "follow" }},
		{"", func(v *pbx.Services) { v.Music = "spring-2" }},
		{"music", func(v *pbx.Services) { v.Music = "../spring" }},
		{"music", func(v *pbx.Services) { v.Music = "Spring" }},
		{"music", func(v *pbx.Services) { v.Music = strings.Repeat("m", 33) }},
		{"pin", func(v *pbx.Services) { v.PINHash = "1234" }},
		{"speed_dials", func(v *pbx.Services) { v.SpeedDials = map[string]string{"": "1001"} }},
		{"speed_dials", func(v *pbx.Services) { v.SpeedDials = map[string]string{"a": "1001"} }},
		{"speed_dials", func(v *pbx.Services) { v.SpeedDials = map[string]string{"123456789": "1001"} }},
		{"speed_dials", func(v *pbx.Services) { v.SpeedDials = map[string]string{"1": ""} }},
		{"speed_dials", func(v *pbx.Services) { v.SpeedDials = map[string]string{"1": "sip:1001"} }},
		{"speed_dials", func(v *pbx.Services) {
			v.SpeedDials = map[string]string{}
			for _, n := range manyNumbers(201) {
				v.SpeedDials[n] = n
			}
		}},
		{"services", func(v *pbx.Services) {
			v.Incoming = many(30, pbx.Rule{Action: pbx.Reject, Numbers: many(500, strings.Repeat("1", 32))})
		}},
	} {
		before := s.Extension("1000")
		err := s.ChangeServices(t.Context(), "1000", func(v *pbx.Services) error {
			*v = pbx.Services{}
			c.change(v)
			return nil
		})
		about(t, fmt.Sprint("case ", i, ", ", c.field), c.field, err)
		if c.field != "" && s.Extension("1000") != before {
			t.Errorf("case %d, %s: changed all the same", i, c.field)
		}
	}
}

func TestGroupsAreValidated(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	list := make([]NewExtension, 51)
	members := make([]string, len(list))
	for i := range list {
		members[i] = fmt.Sprint(3000 + i)
		list[i].Number = members[i]
	}
	list[0].Numbers = []string{"4000"}
	if _, err := s.CreateExtensions(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	for field, bad := range map[string][]func(*pbx.Group){
		"": {func(g *pbx.Group) {}, func(g *pbx.Group) { g.Members = members[:50] }, func(g *pbx.Group) { g.Members = nil }, func(g *pbx.Group) { g.Seconds = 600 },
			func(g *pbx.Group) { g.Strategy = pbx.RoundRobin }, func(g *pbx.Group) { g.Overflow = "" }},
		"name":         {func(g *pbx.Group) { g.Name = "a\nb" }, func(g *pbx.Group) { g.Name = strings.Repeat("x", 129) }},
		"strategy":     {func(g *pbx.Group) { g.Strategy = "ring all" }},
		"seconds":      {func(g *pbx.Group) { g.Seconds = 4 }, func(g *pbx.Group) { g.Seconds = 601 }, func(g *pbx.Group) { g.Seconds = -5 }},
		"members":      {func(g *pbx.Group) { g.Members = members }},
		"members[0]":   {func(g *pbx.Group) { g.Members = []string{"404"} }, func(g *pbx.Group) { g.Members = []string{"600"} }, func(g *pbx.Group) { g.Members = []string{"4000"} }},
		"members[1]":   {func(g *pbx.Group) { g.Members = []string{"1000", "1000"} }},
		"overflow":     {func(g *pbx.Group) { g.Overflow = "no number" }, func(g *pbx.Group) { g.Overflow = "600" }},
		"closed.hours": {func(g *pbx.Group) { g.Closed.Hours = "shop" }},
		"closed.to":    {func(g *pbx.Group) { g.Closed.To = "a/b" }},
		"set":          {func(g *pbx.Group) { g.Set.By = "\x00" }},
	} {
		for i, change := range bad {
			g := fullGroup("600")
			change(&g)
			_, err := s.ReplaceGroup(t.Context(), pbx.Set{}, g)
			about(t, fmt.Sprint("case ", i, " of ", field), field, err)
		}
	}
	for _, number := range []string{"", "..", "6 00", strings.Repeat("6", 33), "ANNOUNCEMENT.x"} {
		_, err := s.CreateGroup(t.Context(), admin, pbx.Group{Number: number})
		about(t, "number "+number, "number", err)
	}
}

func TestHoursAreValidated(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	span := func(days, from, to string) func(*pbx.Hours) {
		return func(h *pbx.Hours) { h.Open = []pbx.Span{{Days: strings.Fields(days), From: from, To: to}} }
	}
	holiday := func(first, last string) func(*pbx.Hours) {
		return func(h *pbx.Hours) { h.Holidays = []pbx.Holiday{{Name: "x", First: first, Last: last}} }
	}
	for field, list := range map[string][]func(*pbx.Hours){
		"": {func(h *pbx.Hours) {}, span("mon tue wed thu fri sat sun", "00:00", "24:00"), span("sun", "23:59", "24:00"), holiday("2026-12-24", "2027-01-06"), holiday("--02-29", ""),
			holiday("2028-02-29", "2028-02-29"), func(h *pbx.Hours) { h.Mode = "day" }, func(h *pbx.Hours) { h.Open = nil },
			func(h *pbx.Hours) {
				h.Holidays = []pbx.Holiday{{First: "--12-24", Open: []pbx.Span{{From: "08:00", To: "12:00"}}}}
			}},
		"zone":              {func(h *pbx.Hours) { h.Zone = "Middle/Earth" }},
		"mode":              {func(h *pbx.Hours) { h.Mode = "evening" }},
		"open":              {func(h *pbx.Hours) { h.Open = many(101, h.Open[0]) }},
		"open[0].days":      {span("", "08:00", "12:00"), span("Mon", "08:00", "12:00")},
		"open[0].from":      {span("mon", "", "12:00"), span("mon", "25:00", "12:00"), span("mon", "08:00:00", "12:00"), span("mon", "24:00", "24:00")},
		"open[0].to":        {span("mon", "08:00", ""), span("mon", "08:00", "08:00"), span("mon", "22:00", "06:00"), span("mon", "08:00", "24:01")},
		"holidays":          {func(h *pbx.Hours) { h.Holidays = many(501, pbx.Holiday{First: "--01-01"}) }},
		"holidays[0].name":  {func(h *pbx.Hours) { h.Holidays = []pbx.Holiday{{Name: "a\tb", First: "--01-01"}} }},
		"holidays[0].first": {holiday("", ""), holiday("24.12.2026", ""), holiday("2026-02-29", ""), holiday("--13-01", ""), holiday("-12-24", ""), holiday("2026-12", "")},
		"holidays[0].last":  {holiday("2026-12-24", "2026-12-23"), holiday("--12-24", "--01-06"), holiday("--12-24", "2026-12-26"), holiday("2026-12-24", "x")},
		"holidays[0].open[0].to": {func(h *pbx.Hours) {
			h.Holidays = []pbx.Holiday{{First: "--12-24", Open: []pbx.Span{{From: "12:00", To: "08:00"}}}}
		}},
		"hours": {func(h *pbx.Hours) {
			h.Holidays = many(500, pbx.Holiday{Name: strings.Repeat("ü", 100), First: "--01-01"})
		}},
	} {
		for i, change := range list {
			h := fullHours("office")
			change(&h)
			_, err := s.ReplaceHours(t.Context(), pbx.Set{}, h)
			about(t, fmt.Sprint("case ", i, " of ", field), field, err)
		}
	}
	for _, name := range []string{"", " x", "x ", "a/b", "a?b", "..", "a%2f", "a\nb", strings.Repeat("x", 65), "\xff"} {
		_, err := s.CreateHours(t.Context(), admin, pbx.Hours{Name: name})
		about(t, "name "+name, "name", err)
	}
	about(t, "switched", "mode", s.SwitchHours(t.Context(), "office", "evening", admin))
}

func TestTheOfficeIsValidated(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	classes := func(list ...pbx.ClassRule) func(*pbx.Office) { return func(o *pbx.Office) { o.Classes = list } }
	for field, list := range map[string][]func(*pbx.Office){
		"": {func(o *pbx.Office) {}, func(o *pbx.Office) { *o = fullOffice() }, classes(pbx.ClassRule{Prefix: "0", Class: "local"}, pbx.ClassRule{Prefix: "00", Class: "international"}),
			func(o *pbx.Office) { o.Codes.Changed = map[string]string{"echo": ""} }, func(o *pbx.Office) { o.RedirectHosts = []string{"[2001:db8::1]:5060", "192.0.2.1"} }},
		"incoming[0].action":     {func(o *pbx.Office) { o.Incoming = []pbx.Rule{{}} }},
		"outgoing":               {func(o *pbx.Office) { o.Outgoing = many(201, pbx.Rule{Action: pbx.Reject}) }},
		"day_night":              {func(o *pbx.Office) { o.DayNight = "shop" }},
		"classes[0].prefix":      {classes(pbx.ClassRule{Class: "local"}), classes(pbx.ClassRule{Prefix: "0 1", Class: "local"})},
		"classes[0].class":       {classes(pbx.ClassRule{Prefix: "0"}), classes(pbx.ClassRule{Prefix: "0", Class: "dear"})},
		"classes[1].prefix":      {classes(pbx.ClassRule{Prefix: "0", Class: "local"}, pbx.ClassRule{Prefix: "0", Class: "premium"})},
		"classes":                {func(o *pbx.Office) { o.Classes = many(1001, pbx.ClassRule{Prefix: "0", Class: "local"}) }},
		"redirect_hosts":         {func(o *pbx.Office) { o.RedirectHosts = many(101, "example.com") }},
		"redirect_hosts[0]":      {func(o *pbx.Office) { o.RedirectHosts = []string{""} }, func(o *pbx.Office) { o.RedirectHosts = []string{"a b"} }},
		"codes.changed":          {func(o *pbx.Office) { o.Codes.Changed = map[string]string{"echo": "* 4"} }, func(o *pbx.Office) { o.Codes.Changed = map[string]string{"a\nb": "*4"} }},
		"codes.profile":          {func(o *pbx.Office) { o.Codes.Profile = strings.Repeat("x", 129) }},
		"incoming[0].numbers[0]": {func(o *pbx.Office) { o.Incoming = []pbx.Rule{{Action: pbx.Reject, Numbers: []string{"<script>"}}} }},
		"outgoing[0].schedule.to": {func(o *pbx.Office) {
			o.Outgoing = []pbx.Rule{{Action: pbx.Reject, Schedule: &pbx.Schedule{From: "08:00", To: "8"}}}
		}},
	} {
		for i, change := range list {
			_, err := s.ChangeOffice(t.Context(), pbx.Set{}, func(o *pbx.Office) error {
				*o = pbx.Office{}
				change(o)
				return nil
			})
			about(t, fmt.Sprint("case ", i, " of ", field), field, err)
		}
	}
}
