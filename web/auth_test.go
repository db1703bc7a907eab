package web

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/chi/v5"
)

func logTo(w *strings.Builder) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, nil))
}

// Every route is walked: none but the public ones answers without a token, nor with a wrong one.
func TestEveryRouteNeedsAToken(t *testing.T) {
	s := New(filled().backend(), Options{TokenFailures: 1 << 30})
	s.close() // so that streams of events end
	c := client{t, s.Handler()}
	walked := 0
	err := chi.Walk(s.router, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		walked++
		path := strings.NewReplacer("{number}", "1000", "{id}", "c1", "{name}", "first", "{call}", "c1", "{language}", "en", "{greeting}", "busy").Replace(route)
		if strings.Contains(path, "{") {
			t.Errorf("the test does not know the parameter of %s", route)
		}
		for _, header := range []string{"Authorization:", "Authorization: Bearer wrong", "Authorization: Bearer", "Authorization: " + secret, "Authorization: Basic YWRtaW46d3Jvbmc="} {
			w := c.ask(method, path, "{}", header)
			if public[path] {
				if w.Code == 401 {
					t.Errorf("%s %s is public but asked for a token", method, path)
				}
				continue
			}
			bad(t, w, 401, "")
			if w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s: 401 without WWW-Authenticate", method, path)
			}
		}
		if w := c.ask(method, path, "{}"); w.Code == 401 {
			t.Errorf("%s %s: the right token was refused", method, path)
		}
		return nil
	})
	if err != nil || walked < 20 {
		t.Fatalf("%d routes, %v", walked, err)
	}
	bad(t, c.ask("GET", "/nonsense", "", "Authorization:"), 401, "token")
	bad(t, c.ask("GET", "/api/docs/", "", "Authorization:"), 401, "token")
	bad(t, c.ask("GET", "/api/v1/extensions?token="+secret, "", "Authorization:"), 401, "token")
}

// The public routes tell nothing of the installation.
func TestPublicRoutes(t *testing.T) {
	c := serve(t, filled())
	for path := range public {
		w := c.ask("GET", path, "", "Authorization:")
		if w.Code != 200 {
			t.Errorf("%s: %d", path, w.Code)
		}
		for _, s := range []string{"Bob", "192.0.2.7", "rb_"} {
			if strings.Contains(w.Body.String(), s) {
				t.Errorf("%s tells %q", path, s)
			}
		}
		if head := c.ask("HEAD", path, "", "Authorization:"); head.Code != 200 {
			t.Errorf("HEAD %s: %d", path, head.Code)
		}
	}
}

func TestPassword(t *testing.T) {
	m := filled()
	c := serve(t, m)
	if w := c.ask("GET", "/api/v1/calls", "", "Authorization: Basic YWRtaW46cmlnaHQ="); w.Code != 200 {
		t.Errorf("the right password: %d", w.Code)
	}
	m.broken = errors.New("x")
	bad(t, c.ask("GET", "/api/v1/calls", "", "Authorization: Basic YWRtaW46cmlnaHQ="), 500, "inside")
	bad(t, c.ask("POST", "/api/v1/tokens", `{"name":"x"}`, "Sec-Fetch-Site: cross-site"), 403, "another site")
}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := filled()
		c := client{t, New(m.backend(), Options{TokenFailures: 3}).Handler()}
		const wrong, password = "Authorization: Bearer wrong", "Authorization: Basic YWRtaW46d3Jvbmc="
		for range 3 {
			bad(t, c.ask("GET", "/api/v1/calls", "", wrong), 401, "not valid")
		}
		w := c.ask("GET", "/api/v1/calls", "", wrong)
		bad(t, w, 429, "Too many")
		if w.Header().Get("Retry-After") != "61" {
			t.Errorf("Retry-After: %s", w.Header().Get("Retry-After"))
		}
		if w := c.ask("GET", "/api/v1/calls", ""); w.Code != 200 {
			t.Errorf("the right token must still be let in: %d", w.Code)
		}
		bad(t, c.ask("GET", "/api/v1/calls", "", password), 429, "Too many")
		if m.passwords != 0 {
			t.Error("a password was checked, which costs, though its address failed too often")
		}
		bad(t, c.ask("GET", "/api/v1/calls", "", "Authorization:"), 401, "needs") // nobody guesses without one
		time.Sleep(time.Minute)
		bad(t, c.ask("GET", "/api/v1/calls", "", password), 401, "not valid")
		if m.passwords != 1 {
			t.Errorf("%d passwords were checked", m.passwords)
		}
	})
}

func TestSource(t *testing.T) {
	for in, want := range map[string]string{"192.0.2.1:5": "192.0.2.1", "[2001:db8:1:2:3::4]:5": "2001:db8:1:2::", "[::1]:5": "::1", "[::ffff:192.0.2.1]:5": "192.0.2.1", "@": "invalid IP"} {
		if got := source(&http.Request{RemoteAddr: in}).String(); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestMetricsAccess(t *testing.T) {
	for _, x := range []struct {
		mode, from string
		status     int
	}{
		{"", "127.0.0.1:9", 401}, {MetricsToken, "127.0.0.1:9", 401}, {MetricsLoopback, "127.0.0.1:9", 200}, {MetricsLoopback, "[::1]:9", 200},
		{MetricsLoopback, "192.0.2.1:9", 401}, {MetricsOpen, "192.0.2.1:9", 200},
	} {
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.RemoteAddr = x.from
		w := httptest.NewRecorder()
		New(filled().backend(), Options{Metrics: x.mode}).Handler().ServeHTTP(w, r)
		if w.Code != x.status {
			t.Errorf("%+v: %d", x, w.Code)
		}
	}
}

// Whoever can open the socket needs no token.
func TestLocal(t *testing.T) {
	w := httptest.NewRecorder()
	New(filled().backend(), Options{}).Local().ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/calls", nil))
	if w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
