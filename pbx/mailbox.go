package pbx

import (
	"context"
	"errors"
	"time"
)

// Mailbox keeps messages for somebody who did not answer. Its number is usually that of the extension whose messages it keeps;
// it is not dialled itself: MailboxTarget and feature codes lead to it.
type Mailbox struct {
	Number      string `json:"number"`
	Name        string `json:"name"`
	Enabled     bool   `json:"enabled"`
	PINHash     string `json:"pin_hash,omitempty"`     // to be asked for; "": only the extension of that number hears the messages
	SkipPIN     bool   `json:"skip_pin,omitempty"`     // the extension of that number is not asked for it
	Email       string `json:"email,omitempty"`        // where new messages are announced; "": nowhere
	Attach      bool   `json:"attach,omitempty"`       // with the message
	DeleteSent  bool   `json:"delete_sent,omitempty"`  // what was sent with its sound is not kept here
	Operator    string `json:"operator,omitempty"`     // number that a caller gets who presses 0 instead of leaving a message; "": none
	MaxMessages int    `json:"max_messages,omitempty"` // 0: DefaultMailboxMessages
	MaxSeconds  int    `json:"max_seconds,omitempty"`  // of one message; 0: DefaultMessageSeconds
	Set         Set    `json:"set,omitzero"`
}

// Defaults and bounds of a Mailbox.
const (
	DefaultMailboxMessages = 100
	MaxMailboxMessages     = 1000
	DefaultMessageSeconds  = 180
	MinMessageSeconds      = 10
	MaxMessageSeconds      = 1800
)

// MailboxTarget begins the number by which a mailbox is the target of a forward, a menu or a group: "mailbox.1000".
const MailboxTarget = "mailbox."

// Box is the number of the mailbox that keeps an extension's messages, if there is one.
func (x *Extension) Box() string {
	if box := x.Services.Voicemail.Box; box != "" {
		return box
	}
	return x.Number
}

// Greeting is which of its greetings a mailbox answers with.
type Greeting string

// The greetings. Without one of its own a mailbox says its number in the words of the PBX.
const (
	GreetUnavailable Greeting = "unavailable" // usually
	GreetBusy        Greeting = "busy"        // who is called is busy; the usual one, if there is none
	GreetName        Greeting = "name"        // said in place of the number in the words of the PBX
)

// Greetings are all of them.
var Greetings = []Greeting{GreetUnavailable, GreetBusy, GreetName}

// VoiceMessage is a message in a mailbox.
type VoiceMessage struct {
	ID       string        `json:"id"` // unique, sorts by time; never a path
	Mailbox  string        `json:"mailbox"`
	Call     string        `json:"call,omitempty"`      // ID of the call's record
	From     string        `json:"from,omitempty"`      // "": the caller hid his number
	FromName string        `json:"from_name,omitempty"` // likewise
	At       time.Time     `json:"at"`                  // when it was begun, UTC
	Length   time.Duration `json:"length_ns"`
	Urgent   bool          `json:"urgent,omitempty"`
	Heard    bool          `json:"heard,omitempty"` // not new any more
}

// MessageCount is how many messages a mailbox has, as RFC 3842 §5.2 counts: those that are urgent are part of the others.
type MessageCount struct {
	New, Old             int
	UrgentNew, UrgentOld int
}

// Errors of a MessageStore and a RecordingStore, besides those of the disk.
var (
	ErrNoSuchSound = errors.New("there is no such recording or message")
	ErrMailboxFull = errors.New("the mailbox is full")
)

// Tape takes sound, 8 kHz, and puts it on the disk behind the back of whoever writes.
type Tape interface {
	// Write takes 20 ms, interleaved if the tape has several channels. It neither blocks nor keeps the slice. It reports false
	// once the tape takes no more: the disk is too slow or full, or the sound has the greatest length. What was taken before is kept.
	// One goroutine at a time calls it.
	Write(frame []int16) bool
	// Miss notes, before Keep, why what it has taken is not all that there was: a sentence. Nothing more is taken then.
	Miss(why string)
	// Keep ends the tape and waits until what it has taken is on the disk. The error says why something is missing.
	Keep(ctx context.Context) error
	// Drop ends the tape, and nothing of it is kept. After Keep it does nothing.
	Drop()
}

// MessageStore keeps the messages and greetings of mailboxes. Methods may wait for the disk, but for Count and HasGreeting.
type MessageStore interface {
	// Count is how many messages there are. It answers from memory.
	Count(mailbox string) MessageCount
	// Messages are those of a mailbox: new ones first, then the others, in each case urgent ones first, then the oldest first.
	Messages(ctx context.Context, mailbox string) ([]VoiceMessage, error)
	// Leave begins a message in m.Mailbox; ID and Length of m do not count. It exists from the tape's Keep on. Where limit messages
	// are kept already it fails with ErrMailboxFull.
	Leave(ctx context.Context, m VoiceMessage, limit int) (id string, t Tape, err error)
	// MarkUrgent says of a message whether it is urgent, also of one that Leave has begun; MarkHeard whether it was heard.
	MarkUrgent(ctx context.Context, mailbox, id string, urgent bool) error
	MarkHeard(ctx context.Context, mailbox, id string, heard bool) error
	// Remove deletes a message.
	Remove(ctx context.Context, mailbox, id string) error
	// Greet begins a greeting, which takes the place of the one before with the tape's Keep.
	Greet(ctx context.Context, mailbox string, g Greeting) (Tape, error)
	// HasGreeting reports whether a mailbox has a greeting of its own. It answers from memory.
	HasGreeting(mailbox string, g Greeting) bool
	// RemoveGreeting takes it away; it is no error if there is none.
	RemoveGreeting(ctx context.Context, mailbox string, g Greeting) error
}

// PromptMessage and PromptGreeting are the prompts that play what is kept: "message:1000:ID", "greeting:1000:busy".
const (
	PromptMessage  = "message"
	PromptGreeting = "greeting"
)
