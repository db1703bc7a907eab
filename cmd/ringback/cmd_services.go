package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"ringback/pbx"
)

type servicesCmd struct {
	Show servicesShow `cmd:"" default:"withargs" help:"Show what an extension has switched on."`
	Set  servicesSet  `cmd:"" help:"Change what is given of it."`
}

// subscribed is what the API says of an extension's services.
type subscribed struct {
	pbx.Services
	HasPIN bool `json:"has_pin"`
}

func servicesPath(number string) string { return extensionsPath + segment(number) + "/services" }

func (s subscribed) print(c *client) error {
	return c.print(s, func(t *table) {
		empty := true
		row := func(name, text string) {
			if text != "" {
				t.row(name, text)
				empty = false
			}
		}
		row("forward always", forwardText(s.Always))
		row("forward busy", forwardText(s.Busy))
		row("forward no answer", forwardText(s.NoAnswer))
		row("forward unreachable", forwardText(s.Unreachable))
		row("do not disturb", switchText(s.DoNotDisturb))
		row("one call", switchText(s.OneCall))
		row("hide number", switchText(s.HideNumber))
		if s.FindMe.On || len(s.FindMe.Steps) > 0 {
			row("find me", described(switched(s.FindMe.On), scheduleText(s.FindMe.Schedule))+by(s.FindMe.Set))
		}
		for i, step := range s.FindMe.Steps {
			row(fmt.Sprintf("find me step %d", i+1), stepText(step))
		}
		row("voicemail", voicemailText(s.Voicemail))
		row("record", recordText(s.Record))
		row("closed", closedText(s.Closed))
		empty = empty && len(s.Incoming)+len(s.Outgoing) == 0
		ruleRows(t, "incoming", s.Incoming)
		ruleRows(t, "outgoing", s.Outgoing)
		row("class", s.Class)
		if s.HasPIN {
			row("pin", "set")
		}
		row("redirect", string(s.Redirect))
		row("music", s.Music)
		for _, k := range slices.Sorted(maps.Keys(s.SpeedDials)) {
			row("speed dial "+k, s.SpeedDials[k])
		}
		if empty {
			t.row("nothing is switched on: it simply rings")
		}
	})
}

func forwardText(f pbx.Forward) string {
	if !f.On && f.To == "" {
		return ""
	}
	answer := ""
	if f.Answer != "" {
		answer = "by 302"
	}
	return described(switched(f.On), labelled("to", f.To), seconds("after", f.After), seconds("for", f.Ring), answer) + by(f.Set)
}

func voicemailText(v pbx.Voicemail) string {
	if !v.On && v.Box == "" {
		return ""
	}
	return described(switched(v.On), labelled("to mailbox", v.Box), seconds("after", v.After)) + by(v.Set)
}

func recordText(r pbx.RecordPolicy) string {
	text := described(when(r.Incoming, "incoming calls"), when(r.Outgoing, "outgoing calls"), when(r.OnDemand, "on demand"), when(r.Announce, "announced"))
	if text == "" {
		return ""
	}
	return text + by(r.Set)
}

func switchText(s pbx.Switch) string {
	if !s.On {
		return ""
	}
	return switched(s.On) + by(s.Set)
}

func stepText(s pbx.Step) string {
	var places []string
	for _, p := range s.Places {
		if p.Confirm {
			p.Number += " (to press 1)"
		}
		places = append(places, p.Number)
	}
	return described(strings.Join(places, " and "), seconds("for", s.Seconds))
}

type servicesShow struct {
	clientFlags
	Number string `arg:"" help:"Number of the extension."`
}

func (x *servicesShow) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	var s subscribed
	if err := c.do(ctx, http.MethodGet, servicesPath(x.Number), nil, &s); err != nil {
		return err
	}
	return s.print(c)
}

type servicesSet struct {
	clientFlags
	Number string   `arg:"" help:"Number of the extension."`
	Change document `arg:"" name:"json" help:"What to change, such as '{\"forward_busy\":{\"on\":true,\"to\":\"1001\"}}'; null clears a section; - reads it from standard input."`
}

func (x *servicesSet) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	given, err := x.Change.sections(a)
	if err != nil {
		return err
	}
	var s subscribed
	if err := c.do(ctx, http.MethodPatch, servicesPath(x.Number), given, &s); err != nil {
		return err
	}
	return s.print(c)
}
