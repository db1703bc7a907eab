package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringback/pbx"
)

// The reason in the record of a call that was answered and of whose end nothing is known. Its Ended is zero.
const stoppedReason = "the PBX stopped before the call ended"

// openJournal takes over what the last run left and begins a new segment.
func openJournal(s *Store) (*Journal, error) {
	j := &Journal{dir: filepath.Join(s.dir, "journal"), files: s.opts.files, log: s.log, store: s, wake: make(chan struct{}, 1),
		flushes: make(chan chan error), quit: make(chan struct{}), drained: make(chan struct{}, 1)}
	j.scratch.New = func() any { return new([]byte) }
	if err := os.MkdirAll(j.dir, 0o700); err != nil {
		return nil, err
	}
	if err := j.files.SyncDir(s.dir); err != nil {
		return nil, err
	}
	left, err := os.ReadDir(j.dir)
	if err != nil {
		return nil, err
	}
	var last uint64
	for _, entry := range left { // by name, and so by age
		base, _, _ := strings.Cut(entry.Name(), ".")
		number, err := strconv.ParseUint(base, 10, 64)
		if err != nil {
			continue
		}
		last = max(last, number)
		if strings.HasSuffix(entry.Name(), ".log") {
			j.retired.names = append(j.retired.names, filepath.Join(j.dir, entry.Name()))
		}
	}
	if err := j.drain(); err != nil {
		return nil, err
	}
	if err := s.closeOpenCalls(); err != nil {
		return nil, err
	}
	if j.active, err = j.newSegment(last + 1); err != nil {
		return nil, err
	}
	c := &committer{j: j, every: s.opts.Checkpoint}
	j.ended.Go(c.run)
	j.ended.Go(j.checkpointer)
	return j, nil
}

// closeOpenCalls finishes the records of calls that the last run did not see the end of.
func (s *Store) closeOpenCalls() error {
	ctx := context.Background()
	for calls := 0; ; {
		rows, err := s.queryCDRs(ctx, "ended_by = ''", nil, batchCDRs)
		if err != nil {
			return err
		}
		if len(rows) == 0 && calls > 0 {
			s.log.Warn("calls were going on when the PBX stopped; their records are complete but for the end", "calls", calls)
		}
		if len(rows) == 0 {
			return nil
		}
		for i := range rows {
			rows[i].EndedBy, rows[i].Reason = pbx.System.String(), stoppedReason
		}
		if err := s.insertCDRs(ctx, rows, upsertEnded); err != nil {
			return err
		}
		calls += len(rows)
	}
}

// checkpointer moves segments into the database until close.
func (j *Journal) checkpointer() {
	failing := false
	retry := time.NewTicker(j.store.opts.Checkpoint)
	defer retry.Stop()
	for {
		select {
		case <-j.quit:
			return
		case <-j.drained:
		case <-retry.C:
		}
		err := j.drain()
		if err != nil && !failing {
			j.log.Error("call records and registrations stay in the journal for now", "error", err)
		} else if err == nil && failing {
			j.log.Info("the journal is being emptied again")
		}
		failing = err != nil
	}
}

// drain moves all full segments into the database, oldest first, and deletes them.
func (j *Journal) drain() error {
	j.checkpoint.Lock()
	defer j.checkpoint.Unlock()
	for {
		j.retired.Lock()
		if len(j.retired.names) == 0 {
			j.retired.Unlock()
			return nil
		}
		name := j.retired.names[0]
		j.retired.Unlock()
		if err := j.empty(name); err != nil {
			return err
		}
		j.count.checkpoints.Add(1)
		j.retired.Lock()
		j.retired.names = slices.Delete(j.retired.names, 0, 1)
		j.retired.Unlock()
	}
}

// empty moves one segment into the database and away. A damaged one is kept under another name after all that can be
// read of it has been taken over.
func (j *Journal) empty(name string) error {
	f, err := j.files.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := newSegmentReader(f)
	switch {
	case errors.Is(err, errNoSegment):
		return j.setAside(name, err)
	case errors.Is(err, io.EOF):
		return j.files.Remove(name)
	case err != nil:
		return err
	}
	m := &mover{store: j.store, r: r, answered: map[string]int64{}, bindings: map[string]int64{}}
	if err := m.run(context.Background()); err != nil {
		return err
	}
	j.count.cdrs.Add(m.moved)
	if r.damaged > 0 || m.unreadable > 0 {
		return j.setAside(name, fmt.Errorf("%d bytes and %d records are unreadable; the rest was taken over", r.damaged+r.torn, m.unreadable))
	}
	if r.torn > 0 {
		j.log.Warn("the last write to the journal was cut short when the PBX stopped; its end is left out", "file", name, "bytes", r.torn)
		if err := f.Truncate(r.at); err != nil {
			return err
		}
	}
	return j.files.Remove(name)
}

