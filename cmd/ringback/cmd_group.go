package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"ringback/pbx"
)

type groupCmd struct {
	List   groupList   `cmd:"" help:"List ring groups."`
	Show   groupShow   `cmd:"" help:"Show a ring group."`
	Set    groupSet    `cmd:"" help:"Change what is given of a ring group, or make one."`
	Remove groupRemove `cmd:"" aliases:"delete" help:"Remove ring groups."`
}

const groupsPath = "/api/v1/groups"

type groupList struct{ clientFlags }

func (x *groupList) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	all, err := list[pbx.Group](ctx, c, groupsPath, url.Values{}, 0)
	if err != nil {
		return err
	}
	return c.print(all, func(t *table) {
		t.row("NUMBER", "NAME", "ENABLED", "STRATEGY", "MEMBERS", "RING", "OVERFLOW")
		for _, g := range all {
			t.row(g.Number, g.Name, yes(g.Enabled), g.Strategy, strings.Join(g.Members, " "), seconds("for", g.Seconds), g.Overflow)
		}
	})
}

func printGroup(c *client, g pbx.Group) error {
	return c.print(g, func(t *table) {
		t.row("number", g.Number)
		t.row("name", g.Name)
		t.row("enabled", yes(g.Enabled))
		t.row("strategy", g.Strategy)
		t.row("members", strings.Join(g.Members, " "))
		t.row("ring", seconds("for", g.Seconds))
		t.row("keep forwards", yes(g.KeepForwards))
		t.row("overflow", g.Overflow)
		t.row("closed", closedText(g.Closed))
		t.row("changed", strings.TrimPrefix(by(g.Set), ", set "))
	})
}

type groupShow struct {
	clientFlags
	Number string `arg:"" help:"Number of the group."`
}

func (x *groupShow) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	var g pbx.Group
	if err := c.do(ctx, http.MethodGet, groupsPath+segment(x.Number), nil, &g); err != nil {
		return err
	}
	return printGroup(c, g)
}

type groupSet struct {
	clientFlags
	Number string   `arg:"" help:"Number of the group."`
	Change document `arg:"" name:"json" help:"What to change, such as '{\"members\":[\"1000\",\"1001\"],\"strategy\":\"in order\"}'; - reads it from standard input."`
}

func (x *groupSet) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	var g pbx.Group
	if err := x.Change.change(ctx, c, groupsPath+segment(x.Number), "number", x.Number, map[string]any{"enabled": true}, &g); err != nil {
		return err
	}
	return printGroup(c, g)
}

type groupRemove struct {
	clientFlags
	Number []string `arg:"" help:"Numbers of the groups."`
}

func (x *groupRemove) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.remove(ctx, groupsPath, x.Number)
}
