package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Open opens a data directory, creating it (0700) if need be, brings its schema up to date and takes over what the
// journal of the last run still holds. The error is one sentence; errors.Is knows ErrLocked, ErrNewer, ENOSPC.
func Open(where string, o Options) (*Store, error) {
	if strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://") {
		return nil, errors.New("PostgreSQL is not supported yet; give a directory")
	}
	dir, err := filepath.Abs(strings.TrimPrefix(where, "file://"))
	if err != nil {
		return nil, fmt.Errorf("the data directory %s cannot be found: %w", where, err)
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Checkpoint <= 0 {
		o.Checkpoint = 5 * time.Second
	}
	if o.files == nil {
		o.files = osFiles{}
	}
	s := &Store{log: o.Log, dir: dir, opts: o, hashing: make(chan struct{}, 1)}
	s.admin, s.stop = context.WithCancel(context.Background())
	if err := s.open(); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *Store) open() (err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return s.unusable(err)
	}
	if s.lock, err = lockDir(s.dir); err != nil {
		return s.unusable(err)
	}
	if err = s.openDatabase(); err != nil {
		s.lock.release()
		return err
	}
	if err = s.load(context.Background()); err == nil {
		s.journal, err = openJournal(s)
	}
	if err != nil {
		_ = s.sql.Close()
		s.lock.release()
		return s.unusable(err)
	}
	s.background.Go(s.housekeep)
	return nil
}

// load fills memory from the database.
func (s *Store) load(ctx context.Context) error {
	if err := s.loadSettings(ctx); err != nil {
		return err
	}
	if err := s.loadTokens(ctx); err != nil {
		return err
	}
	return s.loadDirectory(ctx)
}

func (s *Store) loadSettings(ctx context.Context) error {
	rows, err := s.sql.QueryContext(ctx, "SELECT name, value FROM settings")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return err
		}
		s.settings.Store(name, value)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	old := s.Setting(SettingRealm)
	if s.realm = s.opts.Realm; s.realm == "" {
		s.realm = old
	}
	if s.realm == "" {
		s.realm = DefaultRealm
	}
	if s.realm != old {
		return s.SetSetting(ctx, SettingRealm, s.realm)
	}
	return nil
}

func (s *Store) loadTokens(ctx context.Context) error {
	rows, err := s.sql.QueryContext(ctx, "SELECT name, sha256, scope, created, last_used FROM tokens")
	if err != nil {
		return err
	}
	defer rows.Close()
	all := map[tokenHash]*Token{}
	for rows.Next() {
		var t Token
		var sum string
		var created, used int64
		if err := rows.Scan(&t.Name, &sum, &t.Scope, &created, &used); err != nil {
			return err
		}
		if n, err := hex.Decode(t.hash[:], []byte(sum[:min(len(sum), 2*len(t.hash))])); err != nil || n != len(t.hash) {
			return fmt.Errorf("the token %s in the database is damaged", quoted(t.Name))
		}
		t.Created = moment(created)
		t.used.Store(used)
		t.stored = used
		all[t.hash] = &t
	}
	s.tokens.Store(&all)
	return rows.Err()
}

// housekeep does what has time: tokens' last use once a minute, old call records once a day.
func (s *Store) housekeep() {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	var purged time.Time
	for {
		if now := time.Now(); s.opts.CDRMaxAge > 0 && now.Sub(purged) >= 24*time.Hour {
			purged = now
			if n, err := s.purgeCDRs(s.admin, now.Add(-s.opts.CDRMaxAge)); err != nil {
				s.log.Error("old call records could not be deleted", "error", err)
			} else if n > 0 {
				s.log.Info("old call records deleted", "records", n)
			}
		}
		select {
		case <-s.admin.Done():
			return
		case <-tick.C:
			s.storeTokenUse()
		}
	}
}

// Close empties the journal into the database and gives up the directory. Nothing may be called after it but what
// answers from memory; journal calls fail with ErrClosed.
func (s *Store) Close() error {
	var err error
	s.closed.Do(func() {
		s.stop()
		s.background.Wait()
		err = s.journal.close()
		s.storeTokenUse()
		_, _ = s.sql.Exec("PRAGMA wal_checkpoint(TRUNCATE)") // one file to copy; the next start does it otherwise
		err = errors.Join(err, s.sql.Close())
		s.lock.release()
	})
	return err
}
