package archive

import (
	"context"

	"ringback/pbx"
)

// Rows is where it is written what sound there is. What is not done is being recorded, or was when the process ended; only the Each…
// methods give it. Whatever is asked for and is not there is pbx.ErrNoSuchSound. Methods may be called from any goroutine; each change is
// durable when its method returns.
type Rows interface {
	// EachMessage calls f for all messages, done or not, in the order of their IDs.
	EachMessage(ctx context.Context, f func(m pbx.VoiceMessage, done bool)) error
	// SaveMessage puts m in the place of what has its ID, or adds it, as one to be sent by e-mail.
	SaveMessage(ctx context.Context, m pbx.VoiceMessage, done bool) error
	GetMessage(ctx context.Context, id string) (pbx.VoiceMessage, error)
	// ListMessages are those of a mailbox, in the order of pbx.MessageStore.Messages.
	ListMessages(ctx context.Context, mailbox string) ([]pbx.VoiceMessage, error)
	// ListUnmailed are messages that MarkMailed was not called for, the oldest first.
	ListUnmailed(ctx context.Context) ([]pbx.VoiceMessage, error)
	MarkMailed(ctx context.Context, id string) error
	// DeleteMessages removes messages, done or not; it is no error if they are not there.
	DeleteMessages(ctx context.Context, ids ...string) error

	// EachRecording calls f for all recordings, done or not, in the order of their IDs.
	EachRecording(ctx context.Context, f func(r pbx.Recording, done bool)) error
	// SaveRecording puts r in the place of what has its ID, or adds it.
	SaveRecording(ctx context.Context, r pbx.Recording, done bool) error
	GetRecording(ctx context.Context, id string) (pbx.Recording, error)
	// ListRecordings is a page, the newest first.
	ListRecordings(ctx context.Context, f pbx.RecordingFilter) ([]pbx.Recording, error)
	// OldestRecordings are up to limit recordings, the oldest first.
	OldestRecordings(ctx context.Context, limit int) ([]pbx.Recording, error)
	// DeleteRecordings removes recordings, done or not; it is no error if they are not there.
	DeleteRecordings(ctx context.Context, ids ...string) error
}
