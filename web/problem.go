package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"ringback/pbx"
)

// Errors are problem details (RFC 9457) everywhere. huma's own echo the offending value, which may be a password:
// it is left out. A field is the one it is called: JSON in Go would take any case for it.
func init() {
	huma.ValidateStrictCasing = true
	base := huma.NewError
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		e := base(status, msg, errs...)
		if m, ok := e.(*huma.ErrorModel); ok {
			for i, d := range m.Errors {
				if d != nil {
					m.Errors[i] = &huma.ErrorDetail{Message: d.Message, Location: d.Location}
				}
			}
		}
		return e
	}
}

// problem answers outside of huma: authentication, unknown routes, panics.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.Encode(huma.ErrorModel{Title: http.StatusText(status), Status: status, Detail: detail})
}

func notFound(w http.ResponseWriter, r *http.Request) {
	problem(w, http.StatusNotFound, "There is nothing at this address; /api/docs lists what there is.")
}

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}

func (s *Server) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, m := range methods {
		probe := m
		if m == "HEAD" {
			probe = "GET"
		}
		if s.router.Match(chi.NewRouteContext(), probe, r.URL.Path) {
			allow = append(allow, m)
		}
	}
	w.Header().Set("Allow", strings.Join(allow, ", ")) // RFC 9110 §15.5.6
	problem(w, http.StatusMethodNotAllowed, "This address does not do "+quoteMethod(r.Method)+"; Allow says what it does.")
}

// quoteMethod keeps a made-up method from being reflected.
func quoteMethod(m string) string {
	for _, k := range append(methods, "OPTIONS", "TRACE", "CONNECT") {
		if m == k {
			return m
		}
	}
	return "that"
}

// recovered ends a panic of a handler: counted, logged with its stack, a plain 500 to the client.
func (s *Server) recovered(w *written, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v) // net/http closes the connection
	}
	s.o.Stats.panics.Inc()
	s.log.Error("panic in a web handler", "panic", v, "method", r.Method, "path", r.URL.Path, "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // half an answer must not look whole
	}
	problem(w, http.StatusInternalServerError, internal)
}

const internal = "Something went wrong inside; the log says what."

// failed turns an error of the Backend into what the client may know.
func (s *Server) failed(err error, missing string) error {
	if errors.Is(err, pbx.ErrNoSuchSound) {
		err = ErrNotFound
	}
	var status huma.StatusError
	var bad *Invalid
	switch {
	case errors.As(err, &status):
		return err
	case errors.As(err, &bad):
		return huma.Error422UnprocessableEntity(bad.Sentence, &huma.ErrorDetail{Message: bad.Sentence, Location: location(bad.Field)})
	case errors.Is(err, ErrNotFound):
		return huma.Error404NotFound(missing)
	case errors.Is(err, ErrBusy):
		return huma.ErrorWithHeaders(huma.Error503ServiceUnavailable("The exchange is too busy for this now; Retry-After says when to try again."), http.Header{"Retry-After": {"2"}})
	case errors.Is(err, ErrFull), errors.Is(err, syscall.ENOSPC):
		s.log.Error("request failed", "error", err)
		return huma.NewError(http.StatusInsufficientStorage, "The disk of the exchange is full: nothing was changed.")
	case errors.Is(err, context.Canceled): // the client has gone
		return huma.NewError(499, "The request was given up.")
	default:
		s.log.Error("request failed", "error", err)
		return huma.Error500InternalServerError(internal)
	}
}

// inUse is the error of something that cannot be removed: there is nothing wrong with the request itself.
func inUse(err error) error {
	var used *Invalid
	if errors.As(err, &used) {
		return huma.Error409Conflict(used.Sentence)
	}
	return err
}

// location is a field as huma names it.
func location(field string) string {
	if field == "" || field == "after" || strings.HasPrefix(field, "query.") {
		return field
	}
	return "body." + field
}
