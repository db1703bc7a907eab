package web

import (
	"encoding/csv"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ringback/pbx"
)

func TestExtensions(t *testing.T) {
	m := filled()
	c := serve(t, m)
	var l page[extension]
	c.ok("GET", "/api/v1/extensions", "", 200, &l)
	if len(l.Items) != 2 || l.Next != "" || l.Items[0].Name != "Alice" || l.Items[0].Registered != 1 || l.Items[0].Codecs == nil {
		t.Errorf("list: %+v", l)
	}
	c.ok("GET", "/api/v1/extensions?limit=1", "", 200, &l)
	if len(l.Items) != 1 || l.Next != "1000" {
		t.Errorf("first page: %+v", l)
	}
	l = page[extension]{}
	c.ok("GET", "/api/v1/extensions?limit=1&after=1000", "", 200, &l)
	if len(l.Items) != 1 || l.Items[0].Number != "1001" {
		t.Errorf("second page: %+v", l)
	}

	var e withPassword
	w := c.ok("POST", "/api/v1/extensions", `{"number":"1002","name":"Carol","enabled":false,"max_contacts":2,"ring_seconds":40,"codecs":["G722"]}`, 201, &e)
	if e.Password != "generated" || e.Enabled || e.MaxContacts != 2 || e.RingSeconds != 40 || e.Codecs[0] != "G722" {
		t.Errorf("created: %+v", e)
	}
	if at := w.Header().Get("Location"); at != "/api/v1/extensions/1002" {
		t.Errorf("Location: %s", at)
	}
	e = withPassword{}
	w = c.ok("POST", "/api/v1/extensions", `{"number":"*#x","password":"long enough"}`, 201, &e)
	if e.Password != "" || !e.Enabled {
		t.Errorf("a given password came back, or it is not enabled: %+v", e)
	}
	var got extension
	c.ok("GET", w.Header().Get("Location"), "", 200, &got)
	if got.Number != "*#x" {
		t.Errorf("Location %s leads to %+v", w.Header().Get("Location"), got)
	}

	c.ok("PATCH", "/api/v1/extensions/1000", `{"name":"Alicia","enabled":false,"codecs":["PCMU","PCMA"],"ring_seconds":60}`, 200, &got)
	if got.Name != "Alicia" || got.Enabled || len(got.Codecs) != 2 || got.RingSeconds != 60 || got.MaxContacts != 5 {
		t.Errorf("changed: %+v", got)
	}
	e = withPassword{}
	c.ok("PATCH", "/api/v1/extensions/1000", `{"password":""}`, 200, &e)
	if e.Password != "generated" {
		t.Errorf("an empty password must be generated: %+v", e)
	}
	c.ok("DELETE", "/api/v1/extensions/1000", "", 204, nil)
	bad(t, c.ask("GET", "/api/v1/extensions/1000", ""), 404, "no extension")
}

