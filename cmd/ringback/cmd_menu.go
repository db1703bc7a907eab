package main

import (
	"maps"
	"slices"
	"strings"

	"ringback/pbx"
)

type menuCmd = keptCmd[pbx.Menu, keptMenus]

type keptMenus struct{}

func (keptMenus) path() string { return "/api/v1/menus" }

func (keptMenus) head() []any {
	return []any{"NUMBER", "NAME", "ENABLED", "KEYS", "TIMEOUT", "INVALID"}
}

func (keptMenus) row(m pbx.Menu) []any {
	return []any{m.Number, m.Name, yes(m.Enabled), strings.Join(slices.Sorted(maps.Keys(m.Keys)), " "), m.Timeout, m.Invalid}
}

func (keptMenus) rows(t *table, m pbx.Menu) {
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
	t.row("changed", whose(m.Set))
}
