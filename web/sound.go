package web

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
)

// soundTime is how long a client may take for a piece of a file.
const soundTime = 30 * time.Second

// hearing is an operation that gives a WAV file, or parts of it (RFC 9110 §14).
func hearing(o huma.Operation) huma.Operation {
	o.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: wavFile}, "206": {Description: "Partial Content", Content: wavFile}}
	o.Errors = append(o.Errors, 404, 416)
	return o
}

// sound is a WAV file that a Backend has opened.
type sound struct {
	file     io.ReadSeekCloser
	size     int64
	modified time.Time
}

// play gives a file, and closes it. id is what it is called where it is kept.
func (f sound) play(id string) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer f.file.Close()
		r, w := humachi.Unwrap(hc)
		if unit, _, _ := strings.Cut(r.Header.Get("Range"), "="); r.Method != http.MethodGet || !strings.EqualFold(unit, "bytes") {
			r.Header.Del("Range") // RFC 9110 §14.2: for GET only, and what is not understood is ignored
		}
		h := w.Header()
		h.Set("Content-Type", "audio/wav")
		h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", fileName(id)+".wav"))
		h.Set("ETag", fmt.Sprintf(`"%x-%x"`, f.modified.UnixNano(), f.size))
		http.ServeContent(&soundWriter{ResponseWriter: w, connection: http.NewResponseController(w)}, r, "", f.modified, f.file)
	}}
}

// fileName is an ID as it may stand in a header.
func fileName(id string) string {
	name := []byte(id)
	for i, c := range name {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' {
			name[i] = '_'
		}
	}
	return string(name)
}

// soundWriter gives a slow client its time, for each piece, and says in the way of the API that there is no such range.
type soundWriter struct {
	http.ResponseWriter
	connection *http.ResponseController
	refused    bool
}

func (w *soundWriter) WriteHeader(status int) {
	if w.refused = status == http.StatusRequestedRangeNotSatisfiable; w.refused {
		w.Header().Del("Content-Disposition")
		problem(w.ResponseWriter, status, "The file has no such range of bytes; Content-Range says how many it has.")
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *soundWriter) Write(b []byte) (int, error) {
	if w.refused {
		return len(b), nil
	}
	w.connection.SetWriteDeadline(time.Now().Add(soundTime))
	return w.ResponseWriter.Write(b)
}
