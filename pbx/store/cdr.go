package store

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"ringback/pbx"
)

// CDRFilter picks call records; zero fields do not filter.
type CDRFilter struct {
	From    string    // calling number
	To      string    // dialled number
	Number  string    // caller, dialled, or the one that answered
	Outcome string    // pbx.Kind in words
	Since   time.Time // started at or after
	Until   time.Time // started before
	After   string    // CDRPage.Next of the page before
	Limit   int       // rows a page, 1 to 1000; 0: 100
}

// CDRPage is a page of call records, newest first.
type CDRPage struct {
	CDRs []pbx.CDR
	Next string // for CDRFilter.After; "" on the last page
}

const cdrColumns = "id, started, from_number, to_number, answered_by, outcome, ended_by, rang, answered, ended, status, cause, from_name, detail"

// cdrDetail is what no filter asks for.
type cdrDetail struct {
	Contact   string         `json:"contact,omitempty"`
	Reason    string         `json:"reason,omitempty"`
	Codec     string         `json:"codec,omitempty"`
	CallID    string         `json:"call_id,omitempty"`
	Hidden    bool           `json:"hidden,omitempty"`
	Plan      string         `json:"plan,omitempty"`
	Path      []pbx.Passed   `json:"path,omitempty"`
	Recorded  []pbx.Recorded `json:"recorded,omitempty"`
	FromPhone pbx.Quality    `json:"from_phone,omitzero"`
	ToPhone   pbx.Quality    `json:"to_phone,omitzero"`
}

// ListCDRs returns one page of finished calls, newest first. A call shows up when the journal has been emptied into
// the database, within Options.Checkpoint; Journal.Flush makes it so at once. Errors: *ValidationError for a bad filter.
func (s *Store) ListCDRs(ctx context.Context, f CDRFilter) (CDRPage, error) {
	if f.Limit == 0 {
		f.Limit = 100
	}
	if f.Limit < 1 || f.Limit > 1000 {
		return CDRPage{}, invalid("limit", "limit must be between 1 and 1000.")
	}
	started, id, err := parseCursor(f.After)
	if err != nil {
		return CDRPage{}, err
	}
	where, args := f.where(started, id)
	found, err := s.queryCDRs(ctx, where, args, f.Limit+1)
	if err != nil {
		return CDRPage{}, known("call records", err)
	}
	page := CDRPage{CDRs: found}
	if len(found) > f.Limit {
		page.CDRs = found[:f.Limit]
		last := page.CDRs[f.Limit-1]
		page.Next = strconv.FormatInt(last.Started.UnixMicro(), 10) + "." + last.ID
	}
	return page, nil
}

// CDRs goes through all records that a filter picks, newest first, a page at a time: it never holds more than
// one page, nor the database between two. f.Limit is the size of a page here.
func (s *Store) CDRs(ctx context.Context, f CDRFilter) iter.Seq2[pbx.CDR, error] {
	return func(yield func(pbx.CDR, error) bool) {
		for {
			page, err := s.ListCDRs(ctx, f)
			if err != nil {
				yield(pbx.CDR{}, err)
				return
			}
			for _, c := range page.CDRs {
				if !yield(c, nil) {
					return
				}
			}
			if f.After = page.Next; f.After == "" {
				return
			}
		}
	}
}

// GetCDR returns one finished call, or ErrNotFound.
func (s *Store) GetCDR(ctx context.Context, id string) (pbx.CDR, error) {
	rows, err := s.queryCDRs(ctx, "ended_by <> '' AND id = ?", []any{id}, 1)
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return pbx.CDR{}, known("call record "+quoted(id), err)
	}
	return rows[0], nil
}

func parseCursor(after string) (started int64, id string, err error) {
	if after == "" {
		return 0, "", nil
	}
	us, id, ok := strings.Cut(after, ".")
	started, err = strconv.ParseInt(us, 10, 64)
	if !ok || err != nil || id == "" {
		return 0, "", invalid("after", "after is not a cursor of this list.")
	}
	return started, id, nil
}

// where is the condition. Its text is made of constants only.
func (f *CDRFilter) where(started int64, id string) (string, []any) {
	cond, args := []string{"ended_by <> ''"}, []any(nil)
	add := func(c string, a ...any) { cond, args = append(cond, c), append(args, a...) }
	if f.From != "" {
		add("from_number = ?", f.From)
	}
	if f.To != "" {
		add("to_number = ?", f.To)
	}
	if f.Number != "" {
		add("(from_number = ? OR to_number = ? OR answered_by = ?)", f.Number, f.Number, f.Number)
	}
	if f.Outcome != "" {
		add("outcome = ?", f.Outcome)
	}
	if !f.Since.IsZero() {
		add("started >= ?", f.Since.UnixMicro())
	}
	if !f.Until.IsZero() {
		add("started < ?", f.Until.UnixMicro())
	}
	if id != "" {
		add("started <= ? AND (started < ? OR id < ?)", started, started, id)
	}
	return strings.Join(cond, " AND "), args
}

// queryCDRs runs one query.
func (s *Store) queryCDRs(ctx context.Context, where string, args []any, limit int) ([]pbx.CDR, error) {
	query := "SELECT " + cdrColumns + " FROM cdrs WHERE " + where + " ORDER BY started DESC, id DESC LIMIT " + strconv.Itoa(limit)
	rows, err := s.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []pbx.CDR
	for rows.Next() {
		var c pbx.CDR
		var began, rang, answered, ended int64
		var detail string
		if err := rows.Scan(&c.ID, &began, &c.From, &c.To, &c.By, &c.Outcome, &c.EndedBy, &rang, &answered, &ended,
			&c.Status, &c.Cause, &c.FromName, &detail); err != nil {
			return nil, err
		}
		c.Started, c.Rang, c.Answered, c.Ended = moment(began), moment(rang), moment(answered), moment(ended)
		var d cdrDetail
		if err := json.Unmarshal([]byte(detail), &d); err != nil {
			return nil, fmt.Errorf("call record %s: %w", c.ID, err)
		}
		c.Contact, c.Reason, c.Codec, c.CallID, c.FromPhone, c.ToPhone = d.Contact, d.Reason, d.Codec, d.CallID, d.FromPhone, d.ToPhone
		c.Hidden, c.Plan, c.Path, c.Recorded = d.Hidden, d.Plan, d.Path, d.Recorded
		list = append(list, c)
	}
	return list, rows.Err()
}

// purgeCDRs deletes records of calls that started before a time, some at a time so that others get to the database.
func (s *Store) purgeCDRs(ctx context.Context, before time.Time) (deleted int64, err error) {
	const some = "DELETE FROM cdrs WHERE id IN (SELECT id FROM cdrs WHERE started < ? AND ended_by <> '' ORDER BY started LIMIT 500)"
	for {
		s.write.Lock()
		result, err := s.sql.ExecContext(ctx, some, before.UnixMicro())
		s.write.Unlock()
		if err != nil {
			return deleted, known("old call records", err)
		}
		n, _ := result.RowsAffected()
		if deleted += n; n == 0 {
			return deleted, nil
		}
	}
}
