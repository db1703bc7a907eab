package store

import (
	"context"
	"encoding/json"
	"fmt"

	"ringback/pbx"
)

// recentCalls is how many of the newest call records LoadRecent looks through.
const recentCalls = 10_000

// LoadRecent tells recent whom extensions called last and who called them, as far as the newest 10,000 call records
// know. It is for the start, when recent knows nothing: what it knows already stays. Callers who hid their number are
// marked as such; calls from before the records knew that are passed over.
func (s *Store) LoadRecent(ctx context.Context, recent *pbx.Recent) error {
	rows, err := s.sql.QueryContext(ctx, fmt.Sprintf(`SELECT from_number, from_name, to_number, answered_by, detail FROM cdrs
		WHERE ended_by <> '' ORDER BY started DESC, id DESC LIMIT %d`, recentCalls))
	if err != nil {
		return known("call records", err)
	}
	defer rows.Close()
	l := recentLoader{s.directory.Load(), s.opts.IsCode, recent}
	for rows.Next() {
		var from, name, to, by, detail string
		if err := rows.Scan(&from, &name, &to, &by, &detail); err != nil {
			return known("call records", err)
		}
		l.dialled(from, to)
		l.called(pbx.Identity{Number: from, Name: name}, to, by, detail)
	}
	return known("call records", rows.Err())
}

type recentLoader struct {
	d      *directory
	isCode func(*pbx.Office, string) bool
	recent *pbx.Recent
}

// dialled notes a call made. The newest come first, so what is known stays.
func (l *recentLoader) dialled(from, to string) {
	if l.d.Extension(from) == nil || to == "" || l.recent.LastDialled(from) != "" || l.isCode != nil && l.isCode(l.d.office, to) {
		return
	}
	l.recent.Dialled(from, to)
}

// called notes a call for whoever has the number that was dialled, and for who answered it.
func (l *recentLoader) called(from pbx.Identity, to, by, detail string) {
	var unknown []string
	for _, e := range [...]*pbx.Extension{l.d.Owner(to), l.d.Extension(by)} {
		if e == nil {
			continue
		}
		if _, ok := l.recent.LastCaller(e.Number); !ok {
			unknown = append(unknown, e.Number)
		}
	}
	if len(unknown) == 0 || from.Number == "" {
		return
	}
	var d struct {
		Hidden bool   `json:"hidden"`
		Plan   string `json:"plan"`
	}
	if json.Unmarshal([]byte(detail), &d) != nil || d.Plan == "" {
		return
	}
	from.Hidden = d.Hidden
	for _, extension := range unknown {
		l.recent.Called(extension, from)
	}
}
