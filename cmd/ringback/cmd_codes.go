package main

import (
	"context"
	"net/url"

	"ringback/web"
)

type codesCmd struct{ clientFlags }

func (x *codesCmd) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	all, err := list[web.Code](ctx, c, "/api/v1/codes", url.Values{}, 0)
	if err != nil {
		return err
	}
	return c.print(all, func(t *table) {
		t.row("CODE", "THEN", "SERVICE", "WHAT IT DOES")
		for _, k := range all {
			t.row(k.Code, k.Argument, k.Service, k.Text)
		}
	})
}
