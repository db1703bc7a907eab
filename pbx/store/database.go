package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"syscall"

	"github.com/pressly/goose/v3"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"ringback/migrations"
)

// dialector is gorm's SQLite over the driver without cgo, whose errors its own translation does not understand.
type dialector struct{ gormsqlite.Dialector }

func (d dialector) Translate(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() {
		case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
			return gorm.ErrDuplicatedKey
		case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
			return gorm.ErrForeignKeyViolated
		}
	}
	return err
}

// shmSize is SQLITE_IOERR_SHMSIZE: the WAL's index could not get its first 32 kB. There is no other cause in practice.
const shmSize = sqlite3.SQLITE_IOERR | 19<<8

// full reports whether an error means that no space is left.
func full(err error) bool {
	var e *sqlite.Error
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.As(err, &e) && (e.Code()&0xff == sqlite3.SQLITE_FULL || e.Code() == shmSize)
}

// synchronous is FULL, so that what has been committed survives a power cut: the journal forgets what it has handed
// over. The page cache is small because the directory is read from memory.
const pragmas = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-1024)" +
	"&_pragma=temp_store(MEMORY)&_pragma=journal_size_limit(8388608)&_txlock=immediate"

func (s *Store) openDatabase() error {
	file := filepath.Join(s.dir, "ringback.db")
	dsn := "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + pragmas
	db, err := gorm.Open(dialector{gormsqlite.Dialector{DriverName: "sqlite", DSN: dsn}}, &gorm.Config{
		Logger: logger.Discard, TranslateError: true, SkipDefaultTransaction: true,
	})
	if err != nil {
		return s.unusable(err)
	}
	pool, err := db.DB()
	if err != nil {
		return s.unusable(err)
	}
	pool.SetMaxOpenConns(4)
	pool.SetMaxIdleConns(1)
	s.db, s.sql = db, pool
	if err := s.migrate(); err != nil {
		_ = pool.Close()
		return err
	}
	return nil
}

func (s *Store) migrations() (*goose.Provider, error) {
	return goose.NewProvider(goose.DialectSQLite3, s.sql, migrations.FS)
}

// migrate brings the schema to this program's version.
func (s *Store) migrate() error {
	provider, err := s.migrations()
	if err != nil {
		return fmt.Errorf("the migrations in this program are wrong: %w", err)
	}
	ctx := context.Background()
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return s.unusable(err)
	}
	if current > target {
		return fmt.Errorf("the database in %s was %w of ringback (schema %d, this program knows %d)", s.dir, ErrNewer, current, target)
	}
	if current == target {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return s.unusable(err)
	}
	return nil
}

// unusable says in a sentence why the data directory cannot be used.
func (s *Store) unusable(err error) error {
	var e *sqlite.Error
	code := 0
	if errors.As(err, &e) {
		code = e.Code() & 0xff
	}
	switch {
	case errors.Is(err, ErrLocked), errors.Is(err, ErrNewer):
		return err
	case full(err):
		return fmt.Errorf("the disk with the data directory %s is full: %w", s.dir, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), code == sqlite3.SQLITE_READONLY, code == sqlite3.SQLITE_CANTOPEN, code == sqlite3.SQLITE_PERM:
		return fmt.Errorf("the data directory %s is not writable: %w", s.dir, err)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("the data directory %s is not a directory: %w", s.dir, err)
	case code == sqlite3.SQLITE_NOTADB, code == sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("the database in %s is damaged or is no database; restore it from a backup: %w", s.dir, err)
	case code == sqlite3.SQLITE_BUSY:
		return fmt.Errorf("the database in %s is %w: %w", s.dir, ErrLocked, err)
	}
	return fmt.Errorf("the data directory %s cannot be used: %w", s.dir, err)
}
