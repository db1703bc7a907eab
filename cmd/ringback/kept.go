package main

import (
	"context"
	"net/http"
	"net/url"
)

// kept says what the documents are that the API keeps under numbers of their own; T is one.
type kept[T any] interface {
	path() string   // of their list in the API
	head() []any    // what their list shows
	row(v T) []any  // likewise, of one
	rows(*table, T) // all of one
}

// keptCmd are the subcommands for documents. Variables of the command's tag name them in the help: a ("a ring group"), many, one, and
// example, of what may be changed.
type keptCmd[T any, K kept[T]] struct {
	List   keptList[T, K]   `cmd:"" help:"List ${many}."`
	Show   keptShow[T, K]   `cmd:"" help:"Show ${a}."`
	Set    keptSet[T, K]    `cmd:"" help:"Change what is given of ${a}, or make one."`
	Remove keptRemove[T, K] `cmd:"" aliases:"delete" help:"Remove ${many}."`
}

type keptList[T any, K kept[T]] struct{ clientFlags }

func (x *keptList[T, K]) Run(ctx context.Context, a app) error {
	var k K
	c, err := x.client(a)
	if err != nil {
		return err
	}
	all, err := list[T](ctx, c, k.path(), url.Values{}, 0)
	if err != nil {
		return err
	}
	return c.print(all, func(t *table) {
		t.row(k.head()...)
		for _, v := range all {
			t.row(k.row(v)...)
		}
	})
}

type keptShow[T any, K kept[T]] struct {
	clientFlags
	Number string `arg:"" help:"Number of the ${one}."`
}

func (x *keptShow[T, K]) Run(ctx context.Context, a app) error {
	var k K
	c, err := x.client(a)
	if err != nil {
		return err
	}
	var v T
	if err := c.do(ctx, http.MethodGet, k.path()+segment(x.Number), nil, &v); err != nil {
		return err
	}
	return c.print(v, func(t *table) { k.rows(t, v) })
}

type keptSet[T any, K kept[T]] struct {
	clientFlags
	Number string   `arg:"" help:"Number of the ${one}."`
	Change document `arg:"" name:"json" help:"What to change, such as '${example}'; - reads it from standard input."`
}

func (x *keptSet[T, K]) Run(ctx context.Context, a app) error {
	var k K
	c, err := x.client(a)
	if err != nil {
		return err
	}
	var v T
	if err := x.Change.change(ctx, c, k.path()+segment(x.Number), "number", x.Number, map[string]any{"enabled": true}, &v); err != nil {
		return err
	}
	return c.print(v, func(t *table) { k.rows(t, v) })
}

type keptRemove[T any, K kept[T]] struct {
	clientFlags
	Number []string `arg:"" help:"Numbers of the ${many}."`
}

func (x *keptRemove[T, K]) Run(ctx context.Context, a app) error {
	var k K
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.remove(ctx, k.path(), x.Number)
}
