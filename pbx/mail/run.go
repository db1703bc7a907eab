package mail

import (
	"context"
	"errors"
	"time"

	"ringback/pbx"
)

// waiting is a message that was looked at before.
type waiting struct {
	retry      // its own: the server took the connection, but not this message for now
	done  bool // it needs no more than its mark
}

// run sends what there is, each time something changes or is due.
func (m *Mailer) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.kick:
		case <-timer.C:
		}
		timer.Stop()
		if next := m.round(ctx); !next.IsZero() {
			timer.Reset(time.Until(next))
		}
	}
}

// round tries what is due, and says when the next is; zero: when something changes.
func (m *Mailer) round(ctx context.Context) (next time.Time) {
	all, err := m.o.Messages.Unmailed(ctx)
	if err != nil {
		if ctx.Err() == nil {
			m.log.Error("cannot look for messages to send by e-mail", "err", err)
		}
		return time.Now().Add(firstPause)
	}
	before := m.waiting
	m.waiting = make(map[string]*waiting, len(all))
	left := 0
	for _, v := range all {
		l := before[v.ID]
		if l == nil {
			l = new(waiting)
		}
		m.waiting[v.ID] = l
		at := m.handle(ctx, v, l)
		if ctx.Err() != nil {
			return time.Time{}
		}
		if at.IsZero() {
			delete(m.waiting, v.ID)
			continue
		}
		left++
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	m.left.Store(int64(left))
	return next
}

// markTime is what the database may take to note what was sent, while Close waits.
const markTime = 5 * time.Second

// handle sends a message if it is due, and says when it is to be looked at again; zero: never.
func (m *Mailer) handle(ctx context.Context, v pbx.VoiceMessage, l *waiting) (again time.Time) {
	now := time.Now()
	box := m.o.Mailbox(v.Mailbox)
	switch {
	case l.done, m.o.Server == "", box == nil, box.Email == "": // nobody wants it, also not later
		return m.mark(ctx, v, l)
	case !m.down.due(now):
		return m.wait(ctx, v, l, &m.down, nil)
	case !l.due(now):
		return l.next
	}
	attached, err := m.send(ctx, v, box)
	now = time.Now()
	var f *failure
	switch {
	case err == nil:
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), markTime) // also if Close has come: it must not be sent twice
		defer cancel()
		m.down = retry{}
		m.sent.Add(1)
		m.log.Info("a message was sent by e-mail", "mailbox", v.Mailbox, "message", v.ID)
		again = m.mark(ctx, v, l)
		if attached && box.DeleteSent {
			if err := m.o.Messages.Remove(ctx, v.Mailbox, v.ID); err != nil && !errors.Is(err, pbx.ErrNoSuchSound) {
				m.log.Error("a message that was sent by e-mail cannot be deleted", "mailbox", v.Mailbox, "message", v.ID, "err", err)
			}
		}
		return again
	case ctx.Err() != nil:
		return now
	case errors.Is(err, pbx.ErrNoSuchSound): // deleted meanwhile
		return m.mark(ctx, v, l)
	case errors.As(err, &f) && f.final:
		return m.abandon(ctx, v, l, err)
	case errors.As(err, &f) && f.server:
		m.down.fail(now)
		m.why = err
		return m.wait(ctx, v, l, &m.down, err)
	default:
		if f != nil { // the server is there
			m.down = retry{}
		}
		l.fail(now)
		return m.wait(ctx, v, l, &l.retry, err)
	}
}

// wait puts a message off until why is due, unless it has waited for too long.
func (m *Mailer) wait(ctx context.Context, v pbx.VoiceMessage, l *waiting, why *retry, err error) time.Time {
	now := time.Now()
	if why != &l.retry && l.failures == 0 { // the server's failure is the message's too: from now on it counts
		l.failures, l.first = 1, now
	}
	if l.over(now) {
		if err == nil {
			err = m.why
		}
		return m.abandon(ctx, v, l, err)
	}
	if err != nil {
		m.log.Warn("a message cannot be sent by e-mail yet", "mailbox", v.Mailbox, "message", v.ID, "again_in", why.next.Sub(now).Round(time.Second), "err", err)
	}
	return why.next
}

// abandon gives a message up.
func (m *Mailer) abandon(ctx context.Context, v pbx.VoiceMessage, l *waiting, err error) time.Time {
	m.failed.Add(1)
	m.log.Error("a message is not sent by e-mail; it is in its mailbox only", "mailbox", v.Mailbox, "message", v.ID, "err", err)
	return m.mark(ctx, v, l)
}

// mark notes that there is nothing to send of a message. If that fails it is tried again, and it alone.
func (m *Mailer) mark(ctx context.Context, v pbx.VoiceMessage, l *waiting) (again time.Time) {
	l.done = true
	if err := m.o.Messages.MarkMailed(ctx, v.ID); err != nil && !errors.Is(err, pbx.ErrNoSuchSound) {
		if ctx.Err() == nil {
			m.log.Error("cannot note that a message was sent by e-mail", "mailbox", v.Mailbox, "message", v.ID, "err", err)
		}
		return time.Now().Add(firstPause)
	}
	return time.Time{}
}
