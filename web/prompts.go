package web

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
)

const noPrompt = "There is no prompt of that name."

// Bounds of an upload, and how many are taken at a time: each is in memory until it is judged.
const (
	maxSound   = 16 << 20 // bytes
	uploadTime = 2 * time.Minute
	maxUploads = 4
)

func (s *Server) promptRoutes() {
	const path, one, tag = "/prompts", "/prompts/{language}/{name}", "prompts"
	register(s, operation("list-prompts", http.MethodGet, path, tag, "List the prompts of a language by name", 0), s.listPrompts)
	get := operation("get-prompt", http.MethodGet, one, tag, "Hear a prompt, as a WAV file of 8 kHz", 0, 404)
	wav := map[string]*huma.MediaType{"audio/wav": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	get.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: wav}}
	register(s, get, s.getPrompt)
	put := operation("put-prompt", http.MethodPut, one, tag, "Replace a prompt by a WAV file, or add one of one's own", http.StatusNoContent, 413, 415, 503)
	put.RequestBody = &huma.RequestBody{Required: true, Content: wav, Description: "Linear (PCM) with 8 to 32 bits, µ-law, A-law or IMA ADPCM, " +
		"6 to 96 kHz, mono or stereo; 16 MiB and three minutes at most."}
	register(s, put, s.putPrompt)
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

// putPromptIn has the request itself: huma would read the body before anybody could say that there are too many.
type putPromptIn struct {
	Language string `path:"language" maxLength:"16" example:"en"`
	Name     string `path:"name" maxLength:"256" example:"closed" doc:"Letters a-z, digits and -, and / between parts, which is written %2F here."`
	request  *http.Request
	answer   http.ResponseWriter
}

// Resolve implements huma.Resolver.
func (in *putPromptIn) Resolve(ctx huma.Context) []error {
	in.request, in.answer = humachi.Unwrap(ctx)
	return nil
}

func (s *Server) putPrompt(ctx context.Context, in *putPromptIn) (*struct{}, error) {
	tooLarge := huma.NewError(http.StatusRequestEntityTooLarge, "The file is larger than 16 MiB.")
	if in.request.ContentLength > maxSound {
		return nil, tooLarge
	}
	if !isSound(in.request.Header.Get("Content-Type")) {
		return nil, huma.Error415UnsupportedMediaType("The body must be a WAV file (audio/wav).")
	}
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	default:
		return nil, s.failed(ErrBusy, "")
	}
	connection := http.NewResponseController(in.answer) // a large file may take longer than other requests; where it cannot be set, it does not
	connection.SetReadDeadline(time.Now().Add(uploadTime))
	connection.SetWriteDeadline(time.Now().Add(uploadTime + 10*time.Second))
	body := &uploaded{Reader: in.request.Body}
	err := s.b.Prompts.ReplacePrompt(ctx, in.Language, in.Name, body)
	var large *http.MaxBytesError
	switch {
	case errors.As(body.err, &large):
		return nil, tooLarge
	case body.err != nil: // the client has gone, or is too slow
		return nil, huma.Error400BadRequest("The file did not arrive whole.")
	case err != nil:
		return nil, s.failed(err, noPrompt)
	}
	return nil, nil
}

// uploaded is a body that remembers why it could not be read.
type uploaded struct {
	io.Reader
	err error
}

func (u *uploaded) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if err != nil && err != io.EOF {
		u.err = err
	}
	return n, err
}

// isSound reports whether a Content-Type may be that of a WAV file: its contents are what is judged.
func isSound(header string) bool {
	if header == "" {
		return true
	}
	kind, _, err := mime.ParseMediaType(header)
	return err == nil && (strings.HasPrefix(kind, "audio/") || kind == "application/octet-stream")
}

func (s *Server) resetPrompt(ctx context.Context, in *promptPath) (*struct{}, error) {
	if err := s.b.Prompts.ResetPrompt(ctx, in.Language, in.Name); err != nil {
		return nil, s.failed(err, noPrompt)
	}
	return nil, nil
}

// bodyLimit is how many bytes the body of a request may have.
func bodyLimit(r *http.Request) int64 {
	if r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, apiRoot+"/prompts/") {
		return maxSound
	}
	return maxBody
}
