package main

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"ringback/pbx"
)

type officeCmd struct {
	Show officeShow `cmd:"" default:"withargs" help:"Show what holds for all extensions."`
	Set  officeSet  `cmd:"" help:"Change what is given of it."`
}

const officePath = "/api/v1/office"

func printOffice(c *client, o pbx.Office) error {
	return c.print(o, func(t *table) {
		profile, dayNight := o.Codes.Profile, o.DayNight
		if profile == "" {
			profile = "ringback"
		}
		if dayNight == "" {
			dayNight = "office"
		}
		t.row("feature codes", profile)
		for _, service := range slices.Sorted(maps.Keys(o.Codes.Changed)) {
			code := o.Codes.Changed[service]
			if code == "" {
				code = "switched off"
			}
			t.row("code of "+service, code)
		}
		t.row("day/night", dayNight)
		for _, r := range o.Classes {
			t.row("class of "+r.Prefix, r.Class)
		}
		t.row("redirect hosts", strings.Join(o.RedirectHosts, " "))
		ruleRows(t, "incoming", o.Incoming)
		ruleRows(t, "outgoing", o.Outgoing)
	})
}

type officeShow struct{ clientFlags }

func (x *officeShow) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	var o pbx.Office
	if err := c.do(ctx, http.MethodGet, officePath, nil, &o); err != nil {
		return err
	}
	return printOffice(c, o)
}

type officeSet struct {
	clientFlags
	Change document `arg:"" name:"json" help:"What to change, such as '{\"codes\":{\"profile\":\"fusionpbx\"}}'; null clears a section; - reads it from standard input."`
}

func (x *officeSet) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	given, err := x.Change.sections(a)
	if err != nil {
		return err
	}
	var o pbx.Office
	if err := c.do(ctx, http.MethodPatch, officePath, given, &o); err != nil {
		return err
	}
	return printOffice(c, o)
}
