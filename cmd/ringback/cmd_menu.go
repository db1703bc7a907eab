package main

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"ringback/pbx"
)

type menuCmd struct {
	List   menuList   `cmd:"" help:"List IVR menus."`
	Show   menuShow   `cmd:"" help:"Show an IVR menu."`
	Set    menuSet    `cmd:"" help:"Change what is given of an IVR menu, or make one."`
	Remove menuRemove `cmd:"" aliases:"delete" help:"Remove IVR menus."`
}

const menusPath = "/api/v1/menus"

type menuList struct{ clientFlags }

func (x *menuList) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	all, err := list[pbx.Menu](ctx, c, menusPath, url.Values{}, 0)
	if err != nil {
		return err
	}
	return c.print(all, func(t *table) {
		t.row("NUMBER", "NAME", "ENABLED", "KEYS", "TIMEOUT", "INVALID")
		for _, m := range all {
			t.row(m.Number, m.Name, yes(m.Enabled), strings.Join(slices.Sorted(maps.Keys(m.Keys)), " "), m.Timeout, m.Invalid)
		}
	})
}

func printMenu(c *client, m pbx.Menu) error {
	return c.print(m, func(t *table) {
		t.row("number", m.Number)
		t.row("name", m.Name)
		t.row("enabled", yes(m.Enabled))
		t.row("prompt", m.Prompt)
		for _, keys := range slices.Sorted(maps.Keys(m.Keys)) {
			t.row("key "+keys, m.Keys[keys])
		}
		t.row("dial extension", yes(m.DialExtension))
		t.row("waits", seconds("for", m.Seconds))
		t.row("tries", m.Tries)
		t.row("timeout", m.Timeout)
		t.row("invalid", m.Invalid)
		t.row("changed", strings.TrimPrefix(by(m.Set), ", set "))
	})
}

type menuShow struct {
	clientFlags
	Number string `arg:"" help:"Number of the menu."`
}

func (x *menuShow) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	var m pbx.Menu
	if err := c.do(ctx, http.MethodGet, menusPath+segment(x.Number), nil, &m); err != nil {
		return err
	}
	return printMenu(c, m)
}

type menuSet struct {
	clientFlags
	Number string   `arg:"" help:"Number of the menu."`
	Change document `arg:"" name:"json" help:"What to change, such as '{\"prompt\":\"menu/sales\",\"keys\":{\"1\":\"1000\",\"2\":\"600\"}}'; - reads it from standard input."`
}

func (x *menuSet) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	var m pbx.Menu
	if err := x.Change.change(ctx, c, menusPath+segment(x.Number), "number", x.Number, map[string]any{"enabled": true}, &m); err != nil {
		return err
	}
	return printMenu(c, m)
}

type menuRemove struct {
	clientFlags
	Number []string `arg:"" help:"Numbers of the menus."`
}

func (x *menuRemove) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.remove(ctx, menusPath, x.Number)
}
