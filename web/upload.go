package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
)

// Bounds of an upload, and how many are taken at a time: each is in memory until it is judged.
const (
	maxSound   = 16 << 20 // bytes
	uploadTime = 2 * time.Minute
	maxUploads = 4
)

// wavFile is a WAV file in the API's description.
var wavFile = map[string]*huma.MediaType{"audio/wav": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}

// uploading is an operation that takes a WAV file.
func uploading(o huma.Operation) huma.Operation {
	o.RequestBody = &huma.RequestBody{Required: true, Content: wavFile, Description: "Linear (PCM) with 8 to 32 bits, µ-law, A-law or IMA ADPCM, " +
		"6 to 96 kHz, mono or stereo; 16 MiB and three minutes at most."}
	o.Errors = append(o.Errors, 413, 415, 503)
	return o
}

// upload has the request itself: huma would read the body before anybody could say that there are too many.
type upload struct {
	request *http.Request
	answer  http.ResponseWriter
}

// Resolve implements huma.Resolver.
func (u *upload) Resolve(ctx huma.Context) []error {
	u.request, u.answer = humachi.Unwrap(ctx)
	return nil
}

// take has put read a WAV file.
func (s *Server) take(u *upload, missing string, put func(wav io.Reader) error) error {
	tooLarge := huma.NewError(http.StatusRequestEntityTooLarge, "The file is larger than 16 MiB.")
	if u.request.ContentLength > maxSound {
		return tooLarge
	}
	if !isSound(u.request.Header.Get("Content-Type")) {
		return huma.Error415UnsupportedMediaType("The body must be a WAV file (audio/wav).")
	}
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	default:
		return s.failed(ErrBusy, "")
	}
	connection := http.NewResponseController(u.answer) // a large file may take longer than other requests; where it cannot be set, it does not
	connection.SetReadDeadline(time.Now().Add(uploadTime))
	connection.SetWriteDeadline(time.Now().Add(uploadTime + 10*time.Second))
	body := &uploaded{Reader: u.request.Body}
	err := put(body)
	var large *http.MaxBytesError
	switch {
	case errors.As(body.err, &large):
		return tooLarge
	case body.err != nil: // the client has gone, or is too slow
		return huma.Error400BadRequest("The file did not arrive whole.")
	case err != nil:
		return s.failed(err, missing)
	}
	return nil
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

// bodyLimit is how many bytes the body of a request may have.
func bodyLimit(r *http.Request) int64 {
	if path := r.URL.Path; r.Method == http.MethodPut &&
		(strings.HasPrefix(path, apiRoot+"/prompts/") || strings.HasPrefix(path, apiRoot+"/mailboxes/") && strings.Contains(path, "/greetings/")) {
		return maxSound
	}
	return maxBody
}
