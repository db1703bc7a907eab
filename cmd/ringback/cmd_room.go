package main

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"ringback/pbx"
)

type roomCmd struct {
	List   roomList   `cmd:"" help:"List conference rooms."`
	Show   roomShow   `cmd:"" help:"Show a conference room."`
	Set    roomSet    `cmd:"" help:"Change what is given of a conference room, or make one."`
	Remove roomRemove `cmd:"" aliases:"delete" help:"Remove conference rooms."`
}

const roomsPath = "/api/v1/rooms"

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

func (r *room) limit() string {
	if r.Limit == 0 {
		return strconv.Itoa(pbx.DefaultRoomLimit)
	}
	return strconv.Itoa(r.Limit)
}

type roomList struct{ clientFlags }

func (x *roomList) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	all, err := list[room](ctx, c, roomsPath, url.Values{}, 0)
	if err != nil {
		return err
	}
	return c.print(all, func(t *table) {
		t.row("NUMBER", "NAME", "ENABLED", "LIMIT", "PIN")
		for _, r := range all {
			t.row(r.Number, r.Name, yes(r.Enabled), r.limit(), r.pins())
		}
	})
}

func printRoom(c *client, r room) error {
	return c.print(r, func(t *table) {
		t.row("number", r.Number)
		t.row("name", r.Name)
		t.row("enabled", yes(r.Enabled))
		t.row("PIN", r.pins())
		t.row("limit", r.limit())
		t.row("quiet", yes(r.Quiet))
		t.row("muted", yes(r.Muted))
		t.row("wait for moderator", yes(r.WaitForModerator))
		t.row("end with moderator", yes(r.EndWithModerator))
		t.row("changed", strings.TrimPrefix(by(r.Set), ", set "))
	})
}

type roomShow struct {
	clientFlags
	Number string `arg:"" help:"Number of the room."`
}

func (x *roomShow) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	var r room
	if err := c.do(ctx, http.MethodGet, roomsPath+segment(x.Number), nil, &r); err != nil {
		return err
	}
	return printRoom(c, r)
}

type roomSet struct {
	clientFlags
	Number string   `arg:"" help:"Number of the room."`
	Change document `arg:"" name:"json" help:"What to change, such as '{\"name\":\"Board\",\"pin\":\"4711\",\"moderator_pin\":\"0815\"}'; - reads it from standard input."`
}

func (x *roomSet) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	var r room
	if err := x.Change.change(ctx, c, roomsPath+segment(x.Number), "number", x.Number, map[string]any{"enabled": true}, &r); err != nil {
		return err
	}
	return printRoom(c, r)
}

type roomRemove struct {
	clientFlags
	Number []string `arg:"" help:"Numbers of the rooms."`
}

func (x *roomRemove) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.remove(ctx, roomsPath, x.Number)
}