func TestExtensionErrors(t *testing.T) {
	c := serve(t, filled())
	for _, x := range []struct {
		method, path, body string
		status             int
		detail             string
	}{
		{"GET", "/api/v1/extensions/9", "", 404, "no extension"},
		{"PATCH", "/api/v1/extensions/9", "{}", 404, "no extension"},
		{"DELETE", "/api/v1/extensions/9", "", 404, "no extension"},
		{"POST", "/api/v1/extensions", `{"number":"1000"}`, 409, "already"},
		{"POST", "/api/v1/extensions", `{"number":"1003","password":"short"}`, 422, "8 to 128"},
		{"POST", "/api/v1/extensions", `{}`, 422, ""},
		{"POST", "/api/v1/extensions", `{"number":1003}`, 422, ""},
		{"POST", "/api/v1/extensions", `{"number":"1003","nonsense":1}`, 422, ""},
		{"POST", "/api/v1/extensions", `{"number":"1003","max_contacts":33}`, 422, ""},
		{"POST", "/api/v1/extensions", `{"number":"1003","ring_seconds":4}`, 422, ""},
		{"POST", "/api/v1/extensions", `{"number":`, 400, ""},
		{"POST", "/api/v1/extensions", ``, 400, ""},
		{"POST", "/api/v1/extensions", `{"number":"` + strings.Repeat("1", maxBody) + `"}`, 413, ""},
		{"GET", "/api/v1/extensions?limit=0", "", 422, ""},
		{"GET", "/api/v1/extensions?limit=x", "", 422, ""},
		{"GET", "/api/v1/extensions?nonsense=1", "", 422, ""},
		{"PUT", "/api/v1/extensions", "{}", 405, "PUT"},
		{"GET", "/api/v1/nonsense", "", 404, ""},
		{"GET", "/nonsense", "", 404, ""},
	} {
		t.Run(x.method+" "+x.path+" "+x.body[:min(len(x.body), 40)], func(t *testing.T) {
			bad(t, c.ask(x.method, x.path, x.body), x.status, x.detail)
		})
	}
	if w := c.ask("POST", "/api/v1/extensions", `{"number":"1003"}`, "Content-Type: application/xml"); w.Code != 415 {
		t.Errorf("XML: %d %s", w.Code, w.Body)
	}
	if allow := c.ask("PUT", "/api/v1/extensions", "").Header().Get("Allow"); allow != "GET, HEAD, POST" {
		t.Errorf("Allow: %q", allow)
	}
	// a password that is refused must not come back
	if w := c.ask("POST", "/api/v1/extensions", `{"number":"1003","password":"`+strings.Repeat("s3cr3t", 30)+`"}`); strings.Contains(w.Body.String(), "s3cr3t") {
		t.Errorf("the password was echoed: %s", w.Body)
	}
}

func TestRegistrations(t *testing.T) {
	c := serve(t, filled())
	var l page[registration]
	w := c.ok("GET", "/api/v1/registrations", "", 200, &l)
	if len(l.Items) != 2 || l.Items[0].Q != 0.5 || l.Items[0].RoundTripMS != 1.5 || !l.Items[0].Reachable || l.Items[1].Reachable {
		t.Errorf("list: %s", w.Body)
	}
	c.ok("GET", "/api/v1/registrations?extension=1001", "", 200, &l)
	if len(l.Items) != 1 || l.Items[0].ID != "1001-b" {
		t.Errorf("of 1001: %+v", l)
	}
	c.ok("DELETE", "/api/v1/registrations/1001-b", "", 204, nil)
	bad(t, c.ask("DELETE", "/api/v1/registrations/1001-b", ""), 404, "no registration")
	busy := c.ask("DELETE", "/api/v1/registrations/busy", "")
	bad(t, busy, 503, "too busy")
	bad(t, c.ask("DELETE", "/api/v1/registrations/full", ""), 507, "disk of the exchange is full")
	if busy.Header().Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
}

func TestCalls(t *testing.T) {
	m := filled()
	c := serve(t, m)
	var l page[call]
	w := c.ok("GET", "/api/v1/calls", "", 200, &l)
	if len(l.Items) != 1 || l.Items[0].FromName != "Alice" || l.Items[0].State != "ringing" || strings.Contains(w.Body.String(), `"answered"`) {
		t.Errorf("list: %s", w.Body)
	}
	c.ok("DELETE", "/api/v1/calls/c1", "", 204, nil)
	if len(m.hungUp) != 1 || m.hungUp[0].By != pbx.Admin || m.hungUp[0].Cause != 16 {
		t.Errorf("hung up: %+v", m.hungUp)
	}
	bad(t, c.ask("DELETE", "/api/v1/calls/c2", ""), 404, "no call")
}

