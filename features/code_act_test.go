package features

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
)

// at the beginning of a bubble, and after so many milliseconds.
const bubble = `{"by":"1000","at":"2000-01-01T00:00:00Z"}`

// TestCodesAct dials each code that changes a setting: what is heard, and what the extension's services are then.
func TestCodesAct(t *testing.T) {
	to1002 := func(f *pbx.Forward) { *f = pbx.Forward{On: true, To: "1002", After: 15} }
	steps := []pbx.Step{{Places: []pbx.Place{{Number: "1002"}}}}
	blocked := func(numbers ...string) func(*pbx.Services) {
		return func(s *pbx.Services) {
			s.Incoming = []pbx.Rule{{Name: "anonymous", Anonymous: true, Action: pbx.Reject}, {Name: "blocked", Numbers: numbers, Action: pbx.Reject}}
		}
	}
	const anonymous = `{"name":"anonymous","anonymous":true,"action":"reject"}`
	for name, c := range map[string]struct {
		profile string
		before  func(*pbx.Services)
		others  func(*pbx.Services) // of 1001
		caller  pbx.Identity        // who called 1000 last
		dial    string
		keys    string
		heard   string
		want    string // services of 1000
	}{
		"forward always on":      {dial: "*721002", heard: "on", want: `{"forward_always":{"on":true,"to":"1002","set":` + bubble + `}}`},
		"forward busy on":        {dial: "*901002", heard: "on", want: `{"forward_busy":{"on":true,"to":"1002","set":` + bubble + `}}`},
		"forward no answer on":   {dial: "*521002", heard: "on", want: `{"forward_no_answer":{"on":true,"to":"1002","set":` + bubble + `}}`},
		"it keeps the rest":      {before: func(s *pbx.Services) { to1002(&s.NoAnswer) }, dial: "*521001", heard: "on", want: `{"forward_no_answer":{"on":true,"to":"1001","after":15,"set":` + bubble + `}}`},
		"forward always off":     {before: func(s *pbx.Services) { to1002(&s.Always) }, dial: "*73", heard: "off", want: `{"forward_always":{"on":false,"to":"1002","after":15,"set":` + bubble + `}}`},
		"forward busy off":       {before: func(s *pbx.Services) { to1002(&s.Busy) }, dial: "*91", heard: "off", want: `{"forward_busy":{"on":false,"to":"1002","after":15,"set":` + bubble + `}}`},
		"forward no answer off":  {before: func(s *pbx.Services) { to1002(&s.NoAnswer) }, dial: "*53", heard: "off", want: `{"forward_no_answer":{"on":false,"to":"1002","after":15,"set":` + bubble + `}}`},
		"number typed, then #":   {dial: "*72", keys: "1002#", heard: "enter-number on", want: `{"forward_always":{"on":true,"to":"1002","set":{"by":"1000","at":"2000-01-01T00:00:01Z"}}}`},
		"number typed, then 5 s": {dial: "*72", keys: "1002", heard: "enter-number on", want: `{"forward_always":{"on":true,"to":"1002","set":{"by":"1000","at":"2000-01-01T00:00:06Z"}}}`},
		"nothing typed":          {dial: "*72", heard: "enter-number error", want: `{}`},
		"only # typed":           {dial: "*90", keys: "#", heard: "enter-number error", want: `{}`},
		"a wrong number typed":   {dial: "*52", keys: "1999#", heard: "enter-number error", want: `{}`},
		"to nobody":              {dial: "*721999", heard: "error", want: `{}`},
		"to a disabled one":      {dial: "*721003", heard: "error", want: `{}`},
		"to oneself":             {dial: "*721000", heard: "error", want: `{}`},
		"to one's other number":  {dial: "*725550100", heard: "error", want: `{}`},

		"to somebody who is away": {others: func(s *pbx.Services) { s.DoNotDisturb.On = true }, dial: "*721001", heard: "on", want: `{"forward_always":{"on":true,"to":"1001","set":` + bubble + `}}`},
		"to who redirects":        {others: func(s *pbx.Services) { s.Always = pbx.Forward{On: true, To: "1002", Answer: "redirect"} }, dial: "*721001", heard: "on", want: `{"forward_always":{"on":true,"to":"1001","set":` + bubble + `}}`},
		"round in a circle":       {others: func(s *pbx.Services) { s.Always = pbx.Forward{On: true, To: "1000"} }, dial: "*721001", heard: "error", want: `{}`},
		"on to nobody":            {others: func(s *pbx.Services) { s.Always = pbx.Forward{On: true, To: "1999"} }, dial: "*901001", heard: "error", want: `{}`},
		"to who does not want it": {others: func(s *pbx.Services) { s.Incoming = []pbx.Rule{{Action: pbx.TellWhy}} }, dial: "*721001", heard: "error", want: `{}`},
		"not allowed":             {before: func(s *pbx.Services) { s.Class = "internal" }, dial: "*72030123", heard: "error", want: `{"class":"internal"}`},
		"keys that are no number": {dial: "*72", keys: "**#", heard: "enter-number error", want: `{}`},

		"toggle on":               {profile: "fusionpbx", before: func(s *pbx.Services) { s.Always.To = "1002" }, dial: "*74", heard: "on", want: `{"forward_always":{"on":true,"to":"1002","set":` + bubble + `}}`},
		"toggle off":              {profile: "fusionpbx", before: func(s *pbx.Services) { s.Always = pbx.Forward{On: true, To: "1002"} }, dial: "*74", heard: "off", want: `{"forward_always":{"on":false,"to":"1002","set":` + bubble + `}}`},
		"toggle without a number": {profile: "fusionpbx", dial: "*74", heard: "error", want: `{}`},
		"toggle to nobody":        {profile: "fusionpbx", before: func(s *pbx.Services) { s.Always.To = "1999" }, dial: "*74", heard: "error", want: `{"forward_always":{"on":false,"to":"1999"}}`},
		"fusionpbx dnd on":        {profile: "fusionpbx", dial: "*77", heard: "on", want: `{"do_not_disturb":{"on":true,"set":` + bubble + `}}`},
		"fusionpbx dnd off":       {profile: "fusionpbx", before: func(s *pbx.Services) { s.DoNotDisturb.On = true }, dial: "*77", heard: "off", want: `{"do_not_disturb":{"on":false,"set":` + bubble + `}}`},

		"dnd on":           {dial: "*78", heard: "on", want: `{"do_not_disturb":{"on":true,"set":` + bubble + `}}`},
		"dnd off":          {before: func(s *pbx.Services) { s.DoNotDisturb.On = true }, dial: "*79", heard: "off", want: `{"do_not_disturb":{"on":false,"set":` + bubble + `}}`},
		"call waiting off": {dial: "*71", heard: "off", want: `{"one_call":{"on":true,"set":` + bubble + `}}`},
		"call waiting on":  {before: func(s *pbx.Services) { s.OneCall.On = true }, dial: "*70", heard: "on", want: `{"one_call":{"on":false,"set":` + bubble + `}}`},
		"find-me on":       {before: func(s *pbx.Services) { s.FindMe.Steps = steps }, dial: "*21", heard: "on", want: `{"find_me":{"on":true,"steps":[{"places":[{"number":"1002"}]}],"set":` + bubble + `}}`},
		"find-me off":      {before: func(s *pbx.Services) { s.FindMe = pbx.FindMe{On: true, Steps: steps} }, dial: "*21", heard: "off", want: `{"find_me":{"on":false,"steps":[{"places":[{"number":"1002"}]}],"set":` + bubble + `}}`},
		"find-me nowhere":  {dial: "*21", heard: "error", want: `{}`},

		"block":              {dial: "*30+4930123", heard: "done", want: `{"incoming":[{"name":"blocked","numbers":["+4930123"],"action":"reject","set":` + bubble + `}]}`},
		"block by keys":      {dial: "*30", keys: "030#", heard: "enter-number done", want: `{"incoming":[{"name":"blocked","numbers":["030"],"action":"reject","set":{"by":"1000","at":"2000-01-01T00:00:01Z"}}]}`},
		"block one more":     {before: blocked("1001"), dial: "*301002", heard: "done", want: `{"incoming":[{"name":"blocked","numbers":["1001","1002"],"action":"reject","set":` + bubble + `},` + anonymous + `]}`},
		"block twice":        {before: blocked("1001"), dial: "*301001", heard: "done", want: `{"incoming":[{"name":"blocked","numbers":["1001"],"action":"reject"},` + anonymous + `]}`},
		"unblock":            {before: blocked("1001", "1002"), dial: "*311001", heard: "done", want: `{"incoming":[{"name":"blocked","numbers":["1002"],"action":"reject","set":` + bubble + `},` + anonymous + `]}`},
		"unblock the last":   {before: blocked("1001"), dial: "*311001", heard: "done", want: `{"incoming":[` + anonymous + `]}`},
		"unblock a stranger": {before: blocked("1001"), dial: "*311002", heard: "done", want: `{"incoming":[` + anonymous + `,{"name":"blocked","numbers":["1001"],"action":"reject"}]}`},
		"somebody's own rule": {before: func(s *pbx.Services) {
			s.Incoming = []pbx.Rule{{Name: "blocked", Numbers: []string{"1001"}, Hours: "office", Action: pbx.Reject}}
		}, dial: "*301002", heard: "done", want: `{"incoming":[{"name":"blocked","numbers":["1002"],"action":"reject","set":` + bubble + `},{"name":"blocked","numbers":["1001"],"hours":"office","action":"reject"}]}`},
		"block the last caller": {caller: pbx.Identity{Number: "1002"}, dial: "*32", heard: "done", want: `{"incoming":[{"name":"blocked","numbers":["1002"],"action":"reject","set":` + bubble + `}]}`},
		"block a hidden caller": {caller: pbx.Identity{Number: "1002", Hidden: true}, dial: "*32", heard: "done", want: `{"incoming":[{"name":"blocked","numbers":["1002"],"action":"reject","set":` + bubble + `}]}`},
		"block nobody":          {dial: "*32", heard: "error", want: `{}`},
		"speed dial to a code":  {before: func(s *pbx.Services) { s.SpeedDials = map[string]string{"7": "*78"} }, dial: "*07", heard: "on", want: `{"do_not_disturb":{"on":true,"set":` + bubble + `},"speed_dials":{"7":"*78"}}`},
		"the same by keys":      {before: func(s *pbx.Services) { s.SpeedDials = map[string]string{"7": "*79"} }, dial: "*0", keys: "7#", heard: "enter-number off", want: `{"do_not_disturb":{"on":false,"set":` + bubble + `},"speed_dials":{"7":"*79"}}`},
		"my number":             {dial: "*65", heard: "digits:1000", want: `{}`},
		"clock":                 {dial: "*60", heard: "clock,time:00:00", want: `{}`},
		"mikopbx my number":     {profile: "mikopbx", dial: "000063", heard: "digits:1000", want: `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			withCodes(t, func(r *codeRig) {
				r.office.now.office.Codes.Profile = c.profile
				if c.before != nil {
					r.set("1000", c.before)
				}
				if c.others != nil {
					r.set("1001", c.others)
				}
				if c.caller.Number != "" {
					r.router.Recent.Called("1000", c.caller)
				}
				before := r.services("1000")
				if heard := r.dials(c.dial, c.keys); heard != c.heard {
					r.Errorf("1000 heard %q, want %q", heard, c.heard)
				}
				if got := r.services("1000"); got != c.want {
					r.Errorf("services\n%s, want\n%s", got, c.want)
				}

				// An error of the settings is heard, and changes nothing.
				r.set("1000", func(s *pbx.Services) { *s = pbx.Services{} })
				if before == c.want && name != "unblock a stranger" || strings.HasSuffix(c.heard, "error") {
					return
				}
				r.office.fails = errors.New("the disk is full")
				want := strings.Join(append(strings.Fields(c.heard)[:len(strings.Fields(c.heard))-1], "error"), " ")
				if heard := r.dials(c.dial, c.keys); heard != want {
					r.Errorf("with a full disk 1000 heard %q, want %q", heard, want)
				}
				if got := r.services("1000"); got != "{}" {
					r.Errorf("services after an error: %s", got)
				}
			})
		})
	}
}

// TestCodesHangup gives up at each stage of a code.
func TestCodesHangup(t *testing.T) {
	for name, when := range map[string]time.Duration{
		"in the question": 500 * time.Millisecond, "while typing": 2 * time.Second, "in the change": 6500 * time.Millisecond,
	} {
		t.Run(name, func(t *testing.T) {
			withCodes(t, func(r *codeRig) {
				r.office.waits = time.Second
				p := r.Call("1000", "*72")
				time.AfterFunc(1200*time.Millisecond, func() { p.Press("1002") })
				time.Sleep(when)
				synctest.Wait()
				p.Bye()
				time.Sleep(time.Minute)
				if got := r.services("1000"); got != "{}" || r.office.changes != 0 {
					r.Errorf("%d changes: %s", r.office.changes, got)
				}
			})
		})
	}
	t.Run("in the confirmation", func(t *testing.T) {
		withCodes(t, func(r *codeRig) {
			p := r.Call("1000", "*78")
			time.Sleep(500 * time.Millisecond)
			p.Bye()
			if !r.office.Extension("1000").Services.DoNotDisturb.On {
				r.Error("what was confirmed was not done")
			}
		})
	})
}

// TestCodesForStrangers: who is no extension reaches no code.
func TestCodesForStrangers(t *testing.T) {
	withCodes(t, func(r *codeRig) {
		p := r.Call("+4930123", "*78")
		if _, err := p.Await("refuse 404", time.Second); err != nil {
			r.Error(err)
		}
	})
}

// TestCodesWithoutSettings: a router that can change nothing says so to the caller.
func TestCodesWithoutSettings(t *testing.T) {
	withCodes(t, func(r *codeRig) {
		r.router.Settings = nil
		if heard := r.dials("*78", ""); heard != "error" {
			r.Errorf("heard %q", heard)
		}
	})
}

// TestClockInZone: the clock is that of the place where the PBX is.
func TestClockInZone(t *testing.T) {
	withCodes(t, func(r *codeRig) {
		r.router.Zone = time.FixedZone("India", 5*3600+1800)
		time.Sleep(9*time.Hour + 34*time.Minute)
		if heard := r.dials("*60", ""); heard != "clock,time:15:04" {
			r.Errorf("heard %q", heard)
		}
	})
}
