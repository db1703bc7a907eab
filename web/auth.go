package web

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// Who may read /metrics.
const (
	MetricsToken    = "token"    // bearer token, as everything else
	MetricsLoopback = "loopback" // also without one from 127.0.0.0/8 and ::1
	MetricsOpen     = "open"     // anybody
)

// public routes show nothing of this installation; all others need a token, and so does what does not exist.
var public = map[string]bool{
	"/": true, "/style.css": true, "/healthz": true, "/readyz": true, "/api/docs": true, "/api/openapi.json": true,
}

// authenticate is in front of every route. A right token is let in whatever came from its address before; passwords,
// whose checking is made to be slow, are not looked at from an address that failed too often.
func (s *Server) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if public[r.URL.Path] || r.URL.Path == "/metrics" && s.openMetrics(r) {
			next.ServeHTTP(w, r)
			return
		}
		scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		from, name, ok := source(r), "", false
		switch {
		case strings.EqualFold(scheme, "Bearer"):
			// RFC 6750 §2.1. Tokens in the URL are not taken: URLs get logged.
			name, ok = s.b.Tokens.Valid(strings.TrimSpace(credentials))
		case strings.EqualFold(scheme, "Basic") && s.failures.wait(from) == 0:
			var password string
			var err error
			name, password, _ = r.BasicAuth()
			if ok, err = s.b.Users.VerifyUser(r.Context(), name, password); err != nil {
				s.log.Error("cannot check a password", "error", err)
				problem(w, http.StatusInternalServerError, internal)
				return
			}
		}
		if ok {
			next.ServeHTTP(w, r.WithContext(identified(r.Context(), name)))
			return
		}
		s.o.Stats.denied.Inc()
		if credentials == "" {
			w.Header().Set("WWW-Authenticate", `Bearer realm="ringback"`)
			problem(w, http.StatusUnauthorized, "This needs an API token: Authorization: Bearer <token>.")
			return
		}
		if wait := s.failures.fail(from); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
			problem(w, http.StatusTooManyRequests, "Too many wrong tokens or passwords came from this address; Retry-After says when to try again.")
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="ringback", error="invalid_token"`) // RFC 6750 §3
		problem(w, http.StatusUnauthorized, "This token or password is not valid.")
	})
}

// stillAllowed reports whether a request that goes on for long would be let in now as it was: its token may have been revoked. A
// password is not looked at again, which takes its time.
func (s *Server) stillAllowed(r *http.Request) bool {
	if r.Context().Value(identityKey{}) == nil { // the Unix socket
		return true
	}
	scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return true
	}
	_, ok := s.b.Tokens.Valid(strings.TrimSpace(credentials))
	return ok
}

func (s *Server) openMetrics(r *http.Request) bool {
	switch s.o.Metrics {
	case MetricsOpen:
		return true
	case MetricsLoopback:
		return source(r).IsLoopback()
	}
	return false
}

// source is the address of the client; IPv6 counts by its /64, which one host usually has to itself.
func source(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	a, _ := netip.ParseAddr(host)
	a = a.Unmap().WithZone("")
	if a.Is6() && !a.IsLoopback() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
