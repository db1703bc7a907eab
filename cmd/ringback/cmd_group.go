package main

import (
	"strings"

	"ringback/pbx"
)

type groupCmd = keptCmd[pbx.Group, keptGroups]

type keptGroups struct{}

func (keptGroups) path() string { return "/api/v1/groups" }

func (keptGroups) head() []any {
	return []any{"NUMBER", "NAME", "ENABLED", "STRATEGY", "MEMBERS", "RING", "OVERFLOW"}
}

func (keptGroups) row(g pbx.Group) []any {
	return []any{g.Number, g.Name, yes(g.Enabled), g.Strategy, strings.Join(g.Members, " "), seconds("for", g.Seconds), g.Overflow}
}

func (keptGroups) rows(t *table, g pbx.Group) {
	t.row("number", g.Number)
	t.row("name", g.Name)
	t.row("enabled", yes(g.Enabled))
	t.row("strategy", g.Strategy)
	t.row("members", strings.Join(g.Members, " "))
	t.row("ring", seconds("for", g.Seconds))
	t.row("keep forwards", yes(g.KeepForwards))
	t.row("overflow", g.Overflow)
	t.row("closed", closedText(g.Closed))
	t.row("changed", whose(g.Set))
}
