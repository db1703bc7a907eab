package main

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

type conferenceCmd struct {
	List   conferenceList   `cmd:"" default:"withargs" help:"List the conferences that are up, and who is in them."`
	Lock   conferenceLock   `cmd:"" help:"Let nobody but moderators in any more."`
	Unlock conferenceUnlock `cmd:"" help:"Let everybody in again."`
	Record conferenceRecord `cmd:"" help:"Record a conference from now on."`
	Mute   memberMute       `cmd:"" help:"Have nobody hear a member."`
	Unmute memberUnmute     `cmd:"" help:"Have the others hear a member again."`
	Remove memberRemove     `cmd:"" aliases:"kick" help:"Send a member out."`
}

const conferencesPath = "/api/v1/conferences"

type conference struct {
	Number   string    `json:"number"`
	Name     string    `json:"name"`
	Since    time.Time `json:"since"`
	Locked   bool      `json:"locked"`
	Recorded bool      `json:"recorded"`
	Members  []member  `json:"members"`
}

type member struct {
	Call      string    `json:"call"`
	From      string    `json:"from"`
	FromName  string    `json:"from_name,omitempty"`
	Since     time.Time `json:"since"`
	Moderator bool      `json:"moderator"`
	Muted     bool      `json:"muted"`
	Speaking  bool      `json:"speaking"`
}

func when(is bool, word string) string {
	if is {
		return word
	}
	return ""
}

func (m *member) state() string {
	return described(when(m.Moderator, "moderator"), when(m.Muted, "muted"), when(m.Speaking, "speaks"))
}

type conferenceList struct{ clientFlags }

func (x *conferenceList) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	all, err := list[conference](ctx, c, conferencesPath, url.Values{}, 0)
	if err != nil {
		return err
	}
	return c.print(all, func(t *table) {
		t.row("ROOM", "MEMBER", "FOR", "STATE", "CALL")
		for _, k := range all {
			t.row(person(k.Number, k.Name), strconv.Itoa(len(k.Members)), time.Since(k.Since).Round(time.Second), described(when(k.Locked, "locked"), when(k.Recorded, "recorded")), "")
			for _, m := range k.Members {
				t.row("", person(m.From, m.FromName), time.Since(m.Since).Round(time.Second), m.state(), m.Call)
			}
		}
	})
}

type conferenceArg struct {
	clientFlags
	Number string `arg:"" help:"Number of the room."`
}

func (x *conferenceArg) lock(ctx context.Context, a app, locked bool) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPatch, conferencesPath+segment(x.Number), map[string]bool{"locked": locked}, nil)
}

type conferenceLock struct{ conferenceArg }

func (x *conferenceLock) Run(ctx context.Context, a app) error { return x.lock(ctx, a, true) }

type conferenceUnlock struct{ conferenceArg }

func (x *conferenceUnlock) Run(ctx context.Context, a app) error { return x.lock(ctx, a, false) }

type conferenceRecord struct {
	conferenceArg
	End bool `help:"Record it no longer; what was recorded is kept."`
}

func (x *conferenceRecord) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.record(ctx, conferencesPath+segment(x.Number), x.End)
}

type memberArg struct {
	clientFlags
	Number string `arg:"" help:"Number of the room."`
	Call   string `arg:"" help:"ID of the member's call, as listed."`
}

func (x *memberArg) do(ctx context.Context, a app, method string, body any) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.do(ctx, method, conferencesPath+segment(x.Number)+"/members"+segment(x.Call), body, nil)
}

type memberMute struct{ memberArg }

func (x *memberMute) Run(ctx context.Context, a app) error {
	return x.do(ctx, a, http.MethodPatch, map[string]bool{"muted": true})
}

type memberUnmute struct{ memberArg }

func (x *memberUnmute) Run(ctx context.Context, a app) error {
	return x.do(ctx, a, http.MethodPatch, map[string]bool{"muted": false})
}

type memberRemove struct{ memberArg }

func (x *memberRemove) Run(ctx context.Context, a app) error {
	return x.do(ctx, a, http.MethodDelete, nil)
}
