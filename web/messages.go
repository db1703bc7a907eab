package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"ringback/pbx"
)

const noMessage = "There is no message of that ID in this mailbox."

func (s *Server) messageRoutes() {
	const path, one, tag = "/mailboxes/{number}/messages", "/mailboxes/{number}/messages/{id}", "mailboxes"
	register(s, operation("list-messages", http.MethodGet, path, tag, "List the messages of a mailbox: new ones first, among them urgent ones first, then the oldest", 0, 404), s.listMessages)
	register(s, operation("get-message", http.MethodGet, one, tag, "Show a message", 0, 404), s.getMessage)
	register(s, operation("change-message", http.MethodPatch, one, tag, "Say of a message that it was heard, or is urgent, or not", 0, 404), s.changeMessage)
	register(s, operation("remove-message", http.MethodDelete, one, tag, "Remove a message", http.StatusNoContent, 404), s.removeMessage)
	register(s, hearing(operation("hear-message", http.MethodGet, one+"/sound", tag, "Hear a message, as a WAV file of 8 kHz or ranges of its bytes; it stays new", 0)), s.hearMessage)
}

type messagePath struct {
	Number string `path:"number" maxLength:"32" example:"1000"`
	ID     string `path:"id" maxLength:"64"`
}

// listMessages are all: a mailbox has at most pbx.MaxMailboxMessages.
func (s *Server) listMessages(ctx context.Context, in *numberPath) (*answer[page[pbx.VoiceMessage]], error) {
	var p page[pbx.VoiceMessage]
	err := s.within(ctx, in.Number, noMailbox, func() (err error) {
		p.Items, err = s.b.Messages.Messages(ctx, in.Number)
		return err
	})
	if err != nil {
		return nil, err
	}
	if p.Items == nil {
		p.Items = []pbx.VoiceMessage{}
	}
	return &answer[page[pbx.VoiceMessage]]{p}, nil
}

func (s *Server) getMessage(ctx context.Context, in *messagePath) (*answer[pbx.VoiceMessage], error) {
	out := new(answer[pbx.VoiceMessage])
	err := s.within(ctx, in.Number, noMessage, func() (err error) {
		out.Body, err = s.b.Messages.Message(ctx, in.Number, in.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

type changeMessageIn struct {
	Number string `path:"number" maxLength:"32" example:"1000"`
	ID     string `path:"id" maxLength:"64"`
	Body   struct {
		Heard  *bool `json:"heard,omitempty" doc:"Whether somebody has heard it; false makes it new again."`
		Urgent *bool `json:"urgent,omitempty" doc:"Whether it comes before others."`
	}
}

func (s *Server) changeMessage(ctx context.Context, in *changeMessageIn) (*answer[pbx.VoiceMessage], error) {
	err := s.within(ctx, in.Number, noMessage, func() (err error) {
		if in.Body.Heard != nil {
			err = s.b.Messages.MarkHeard(ctx, in.Number, in.ID, *in.Body.Heard)
		}
		if err == nil && in.Body.Urgent != nil {
			err = s.b.Messages.MarkUrgent(ctx, in.Number, in.ID, *in.Body.Urgent)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.getMessage(ctx, &messagePath{in.Number, in.ID})
}

func (s *Server) removeMessage(ctx context.Context, in *messagePath) (*struct{}, error) {
	return nil, s.within(ctx, in.Number, noMessage, func() error { return s.b.Messages.Remove(ctx, in.Number, in.ID) })
}

func (s *Server) hearMessage(ctx context.Context, in *messagePath) (*huma.StreamResponse, error) {
	var f sound
	err := s.within(ctx, in.Number, noMessage, func() (err error) {
		f.file, f.size, f.modified, err = s.b.Messages.OpenMessage(in.Number, in.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f.play(in.ID), nil
}
