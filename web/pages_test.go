package web

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"

	"ringback/pbx"
)

var update = flag.Bool("update", false, "write openapi.json anew")

// openapi.json is what the code says: go test ./web -run OpenAPI -update writes it.
func TestOpenAPI(t *testing.T) {
	c := serve(t, filled())
	w := c.ask("GET", "/api/openapi.json", "")
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || doc.OpenAPI != "3.1.0" || len(doc.Paths) < 8 {
		t.Fatalf("%v, version %s, %d paths", err, doc.OpenAPI, len(doc.Paths))
	}
	if *update {
		if err := os.WriteFile("openapi.json", w.Body.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) != w.Body.String() {
		t.Error("openapi.json is not what the code says; see the comment of this test")
	}
}

// Every operation is in the page for people, which loads nothing from elsewhere.
func TestDocs(t *testing.T) {
	s := New(filled().backend(), Options{})
	c := client{t, s.Handler()}
	docs := c.ask("GET", "/api/docs", "").Body.String()
	for path := range s.api.OpenAPI().Paths {
		if !strings.Contains(docs, "<code>"+path+"</code>") {
			t.Errorf("the page says nothing of %s", path)
		}
	}
	for name := range s.api.OpenAPI().Components.Schemas.Map() {
		if !strings.Contains(docs, `<article id="`+name+`">`) {
			t.Errorf("the page says nothing of %s", name)
		}
	}
	for _, want := range []string{"forward_always", "<a href=\"#Forward\">Forward</a>", "list of Rule", "one of &#34;allow&#34;", "each one of &#34;mon&#34;", "ring_seconds", "5 to 600", "one of &#34;answered&#34;", "SIP password"} {
		if !strings.Contains(docs, want) {
			t.Errorf("the page does not say %s", want)
		}
	}
	for _, path := range []string{"/", "/api/docs"} {
		page := c.ask("GET", path, "").Body.String()
		if strings.Contains(page, "<script") || strings.Contains(page, "//cdn") || strings.Contains(page, "src=") {
			t.Errorf("%s loads something", path)
		}
	}
}

func TestHealth(t *testing.T) {
	m := filled()
	c := serve(t, m)
	if w := c.ask("GET", "/healthz", "", "Authorization:"); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := c.ask("GET", "/readyz", "", "Authorization:"); w.Code != 200 || w.Body.String() != "ready\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	m.notReady = errors.New("it is shutting down")
	bad(t, c.ask("GET", "/readyz", "", "Authorization:"), 503, "shutting down")
	if w := c.ask("GET", "/healthz", "", "Authorization:"); w.Code != 200 {
		t.Errorf("not ready is not unhealthy: %d", w.Code)
	}
}

func TestMetrics(t *testing.T) {
	m := NewMetrics()
	m.Counter("ringback_test_total", "Help.", func(s Sample) { s(3, "a"); s(4, "b") }, "which")
	m.Gauge("ringback_test", "Help.", func(s Sample) { s(5) })
	observe := m.Histogram("ringback_test_seconds", "Help.", []float64{0.5, 2}, "which")
	observe(1, "a")
	observe(0.5, "a")
	c := client{t, New(filled().backend(), Options{Stats: m}).Handler()}
	w := c.ask("GET", "/metrics", "")
	for _, want := range []string{`ringback_test_seconds_bucket{which="a",le="0.5"} 1`, `ringback_test_seconds_bucket{which="a",le="2"} 2`, `ringback_test_seconds_sum{which="a"} 1.5`, "# TYPE ringback_test_total counter", `ringback_test_total{which="a"} 3`, `ringback_test_total{which="b"} 4`, "# TYPE ringback_test gauge", "ringback_test 5",
		"go_goroutines", "process_resident_memory_bytes", "ringback_http_panics_total 0"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s is missing", want)
		}
	}
}

// A listener holds so many connections open and no more; a closed one makes room, and Close ends a waiting Accept.
func TestLimit(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &limited{Listener: inner, free: make(chan struct{}, 1), done: make(chan struct{})}
	accepted := make(chan net.Conn)
	ended := make(chan error)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				ended <- err
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a, b := dial(), dial()
	defer a.Close()
	defer b.Close()
	first := <-accepted
	select {
	case <-accepted:
		t.Fatal("two connections though the limit is one")
	default:
	}
	first.Close()
	first.Close() // closing twice makes no more room than once
	second := <-accepted
	l.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept ended with %v", err)
	}
	second.Close()
	io.Copy(io.Discard, a)
}

// The outcomes one may filter by are those there are.
func TestOutcomes(t *testing.T) {
	c := serve(t, filled())
	for k := pbx.Answered; k <= pbx.Failed; k++ {
		if w := c.ask("GET", "/api/v1/cdrs?outcome="+url.QueryEscape(k.String()), ""); w.Code != 200 {
			t.Errorf("%s: %d %s", k, w.Code, w.Body)
		}
	}
}
