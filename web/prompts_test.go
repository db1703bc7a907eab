package web

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const asWAV = "Content-Type: audio/wav"

func TestPrompts(t *testing.T) {
	c := serve(t, filled())
	var l page[Prompt]
	c.ok("GET", "/api/v1/prompts?language=en", "", 200, &l)
	if fmt.Sprint(l) != "{[{closed We are closed. false} {digits/7 seven false}] }" {
		t.Errorf("%+v", l)
	}
	c.ok("GET", "/api/v1/prompts?limit=1", "", 200, &l)
	if len(l.Items) != 1 || l.Next != "closed" {
		t.Errorf("first page: %+v", l)
	}
	for _, kind := range []string{asWAV, "Content-Type: audio/x-wav", "Content-Type: application/octet-stream", "Content-Type:"} {
		if w := c.ask("PUT", "/api/v1/prompts/en/digits%2F7", "RIFF own", kind); w.Code != 204 || w.Body.Len() > 0 {
			t.Fatalf("%s: %d %s", kind, w.Code, w.Body)
		}
	}
	l = page[Prompt]{}
	c.ok("GET", "/api/v1/prompts?after=closed", "", 200, &l)
	if len(l.Items) != 1 || !l.Items[0].Replaced || l.Items[0].Text != "seven" {
		t.Errorf("replaced: %+v", l)
	}
	w := c.ask("GET", "/api/v1/prompts/en/digits%2F7", "")
	if w.Code != 200 || w.Header().Get("Content-Type") != "audio/wav" || w.Body.String() != "RIFF own" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	c.ok("DELETE", "/api/v1/prompts/en/digits%2F7", "", 204, nil)
	if w := c.ask("GET", "/api/v1/prompts/en/digits%2F7", ""); w.Body.String() != "RIFF seven" {
		t.Errorf("after the reset %s", w.Body)
	}
}

func TestPromptErrors(t *testing.T) {
	m := filled()
	c := serve(t, m)
	const path = "/api/v1/prompts/"
	for _, x := range []struct {
		method, path, body, header string
		status                     int
		detail                     string
	}{
		{"GET", "en/nonsense", "", "", 404, "no prompt of that name"},
		{"GET", "tlh/closed", "", "", 422, "language"},
		{"PUT", "tlh/closed", "RIFF", asWAV, 422, "language"},
		{"PUT", "en/closed", "nonsense", asWAV, 422, "This is not a WAV file."},
		{"PUT", "en/closed", "", asWAV, 422, "This is not a WAV file."},
		{"PUT", "en/closed", "RIFF", "Content-Type: text/html", 415, "audio/wav"},
		{"PUT", "en/closed", "RIFF", "Content-Type: /;", 415, "audio/wav"},
		{"PUT", "en/..%2F..%2Fetc%2Fpasswd", "RIFF", asWAV, 422, "name"},
		{"PUT", "en/%2Fetc%2Fpasswd", "RIFF", asWAV, 422, "name"},
		{"PUT", "en/closed%00", "RIFF", asWAV, 422, "name"},
		{"PUT", "en/" + strings.Repeat("a", 300), "RIFF", asWAV, 422, ""},
		{"PUT", "en/../../etc/passwd", "RIFF", asWAV, 404, ""},
		{"GET", "en/..%5Cclosed", "", "", 422, "name"},
		{"DELETE", "en/..%2Fclosed", "", "", 422, "name"},
		{"PUT", "en/closed", strings.Repeat("RIFF", 25<<20), asWAV, 413, "16 MiB"},
		{"POST", "en/closed", "RIFF", asWAV, 405, ""},
	} {
		t.Run(x.method+" "+x.path[:min(len(x.path), 40)], func(t *testing.T) {
			bad(t, c.ask(x.method, path+x.path, x.body, x.header), x.status, x.detail)
		})
	}
	m.broken = fmt.Errorf("%w: no space left", ErrFull)
	bad(t, c.ask("PUT", path+"en/closed", "RIFF", asWAV), 507, "full")
	bad(t, c.ask("GET", path+"en/closed", ""), 507, "full")
}

// sendEndless is a PUT of a body of unknown length.
func sendEndless(c client, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest("PUT", "/api/v1/prompts/en/closed", body)
	r.ContentLength = -1
	r.Header.Set("Authorization", "Bearer "+secret)
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	return w
}

// endless is a body that does not end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return copy(p, strings.Repeat("RIFF", len(p)/4+1)), nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Bodies without a length are read as far as they may be; those that break off have replaced nothing.
func TestUploads(t *testing.T) {
	m := filled()
	b := m.backend()
	p := newMemoryPrompts(m)
	b.Prompts = p
	c := client{t, New(b, Options{}).Handler()}
	e := &endless{}
	bad(t, sendEndless(c, e), 413, "16 MiB")
	if e.read > maxSound+1<<20 {
		t.Errorf("%d bytes were read", e.read)
	}
	bad(t, sendEndless(c, io.MultiReader(strings.NewReader("RIFF"), broken{})), 400, "whole")
	if w := sendEndless(c, io.LimitReader(&endless{}, maxSound)); w.Code != 204 || len(p.files["closed"]) != maxSound {
		t.Errorf("as large as it may be: %d %s", w.Code, w.Body)
	}

	// no more at a time than there is memory for
	p.reading = make(chan bool)
	var ends []*io.PipeWriter
	done := make(chan int, maxUploads)
	for range maxUploads {
		r, w := io.Pipe()
		ends = append(ends, w)
		go func() { done <- sendEndless(c, io.MultiReader(strings.NewReader("no"), r)).Code }()
		select {
		case <-p.reading:
		case status := <-done:
			t.Fatalf("not read: %d", status)
		}
	}
	w := sendEndless(c, strings.NewReader("RIFF"))
	bad(t, w, http.StatusServiceUnavailable, "busy")
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	for _, end := range ends {
		end.Close()
		if status := <-done; status != 422 {
			t.Errorf("no sound: %d", status)
		}
	}
	p.reading = nil
	if w := sendEndless(c, strings.NewReader("RIFF")); w.Code != 204 {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}
