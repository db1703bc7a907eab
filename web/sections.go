package web

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// sections are the top-level members of a PATCH body: the difference between one that is null and one that is absent.
type sections map[string]json.RawMessage

func sectionsOf(raw []byte) (sections, error) {
	var all sections
	if err := json.Unmarshal(raw, &all); err != nil { // huma has parsed it, so it is JSON, but it may be null
		return nil, huma.Error422UnprocessableEntity("The body must be an object.")
	}
	return all, nil
}

func (s sections) has(name string) bool { _, ok := s[name]; return ok }

// replace copies the fields of from, a decoded body, whose sections were given into to; null has decoded to zero.
func replace[T any](s sections, to *T, from T) {
	t, f := reflect.ValueOf(to).Elem(), reflect.ValueOf(from)
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Type().Field(i).Tag.Get("json"), ",")
		if s.has(name) {
			t.Field(i).Set(f.Field(i))
		}
	}
}
