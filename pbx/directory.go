package pbx

import (
	"context"
	"time"
)

// Extension is an extension as call control and the line see it: an immutable snapshot.
type Extension struct {
	Number      string
	Name        string // display name, UTF-8
	Enabled     bool
	MaxContacts int           // phones that may be registered at a time
	Ring        time.Duration // how long it rings before NoAnswer
	Codecs      []string      // names allowed, preferred first; empty: the PBX's defaults and whatever both sides share
	HA1MD5      string        // hex MD5(number:realm:password), RFC 7616 §3.4.2
	HA1SHA256   string        // hex SHA-256 of the same
	Numbers     []string      // further numbers that reach it
	Services    Services
}

// Directory is who can be called. It is read from memory: no call of it does I/O or waits, and what it returns does not
// change any more.
type Directory interface {
	// Extension returns the extension of that number, also when it is disabled; nil if there is none.
	Extension(number string) *Extension
}

// OfficeDirectory is all that plans are made from.
type OfficeDirectory interface {
	Directory
	// Owner returns the extension that a number reaches: its own, or one of its Numbers.
	Owner(number string) *Extension
	// Group returns the ring group of that number; nil if there is none.
	Group(number string) *Group
	// Room returns the conference room of that number; nil if there is none.
	Room(number string) *Room
	// Menu returns the menu of that number; nil if there is none.
	Menu(number string) *Menu
	// Mailbox returns the mailbox of that number; nil if there is none.
	Mailbox(number string) *Mailbox
	// Begins reports whether some extension has a longer number that begins with these digits.
	Begins(digits string) bool
	// Hours returns opening hours by name; nil if there are none.
	Hours(name string) *Hours
	// Office is never nil.
	Office() *Office
}

// Settings changes what plans are made from. Its methods may wait for the disk. When they return without an error, the
// next call has what was changed; after an error nothing was changed.
type Settings interface {
	// ChangeServices lets change work on a copy. Whose doing it is goes into what is marked with Set by change itself.
	ChangeServices(ctx context.Context, extension string, change func(*Services) error) error
	// SwitchHours sets the Mode of Hours.
	SwitchHours(ctx context.Context, name, mode string, by Set) error
	// CheckPIN reports whether pin is that of the extension. It takes its time.
	CheckPIN(ctx context.Context, extension, pin string) bool
	// CheckRoomPIN reports whether pin lets somebody into a conference room, and whether as a moderator. It takes its time.
	CheckRoomPIN(ctx context.Context, room, pin string) (ok, moderator bool)
	// CheckMailboxPIN reports whether pin is that of a mailbox. It takes its time.
	CheckMailboxPIN(ctx context.Context, mailbox, pin string) bool
	// SetMailboxPIN gives a mailbox another PIN, 4 to 12 digits. It takes its time.
	SetMailboxPIN(ctx context.Context, mailbox, pin string, by Set) error
}

// Identity is a party as shown to others.
type Identity struct {
	Number string
	Name   string
	Hidden bool // Privacy: id (RFC 3323, RFC 3325): show neither to the other party
}

// Binding is one registered contact of an extension (RFC 3261 §10): a plain value.
type Binding struct {
	Extension  string    `json:"ext"`
	Contact    string    `json:"contact"`            // URI as the phone registered it
	Instance   string    `json:"instance,omitempty"` // +sip.instance (RFC 5626), "" if none
	RegID      int       `json:"reg_id,omitempty"`   // reg-id (RFC 5626)
	Path       []string  `json:"path,omitempty"`     // RFC 3327, first is nearest
	Transport  string    `json:"transport"`          // "udp", "tcp", "tls"
	Source     string    `json:"source"`             // address:port the REGISTER came from
	Listener   string    `json:"listener,omitempty"` // local address:port it came to
	CallID     string    `json:"call_id"`
	CSeq       uint32    `json:"cseq"`
	Q          int       `json:"q"`                 // thousandths, 1000 if not given
	Methods    []string  `json:"methods,omitempty"` // methods= parameter or Allow header
	UserAgent  string    `json:"user_agent,omitempty"`
	TempGRUU   string    `json:"temp_gruu,omitempty"` // user part of the newest temp-gruu (RFC 5627)
	Registered time.Time `json:"registered"`          // first REGISTER of this binding
	Updated    time.Time `json:"updated"`             // newest REGISTER
	Expires    time.Time `json:"expires"`
}

// Contact is a phone that may be called now.
type Contact struct {
	Extension string
	Number    string // the number its plan called, for To and the records
	ID        string // stable for the life of the binding; also in call records
	URI       string
	Q         int // thousandths
}
