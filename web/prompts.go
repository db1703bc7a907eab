package web

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

const noPrompt = "There is no prompt of that name."

func (s *Server) promptRoutes() {
	const path, one, tag = "/prompts", "/prompts/{language}/{name}", "prompts"
	register(s, operation("list-prompts", http.MethodGet, path, tag, "List the prompts of a language by name", 0), s.listPrompts)
	get := operation("get-prompt", http.MethodGet, one, tag, "Hear a prompt, as a WAV file of 8 kHz", 0, 404)
	get.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: wavFile}}
	register(s, get, s.getPrompt)
	register(s, uploading(operation("put-prompt", http.MethodPut, one, tag, "Replace a prompt by a WAV file, or add one of one's own", http.StatusNoContent)), s.putPrompt)
	register(s, operation("reset-prompt", http.MethodDelete, one, tag, "Take a file away again: the prompt that the exchange brought along is heard", http.StatusNoContent), s.resetPrompt)
}

type promptsIn struct {
	Language string `query:"language" maxLength:"16" example:"en" doc:"en, zh, ko or ru; left out: that of the exchange."`
	After    string `query:"after" maxLength:"64" doc:"next of the page before."`
	Limit    int    `query:"limit" minimum:"1" maximum:"10000" default:"1000" doc:"Items a page."`
}

func (s *Server) listPrompts(ctx context.Context, in *promptsIn) (*answer[page[Prompt]], error) {
	all, err := s.b.Prompts.ListPrompts(ctx, in.Language, in.After, in.Limit)
	if err != nil {
		return nil, s.failed(err, noPrompt)
	}
	return pageOf(all, in.Limit, same, func(v Prompt) string { return v.Name }), nil
}

// promptPath is a name, not a path of a file. Its / is written %2F in the address.
type promptPath struct {
	Language string `path:"language" maxLength:"16" example:"en"`
	Name     string `path:"name" maxLength:"256" example:"closed" doc:"Letters a-z, digits and -, and / between parts, which is written %2F here."`
}

func (s *Server) getPrompt(ctx context.Context, in *promptPath) (*huma.StreamResponse, error) {
	sound, err := s.b.Prompts.PromptSound(ctx, in.Language, in.Name)
	if err != nil {
		return nil, s.failed(err, noPrompt)
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "audio/wav")
		hc.BodyWriter().Write(sound)
	}}, nil
}

type putPromptIn struct {
	Language string `path:"language" maxLength:"16" example:"en"`
	Name     string `path:"name" maxLength:"256" example:"closed" doc:"Letters a-z, digits and -, and / between parts, which is written %2F here."`
	upload
}

func (s *Server) putPrompt(ctx context.Context, in *putPromptIn) (*struct{}, error) {
	return nil, s.take(&in.upload, noPrompt, func(wav io.Reader) error { return s.b.Prompts.ReplacePrompt(ctx, in.Language, in.Name, wav) })
}

func (s *Server) resetPrompt(ctx context.Context, in *promptPath) (*struct{}, error) {
	if err := s.b.Prompts.ResetPrompt(ctx, in.Language, in.Name); err != nil {
		return nil, s.failed(err, noPrompt)
	}
	return nil, nil
}
