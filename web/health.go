package web

import (
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// healthRoutes: /healthz is the process, /readyz is whether it takes calls, /metrics is for Prometheus.
func (s *Server) healthRoutes() {
	s.router.Get("/healthz", func(w http.ResponseWriter, r *http.Request) { plain(w, "ok\n") })
	s.router.Get("/readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := s.b.Ready(); err != nil {
			w.Header().Set("Retry-After", "1")
			problem(w, http.StatusServiceUnavailable, "Not ready: "+err.Error())
			return
		}
		plain(w, "ready\n")
	})
	s.router.Method(http.MethodGet, "/metrics", promhttp.HandlerFor(s.o.Stats.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: 4, ErrorHandling: promhttp.ContinueOnError,
	}))
}

func plain(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, text)
}