func (j *Journal) setAside(name string, why error) error {
	aside := strings.TrimSuffix(name, ".log") + ".damaged"
	j.log.Error("a part of the journal is damaged and was set aside", "file", aside, "error", why)
	return j.files.Rename(name, aside)
}

// mover reads a segment once for the calls, and then again only what it still needs: the newest bindings of each
// extension and the calls that go on. So its memory is that of a batch, not of the segment.
type mover struct {
	store    *Store
	r        *segmentReader
	answered map[string]int64 // call → where its record is, no end seen
	bindings map[string]int64 // extension → likewise, the newest

	batch      []pbx.CDR
	moved      uint64
	unreadable int
}

const batchCDRs = 1000 // a transaction

func (m *mover) run(ctx context.Context) error {
	for {
		kind, payload, at, err := m.r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := m.take(ctx, kind, payload, at); err != nil {
			return err
		}
	}
	if err := m.flush(ctx, upsertEnded); err != nil {
		return err
	}
	for _, at := range slices.Sorted(maps.Values(m.answered)) {
		_, payload, err := m.r.record(at)
		if err != nil {
			return err
		}
		c, _ := decodeCDR(payload)
		if m.batch = append(m.batch, c); len(m.batch) == batchCDRs {
			if err := m.flush(ctx, insertAnswered); err != nil {
				return err
			}
		}
	}
	if err := m.flush(ctx, insertAnswered); err != nil {
		return err
	}
	return m.moveBindings(ctx)
}

func (m *mover) take(ctx context.Context, kind byte, payload []byte, at int64) error {
	if kind == recordBindings {
		d := decoder{p: payload}
		if extension := d.text(); extension != "" {
			m.bindings[extension] = at
		}
		return nil
	}
	c, ok := decodeCDR(payload)
	if !ok {
		m.unreadable++
		return nil
	}
	if kind == recordAnswered {
		m.answered[c.ID] = at
		return nil
	}
	delete(m.answered, c.ID)
	if m.batch = append(m.batch, c); len(m.batch) == batchCDRs {
		return m.flush(ctx, upsertEnded)
	}
	return nil
}

func (m *mover) flush(ctx context.Context, conflict string) error {
	if len(m.batch) == 0 {
		return nil
	}
	if err := m.store.insertCDRs(ctx, m.batch, conflict); err != nil {
		return err
	}
	m.moved += uint64(len(m.batch))
	m.batch = m.batch[:0]
	return nil
}

// moveBindings replaces the rows of the extensions that changed. They go by number, as they lie in the database, because
// jumping about there costs more than here.
func (m *mover) moveBindings(ctx context.Context) error {
	if len(m.bindings) == 0 {
		return nil
	}
	return m.store.transaction(ctx, func(tx *sql.Tx) error {
		put, err := tx.PrepareContext(ctx, "INSERT INTO bindings (extension, bindings) VALUES (?, ?) ON CONFLICT (extension) DO UPDATE SET bindings = excluded.bindings")
		if err != nil {
			return err
		}
		defer put.Close()
		m.r.ahead = 1 << 10
		for _, number := range slices.Sorted(maps.Keys(m.bindings)) {
			_, payload, err := m.r.record(m.bindings[number])
			if err != nil {
				return err
			}
			extension, list, ok := decodeBindings(payload)
			if !ok {
				m.unreadable++
				continue
			}
			if len(list) == 0 || m.store.Extension(extension) == nil {
				if _, err := tx.ExecContext(ctx, "DELETE FROM bindings WHERE extension = ?", extension); err != nil {
					return err
				}
				continue
			}
			text, err := json.Marshal(list)
			if err != nil {
				return err
			}
			if _, err := put.ExecContext(ctx, extension, string(text)); err != nil {
				return err
			}
		}
		return nil
	})
}

// transaction runs a write transaction.
func (s *Store) transaction(ctx context.Context, do func(*sql.Tx) error) error {
	s.write.Lock()
	defer s.write.Unlock()
	tx, err := s.sql.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}
