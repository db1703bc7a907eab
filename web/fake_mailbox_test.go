package web

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"ringback/pbx"
)

func (m *memory) ListMailboxes(_ context.Context, after string, limit int) ([]pbx.Mailbox, error) {
	return sorted(m.mailboxes, after, limit), m.broken
}

func (m *memory) GetMailbox(_ context.Context, number string) (pbx.Mailbox, error) {
	if b, ok := m.mailboxes[number]; ok {
		return b, nil
	}
	return pbx.Mailbox{}, ErrNotFound
}

func (m *memory) CreateMailbox(ctx context.Context, by pbx.Set, b pbx.Mailbox, pin *string) (pbx.Mailbox, error) {
	return m.keepMailbox(ctx, by, b, pin, false)
}

func (m *memory) ReplaceMailbox(ctx context.Context, by pbx.Set, b pbx.Mailbox, pin *string) (pbx.Mailbox, error) {
	return m.keepMailbox(ctx, by, b, pin, true)
}

func (m *memory) keepMailbox(ctx context.Context, by pbx.Set, b pbx.Mailbox, pin *string, there bool) (_ pbx.Mailbox, err error) {
	b.PINHash = m.mailboxes[b.Number].PINHash
	switch {
	case pin == nil:
	case *pin == "":
		b.PINHash = ""
	default:
		if b.PINHash, err = m.HashPIN(ctx, *pin); err != nil {
			return b, err
		}
	}
	return kept(m, m.mailboxes, b.Number, b, there, by)
}

func (m *memory) DeleteMailbox(_ context.Context, number string) error {
	if _, ok := m.mailboxes[number]; !ok {
		return ErrNotFound
	}
	for extension, v := range m.services {
		if v.Voicemail.Box == number {
			return &Invalid{"number", "Mailbox " + number + " is used by extension " + extension + ": change that first."}
		}
	}
	delete(m.mailboxes, number)
	return nil
}

// memoryMessages are the messages and greetings; their files are text.
type memoryMessages struct {
	*memory
	list      []pbx.VoiceMessage
	greetings map[string]string // "1000 busy"
	open      int               // files
}

// memoryFile is one that counts who has it open.
type memoryFile struct {
	io.ReadSeeker
	open *int
}

func (f memoryFile) Close() error { *f.open--; return nil }

func opened(open *int, text string) (io.ReadSeekCloser, int64, time.Time, error) {
	*open++
	return memoryFile{strings.NewReader(text), open}, int64(len(text)), epoch, nil
}

func (m *memoryMessages) find(mailbox, id string) *pbx.VoiceMessage {
	i := slices.IndexFunc(m.list, func(v pbx.VoiceMessage) bool { return v.Mailbox == mailbox && v.ID == id })
	if i < 0 {
		return &pbx.VoiceMessage{}
	}
	return &m.list[i]
}

func (m *memoryMessages) known(mailbox, id string) error {
	switch {
	case m.broken != nil:
		return m.broken
	case m.find(mailbox, id).ID == "":
		return pbx.ErrNoSuchSound
	}
	return nil
}

func (m *memoryMessages) Count(mailbox string) (c pbx.MessageCount) {
	for _, v := range m.list {
		switch {
		case v.Mailbox != mailbox:
		case v.Heard:
			c.Old++
		default:
			c.New++
			if v.Urgent {
				c.UrgentNew++
			}
		}
	}
	return c
}

func (m *memoryMessages) Messages(_ context.Context, mailbox string) (list []pbx.VoiceMessage, err error) {
	for _, v := range m.list {
		if v.Mailbox == mailbox {
			list = append(list, v)
		}
	}
	return list, m.broken
}

func (m *memoryMessages) Message(_ context.Context, mailbox, id string) (pbx.VoiceMessage, error) {
	return *m.find(mailbox, id), m.known(mailbox, id)
}

func (m *memoryMessages) OpenMessage(mailbox, id string) (io.ReadSeekCloser, int64, time.Time, error) {
	if err := m.known(mailbox, id); err != nil {
		return nil, 0, time.Time{}, err
	}
	return opened(&m.open, "RIFF 0123456789")
}

func (m *memoryMessages) MarkHeard(_ context.Context, mailbox, id string, heard bool) error {
	m.find(mailbox, id).Heard = heard
	return m.known(mailbox, id)
}

func (m *memoryMessages) MarkUrgent(_ context.Context, mailbox, id string, urgent bool) error {
	m.find(mailbox, id).Urgent = urgent
	return m.known(mailbox, id)
}

func (m *memoryMessages) Remove(_ context.Context, mailbox, id string) error {
	err := m.known(mailbox, id)
	m.list = slices.DeleteFunc(m.list, func(v pbx.VoiceMessage) bool { return v.Mailbox == mailbox && v.ID == id })
	return err
}

func (m *memoryMessages) HasGreeting(mailbox string, g pbx.Greeting) bool {
	return m.greetings[mailbox+" "+string(g)] != ""
}

func (m *memoryMessages) Greeting(mailbox string, g pbx.Greeting) (io.ReadSeekCloser, int64, time.Time, error) {
	if !m.HasGreeting(mailbox, g) {
		return nil, 0, time.Time{}, pbx.ErrNoSuchSound
	}
	return opened(&m.open, m.greetings[mailbox+" "+string(g)])
}

func (m *memoryMessages) PutGreeting(_ context.Context, mailbox string, g pbx.Greeting, file io.Reader) error {
	b, err := io.ReadAll(file)
	switch {
	case m.broken != nil:
		return m.broken
	case err != nil:
		return err
	case !bytes.HasPrefix(b, []byte("RIFF")):
		return &Invalid{"", "This is not a WAV file."}
	}
	m.greetings[mailbox+" "+string(g)] = string(b)
	return nil
}

func (m *memoryMessages) RemoveGreeting(_ context.Context, mailbox string, g pbx.Greeting) error {
	delete(m.greetings, mailbox+" "+string(g))
	return m.broken
}
