package archive

import (
	"context"
	"fmt"
	"io"
	"time"

	"ringback/pbx"
)

// Count implements pbx.MessageStore.
func (a *Archive) Count(mailbox string) pbx.MessageCount {
	a.mu.Lock()
	defer a.mu.Unlock()
	if b := a.boxes[mailbox]; b != nil {
		return b.count
	}
	return pbx.MessageCount{}
}

// Messages implements pbx.MessageStore.
func (a *Archive) Messages(ctx context.Context, mailbox string) ([]pbx.VoiceMessage, error) {
	return a.rows.ListMessages(ctx, mailbox)
}

// Message is one of a mailbox's, or pbx.ErrNoSuchSound.
func (a *Archive) Message(ctx context.Context, mailbox, id string) (pbx.VoiceMessage, error) {
	if !isID(id) {
		return pbx.VoiceMessage{}, pbx.ErrNoSuchSound
	}
	m, err := a.rows.GetMessage(ctx, id)
	if err == nil && m.Mailbox != mailbox {
		err = pbx.ErrNoSuchSound
	}
	if err != nil {
		return pbx.VoiceMessage{}, err
	}
	return m, nil
}

// OpenMessage opens the WAV file of a message; it can be read to its end also if the message is removed meanwhile. Errors:
// pbx.ErrNoSuchSound.
func (a *Archive) OpenMessage(mailbox, id string) (f io.ReadSeekCloser, size int64, modified time.Time, err error) {
	if !isNumber(mailbox) || !isID(id) {
		return nil, 0, time.Time{}, pbx.ErrNoSuchSound
	}
	return a.read(messagePath(mailbox, id) + whole)
}

// Unmailed are the messages that are still to be sent by e-mail, the oldest first.
func (a *Archive) Unmailed(ctx context.Context) ([]pbx.VoiceMessage, error) {
	return a.rows.ListUnmailed(ctx)
}

// MarkMailed says that a message was sent, or will not be. Errors: pbx.ErrNoSuchSound.
func (a *Archive) MarkMailed(ctx context.Context, id string) error {
	if !isID(id) {
		return pbx.ErrNoSuchSound
	}
	return a.change(ctx, func(ctx context.Context) error { return a.rows.MarkMailed(ctx, id) })
}

// MarkUrgent implements pbx.MessageStore.
func (a *Archive) MarkUrgent(ctx context.Context, mailbox, id string, urgent bool) error {
	if l := a.beingLeft(mailbox, id); l != nil && l.mark(a, urgent) {
		return nil
	}
	return a.mark(ctx, mailbox, id, func(m *pbx.VoiceMessage) { m.Urgent = urgent })
}

// beingLeft is a message whose tape has not ended, nil if there is none.
func (a *Archive) beingLeft(mailbox, id string) *leaving {
	a.mu.Lock()
	defer a.mu.Unlock()
	for t := range a.tapes {
		if l, ok := t.as.(*leaving); ok && l.m.ID == id && l.m.Mailbox == mailbox {
			return l
		}
	}
	return nil
}

// MarkHeard implements pbx.MessageStore.
func (a *Archive) MarkHeard(ctx context.Context, mailbox, id string, heard bool) error {
	return a.mark(ctx, mailbox, id, func(m *pbx.VoiceMessage) { m.Heard = heard })
}

func (a *Archive) mark(ctx context.Context, mailbox, id string, set func(*pbx.VoiceMessage)) error {
	changed := false
	err := a.change(ctx, func(ctx context.Context) error {
		before, err := a.Message(ctx, mailbox, id)
		if err != nil {
			return err
		}
		after := before
		set(&after)
		if changed = after != before; !changed {
			return nil
		}
		if err := a.rows.SaveMessage(ctx, after, true); err != nil {
			return err
		}
		a.count(before, -1)
		a.count(after, 1)
		return nil
	})
	if err == nil && changed {
		a.tell(mailbox)
	}
	return err
}

// Remove implements pbx.MessageStore.
func (a *Archive) Remove(ctx context.Context, mailbox, id string) error {
	err := a.change(ctx, func(ctx context.Context) error {
		m, err := a.Message(ctx, mailbox, id)
		if err != nil {
			return err
		}
		return a.removeMessage(ctx, m)
	})
	if err == nil {
		a.tell(mailbox)
	}
	return err
}

// removeMessage removes its file, then its row. Under change.
func (a *Archive) removeMessage(ctx context.Context, m pbx.VoiceMessage) error {
	if err := a.removeFile(messagePath(m.Mailbox, m.ID) + whole); err != nil {
		return err
	}
	if err := a.rows.DeleteMessages(ctx, m.ID); err != nil {
		return err
	}
	a.count(m, -1)
	return nil
}

// count adds n messages that are as m is.
func (a *Archive) count(m pbx.VoiceMessage, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.box(m.Mailbox).add(m, n)
}

