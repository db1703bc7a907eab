package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

type extensionCmd struct {
	Add    extensionAdd    `cmd:"" help:"Add an extension; prints the password if it was generated."`
	List   extensionList   `cmd:"" help:"List extensions."`
	Show   extensionShow   `cmd:"" help:"Show an extension."`
	Set    extensionSet    `cmd:"" help:"Change what is given of an extension."`
	Remove extensionRemove `cmd:"" help:"Remove an extension."`
}

const extensionsPath = "/api/v1/extensions"

// extension is what the API says of one.
type extension struct {
	Number      string   `json:"number"`
	Name        string   `json:"name"`
	Enabled     bool     `json:"enabled"`
	MaxContacts int      `json:"max_contacts"`
	RingSeconds int      `json:"ring_seconds"`
	Codecs      []string `json:"codecs"`
	Numbers     []string `json:"numbers"`
	Registered  int      `json:"registered"`
	WrongRealm  bool     `json:"wrong_realm,omitempty"`
	Password    string   `json:"password,omitempty"`
}

func (e extension) print(c *client) error {
	return c.print(e, func(t *table) {
		t.row("number", e.Number)
		t.row("name", e.Name)
		t.row("enabled", yes(e.Enabled))
		t.row("max contacts", e.MaxContacts)
		t.row("ring seconds", e.RingSeconds)
		t.row("codecs", strings.Join(e.Codecs, " "))
		t.row("further numbers", strings.Join(e.Numbers, " "))
		t.row("registered", e.Registered)
		if e.WrongRealm {
			t.row("password", "was set for another realm: set it again")
		}
		if e.Password != "" {
			t.row("password", e.Password)
		}
	})
}

// extensionFields are those that add and set have in common.
type extensionFields struct {
	Name        *string  `placeholder:"TEXT" help:"Display name."`
	Password    *string  `placeholder:"TEXT" help:"SIP password; generated if it is left out (add) or empty (set). Phones registered with an old one stay so until they register again."`
	MaxContacts *int     `placeholder:"N" help:"Phones that may be registered at a time."`
	RingSeconds *int     `placeholder:"N" help:"How long it rings."`
	Codecs      []string `placeholder:"NAME" help:"Codecs it may use, preferred first, separated by commas."`
	Numbers     []string `placeholder:"NUMBER" help:"Further numbers that reach it, separated by commas."`
}

func (f *extensionFields) body() map[string]any {
	b := map[string]any{}
	if f.Name != nil {
		b["name"] = *f.Name
	}
	if f.Password != nil {
		b["password"] = *f.Password
	}
	if f.MaxContacts != nil {
		b["max_contacts"] = *f.MaxContacts
	}
	if f.RingSeconds != nil {
		b["ring_seconds"] = *f.RingSeconds
	}
	for name, list := range map[string][]string{"codecs": f.Codecs, "numbers": f.Numbers} {
		if list != nil {
			b[name] = list
		}
		if len(list) == 1 && list[0] == "" {
			b[name] = []string{}
		}
	}
	return b
}

type extensionAdd struct {
	clientFlags
	extensionFields
	Number   string `arg:"" help:"Number."`
	Disabled bool   `help:"It can neither register nor call yet."`
}

func (x *extensionAdd) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	body := x.body()
	body["number"], body["enabled"] = x.Number, !x.Disabled
	var e extension
	if err := c.do(ctx, http.MethodPost, extensionsPath, body, &e); err != nil {
		return err
	}
	return e.print(c)
}

type extensionList struct{ clientFlags }

func (x *extensionList) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	all, err := list[extension](ctx, c, extensionsPath, url.Values{}, 0)
	if err != nil {
		return err
	}
	return c.print(all, func(t *table) {
		t.row("NUMBER", "NAME", "ENABLED", "REGISTERED", "RING", "CODECS", "FURTHER NUMBERS")
		for _, e := range all {
			t.row(e.Number, e.Name, yes(e.Enabled), fmt.Sprintf("%d of %d", e.Registered, e.MaxContacts), fmt.Sprintf("%d s", e.RingSeconds), strings.Join(e.Codecs, " "), strings.Join(e.Numbers, " "))
		}
	})
}

type extensionShow struct {
	clientFlags
	Number string `arg:"" help:"Number."`
}

func (x *extensionShow) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	var e extension
	if err := c.do(ctx, http.MethodGet, extensionsPath+segment(x.Number), nil, &e); err != nil {
		return err
	}
	return e.print(c)
}

type extensionSet struct {
	clientFlags
	extensionFields
	Number  string `arg:"" help:"Number."`
	Enabled *bool  `negatable:"" help:"Let it register and call, or not."`
}

func (x *extensionSet) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	body := x.body()
	if x.Enabled != nil {
		body["enabled"] = *x.Enabled
	}
	if len(body) == 0 {
		return fmt.Errorf("nothing to change was given; see ringback extension set --help")
	}
	var e extension
	if err := c.do(ctx, http.MethodPatch, extensionsPath+segment(x.Number), body, &e); err != nil {
		return err
	}
	return e.print(c)
}

type extensionRemove struct {
	clientFlags
	Number []string `arg:"" help:"Numbers."`
}

func (x *extensionRemove) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.remove(ctx, extensionsPath, x.Number)
}
