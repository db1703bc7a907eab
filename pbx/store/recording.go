package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"ringback/pbx"
)

// What archive.Rows says of recordings: the sound itself is not part of the store.

const recordingColumns = "id, call, room, from_, to_, by_, started, length, bytes, channels, problem"

// EachRecording implements archive.Rows.
func (s *Store) EachRecording(ctx context.Context, f func(r pbx.Recording, done bool)) error {
	return s.queryRecordings(ctx, f, "ORDER BY id")
}

// GetRecording implements archive.Rows.
func (s *Store) GetRecording(ctx context.Context, id string) (pbx.Recording, error) {
	list, err := s.listRecordings(ctx, "WHERE id = ? AND done = 1", id)
	if err == nil && len(list) == 0 {
		err = pbx.ErrNoSuchSound
	}
	if err != nil {
		return pbx.Recording{}, err
	}
	return list[0], nil
}

// ListRecordings implements archive.Rows. Errors: *ValidationError for a bad filter.
func (s *Store) ListRecordings(ctx context.Context, f pbx.RecordingFilter) ([]pbx.Recording, error) {
	if f.Limit == 0 {
		f.Limit = 100
	}
	if f.Limit < 1 || f.Limit > 1000 {
		return nil, invalid("limit", "limit must be between 1 and 1000.")
	}
	where, args := recordingsWhere(&f)
	return s.listRecordings(ctx, where+" ORDER BY id DESC LIMIT "+strconv.Itoa(f.Limit), args...)
}

// recordingsWhere is the condition. Its text is made of constants only.
func recordingsWhere(f *pbx.RecordingFilter) (string, []any) {
	cond, args := []string{"done = 1"}, []any(nil)
	add := func(c string, a ...any) { cond, args = append(cond, c), append(args, a...) }
	if f.Call != "" {
		add("call = ?", f.Call)
	}
	if f.Number != "" {
		add("(from_ = ? OR to_ = ?)", f.Number, f.Number)
	}
	if f.Room != "" {
		add("room = ?", f.Room)
	}
	if !f.Since.IsZero() {
		add("started >= ?", f.Since.UnixNano())
	}
	if !f.Until.IsZero() {
		add("started < ?", f.Until.UnixNano())
	}
	if f.After != "" {
		add("id < ?", f.After)
	}
	return "WHERE " + strings.Join(cond, " AND "), args
}

// OldestRecordings implements archive.Rows.
func (s *Store) OldestRecordings(ctx context.Context, limit int) ([]pbx.Recording, error) {
	return s.listRecordings(ctx, "WHERE done = 1 ORDER BY id LIMIT "+strconv.Itoa(limit))
}

func (s *Store) listRecordings(ctx context.Context, rest string, args ...any) (list []pbx.Recording, err error) {
	err = s.queryRecordings(ctx, func(r pbx.Recording, _ bool) { list = append(list, r) }, rest, args...)
	return list, err
}

func (s *Store) queryRecordings(ctx context.Context, f func(r pbx.Recording, done bool), rest string, args ...any) error {
	rows, err := s.sql.QueryContext(ctx, "SELECT "+recordingColumns+", done FROM recordings "+rest, args...)
	if err != nil {
		return known("recordings", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r pbx.Recording
		var started, length int64
		var done bool
		if err := rows.Scan(&r.ID, &r.Call, &r.Room, &r.From, &r.To, &r.By, &started, &length, &r.Bytes, &r.Channels, &r.Problem, &done); err != nil {
			return known("recordings", err)
		}
		r.Started, r.Length = time.Unix(0, started).UTC(), time.Duration(length)
		f(r, done)
	}
	return known("recordings", rows.Err())
}

// SaveRecording implements archive.Rows.
func (s *Store) SaveRecording(ctx context.Context, r pbx.Recording, done bool) error {
	const upsert = "INSERT INTO recordings (" + recordingColumns + `, done) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET call = excluded.call, room = excluded.room, from_ = excluded.from_, to_ = excluded.to_, by_ = excluded.by_,
		started = excluded.started, length = excluded.length, bytes = excluded.bytes, channels = excluded.channels, problem = excluded.problem,
		done = excluded.done`
	return s.exec(ctx, "recording "+quoted(r.ID), upsert, r.ID, r.Call, r.Room, valid(r.From), valid(r.To), valid(r.By), r.Started.UnixNano(),
		int64(r.Length), r.Bytes, r.Channels, r.Problem, done)
}

// DeleteRecordings implements archive.Rows.
func (s *Store) DeleteRecordings(ctx context.Context, ids ...string) error {
	return s.deleteSounds(ctx, "DELETE FROM recordings WHERE id = ?", ids)
}
