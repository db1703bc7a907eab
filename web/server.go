package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

const (
	maxBody   = 64 << 10 // bytes of a request body; an extension takes some hundred
	maxHeader = 16 << 10
	maxConns  = 512 // open connections of a listener
)

// Server is the API over one Backend.
type Server struct {
	b        Backend
	o        Options
	log      *slog.Logger
	router   *chi.Mux
	api      huma.API
	failures *throttle
	uploads  chan struct{} // a place for each upload that is taken
	streams  chan struct{} // a place for each listener to events
	closing  context.Context
	close    context.CancelFunc // ends what would go on for ever
}

// New builds the routes. It starts nothing.
func New(b Backend, o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == "" {
		o.Metrics = MetricsToken
	}
	if o.TokenFailures <= 0 {
		o.TokenFailures = 20
	}
	if o.Stats == nil {
		o.Stats = NewMetrics()
	}
	s := &Server{b: b, o: o, log: o.Log, router: chi.NewMux(), failures: newThrottle(o.TokenFailures, time.Minute),
		uploads: make(chan struct{}, maxUploads), streams: make(chan struct{}, maxStreams)}
	s.closing, s.close = context.WithCancel(context.Background())
	s.router.Use(middleware.GetHead)
	s.router.NotFound(notFound)
	s.router.MethodNotAllowed(s.methodNotAllowed)
	s.api = humachi.New(s.router, s.describe())
	describeTypes(s.api.OpenAPI().Components.Schemas)
	s.extensionRoutes()
	s.serviceRoutes()
	s.groupRoutes()
	s.roomRoutes()
	s.menuRoutes()
	s.mailboxRoutes()
	s.messageRoutes()
	s.greetingRoutes()
	s.hoursRoutes()
	s.officeRoutes()
	s.promptRoutes()
	s.codeRoutes()
	s.planRoutes()
	s.registrationRoutes()
	s.callRoutes()
	s.conferenceRoutes()
	s.recordingRoutes()
	s.recordRoutes()
	s.eventRoutes()
	s.tokenRoutes()
	s.healthRoutes()
	s.docRoutes()
	return s
}

// Handler is what a network listener serves.
func (s *Server) Handler() http.Handler {
	own := http.NewCrossOriginProtection() // a browser that knows the password must not lend it to another site
	own.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		problem(w, http.StatusForbidden, "A page of another site may not do this.")
	}))
	return s.edge(own.Handler(s.authenticate(s.router)))
}

// Local is what the Unix socket serves: whoever can open it is an administrator.
func (s *Server) Local() http.Handler { return s.edge(s.router) }

// HTTP wraps a handler with the time-outs and bounds that a listener of this server needs.
func (s *Server) HTTP(h http.Handler) *http.Server {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second, // extended row by row where records are streamed
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	server.RegisterOnShutdown(s.close) // of one of them: they are all shut down together
	return server
}

// Limit bounds the connections that a listener of this server holds open.
func Limit(l net.Listener) net.Listener {
	return &limited{Listener: l, free: make(chan struct{}, maxConns), done: make(chan struct{})}
}

// edge is around everything: headers that keep browsers honest, bounds, and the end of every panic.
func (s *Server) edge(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		rw := &written{ResponseWriter: w}
		defer s.recovered(rw, r)
		r.Body = http.MaxBytesReader(rw, r.Body, bodyLimit(r))
		start := time.Now()
		next.ServeHTTP(rw, r)
		if s.log.Enabled(r.Context(), slog.LevelDebug) {
			s.log.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelDebug, "http request", slog.String("method", r.Method),
				slog.String("path", r.URL.Path), slog.Int("status", rw.status), slog.String("from", r.RemoteAddr), slog.Duration("took", time.Since(start)))
		}
	})
}

// written remembers whether a response has begun.
type written struct {
	http.ResponseWriter
	status int
}

func (w *written) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *written) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (w *written) Unwrap() http.ResponseWriter { return w.ResponseWriter }
