package store

import (
	"context"
	"database/sql"
	"time"

	"ringback/pbx"
)

// What archive.Rows says of messages: the sound itself is not part of the store.

const messageColumns = "id, mailbox, call, from_, from_name, at, length, urgent, heard"

// EachMessage implements archive.Rows.
func (s *Store) EachMessage(ctx context.Context, f func(m pbx.VoiceMessage, done bool)) error {
	return s.queryMessages(ctx, f, "ORDER BY id")
}

// GetMessage implements archive.Rows.
func (s *Store) GetMessage(ctx context.Context, id string) (pbx.VoiceMessage, error) {
	list, err := s.listMessages(ctx, "WHERE id = ? AND done = 1", id)
	if err == nil && len(list) == 0 {
		err = pbx.ErrNoSuchSound
	}
	if err != nil {
		return pbx.VoiceMessage{}, err
	}
	return list[0], nil
}

// ListMessages implements archive.Rows.
func (s *Store) ListMessages(ctx context.Context, mailbox string) ([]pbx.VoiceMessage, error) {
	return s.listMessages(ctx, "WHERE mailbox = ? AND done = 1 ORDER BY heard, urgent DESC, at, id", mailbox)
}

// ListUnmailed implements archive.Rows.
func (s *Store) ListUnmailed(ctx context.Context) ([]pbx.VoiceMessage, error) {
	return s.listMessages(ctx, "WHERE mailed = 0 AND done = 1 ORDER BY id")
}

func (s *Store) listMessages(ctx context.Context, rest string, args ...any) (list []pbx.VoiceMessage, err error) {
	err = s.queryMessages(ctx, func(m pbx.VoiceMessage, _ bool) { list = append(list, m) }, rest, args...)
	return list, err
}

func (s *Store) queryMessages(ctx context.Context, f func(m pbx.VoiceMessage, done bool), rest string, args ...any) error {
	rows, err := s.sql.QueryContext(ctx, "SELECT "+messageColumns+", done FROM messages "+rest, args...)
	if err != nil {
		return known("messages", err)
	}
	defer rows.Close()
	for rows.Next() {
		var m pbx.VoiceMessage
		var at, length int64
		var done bool
		if err := rows.Scan(&m.ID, &m.Mailbox, &m.Call, &m.From, &m.FromName, &at, &length, &m.Urgent, &m.Heard, &done); err != nil {
			return known("messages", err)
		}
		m.At, m.Length = time.Unix(0, at).UTC(), time.Duration(length)
		f(m, done)
	}
	return known("messages", rows.Err())
}

// SaveMessage implements archive.Rows.
func (s *Store) SaveMessage(ctx context.Context, m pbx.VoiceMessage, done bool) error {
	const upsert = "INSERT INTO messages (" + messageColumns + `, done, mailed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
		ON CONFLICT (id) DO UPDATE SET mailbox = excluded.mailbox, call = excluded.call, from_ = excluded.from_, from_name = excluded.from_name,
		at = excluded.at, length = excluded.length, urgent = excluded.urgent, heard = excluded.heard, done = excluded.done`
	return s.exec(ctx, "message "+quoted(m.ID), upsert, m.ID, m.Mailbox, m.Call, valid(m.From), valid(m.FromName), m.At.UnixNano(), int64(m.Length),
		m.Urgent, m.Heard, done)
}

// MarkMailed implements archive.Rows.
func (s *Store) MarkMailed(ctx context.Context, id string) error {
	return s.transaction(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "UPDATE messages SET mailed = 1 WHERE id = ? AND done = 1", id)
		if err != nil {
			return known("message "+quoted(id), err)
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return pbx.ErrNoSuchSound
	})
}

// DeleteMessages implements archive.Rows.
func (s *Store) DeleteMessages(ctx context.Context, ids ...string) error {
	return s.deleteSounds(ctx, "DELETE FROM messages WHERE id = ?", ids)
}

// deleteSounds runs a statement for each of ids, in one transaction.
func (s *Store) deleteSounds(ctx context.Context, statement string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	return s.transaction(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, statement, id); err != nil {
				return known("recorded sound "+quoted(id), err)
			}
		}
		return nil
	})
}

// exec runs one statement that changes something.
func (s *Store) exec(ctx context.Context, what, statement string, args ...any) error {
	s.write.Lock()
	defer s.write.Unlock()
	_, err := s.sql.ExecContext(ctx, statement, args...)
	return known(what, err)
}
