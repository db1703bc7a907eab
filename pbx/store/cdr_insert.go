package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"ringback/pbx"
)

// What becomes of a record that is there already: replaying a segment changes nothing.
const (
	insertAnswered = " ON CONFLICT (id) DO NOTHING"
	upsertEnded    = ` ON CONFLICT (id) DO UPDATE SET started = excluded.started, from_number = excluded.from_number,
		to_number = excluded.to_number, answered_by = excluded.answered_by, outcome = excluded.outcome, ended_by = excluded.ended_by,
		rang = excluded.rang, answered = excluded.answered, ended = excluded.ended, status = excluded.status, cause = excluded.cause,
		from_name = excluded.from_name, detail = excluded.detail`
)

const (
	cdrColumnCount = 14
	rowsAtOnce     = 50 // a statement
)

// insertCDRs stores records in one transaction.
func (s *Store) insertCDRs(ctx context.Context, list []pbx.CDR, conflict string) error {
	return s.transaction(ctx, func(tx *sql.Tx) error {
		args := make([]any, 0, rowsAtOnce*cdrColumnCount)
		var many *sql.Stmt
		for len(list) > 0 {
			n := min(len(list), rowsAtOnce)
			args = args[:0]
			for i := range list[:n] {
				var err error
				if args, err = appendArgs(args, &list[i]); err != nil {
					return err
				}
			}
			list = list[n:]
			if n < rowsAtOnce {
				_, err := tx.ExecContext(ctx, insertStatement(n, conflict), args...)
				return err
			}
			if many == nil {
				var err error
				if many, err = tx.PrepareContext(ctx, insertStatement(n, conflict)); err != nil {
					return err
				}
				defer many.Close()
			}
			if _, err := many.ExecContext(ctx, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

func insertStatement(rows int, conflict string) string {
	row := ", (" + strings.Repeat("?, ", cdrColumnCount-1) + "?)"
	return "INSERT INTO cdrs (" + cdrColumns + ") VALUES " + strings.Repeat(row, rows)[2:] + conflict
}

func appendArgs(args []any, c *pbx.CDR) ([]any, error) {
	detail, err := json.Marshal(cdrDetail{c.Contact, c.Reason, c.Codec, c.CallID, c.Hidden, c.Plan, c.Path, c.Recorded, c.FromPhone, c.ToPhone})
	if err != nil {
		return nil, err
	}
	outcome := c.Outcome
	if outcome == "" {
		outcome = pbx.Answered.String()
	}
	return append(args, c.ID, micros(c.Started), valid(c.From), valid(c.To), valid(c.By), outcome, c.EndedBy,
		micros(c.Rang), micros(c.Answered), micros(c.Ended), c.Status, c.Cause, valid(c.FromName), string(detail)), nil
}

// valid keeps what a phone sent from being refused by a database that insists on UTF-8 without NUL.
func valid(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
