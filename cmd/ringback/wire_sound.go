package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/archive"
	"ringback/pbx/mail"
	"ringback/pbx/store"
)

// startArchive opens what keeps messages and recordings, and the mail that tells of them.
func (i *instance) startArchive(cfg *Config) (err error) {
	i.archive, err = archive.Open(archive.Options{
		Dir: i.store.Dir(), Rows: i.store, Log: i.log, Changed: i.mailboxChanged,
		Keep: cfg.Recordings.Keep, MaxBytes: int64(cfg.Recordings.MaxSize), MinFree: int64(cfg.Recordings.MinFree),
	})
	if err != nil {
		return err
	}
	i.closers = append(i.closers, i.archive.Close)
	i.store.OnMailbox(func(number string) {
		if i.store.Mailbox(number) == nil {
			if err := i.archive.RemoveMailbox(context.Background(), number); err != nil {
				i.log.Error("messages of a mailbox that was removed are still there", "mailbox", number, "error", err)
			}
		}
		i.lampsChanged(number)
	})
	i.store.OnChange(func(c store.Change) {
		if c.Before != nil && c.After != nil && c.Before.Box() != c.After.Box() {
			i.line.MailboxChanged(c.Number)
		}
	})
	i.store.OnRoom(func(number string) { i.line.ConferenceChanged(number) })
	zone, err := timeZone(cfg.Calls.TimeZone)
	if err != nil {
		return err
	}
	m := &cfg.Mail
	i.mailer, err = mail.New(mail.Options{Server: m.Server, TLS: m.TLS, User: m.User, Password: m.Password, From: m.From,
		Zone: zone, Log: i.log, Messages: i.archive, Mailbox: i.store.Mailbox})
	if err != nil {
		return fmt.Errorf("e-mail cannot be sent: %w", err)
	}
	i.closers = append(i.closers, func() error { i.mailer.Close(); return nil })
	return nil
}

// mailboxChanged tells all who want to know that a mailbox has more messages, or fewer.
func (i *instance) mailboxChanged(number string) {
	i.lampsChanged(number)
	i.feed.MailboxChanged(number, i.archive.Count(number))
	i.mailer.Changed(number)
}

// lampsChanged tells the phones whose messages a mailbox keeps.
func (i *instance) lampsChanged(mailbox string) {
	for _, extension := range i.store.MailboxUsers(mailbox) {
		i.line.MailboxChanged(extension)
	}
}

// conferenceChanged tells all who want to know that somebody came to a conference, went, or was muted.
func (i *instance) conferenceChanged(room string) {
	i.line.ConferenceChanged(room)
	c, up := i.switchboard.Conference(room)
	if !up {
		c = pbx.ConferenceInfo{Number: room}
	}
	i.feed.ConferenceChanged(c)
}

// kept is the sound of prompts that the archive has.
func (i *instance) kept(name string) (sound media.Sound, ok bool) {
	switch kind, _, _ := strings.Cut(name, ":"); kind {
	case pbx.PromptMessage, pbx.PromptGreeting:
		return i.archive.Sound(name), true
	}
	return nil, false
}

// watched is what phones may watch.
type watched struct{ *instance }

// Messages implements pbx.State: of the mailbox that keeps an extension's messages.
func (w watched) Messages(extension string) (pbx.MessageCount, bool) {
	mailbox := extension
	if x := w.store.Extension(extension); x != nil {
		mailbox = x.Box()
	}
	m := w.store.Mailbox(mailbox)
	return w.archive.Count(mailbox), m != nil && m.Enabled
}

// Conference implements pbx.State.
func (w watched) Conference(room string) (pbx.ConferenceInfo, bool) {
	r := w.store.Room(room)
	c, up := w.switchboard.Conference(room)
	if !up && r != nil {
		c = pbx.ConferenceInfo{Number: r.Number, Name: r.Name, Private: r.Private()}
	}
	return c, up || r != nil && r.Enabled
}

// tellingJournal publishes which phones came and went.
type tellingJournal struct {
	pbx.Journal
	phones *pbx.PhoneFeed
}

// Bindings implements pbx.Journal.
func (j *tellingJournal) Bindings(extension string, all []pbx.Binding, done func(error)) {
	j.Journal.Bindings(extension, all, func(err error) {
		if err == nil {
			j.phones.Changed(extension, all)
		}
		done(err)
	})
}

// What follows is the archive as web knows it: the same, with web's errors.

type messages struct{ *archive.Archive }

func (m messages) PutGreeting(ctx context.Context, mailbox string, g pbx.Greeting, file io.Reader) error {
	return soundError(m.Archive.PutGreeting(ctx, mailbox, g, file))
}
