package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"ringback/pbx"
)

type hoursCmd struct {
	List   hoursList   `cmd:"" help:"List opening hours."`
	Show   hoursShow   `cmd:"" help:"Show opening hours."`
	Set    hoursSet    `cmd:"" help:"Change what is given of opening hours, or make some."`
	Mode   hoursMode   `cmd:"" help:"Switch between day, night and the clock."`
	Remove hoursRemove `cmd:"" aliases:"delete" help:"Remove opening hours."`
}

const hoursPath = "/api/v1/hours"

type hoursList struct{ clientFlags }

func (x *hoursList) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	all, err := list[pbx.Hours](ctx, c, hoursPath, url.Values{}, 0)
	if err != nil {
		return err
	}
	return c.print(all, func(t *table) {
		t.row("NAME", "MODE", "OPEN", "HOLIDAYS", "ZONE")
		for _, h := range all {
			t.row(h.Name, modeText(h.Mode), spansText(h.Open), len(h.Holidays), h.Zone)
		}
	})
}

// byClock is the mode without a name.
const byClock = "clock"

func modeText(mode string) string {
	if mode == "" {
		return byClock
	}
	return mode
}

func spansText(spans []pbx.Span) string {
	var all []string
	for _, s := range spans {
		all = append(all, strings.TrimSpace(strings.Join(s.Days, " ")+" "+s.From+"-"+s.To))
	}
	return strings.Join(all, ", ")
}

func printHours(c *client, h pbx.Hours) error {
	return c.print(h, func(t *table) {
		t.row("name", h.Name)
		t.row("mode", modeText(h.Mode)+by(h.Set))
		t.row("zone", h.Zone)
		for _, s := range h.Open {
			t.row("open", spansText([]pbx.Span{s}))
		}
		for _, d := range h.Holidays {
			days := d.First
			if d.Last != "" {
				days += " to " + d.Last
			}
			t.row("holiday", described(d.Name+" "+days, labelled("open", spansText(d.Open))))
		}
	})
}

type hoursShow struct {
	clientFlags
	Name string `arg:"" help:"Name of the hours."`
}

func (x *hoursShow) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	var h pbx.Hours
	if err := c.do(ctx, http.MethodGet, hoursPath+segment(x.Name), nil, &h); err != nil {
		return err
	}
	return printHours(c, h)
}

type hoursSet struct {
	clientFlags
	Name   string   `arg:"" help:"Name of the hours."`
	Change document `arg:"" name:"json" help:"What to change, such as '{\"open\":[{\"days\":[\"mon\",\"tue\"],\"from\":\"08:00\",\"to\":\"17:30\"}]}'; - reads it from standard input."`
}

func (x *hoursSet) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	var h pbx.Hours
	if err := x.Change.change(ctx, c, hoursPath+segment(x.Name), "name", x.Name, map[string]any{"open": []pbx.Span{}}, &h); err != nil {
		return err
	}
	return printHours(c, h)
}

type hoursMode struct {
	clientFlags
	Name string `arg:"" help:"Name of the hours."`
	Mode string `arg:"" enum:"day,night,clock" help:"day, night, or clock."`
}

func (x *hoursMode) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	mode := x.Mode
	if mode == byClock {
		mode = ""
	}
	var h pbx.Hours
	if err := c.do(ctx, http.MethodPut, hoursPath+segment(x.Name)+"/mode", map[string]string{"mode": mode}, &h); err != nil {
		return err
	}
	return printHours(c, h)
}

type hoursRemove struct {
	clientFlags
	Name []string `arg:"" help:"Names of the hours."`
}

func (x *hoursRemove) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.remove(ctx, hoursPath, x.Name)
}
