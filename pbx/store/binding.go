package store

import (
	"context"
	"encoding/json"
	"time"

	"ringback/pbx"
)

// LoadBindings returns the bindings that were stored and have not expired, of extensions that exist. It is for the
// start: afterwards the registrar knows better.
func (s *Store) LoadBindings(ctx context.Context) ([]pbx.Binding, error) {
	rows, err := s.sql.QueryContext(ctx, "SELECT extension, bindings FROM bindings")
	if err != nil {
		return nil, known("registrations", err)
	}
	defer rows.Close()
	var all []pbx.Binding
	now := time.Now()
	for rows.Next() {
		var extension, text string
		if err := rows.Scan(&extension, &text); err != nil {
			return nil, known("registrations", err)
		}
		var list []pbx.Binding
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			s.log.Error("stored registrations of an extension are unreadable and were dropped", "extension", extension, "error", err)
			continue
		}
		if s.Extension(extension) == nil {
			continue
		}
		for _, b := range list {
			if b.Expires.After(now) {
				all = append(all, b)
			}
		}
	}
	return all, known("registrations", rows.Err())
}
