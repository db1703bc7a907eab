package features

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"ringback/pbx"
)

const (
	// shortestMessage is how long a message must be to be kept.
	shortestMessage = 2 * time.Second
	// maxTakes is how often a caller may record his message.
	maxTakes = 10
	// maxTooShort is how many of them may be nothing.
	maxTooShort = 3
	// savedWithin is how long the disk may take after the caller has gone.
	savedWithin = 30 * time.Second
)

// deposit is a caller who leaves a message in a mailbox.
type deposit struct {
	*route
	t   *pbx.Talk
	box *pbx.Mailbox
}

// greet says whose mailbox it is. A key leads to the tone at once, 0 to the operator, * to the messages for who knows the PIN.
func (l *deposit) greet(ctx context.Context, g pbx.Greeting) pbx.Target {
	if l.from.Hidden {
		l.t.HideCaller()
	}
	key, there := l.t.Key(ctx, 0, l.greeting(l.box, g)...)
	switch {
	case !there:
		return nil
	case key == '0' && l.box.Operator != "":
		return l.on().dial(nil, l.box.Operator)
	case key == '*' && l.box.PINHash != "":
		return l.visit(ctx, l.t, l.box, false)
	}
	short := 0
	for range maxTakes {
		switch l.take(ctx) {
		case takeAgain:
			continue
		case takeTooShort:
			if short++; short < maxTooShort {
				if _, there := l.t.Key(ctx, 0, "vm-too-short"); there {
					continue
				}
			}
			l.t.Play(ctx, promptGoodbye)
		}
		return nil
	}
	l.t.Play(ctx, promptGoodbye)
	return nil
}

// greeting is what callers of a mailbox hear: its own greeting, or words with its number, or with the name that it has recorded.
func (r *route) greeting(box *pbx.Mailbox, g pbx.Greeting) []string {
	own := func(g pbx.Greeting) string { return pbx.PromptGreeting + ":" + box.Number + ":" + string(g) }
	words := "vm-is-unavailable"
	if g == pbx.GreetBusy {
		words = "vm-is-busy"
	}
	switch {
	case g == pbx.GreetBusy && r.Messages.HasGreeting(box.Number, pbx.GreetBusy):
		return []string{own(pbx.GreetBusy)}
	case r.Messages.HasGreeting(box.Number, pbx.GreetUnavailable):
		return []string{own(pbx.GreetUnavailable)}
	case r.Messages.HasGreeting(box.Number, pbx.GreetName):
		return []string{own(pbx.GreetName), words + ",vm-leave-message"}
	}
	return []string{"vm-extension," + promptDigits + box.Number + "," + words + ",vm-leave-message"}
}

// taken is what became of one recording of a message.
type taken int

const (
	takeDone     taken = iota // it is kept, or the caller has been told why not, or is gone
	takeAgain                 // he wants to record it again
	takeTooShort              // there was nothing to keep
)

// take records a message once. Whatever happens, it is kept or dropped in the end.
func (l *deposit) take(ctx context.Context) taken {
	m := pbx.VoiceMessage{Mailbox: l.box.Number, Call: l.t.Call.ID, At: time.Now().UTC()}
	if !l.from.Hidden {
		m.From, m.FromName = l.from.Number, l.from.Name
	}
	id, tape, err := l.Messages.Leave(ctx, m, orElse(l.box.MaxMessages, pbx.DefaultMailboxMessages))
	if err != nil {
		l.failed(ctx, err)
		return takeDone
	}
	defer tape.Drop() // what was not kept
	sound, err := l.t.Record(ctx, tape, pbx.TakeOptions{Most: seconds(orElse(l.box.MaxSeconds, pbx.DefaultMessageSeconds))})
	switch {
	case err != nil:
		l.failed(ctx, err)
		return takeDone
	case answeredElsewhere(ctx): // he speaks to somebody now
		return takeDone
	case !sound.Speech || sound.Length < shortestMessage:
		if sound.By == pbx.EndedBySilence { // nobody is there, it seems
			l.t.Play(ctx, promptGoodbye)
			return takeDone
		}
		return takeTooShort
	case sound.By == pbx.EndedByParty:
		l.keep(ctx, tape)
		return takeDone
	}
	return l.review(ctx, id, tape)
}

