package store

import (
	"encoding/json"
	"fmt"
	"slices"

	"ringback/pbx"
)

// maxDocument is how many bytes of JSON a document may have.
const maxDocument = 64 << 10

// encode makes the document that is stored. field is what a person calls it.
func encode(field string, v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", invalid(field, "The settings cannot be stored: %s.", err)
	}
	if len(text) > maxDocument {
		return "", invalid(field, "The settings are too large: %d bytes of JSON, at most %d are kept.", len(text), maxDocument)
	}
	return string(text), nil
}

// decoded reads a document that was made by encode just now. What memory holds is what a restart would find.
func decoded[T any](text string) *T {
	v := new(T)
	if err := json.Unmarshal([]byte(text), v); err != nil {
		panic(fmt.Sprint("a document that was just made cannot be read: ", err))
	}
	return v
}

// clone is a copy that shares nothing with v.
func clone[T any](v T) T {
	text, err := json.Marshal(v)
	if err != nil { // a time that JSON has no words for, and validation will refuse
		return v
	}
	return *decoded[T](string(text))
}

// document reads one that is stored. ” is the zero value.
func document(text string, v any) error {
	switch {
	case text == "" || text == "{}":
		return nil
	case len(text) > 4*maxDocument:
		return fmt.Errorf("the document has %d bytes", len(text))
	}
	return json.Unmarshal([]byte(text), v)
}

// listed are copies of what a map holds, in order.
func listed[V any](m map[string]*V, after string, limit int) []V {
	keys := make([]string, 0, len(m))
	for k := range m {
		if k > after {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	if limit > 0 && len(keys) > limit {
		keys = keys[:limit]
	}
	list := make([]V, len(keys))
	for i, k := range keys {
		list[i] = clone(*m[k])
	}
	return list
}

// damagedServices is how an extension is treated whose stored services cannot be read: it rings, and until somebody
// sets its services again it calls nobody but the PBX's own numbers, as it may not have been allowed more.
func damagedServices() pbx.Services { return pbx.Services{Class: pbx.Classes[0]} }
