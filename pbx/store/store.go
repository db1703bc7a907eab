// Package store keeps what must outlive the process: extensions with their services, ring groups, conference rooms, menus, opening hours, settings,
// users, API tokens and call records in a SQLite database (gorm over modernc.org/sqlite, no cgo), and what was promised to a phone or a person in a journal.
//
// One directory holds it all: ringback.db, journal/ and a lock that keeps a second instance out. Call control reads
// them from memory (Store is a pbx.OfficeDirectory): each change makes a new snapshot, which never changes, and swaps it in;
// only administration and the journal's background work touch the
// database. Every method of Store may be called from any goroutine until Close; what takes a context may wait for the
// disk, everything else answers from memory.
package store

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"ringback/pbx"
)

// Options of Open; the zero value is good.
type Options struct {
	Realm      string        // digest realm; "": the one the directory was made with, or DefaultRealm
	Log        *slog.Logger  // nil: slog.Default()
	CDRMaxAge  time.Duration // older call records are deleted once a day; 0 keeps them
	Checkpoint time.Duration // how often the journal is emptied into the database; 0: 5 s

	// CheckCodes says what is wrong with the feature codes of an office that is about to be saved, in a sentence; nil:
	// nothing ever is. taken reports whether a number is that of an extension, a ring group, a conference room or a menu.
	CheckCodes func(office *pbx.Office, taken func(number string) bool) error
	// IsCode reports whether a number is a feature code and so cannot be given to anybody; nil: none is. Neither hook
	// may call the store.
	IsCode func(office *pbx.Office, number string) bool

	files files // nil: the operating system's
}

// DefaultRealm is the digest realm of a new data directory.
const DefaultRealm = "ringback"

// Store is an open data directory.
type Store struct {
	db   *gorm.DB
	sql  *sql.DB
	log  *slog.Logger
	dir  string
	lock *dirLock
	opts Options

	write     sync.Mutex // one writer at a time: SQLite has only one, and it waits better here
	realm     string
	directory atomic.Pointer[directory]            // replaced at each change, under write
	tokens    atomic.Pointer[map[tokenHash]*Token] // likewise
	settings  sync.Map                             // string → string
	journal   *Journal

	listeners struct {
		sync.Mutex
		f                []func(Change)
		mailboxes, rooms []func(number string)
	}
	hashing    chan struct{} // bounds the memory that password hashes take
	pins       wrongPINs
	rooms      sync.Mutex // one room is saved at a time: its PINs are looked at before write is taken
	admin      context.Context
	stop       context.CancelFunc
	background sync.WaitGroup
	closed     sync.Once
}

var _ pbx.Journal = (*Journal)(nil)

// Journal is where the line and call control write what must not be forgotten.
func (s *Store) Journal() *Journal { return s.journal }

// Realm is the digest realm that new passwords are hashed for.
func (s *Store) Realm() string { return s.realm }

// Dir is the data directory.
func (s *Store) Dir() string { return s.dir }
