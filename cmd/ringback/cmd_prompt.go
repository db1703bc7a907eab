package main

import (
	"context"
	"fmt"
	"net/url"
)

type promptCmd struct {
	List  promptList  `cmd:"" help:"List what callers hear of the PBX."`
	Set   promptSet   `cmd:"" help:"Replace a prompt by a WAV file, or add one of one's own."`
	Reset promptReset `cmd:"" help:"Take files away again: ours are heard."`
}

const promptsPath = "/api/v1/prompts"

// prompt is a prompt as the API has it.
type prompt struct {
	Name     string `json:"name"`
	Text     string `json:"text,omitempty"`
	Replaced bool   `json:"replaced"`
}

type promptList struct {
	clientFlags
	Language string `placeholder:"LANG" help:"en, zh, ko or ru; otherwise that of the exchange."`
	Replaced bool   `help:"Only those that a file of one's own replaces."`
}

func (x *promptList) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	query := url.Values{}
	if x.Language != "" {
		query.Set("language", x.Language)
	}
	all, err := list[prompt](ctx, c, promptsPath, query, 0)
	if err != nil {
		return err
	}
	shown := all[:0]
	for _, p := range all {
		if p.Replaced || !x.Replaced {
			shown = append(shown, p)
		}
	}
	return c.print(shown, func(t *table) {
		t.row("NAME", "REPLACED", "TEXT OF OURS")
		for _, p := range shown {
			t.row(p.Name, yes(p.Replaced), p.Text)
		}
	})
}

type promptSet struct {
	clientFlags
	Language string `default:"en" placeholder:"LANG" help:"en, zh, ko or ru; otherwise en."`
	Name     string `arg:"" help:"Name of the prompt, such as closed, or a new one such as menu/sales."`
	File     string `arg:"" help:"WAV file; - reads it from standard input."`
}

func (x *promptSet) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	if err := c.upload(ctx, promptsPath+segment(x.Language)+segment(x.Name), x.File); err != nil {
		return fmt.Errorf("%s: %w", x.Name, err)
	}
	return nil
}

type promptReset struct {
	clientFlags
	Language string   `default:"en" placeholder:"LANG" help:"en, zh, ko or ru; otherwise en."`
	Name     []string `arg:"" help:"Names of the prompts."`
}

func (x *promptReset) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.remove(ctx, promptsPath+segment(x.Language), x.Name)
}