// review lets the caller hear what he has said, say it again, or make it urgent. Who hangs up, or presses nothing, keeps it.
func (l *deposit) review(ctx context.Context, id string, tape pbx.Tape) taken {
	kept, urgent := false, false
	keep := func() bool {
		if !kept && urgent { // whoever is told of a message is told this at once; mark looks after what fails
			saving, stop := toTheEnd(ctx)
			defer stop()
			_ = l.Messages.MarkUrgent(saving, l.box.Number, id, true)
		}
		kept = kept || l.keep(ctx, tape)
		return kept
	}
	var first []string
	for {
		key, _ := choose(ctx, l.t, "1234", first, "vm-review")
		switch {
		case answeredElsewhere(ctx) && !kept:
			return takeDone
		case key == '2':
			if !keep() {
				return takeDone
			}
			first = []string{pbx.PromptMessage + ":" + l.box.Number + ":" + id}
		case key == '3':
			if kept {
				if err := l.Messages.Remove(ctx, l.box.Number, id); err != nil {
					l.failed(ctx, err)
					return takeDone
				}
			}
			return takeAgain
		case key == '4':
			urgent = !urgent
			first = []string{"vm-not-urgent"}
			if urgent {
				first = []string{"vm-urgent"}
			}
		default:
			if keep() && l.mark(ctx, id, urgent) {
				l.t.Play(ctx, "vm-message-sent")
			}
			return takeDone
		}
	}
}

// mark makes a message that is kept urgent. It reports false if that could not be done, and tells the caller.
func (l *deposit) mark(ctx context.Context, id string, urgent bool) bool {
	if !urgent {
		return true
	}
	saving, stop := toTheEnd(ctx)
	defer stop()
	if err := l.Messages.MarkUrgent(saving, l.box.Number, id, true); err != nil {
		l.failed(ctx, err)
		return false
	}
	return true
}

// keep brings the message into the mailbox, also when the caller has gone. It reports false if something is missing of it, and tells
// the caller.
func (l *deposit) keep(ctx context.Context, tape pbx.Tape) bool {
	saving, stop := toTheEnd(ctx)
	defer stop()
	if err := tape.Keep(saving); err != nil {
		l.failed(ctx, err)
		return false
	}
	return true
}

// failed tells the caller that there is no room for his message, or that it could not be recorded.
func (l *deposit) failed(ctx context.Context, err error) {
	if errors.Is(err, pbx.ErrMailboxFull) {
		slog.Info("a mailbox is full", "mailbox", l.box.Number, "call", l.t.Call.ID)
		l.t.Play(ctx, "vm-mailbox-full,"+promptGoodbye)
		return
	}
	slog.Error("a message could not be recorded", "mailbox", l.box.Number, "call", l.t.Call.ID, "err", err)
	l.t.Play(ctx, promptError)
}

// toTheEnd is a context for what is done also when the caller has gone.
func toTheEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), savedWithin)
}

// answeredElsewhere reports whether ctx is done as somebody has taken the call.
func answeredElsewhere(ctx context.Context) bool {
	o, ok := context.Cause(ctx).(pbx.Outcome)
	return ok && o.Kind == pbx.Cancelled && o.Status == pbx.Elsewhere.Status
}

// menuTries is how often a menu of the PBX is said to who presses nothing, and menuWait how long it then waits.
const (
	menuTries = 3
	menuWait  = 5 * time.Second
)

// choose says what there is first, once, and a menu, until one of its keys is pressed. It returns 0 if none was after three times.
func choose(ctx context.Context, t *pbx.Talk, keys string, first []string, menu string) (key byte, there bool) {
	for range menuTries {
		key, there := t.Key(ctx, menuWait, append(first[:len(first):len(first)], menu)...)
		if !there {
			return 0, false
		}
		first = nil
		for i := range len(keys) {
			if key == keys[i] {
				return key, true
			}
		}
		if key != 0 {
			first = []string{promptInvalid}
		}
	}
	return 0, true
}
