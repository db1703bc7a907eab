package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
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

// hidden are members that are never shown: to leave one out keeps it, and null takes it away.
var hidden = map[string]bool{"pin": true, "moderator_pin": true}

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
		if whole[k] = v; string(v) == "null" && !hidden[k] {
			delete(whole, k)
		}
	}
	return c.do(ctx, http.MethodPut, path, whole, out)
}
