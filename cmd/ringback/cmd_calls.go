package main

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

type callsCmd struct {
	List   callsList   `cmd:"" default:"withargs" help:"List the calls that are up."`
	Record callsRecord `cmd:"" help:"Record a call from now on."`
	Hangup callsHangup `cmd:"" help:"Hang up a call."`
}

const callsPath = "/api/v1/calls"

type call struct {
	ID       string    `json:"id"`
	From     string    `json:"from"`
	FromName string    `json:"from_name,omitempty"`
	To       string    `json:"to"`
	ToName   string    `json:"to_name,omitempty"`
	Dialled  string    `json:"dialled"`
	State    string    `json:"state"`
	Started  time.Time `json:"started"`
	Answered time.Time `json:"answered,omitzero"`
	Codec    string    `json:"codec,omitempty"`
	Contact  string    `json:"contact,omitempty"`
	Held     bool      `json:"held"`
	Recorded bool      `json:"recorded"`
}

type callsList struct{ clientFlags }

func (x *callsList) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	all, err := list[call](ctx, c, callsPath, url.Values{}, 0)
	if err != nil {
		return err
	}
	return c.print(all, func(t *table) {
		t.row("FROM", "TO", "DIALLED", "STATE", "FOR", "CODEC", "ID")
		for _, k := range all {
			since, state := k.Started, k.State
			if !k.Answered.IsZero() {
				since = k.Answered
			}
			state = described(state, when(k.Held, "held"), when(k.Recorded, "recorded"))
			t.row(person(k.From, k.FromName), person(k.To, k.ToName), k.Dialled, state, time.Since(since).Round(time.Second), k.Codec, k.ID)
		}
	})
}

func person(number, name string) string {
	if name == "" || name == number {
		return number
	}
	return number + " " + name
}

type callsHangup struct {
	clientFlags
	ID string `arg:"" help:"ID, as listed."`
}

func (x *callsHangup) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodDelete, callsPath+segment(x.ID), nil, nil)
}

type callsRecord struct {
	clientFlags
	ID  string `arg:"" help:"ID, as listed."`
	End bool   `help:"Record it no longer; what was recorded is kept."`
}

func (x *callsRecord) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.record(ctx, callsPath+segment(x.ID), x.End)
}

// record begins or ends the recording of a call or conference.
func (c *client) record(ctx context.Context, path string, end bool) error {
	method := http.MethodPut
	if end {
		method = http.MethodDelete
	}
	return c.do(ctx, method, path+"/recording", nil, nil)
}
