package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ringback/pbx"
)

type mailboxCmd struct {
	keptCmd[mailbox, keptMailboxes]
	Message  messageCmd  `cmd:"" aliases:"messages" help:"List, fetch or remove messages."`
	Greeting greetingCmd `cmd:"" aliases:"greetings" help:"Give a mailbox greetings of its own, fetch them or take them away."`
}

// mailbox is a mailbox as the API shows it.
type mailbox struct {
	pbx.Mailbox
	HasPIN   bool `json:"has_pin"`
	Messages struct {
		New       int `json:"new"`
		Old       int `json:"old"`
		UrgentNew int `json:"urgent_new"`
		UrgentOld int `json:"urgent_old"`
	} `json:"messages"`
	Greetings []string `json:"greetings,omitempty"`
}

type keptMailboxes struct{}

func (keptMailboxes) path() string { return "/api/v1/mailboxes" }

func (keptMailboxes) head() []any {
	return []any{"NUMBER", "NAME", "ENABLED", "NEW", "OLD", "PIN", "EMAIL"}
}

func (keptMailboxes) row(m mailbox) []any {
	return []any{m.Number, m.Name, yes(m.Enabled), m.Messages.New, m.Messages.Old, yes(m.HasPIN), m.Email}
}

func (keptMailboxes) rows(t *table, m mailbox) {
	t.row("number", m.Number)
	t.row("name", m.Name)
	t.row("enabled", yes(m.Enabled))
	t.row("new messages", m.Messages.New)
	t.row("old messages", m.Messages.Old)
	t.row("greetings", strings.Join(m.Greetings, " "))
	pin := yes(m.HasPIN)
	if m.HasPIN && m.SkipPIN {
		pin += ", not asked for by its own phones"
	}
	t.row("PIN", pin)
	t.row("e-mail", described(m.Email, when(m.Attach, "with the message"), when(m.DeleteSent, "which is not kept")))
	t.row("operator", m.Operator)
	t.row("keeps", m.MaxMessages)
	t.row("takes", seconds("up to", m.MaxSeconds))
	t.row("changed", whose(m.Set))
}

func messagesPath(mailbox string) string {
	return keptMailboxes{}.path() + segment(mailbox) + "/messages"
}

type messageCmd struct {
	List   messageList   `cmd:"" default:"withargs" help:"List the messages of a mailbox, new ones first."`
	Get    messageGet    `cmd:"" help:"Fetch a message, as a WAV file; it stays new."`
	Remove messageRemove `cmd:"" aliases:"delete" help:"Remove messages."`
}

type messageList struct {
	clientFlags
	Number string `arg:"" help:"Number of the mailbox."`
}

func (x *messageList) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	all, err := list[pbx.VoiceMessage](ctx, c, messagesPath(x.Number), url.Values{}, 0)
	if err != nil {
		return err
	}
	return c.print(all, func(t *table) {
		t.row("AT", "FROM", "LENGTH", "STATE", "ID")
		for _, m := range all {
			t.row(moment(m.At), person(m.From, m.FromName), m.Length.Round(time.Second), described(when(!m.Heard, "new"), when(m.Heard, "heard"), when(m.Urgent, "urgent")), m.ID)
		}
	})
}

type messageGet struct {
	clientFlags
	Number string `arg:"" help:"Number of the mailbox."`
	ID     string `arg:"" help:"ID of the message, as listed."`
	File   string `arg:"" help:"WAV file to make; - writes to standard output."`
}

func (x *messageGet) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.fetch(ctx, messagesPath(x.Number)+segment(x.ID)+"/sound", x.File)
}

type messageRemove struct {
	clientFlags
	Number string   `arg:"" help:"Number of the mailbox."`
	ID     []string `arg:"" help:"IDs of the messages, as listed."`
}

func (x *messageRemove) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.remove(ctx, messagesPath(x.Number), x.ID)
}

type greetingCmd struct {
	Set    greetingSet    `cmd:"" help:"Give a mailbox a greeting of its own, from a WAV file."`
	Get    greetingGet    `cmd:"" help:"Fetch a greeting, as a WAV file."`
	Remove greetingRemove `cmd:"" aliases:"delete" help:"Take a greeting away: the mailbox greets in the words of the PBX."`
}

// greetingArgs name a greeting.
type greetingArgs struct {
	clientFlags
	Number   string `arg:"" help:"Number of the mailbox."`
	Greeting string `arg:"" enum:"unavailable,busy,name" help:"unavailable (the usual one), busy, or name (said in place of the number)."`
}

func (x *greetingArgs) path() string {
	return keptMailboxes{}.path() + segment(x.Number) + "/greetings" + segment(x.Greeting)
}

type greetingSet struct {
	greetingArgs
	File string `arg:"" help:"WAV file; - reads it from standard input."`
}

func (x *greetingSet) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.upload(ctx, x.path(), x.File)
}

type greetingGet struct {
	greetingArgs
	File string `arg:"" help:"WAV file to make; - writes to standard output."`
}

func (x *greetingGet) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.fetch(ctx, x.path(), x.File)
}

type greetingRemove struct{ greetingArgs }

func (x *greetingRemove) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodDelete, x.path(), nil, nil)
}
