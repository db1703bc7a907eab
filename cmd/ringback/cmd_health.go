package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

type healthCmd struct{ clientFlags }

func (x *healthCmd) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	res, err := c.open(ctx, http.MethodGet, "/readyz", nil)
	if err != nil {
		return err
	}
	res.Body.Close()
	return c.print(map[string]string{"status": "ready"}, func(*table) { fmt.Fprintln(c.out, "ready") })
}
