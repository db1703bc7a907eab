package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"ringback/pbx"
)

// document is JSON on the command line: an object, or "-" for one on standard input. What it does not name stays as it is.
type document string

// maxDocument bounds what is read; the API takes less.
const maxDocument = 1 << 20

// sections are the members of the object.
func (d document) sections(a app) (map[string]json.RawMessage, error) {
	text := []byte(d)
	if d == "-" {
		var err error
		if text, err = io.ReadAll(io.LimitReader(a.in, maxDocument)); err != nil {
			return nil, fmt.Errorf("standard input cannot be read: %w", err)
		}
	}
	var all map[string]json.RawMessage
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(text, &all); {
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("this is no JSON: %w (at character %d)", err, syntax.Offset)
	case err != nil || all == nil:
		return nil, errors.New(`what to change must be a JSON object such as {"enabled":true}`)
	case len(all) == 0:
		return nil, errors.New("nothing to change was given")
	}
	return all, nil
}

// change replaces the members that d names in what is at path, or in fresh where nothing is there yet; key names the member
// that the address ends with.
func (d document) change(ctx context.Context, c *client, path, key, id string, fresh map[string]any, out any) error {
	given, err := d.sections(c.app)
	if err != nil {
		return err
	}
	var whole map[string]json.RawMessage
	err = c.do(ctx, http.MethodGet, path, nil, &whole)
	if e := (*answerError)(nil); errors.As(err, &e) && e.status == http.StatusNotFound {
		whole = map[string]json.RawMessage{}
		fresh[key] = id
		for k, v := range fresh {
			whole[k], err = json.Marshal(v)
		}
	}
	if err != nil {
		return err
	}
	for k, v := range given {
		if whole[k] = v; string(v) == "null" {
			delete(whole, k)
		}
	}
	return c.do(ctx, http.MethodPut, path, whole, out)
}

// by is who set something, for people.
func by(s pbx.Set) string {
	switch {
	case s.By == "":
		return ""
	case s.At.IsZero():
		return ", set by " + s.By
	}
	return ", set by " + s.By + " on " + s.At.Local().Format("2006-01-02 15:04")
}

func switched(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// described joins the parts that say something.
func described(parts ...string) string {
	var all []string
	for _, p := range parts {
		if p != "" {
			all = append(all, p)
		}
	}
	return strings.Join(all, ", ")
}

// labelled is "label value", nothing without a value.
func labelled(label, value string) string {
	if value == "" {
		return ""
	}
	return label + " " + value
}

func seconds(label string, n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s %d s", label, n)
}

// ruleRows are the lines of a list of rules in a table.
func ruleRows(t *table, list string, rules []pbx.Rule) {
	for i, r := range rules {
		action := string(r.Action)
		if r.To != "" {
			action += " to " + r.To
		}
		anonymous := ""
		if r.Anonymous {
			anonymous = "anonymous"
		}
		if r.Name != "" {
			action = r.Name + ": " + action
		}
		t.row(fmt.Sprintf("%s %d", list, i+1), action+labelled(" if", described(labelled("number", strings.Join(r.Numbers, " ")), labelled("prefix", strings.Join(r.Prefixes, " ")),
			labelled("in group", r.Group), anonymous, labelled("by trunk", r.Trunk), scheduleText(r.Schedule), labelled("outside of", r.Hours)))+by(r.Set))
	}
}

func scheduleText(s *pbx.Schedule) string {
	if s == nil {
		return ""
	}
	text := "every day"
	if len(s.Days) > 0 {
		text = strings.Join(s.Days, " ")
	}
	if s.From != "" || s.To != "" {
		text += " " + s.From + "-" + s.To
	}
	return strings.TrimSpace(text + " " + s.Zone)
}

func closedText(c pbx.Closed) string {
	if c.Hours == "" {
		return ""
	}
	if c.To == "" {
		return "outside of " + c.Hours + " callers are told" + by(c.Set)
	}
	return "outside of " + c.Hours + " to " + c.To + by(c.Set)
}
