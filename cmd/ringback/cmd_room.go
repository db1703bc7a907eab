package main

import (
	"cmp"

	"ringback/pbx"
)

type roomCmd = keptCmd[room, keptRooms]

// room is a conference room as the API shows it.
type room struct {
	pbx.Room
	HasPIN          bool `json:"has_pin"`
	HasModeratorPIN bool `json:"has_moderator_pin"`
}

func (r *room) pins() string {
	switch {
	case r.HasPIN && r.HasModeratorPIN:
		return "for all, and one for moderators"
	case r.HasPIN:
		return "for all"
	case r.HasModeratorPIN:
		return "for moderators"
	}
	return ""
}

func (r *room) limit() int { return cmp.Or(r.Limit, pbx.DefaultRoomLimit) }

type keptRooms struct{}

func (keptRooms) path() string { return "/api/v1/rooms" }

func (keptRooms) head() []any { return []any{"NUMBER", "NAME", "ENABLED", "LIMIT", "PIN"} }

func (keptRooms) row(r room) []any {
	return []any{r.Number, r.Name, yes(r.Enabled), r.limit(), r.pins()}
}

func (keptRooms) rows(t *table, r room) {
	t.row("number", r.Number)
	t.row("name", r.Name)
	t.row("enabled", yes(r.Enabled))
	t.row("PIN", r.pins())
	t.row("limit", r.limit())
	t.row("quiet", yes(r.Quiet))
	t.row("muted", yes(r.Muted))
	t.row("wait for moderator", yes(r.WaitForModerator))
	t.row("end with moderator", yes(r.EndWithModerator))
	t.row("recorded", yes(r.Record))
	t.row("changed", whose(r.Set))
}