func TestRecords(t *testing.T) {
	c := serve(t, filled())
	var l page[pbx.CDR]
	c.ok("GET", "/api/v1/cdrs?limit=2", "", 200, &l)
	if len(l.Items) != 2 || l.Items[0].ID != "r3" || l.Next != "r2" {
		t.Errorf("first page: %+v", l)
	}
	l = page[pbx.CDR]{}
	c.ok("GET", "/api/v1/cdrs?limit=2&after="+"r2", "", 200, &l)
	if len(l.Items) != 1 || l.Items[0].ID != "r1" || l.Next != "" {
		t.Errorf("second page: %+v", l)
	}
	for query, want := range map[string]string{
		"from=1001": "r2", "to=1001": "r3", "number=1001": "r3 r2", "outcome=busy": "r2", "since=2026-11-21T12:01:00Z": "r3 r2",
		"until=2026-11-21T12:01:00Z": "r1", "since=2026-11-21T13:01:00%2B01:00&until=2026-11-21T12:02:00Z": "r2", "from=9": "",
	} {
		l = page[pbx.CDR]{}
		w := c.ok("GET", "/api/v1/cdrs?"+query, "", 200, &l)
		var ids []string
		for _, r := range l.Items {
			ids = append(ids, r.ID)
		}
		if got := strings.Join(ids, " "); got != want || l.Items == nil {
			t.Errorf("%s: %q, want %q: %s", query, got, want, w.Body)
		}
	}
	var one pbx.CDR
	c.ok("GET", "/api/v1/cdrs/r3", "", 200, &one)
	if one.By != "1001" {
		t.Errorf("r3: %+v", one)
	}
	bad(t, c.ask("GET", "/api/v1/cdrs/r9", ""), 404, "no call record")
	bad(t, c.ask("GET", "/api/v1/cdrs?outcome=nonsense", ""), 422, "")
	bad(t, c.ask("GET", "/api/v1/cdrs?since=yesterday", ""), 422, "")
	bad(t, c.ask("GET", "/api/v1/cdrs?after=nonsense", ""), 422, "cursor")
	bad(t, c.ask("GET", "/api/v1/cdrs?limit=1001", ""), 422, "")
	bad(t, c.ask("GET", "/api/v1/cdrs?format=xml", ""), 422, "")
}

func TestCSV(t *testing.T) {
	c := serve(t, filled())
	byQuery := c.ask("GET", "/api/v1/cdrs?format=csv", "")
	byAccept := c.ask("GET", "/api/v1/cdrs", "", "Accept: text/csv")
	if byQuery.Body.String() != byAccept.Body.String() {
		t.Errorf("format=csv and Accept: text/csv differ:\n%s\n%s", byQuery.Body, byAccept.Body)
	}
	if ct := byQuery.Header().Get("Content-Type"); !strings.HasPrefix(ct, "text/csv") {
		t.Errorf("Content-Type %s", ct)
	}
	rows, err := csv.NewReader(byQuery.Body).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	column := func(row int, name string) string {
		for i, h := range rows[0] {
			if h == name {
				return rows[row][i]
			}
		}
		t.Fatalf("no column %s", name)
		return ""
	}
	for _, x := range []struct {
		row        int
		name, want string
	}{
		{1, "id", "r3"}, {1, "from_name", `'=HYPERLINK("http://evil")`}, {1, "seconds", "60.000"}, {1, "started", "2026-11-21T12:02:00.000Z"},
		{1, "from_packets_in", "3000"}, {1, "from_jitter_in_ms", "1.500"}, {1, "from_mos_in", "4.40"}, {1, "from_mos_out", ""}, {1, "from_round_trip_ms", "80.000"}, {1, "to_round_trip_ms", ""}, {1, "status", ""}, {1, "rang", ""}, {2, "status", "486"}, {2, "cause", "17"},
		{2, "seconds", ""}, {3, "from", "+4930123"}, {3, "from_name", "'@SUM(1)"}, {3, "reason", "'-1+1"},
	} {
		if got := column(x.row, x.name); got != x.want {
			t.Errorf("row %d, %s: %q, want %q", x.row, x.name, got, x.want)
		}
	}
	if w := c.ask("GET", "/api/v1/cdrs?format=csv&from=9", ""); strings.Count(w.Body.String(), "\n") != 1 {
		t.Errorf("nothing fits, so there is a header only: %q", w.Body)
	}
}

