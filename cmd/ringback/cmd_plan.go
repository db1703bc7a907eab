package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ringback/pbx"
)

type planCmd struct {
	clientFlags
	From string `arg:"" help:"Who calls: an extension, any other number for a call from outside, or \"anonymous\"."`
	To   string `arg:"" help:"What is dialled: a number or a feature code."`
	At   string `placeholder:"TIME" help:"Time of the call, such as 2026-03-02T18:05:00+01:00, or without a zone in that of this machine; now if it is left out."`
}

type plan struct {
	From string    `json:"from"`
	To   string    `json:"to"`
	At   time.Time `json:"at"`
	Text string    `json:"text"`
	Plan pbx.Node  `json:"plan"`
}

func (x *planCmd) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	query := url.Values{"from": {x.From}, "to": {x.To}}
	if x.At != "" {
		at, err := parseTime(x.At)
		if err != nil {
			return err
		}
		query.Set("at", at.Format(time.RFC3339))
	}
	var p plan
	if err := c.do(ctx, http.MethodGet, "/api/v1/plan?"+query.Encode(), nil, &p); err != nil {
		return err
	}
	return c.print(p, func(*table) {
		for line := range strings.Lines(p.Text) {
			fmt.Fprintln(c.out, clean(strings.TrimSuffix(line, "\n")))
		}
	})
}

// parseTime reads a time with its zone (RFC 3339), or one of this place.
func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04Z07:00"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time such as 2026-03-02T18:05:00+01:00 or 2026-03-02T18:05", s)
}