func (b *box) add(m pbx.VoiceMessage, n int) {
	c := &b.count
	all, urgent := &c.New, &c.UrgentNew
	if m.Heard {
		all, urgent = &c.Old, &c.UrgentOld
	}
	*all += n
	if m.Urgent {
		*urgent += n
	}
}

// RemoveMailbox removes the messages and greetings of a mailbox that is no more, and drops those that are being recorded.
func (a *Archive) RemoveMailbox(ctx context.Context, number string) error {
	if !isNumber(number) {
		return nil
	}
	if err := a.dropTapes(ctx, number); err != nil {
		return err
	}
	removed := 0
	err := a.change(ctx, func(ctx context.Context) error {
		all, err := a.rows.ListMessages(ctx, number)
		if err != nil {
			return err
		}
		for _, m := range all {
			if err := a.removeMessage(ctx, m); err != nil {
				return err
			}
			removed++
		}
		for _, g := range pbx.Greetings {
			if err := a.removeGreeting(number, g); err != nil {
				return err
			}
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if b := a.boxes[number]; b != nil && b.leaving == 0 {
			delete(a.boxes, number)
		}
		return nil
	})
	if removed > 0 {
		a.tell(number)
	}
	if err == nil {
		_ = a.files.Remove(boxDir(number)) // it may have something in it that is not ours
	}
	return err
}

// dropTapes drops what is being recorded for a mailbox, and waits until nothing can come of it.
func (a *Archive) dropTapes(ctx context.Context, mailbox string) error {
	var open []*tape
	a.mu.Lock()
	for t := range a.tapes {
		if of, ok := t.as.(interface{ mailbox() string }); ok && of.mailbox() == mailbox {
			open = append(open, t)
		}
	}
	a.mu.Unlock()
	for _, t := range open {
		t.Drop()
	}
	for _, t := range open {
		select {
		case <-t.done:
		case <-ctx.Done():
			return problemOf(ctx.Err())
		}
	}
	return nil
}

// Leave implements pbx.MessageStore. It waits until the disk has taken the beginning, but not long. Messages that are being left
// count for limit.
func (a *Archive) Leave(ctx context.Context, m pbx.VoiceMessage, limit int) (id string, t pbx.Tape, err error) {
	if !isNumber(m.Mailbox) {
		return "", nil, fmt.Errorf("%q is not the number of a mailbox", m.Mailbox)
	}
	if limit <= 0 {
		limit = pbx.DefaultMailboxMessages
	}
	m.ID, m.Length, m.Heard = a.ids.next(), 0, false
	if m.At.IsZero() {
		m.At = time.Now()
	}
	m.At = m.At.UTC().Round(0)
	l := &leaving{m: m, urgent: m.Urgent}
	if !l.reserve(a, limit) {
		return "", nil, pbx.ErrMailboxFull
	}
	tape, err := a.start(l, 1, longestMessage)
	if err != nil {
		l.lost(a)
		return "", nil, err
	}
	if err := tape.begins(ctx); err != nil {
		tape.Drop()
		return "", nil, err
	}
	return m.ID, tape, nil
}

// leaving is the purpose of a message's tape.
type leaving struct {
	m      pbx.VoiceMessage
	urgent bool // guarded by Archive.mu, as is saved
	saved  bool // or lost, or about to be: what is said of it now is too late
}

// mark says whether the message will be urgent. It reports false if it is there already.
func (l *leaving) mark(a *Archive, urgent bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !l.saved {
		l.urgent = urgent
	}
	return !l.saved
}

func (l *leaving) mailbox() string { return l.m.Mailbox }

func (l *leaving) reserve(a *Archive, limit int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.box(l.m.Mailbox)
	if b.count.New+b.count.Old+b.leaving >= limit {
		return false
	}
	b.leaving++
	return true
}

func (l *leaving) names() (string, string) {
	name := messagePath(l.m.Mailbox, l.m.ID)
	return name + part, name + whole
}

func (l *leaving) begin(a *Archive) error { return a.rows.SaveMessage(a.ctx, l.m, false) }

func (l *leaving) keep(a *Archive, _ int64, length time.Duration, _ error) error {
	m := l.m
	m.Length = length
	a.mu.Lock()
	l.saved, m.Urgent = true, l.urgent
	a.mu.Unlock()
	err := a.commit(a.ctx, func(ctx context.Context) error {
		if err := a.rows.SaveMessage(ctx, m, true); err != nil {
			return err
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		b := a.box(m.Mailbox)
		b.leaving--
		b.add(m, 1)
		return nil
	})
	if err == nil {
		a.tell(m.Mailbox)
	}
	return err
}

func (l *leaving) lost(a *Archive) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l.saved = true
	a.box(l.m.Mailbox).leaving--
}

func (l *leaving) drop(a *Archive) error { return a.rows.DeleteMessages(a.ctx, l.m.ID) }

// closed keeps what Open would.
func (l *leaving) closed(length time.Duration) ending {
	if length < shortest {
		return dropped
	}
	return kept
}