func TestCellsAreDefused(t *testing.T) {
	for in, want := range map[string]string{"": "", "Alice": "Alice", "+49": "+49", "+": "'+", "+1-1": "'+1-1", "=1": "'=1", "\t=1": "'\t=1", "*43": "*43", "-5": "'-5", "@a": "'@a"} {
		if got := cell(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// A failure before the first row is a problem; after it the connection breaks off, so that half a file never looks whole.
func TestCSVBreaksOff(t *testing.T) {
	m := filled()
	m.breakAfter = 2
	s := httptest.NewServer(New(m.backend(), Options{}).Handler())
	defer s.Close()
	r, _ := http.NewRequest("GET", s.URL+"/api/v1/cdrs?format=csv", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	res, err := s.Client().Do(r)
	if err == nil {
		defer res.Body.Close()
		_, err = csv.NewReader(res.Body).ReadAll()
	}
	if err == nil {
		t.Error("the half file looked whole")
	}
	s.Client().CloseIdleConnections()

	m = &memory{breakAfter: -1}
	c := client{t, New(m.backend(), Options{}).Handler()}
	bad(t, c.ask("GET", "/api/v1/cdrs?format=csv", ""), 500, "inside")
}

func TestTokens(t *testing.T) {
	c := serve(t, filled())
	var l page[Token]
	c.ok("GET", "/api/v1/tokens", "", 200, &l)
	if len(l.Items) != 1 || l.Items[0].Name != "first" {
		t.Errorf("list: %+v", l)
	}
	var n createdToken
	c.ok("POST", "/api/v1/tokens", `{"name":"monitoring"}`, 201, &n)
	if n.Secret != "rb_new" || n.Name != "monitoring" {
		t.Errorf("created: %+v", n)
	}
	bad(t, c.ask("POST", "/api/v1/tokens", `{"name":"monitoring"}`), 409, "already")
	bad(t, c.ask("POST", "/api/v1/tokens", `{"name":""}`), 422, "")
	c.ok("DELETE", "/api/v1/tokens/monitoring", "", 204, nil)
	bad(t, c.ask("DELETE", "/api/v1/tokens/nobody", ""), 404, "no token")
}

// What goes wrong inside is told to the log, never to the client.
func TestInternalErrors(t *testing.T) {
	m := filled()
	m.broken = errors.New("disk /secret/place is full")
	var log strings.Builder
	c := client{t, New(m.backend(), Options{Log: logTo(&log)}).Handler()}
	for _, x := range [][2]string{{"GET", "/api/v1/extensions"}, {"GET", "/api/v1/extensions/1000"}, {"GET", "/api/v1/cdrs"}} {
		w := c.ask(x[0], x[1], "")
		bad(t, w, 500, "inside")
		if strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%v tells too much: %s", x, w.Body)
		}
	}
	if !strings.Contains(log.String(), "/secret/place") {
		t.Errorf("the log does not say it: %s", log.String())
	}
}

func TestPanic(t *testing.T) {
	m := filled()
	m.panicking = true
	var log strings.Builder
	c := client{t, New(m.backend(), Options{Log: logTo(&log)}).Handler()}
	w := c.ask("GET", "/api/v1/extensions", "")
	bad(t, w, 500, "inside")
	if strings.Contains(w.Body.String(), "defect") || !strings.Contains(log.String(), "a defect") || !strings.Contains(log.String(), "ListExtensions") {
		t.Errorf("body %s, log %s", w.Body, log.String())
	}
	if m := c.ask("GET", "/metrics", ""); !strings.Contains(m.Body.String(), "ringback_http_panics_total 1") {
		t.Error("the panic was not counted")
	}
}
