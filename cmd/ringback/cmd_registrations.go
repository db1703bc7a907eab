package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

type registrationsCmd struct {
	List   registrationsList   `cmd:"" default:"withargs" help:"List registered phones."`
	Remove registrationsRemove `cmd:"" help:"Remove a registration; the phone may register again."`
}

const registrationsPath = "/api/v1/registrations"

type registration struct {
	ID          string    `json:"id"`
	Extension   string    `json:"extension"`
	Contact     string    `json:"contact"`
	Source      string    `json:"source"`
	Transport   string    `json:"transport"`
	UserAgent   string    `json:"user_agent,omitempty"`
	Q           float64   `json:"q"`
	Registered  time.Time `json:"registered"`
	Updated     time.Time `json:"updated"`
	Expires     time.Time `json:"expires"`
	Reachable   bool      `json:"reachable"`
	RoundTripMS float64   `json:"round_trip_ms,omitempty"`
}

type registrationsList struct {
	clientFlags
	Extension string `arg:"" optional:"" help:"Only phones of this extension."`
}

func (x *registrationsList) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	query := url.Values{}
	if x.Extension != "" {
		query.Set("extension", x.Extension)
	}
	all, err := list[registration](ctx, c, registrationsPath, query, 0)
	if err != nil {
		return err
	}
	return c.print(all, func(t *table) {
		t.row("EXTENSION", "REACHABLE", "FROM", "VIA", "EXPIRES", "PHONE", "CONTACT", "ID")
		for _, r := range all {
			reach := yes(r.Reachable)
			if r.Reachable && r.RoundTripMS > 0 {
				reach = fmt.Sprintf("%.1f ms", r.RoundTripMS)
			}
			t.row(r.Extension, reach, r.Source, r.Transport, time.Until(r.Expires).Round(time.Second), r.UserAgent, r.Contact, r.ID)
		}
	})
}

type registrationsRemove struct {
	clientFlags
	ID string `arg:"" help:"ID, as listed."`
}

func (x *registrationsRemove) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodDelete, registrationsPath+segment(x.ID), nil, nil)
}
