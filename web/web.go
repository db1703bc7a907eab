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
	"io"
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
	Services      Services
	Groups        Groups
	Rooms         Rooms
	Menus         Menus
	Mailboxes     Mailboxes
	Messages      Messages
	Hours         Hours
	Office        Office
	Prompts       Prompts
	Plans         Plans
	Registrations Registrations
	Calls         Calls
	Conferences   Conferences
	Recorder      Recorder
	Recordings    Recordings
	Records       Records
	Events        Events
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
	Numbers     []string // further numbers that reach it
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
	Numbers     []string
}

// ExtensionUpdate changes what is not nil.
type ExtensionUpdate struct {
	Name        *string
	Password    *string // "": generated
	Enabled     *bool
	MaxContacts *int
	RingSeconds *int
	Codecs      *[]string
	Numbers     *[]string
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

// Services are what subscribers have switched on. What is changed is marked with the Set by: what a client says of marks
// counts for nothing. Errors: *Invalid, ErrNotFound.
type Services interface {
	GetServices(ctx context.Context, extension string) (pbx.Services, error)
	// UpdateServices lets change work on a copy, stores it unless change fails, and returns what holds now.
	UpdateServices(ctx context.Context, extension string, by pbx.Set, change func(*pbx.Services) error) (pbx.Services, error)
	// HashPIN takes its time.
	HashPIN(ctx context.Context, pin string) (string, error)
}

// Groups are the ring groups, marked as Services are. Errors: *Invalid, ErrNotFound, ErrExists.
type Groups interface {
	// ListGroups returns up to limit groups with a number greater than after, by number (compared as text).
	ListGroups(ctx context.Context, after string, limit int) ([]pbx.Group, error)
	GetGroup(ctx context.Context, number string) (pbx.Group, error)
	CreateGroup(ctx context.Context, by pbx.Set, g pbx.Group) (pbx.Group, error)
	ReplaceGroup(ctx context.Context, by pbx.Set, g pbx.Group) (pbx.Group, error)
	DeleteGroup(ctx context.Context, number string) error
}

// Rooms are the conference rooms, marked as Services are. Hashes of PINs in what is given count for nothing. Errors: *Invalid,
// ErrNotFound, ErrExists.
type Rooms interface {
	// ListRooms returns up to limit rooms with a number greater than after, by number (compared as text).
	ListRooms(ctx context.Context, after string, limit int) ([]pbx.Room, error)
	GetRoom(ctx context.Context, number string) (pbx.Room, error)
	// CreateRoom and ReplaceRoom take their time where PINs are given.
	CreateRoom(ctx context.Context, by pbx.Set, r pbx.Room, pins pbx.RoomPINs) (pbx.Room, error)
	ReplaceRoom(ctx context.Context, by pbx.Set, r pbx.Room, pins pbx.RoomPINs) (pbx.Room, error)
	DeleteRoom(ctx context.Context, number string) error
}

// Menus are the IVR menus, marked as Services are. Errors: *Invalid, ErrNotFound, ErrExists.
type Menus interface {
	// ListMenus returns up to limit menus with a number greater than after, by number (compared as text).
	ListMenus(ctx context.Context, after string, limit int) ([]pbx.Menu, error)
	GetMenu(ctx context.Context, number string) (pbx.Menu, error)
	CreateMenu(ctx context.Context, by pbx.Set, m pbx.Menu) (pbx.Menu, error)
	ReplaceMenu(ctx context.Context, by pbx.Set, m pbx.Menu) (pbx.Menu, error)
	DeleteMenu(ctx context.Context, number string) error
}

// Mailboxes are those that messages are kept in, marked as Services are. The hash of a PIN in what is given counts for nothing; pin is the
// new one, nil leaves what there is, "" takes it away. Errors: *Invalid, ErrNotFound, ErrExists.
type Mailboxes interface {
	// ListMailboxes returns up to limit mailboxes with a number greater than after, by number (compared as text).
	ListMailboxes(ctx context.Context, after string, limit int) ([]pbx.Mailbox, error)
	GetMailbox(ctx context.Context, number string) (pbx.Mailbox, error)
	// CreateMailbox and ReplaceMailbox take their time where a PIN is given.
	CreateMailbox(ctx context.Context, by pbx.Set, m pbx.Mailbox, pin *string) (pbx.Mailbox, error)
	ReplaceMailbox(ctx context.Context, by pbx.Set, m pbx.Mailbox, pin *string) (pbx.Mailbox, error)
	// DeleteMailbox removes its messages and greetings, too.
	DeleteMailbox(ctx context.Context, number string) error
}

// Messages are those in mailboxes, and the mailboxes' own greetings: *archive.Archive, but for errors. They are asked for mailboxes
// that there are; IDs may be anything that a client says, and are never paths. What is opened is a WAV file. Errors: *Invalid,
// pbx.ErrNoSuchSound, ErrFull.
type Messages interface {
	Count(mailbox string) pbx.MessageCount                                    // from memory
	Messages(ctx context.Context, mailbox string) ([]pbx.VoiceMessage, error) // new ones first
	Message(ctx context.Context, mailbox, id string) (pbx.VoiceMessage, error)
	OpenMessage(mailbox, id string) (f io.ReadSeekCloser, size int64, modified time.Time, err error)
	MarkHeard(ctx context.Context, mailbox, id string, heard bool) error
	MarkUrgent(ctx context.Context, mailbox, id string, urgent bool) error
	Remove(ctx context.Context, mailbox, id string) error

	HasGreeting(mailbox string, g pbx.Greeting) bool // from memory
	// Greeting opens it.
	Greeting(mailbox string, g pbx.Greeting) (f io.ReadSeekCloser, size int64, modified time.Time, err error)
	// PutGreeting puts a WAV file in the place of a greeting. After an error nothing has changed.
	PutGreeting(ctx context.Context, mailbox string, g pbx.Greeting, file io.Reader) error
	// RemoveGreeting is no error if there is none.
	RemoveGreeting(ctx context.Context, mailbox string, g pbx.Greeting) error
}

// Hours are the opening hours; marked is who set their mode. Errors: *Invalid, ErrNotFound, ErrExists.
type Hours interface {
	// ListHours returns up to limit hours with a name greater than after, by name.
	ListHours(ctx context.Context, after string, limit int) ([]pbx.Hours, error)
	GetHours(ctx context.Context, name string) (pbx.Hours, error)
	CreateHours(ctx context.Context, by pbx.Set, h pbx.Hours) (pbx.Hours, error)
	ReplaceHours(ctx context.Context, by pbx.Set, h pbx.Hours) (pbx.Hours, error)
	DeleteHours(ctx context.Context, name string) error
	SwitchHours(ctx context.Context, name, mode string, by pbx.Set) error
}

// Office is what holds for all extensions, marked as Services are. Errors: *Invalid.
type Office interface {
	GetOffice(ctx context.Context) (pbx.Office, error)
	// ChangeOffice lets change work on a copy, stores it unless change fails, and returns what holds now.
	ChangeOffice(ctx context.Context, by pbx.Set, change func(*pbx.Office) error) (pbx.Office, error)
}

// Prompt is a recording that callers hear.
type Prompt struct {
	Name     string `json:"name" doc:"What it is called in plans, menus and addresses."`
	Text     string `json:"text,omitempty" doc:"What the recording that the exchange brought along says; absent for one of one's own."`
	Replaced bool   `json:"replaced" doc:"A file of one's own is heard instead."`
}

// Prompts are the recordings. Names are never paths. Errors: *Invalid, ErrNotFound, ErrFull.
type Prompts interface {
	// ListPrompts returns up to limit prompts of a language ("": the usual one) with a name greater than after, by name.
	ListPrompts(ctx context.Context, language, after string, limit int) ([]Prompt, error)
	// PromptSound is what is heard, as a WAV file.
	PromptSound(ctx context.Context, language, name string) ([]byte, error)
	// ReplacePrompt puts a WAV file in the place of a prompt, or adds one. After an error nothing has changed.
	ReplacePrompt(ctx context.Context, language, name string, wav io.Reader) error
	// ResetPrompt takes the file away; it is no error if there is none.
	ResetPrompt(ctx context.Context, language, name string) error
}

// Code is a number that reaches a service of the PBX.
type Code struct {
	Code     string `json:"code" example:"*72" doc:"What is dialled."`
	Service  string `json:"service" doc:"Name of the service, as in codes.changed of the office."`
	Argument string `json:"argument,omitempty" doc:"What may be dialled after it."`
	Text     string `json:"text" doc:"What it does."`
}

// Plans say where calls go. They answer from memory.
type Plans interface {
	// Plan is where a call goes. A caller who is no extension is one from outside, "anonymous" one who hides his number.
	Plan(from, to string, at time.Time) (pbx.Node, error)
	// Codes are the feature codes in force, in order.
	Codes() []Code
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
	// List returns up to limit (0: all) registrations of one extension, or of all (""), with an ID greater than after,
	// by ID.
	List(extension, after string, limit int) []Registration
	Remove(ctx context.Context, id string) error // ErrNotFound
}

// Calls are the calls that are up. *pbx.Switchboard implements it.
type Calls interface {
	Calls() []pbx.CallInfo // oldest first
	// HangupCall ends a call in whatever state it is; false if there is none of that ID.
	HangupCall(id string, o pbx.Outcome) bool
}

// Conferences are the conferences that are up. *pbx.Switchboard implements it. Its methods report false where there is
// no such conference or member.
type Conferences interface {
	Conferences() []pbx.ConferenceInfo // by number
	LockConference(room string, locked bool) bool
	MuteMember(room, call string, muted bool) bool
	RemoveMember(room, call string) bool
}

// Recorder begins and ends recordings. *pbx.Switchboard implements it, and says what its errors are.
type Recorder interface {
	StartRecording(call, by string) error
	StopRecording(call, by string) error
	RecordConference(room string, on bool, by string) error
}

// Recordings are the sound of calls and conferences that is kept: *archive.Archive, but for errors. IDs may be anything that a client
// says, and are never paths. Errors: *Invalid, pbx.ErrNoSuchSound.
type Recordings interface {
	// Recordings is a page, the newest first.
	Recordings(ctx context.Context, f pbx.RecordingFilter) ([]pbx.Recording, error)
	GetRecording(ctx context.Context, id string) (pbx.Recording, error)
	OpenRecording(id string) (f io.ReadSeekCloser, size int64, modified time.Time, err error)
	RemoveRecording(ctx context.Context, id string) error
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

// Events are what happens. *pbx.Feed implements it.
type Events interface {
	// Last is the newest, pbx.Listener what comes after one.
	Last() pbx.EventID
	Listen(after pbx.EventID) *pbx.Listener
}

// Token is an API token without its secret. Its name is unique.
type Token struct {
	Name    string    `json:"name" doc:"What it is for."`
	Created time.Time `json:"created" doc:"When it was created."`
	Used    time.Time `json:"last_used,omitzero" doc:"When it was last accepted; written down once in a while."`
}

// Tokens are the API tokens. Only hashes of them are kept. Errors: *Invalid, ErrNotFound, ErrExists.
type Tokens interface {
	// Valid returns the name of a token. It answers from memory: it is asked for every request.
	Valid(secret string) (name string, ok bool)
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
