package web

import (
	"context"

	"ringback/pbx"
)

const noMailbox = "There is no mailbox of that number."

// mailbox is a pbx.Mailbox as the API shows and takes it: everything but the hash of its PIN.
type mailbox struct {
	pbx.Mailbox
	PINHash   struct{}       `json:"-"` // hides the field of the same name from the API's description; shownMailbox clears its value
	HasPIN    bool           `json:"has_pin" readOnly:"true" doc:"A PIN is asked for."`
	PIN       *string        `json:"pin,omitempty" writeOnly:"true" maxLength:"64" example:"4711" doc:"New PIN, 4 to 12 digits. Left out: it stays as it is; null or \"\" takes it away: then only the phones of the extension of that number reach the messages. It cannot be read."`
	Messages  messageCount   `json:"messages" readOnly:"true" doc:"How many messages are in it."`
	Greetings []pbx.Greeting `json:"greetings,omitempty" readOnly:"true" nullable:"false" enum:"unavailable,busy,name" doc:"Which greetings of its own it has."`
}

// messageCount is a pbx.MessageCount.
type messageCount struct {
	New       int `json:"new" doc:"Nobody has heard them yet."`
	Old       int `json:"old" doc:"Somebody has heard them."`
	UrgentNew int `json:"urgent_new" doc:"How many of the new ones are urgent."`
	UrgentOld int `json:"urgent_old" doc:"How many of the old ones are urgent."`
}

func (s *Server) mailbox(m pbx.Mailbox) mailbox {
	shown := mailbox{Mailbox: m, HasPIN: m.PINHash != "", Messages: messageCount(s.b.Messages.Count(m.Number))}
	shown.Mailbox.PINHash = ""
	for _, g := range pbx.Greetings {
		if s.b.Messages.HasGreeting(m.Number, g) {
			shown.Greetings = append(shown.Greetings, g)
		}
	}
	return shown
}

func (s *Server) mailboxRoutes() {
	b := s.b.Mailboxes
	numbered(s, &documents[pbx.Mailbox, mailbox]{path: "/mailboxes", name: "mailbox", a: "a mailbox", many: "mailboxes",
		put: "; a PIN that is left out stays, and so do messages and greetings", remove: " with its messages and greetings; not one that an extension uses", used: true,
		missing: noMailbox, exists: "There is a mailbox of that number already.", moved: "a mailbox that gets another number is a new one.",
		key: func(m pbx.Mailbox) string { return m.Number }, of: func(m *mailbox) (field, key string) { return "number", m.Number }, show: s.mailbox,
		all: b.ListMailboxes, get: b.GetMailbox, create: withPIN(b.CreateMailbox), replace: withPIN(b.ReplaceMailbox), drop: b.DeleteMailbox}, "1000")
}

func withPIN(f func(context.Context, pbx.Set, pbx.Mailbox, *string) (pbx.Mailbox, error)) func(context.Context, pbx.Set, *body[mailbox]) (pbx.Mailbox, error) {
	return func(ctx context.Context, by pbx.Set, in *body[mailbox]) (none pbx.Mailbox, err error) {
		given, err := sectionsOf(in.RawBody)
		if err != nil {
			return none, err
		}
		return f(ctx, by, in.Body.Mailbox, given.pin("pin", in.Body.PIN))
	}
}

// within does something in a mailbox that there is.
func (s *Server) within(ctx context.Context, number, missing string, do func() error) error {
	if _, err := s.b.Mailboxes.GetMailbox(ctx, number); err != nil {
		return s.failed(err, noMailbox)
	}
	if err := do(); err != nil {
		return s.failed(err, missing)
	}
	return nil
}
