package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

type tokenCmd struct {
	List   tokenList   `cmd:"" default:"withargs" help:"List API tokens."`
	Add    tokenAdd    `cmd:"" help:"Create an API token and print it."`
	Revoke tokenRevoke `cmd:"" help:"Revoke an API token."`
}

const tokensPath = "/api/v1/tokens"

type token struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created,omitzero"`
	Used    time.Time `json:"last_used,omitzero"`
	Secret  string    `json:"secret,omitempty"`
}

type tokenList struct{ clientFlags }

func (x *tokenList) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	all, err := list[token](ctx, c, tokensPath, url.Values{}, 0)
	if err != nil {
		return err
	}
	return c.print(all, func(t *table) {
		t.row("NAME", "CREATED", "LAST USED")
		for _, k := range all {
			t.row(k.Name, moment(k.Created), moment(k.Used))
		}
	})
}

type tokenAdd struct {
	clientFlags
	Name string `arg:"" help:"What it is for."`
}

func (x *tokenAdd) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	var k token
	if err := c.do(ctx, http.MethodPost, tokensPath, map[string]any{"name": x.Name}, &k); err != nil {
		return err
	}
	return c.print(k, func(*table) { fmt.Fprintln(c.out, clean(k.Secret)) })
}

type tokenRevoke struct {
	clientFlags
	Name string `arg:"" help:"Name, as listed."`
}

func (x *tokenRevoke) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodDelete, tokensPath+segment(x.Name), nil, nil)
}
