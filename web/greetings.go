package web

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"ringback/pbx"
)

const noGreeting = "The mailbox has no such greeting of its own."

func (s *Server) greetingRoutes() {
	const one, tag = "/mailboxes/{number}/greetings/{greeting}", "mailboxes"
	register(s, hearing(operation("hear-greeting", http.MethodGet, one, tag, "Hear a mailbox's own greeting, as a WAV file of 8 kHz or ranges of its bytes", 0)), s.hearGreeting)
	register(s, uploading(operation("put-greeting", http.MethodPut, one, tag, "Give a mailbox a greeting of its own, a WAV file", http.StatusNoContent, 404)), s.putGreeting)
	register(s, operation("remove-greeting", http.MethodDelete, one, tag, "Take a greeting away again: the mailbox greets in the words of the PBX", http.StatusNoContent, 404), s.removeGreeting)
}

type greetingPath struct {
	Number   string `path:"number" maxLength:"32" example:"1000"`
	Greeting string `path:"greeting" enum:"unavailable,busy,name" doc:"unavailable is the usual one; busy is for when who is called is busy; name is said in place of the number in the words of the PBX."`
}

func (s *Server) hearGreeting(ctx context.Context, in *greetingPath) (*huma.StreamResponse, error) {
	var f sound
	err := s.within(ctx, in.Number, noGreeting, func() (err error) {
		f.file, f.size, f.modified, err = s.b.Messages.Greeting(in.Number, pbx.Greeting(in.Greeting))
		return err
	})
	if err != nil {
		return nil, err
	}
	return f.play(in.Greeting), nil
}

type putGreetingIn struct {
	Number   string `path:"number" maxLength:"32" example:"1000"`
	Greeting string `path:"greeting" enum:"unavailable,busy,name" doc:"unavailable is the usual one; busy is for when who is called is busy; name is said in place of the number in the words of the PBX."`
	upload
}

func (s *Server) putGreeting(ctx context.Context, in *putGreetingIn) (*struct{}, error) {
	return nil, s.within(ctx, in.Number, noGreeting, func() error {
		return s.take(&in.upload, noGreeting, func(wav io.Reader) error {
			return s.b.Messages.PutGreeting(ctx, in.Number, pbx.Greeting(in.Greeting), wav)
		})
	})
}

func (s *Server) removeGreeting(ctx context.Context, in *greetingPath) (*struct{}, error) {
	return nil, s.within(ctx, in.Number, noGreeting, func() error {
		return s.b.Messages.RemoveGreeting(ctx, in.Number, pbx.Greeting(in.Greeting))
	})
}
