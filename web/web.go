// Package web is the HTTP side of the exchange: the REST API under /api/v1 with its documentation, health checks and
// metrics. It knows pbx and, of everything else, only the interfaces of Backend, which cmd/ringback implements with
// the real parts.
//
// A Server holds no state of its own but the table of failed attempts; its handlers may be called from any goroutine.
// There are two of them: Handler for the network, where every route but the few public ones asks for a bearer token,
// and Local for the Unix socket in the data directory, whose file permissions are the authorisation.
package web

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"ringback/pbx"
)

// Errors a Backend answers with, besides *Invalid; anything else is an internal error (500, details only in the log).
var (
	ErrNotFound = errors.New("there is no such thing")
	ErrExists   = errors.New("it exists already")
	ErrBusy     = errors.New("it is too busy now")
	ErrFull     = errors.New("its disk is full")
)

// Invalid says what is wrong with a value, in a sentence for the person who gave it.
type Invalid struct {
	Field    string // as in the JSON body
	Sentence string
}

func (e *Invalid) Error() string { return e.Sentence }

// Backend is everything that the API shows and changes.
type Backend struct {
	Extensions    Extensions
	Registrations Registrations
	Calls         Calls
	Records       Records
	Tokens        Tokens
	Users         Users
	// Ready says whether the exchange takes calls: nil, or what is missing. It must not block.
	Ready   func() error
	Version string
}

// Extension is an extension as an administrator sees it.
type Extension struct {
	Number      string
	Name        string
	Enabled     bool
	MaxContacts int
	RingSeconds int
	Codecs      []string
	Created     time.Time
	Updated     time.Time
	WrongRealm  bool // its password was hashed for another digest realm: phones are refused until it is set again
}

// NewExtension is what an extension is created from. Zero values mean the Backend's defaults.
type NewExtension struct {
	Number      string
	Name        string
	Password    string // "": generated
	Disabled    bool
	MaxContacts int
	RingSeconds int
	Codecs      []string
}

// ExtensionUpdate changes what is not nil.
type ExtensionUpdate struct {
	Name        *string
	Password    *string // "": generated
	Enabled     *bool
	MaxContacts *int
	RingSeconds *int
	Codecs      *[]string
}

// Extensions is the directory as an administrator changes it. Passwords go in and do not come out, but for generated
// ones, once. Errors: *Invalid, ErrNotFound, ErrExists.
type Extensions interface {
	// ListExtensions returns up to limit extensions with a number greater than after, by number (compared as text).
	ListExtensions(ctx context.Context, after string, limit int) ([]Extension, error)
	GetExtension(ctx context.Context, number string) (Extension, error)
	// CreateExtension returns the password too, given or generated.
	CreateExtension(ctx context.Context, n NewExtension) (Extension, string, error)
	// UpdateExtension returns a password if one was generated.
	UpdateExtension(ctx context.Context, number string, u ExtensionUpdate) (Extension, string, error)
	DeleteExtension(ctx context.Context, number string) error
}

// Registration is a binding and what is known of the phone behind it.
type Registration struct {
	pbx.Binding
	ID        string        // stable for the life of the binding
	Reachable bool          // false: it did not answer the last OPTIONS, or its connection is gone
	RoundTrip time.Duration // of the last OPTIONS, 0 if unknown
}

// Registrations are the phones.
type Registrations interface {
	// List returns the registrations of one extension, or of all ("") by extension number.
	List(extension string) []Registration
	Remove(ctx context.Context, id string) error // ErrNotFound
}

// Calls are the calls that are up. *pbx.Switchboard implements it.
type Calls interface {
	Calls() []pbx.CallInfo // oldest first
	// HangupCall ends a call in whatever state it is; false if there is none of that ID.
	HangupCall(id string, o pbx.Outcome) bool
}

// Filter chooses call records. Zero fields choose everything.
type Filter struct {
	From, To string    // exact numbers
	Number   string    // caller, called or answering number
	Outcome  string    // pbx.Kind in words
	Since    time.Time // started at or after
	Until    time.Time // started before
	After    string    // next of the page before
	Limit    int       // records a page
}

// Records are the call records, newest first. Errors: *Invalid, ErrNotFound.
type Records interface {
	Page(ctx context.Context, f Filter) (records []pbx.CDR, next string, err error)
	Get(ctx context.Context, id string) (pbx.CDR, error)
	// All streams every record that fits, in bounded memory. It ends after the first error.
	All(ctx context.Context, f Filter) iter.Seq2[pbx.CDR, error]
}

// Token is an API token without its secret. Its name is unique.
type Token struct {
	Name    string    `json:"name" doc:"What it is for."`
	Created time.Time `json:"created"`
	Used    time.Time `json:"last_used,omitzero"`
}

// Tokens are the API tokens. Only hashes of them are kept. Errors: *Invalid, ErrNotFound, ErrExists.
type Tokens interface {
	// Valid answers from memory: it is asked for every request.
	Valid(secret string) bool
	List() []Token
	Create(ctx context.Context, name string) (secret string, err error)
	Revoke(ctx context.Context, name string) error
}

// Users are the people who administer the exchange.
type Users interface {
	// VerifyUser takes its time, for users that do not exist as well.
	VerifyUser(ctx context.Context, name, password string) (bool, error)
}

// Options are what an operator sets.
type Options struct {
	// Metrics says who may read /metrics: "token" (default), "loopback" or "open".
	Metrics string
	// TokenFailures is how many wrong tokens an address may send a minute before it gets 429; default 20.
	TokenFailures int
	Log           *slog.Logger
	// Stats is what /metrics shows besides Go and process metrics; nil: nothing more.
	Stats *Metrics
}
