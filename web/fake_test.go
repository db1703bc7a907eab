package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringback/pbx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "rb_right"

// memory is a Backend that lasts as long as a test. The real one is tested with this package in cmd/ringback.
type memory struct {
	extensions    []Extension
	registrations []Registration
	calls         []pbx.CallInfo
	hungUp        []pbx.Outcome
	records       []pbx.CDR
	breakAfter    int // records, then an error; 0: never, -1: before the first
	tokens        []Token
	notReady      error
	broken        error // what every store answers
	passwords     int   // asked for
	panicking     bool
	services      map[string]pbx.Services
	groups        map[string]pbx.Group
	rooms         map[string]pbx.Room
	menus         map[string]pbx.Menu
	mailboxes     map[string]pbx.Mailbox
	messages      *memoryMessages // nil: none
	recordings    *memoryRecordings
	recorder      *memoryRecorder
	up            []pbx.ConferenceInfo
	hours         map[string]pbx.Hours
	office        pbx.Office
	by            []pbx.Set // of what was changed
	asked         []string  // for plans
}

func (m *memory) find(number string) int {
	return slices.IndexFunc(m.extensions, func(e Extension) bool { return e.Number == number })
}

func (m *memory) ListExtensions(_ context.Context, after string, limit int) ([]Extension, error) {
	if m.panicking {
		panic("a defect")
	}
	var all []Extension
	for _, e := range m.extensions {
		if e.Number > after && len(all) < limit {
			all = append(all, e)
		}
	}
	return all, m.broken
}

func (m *memory) GetExtension(_ context.Context, number string) (Extension, error) {
	if i := m.find(number); i >= 0 {
		return m.extensions[i], m.broken
	}
	return Extension{}, ErrNotFound
}

func (m *memory) CreateExtension(_ context.Context, n NewExtension) (Extension, string, error) {
	switch {
	case m.broken != nil:
		return Extension{}, "", m.broken
	case m.find(n.Number) >= 0:
		return Extension{}, "", ErrExists
	case len(n.Password) > 0 && len(n.Password) < 8:
		return Extension{}, "", &Invalid{"password", "A password has 8 to 128 characters."}
	}
	e := Extension{Number: n.Number, Name: n.Name, Enabled: !n.Disabled, MaxContacts: max(n.MaxContacts, 1), RingSeconds: max(n.RingSeconds, 25), Codecs: n.Codecs, Numbers: n.Numbers}
	m.extensions = append(m.extensions, e)
	if n.Password == "" {
		n.Password = "generated"
	}
	return e, n.Password, nil
}

func (m *memory) UpdateExtension(_ context.Context, number string, u ExtensionUpdate) (Extension, string, error) {
	i := m.find(number)
	if i < 0 {
		return Extension{}, "", ErrNotFound
	}
	e := &m.extensions[i]
	if u.Name != nil {
		e.Name = *u.Name
	}
	if u.Enabled != nil {
		e.Enabled = *u.Enabled
	}
	if u.Codecs != nil {
		e.Codecs = *u.Codecs
	}
	if u.Numbers != nil {
		e.Numbers = *u.Numbers
	}
	if u.RingSeconds != nil {
		e.RingSeconds = *u.RingSeconds
	}
	if u.Password != nil && *u.Password == "" {
		return *e, "generated", nil
	}
	return *e, "", nil
}

func (m *memory) DeleteExtension(_ context.Context, number string) error {
	i := m.find(number)
	if i < 0 {
		return ErrNotFound
	}
	for extension, v := range m.services {
		if v.Voicemail.Box == number {
			return &Invalid{"number", "Mailbox " + number + " is used by extension " + extension + ", too: change that first."}
		}
	}
	m.extensions = slices.Delete(m.extensions, i, i+1)
	return nil
}

func (m *memory) Calls() []pbx.CallInfo { return m.calls }

func (m *memory) HangupCall(id string, o pbx.Outcome) bool {
	if !slices.ContainsFunc(m.calls, func(c pbx.CallInfo) bool { return c.ID == id }) {
		return false
	}
	m.hungUp = append(m.hungUp, o)
	return true
}

func (m *memory) VerifyUser(_ context.Context, name, password string) (bool, error) {
	m.passwords++
	return name == "admin" && password == "right", m.broken
}

type memoryRegistrations struct{ *memory }

func (m memoryRegistrations) List(extension, after string, limit int) []Registration {
	var all []Registration
	for _, r := range m.registrations {
		if (extension == "" || r.Extension == extension) && r.ID > after && (limit == 0 || len(all) < limit) {
			all = append(all, r)
		}
	}
	return all
}

func (m memoryRegistrations) Remove(_ context.Context, id string) error {
	switch {
	case id == "busy":
		return ErrBusy
	case id == "full":
		return fmt.Errorf("%w: no space left", ErrFull)
	case !slices.ContainsFunc(m.registrations, func(r Registration) bool { return r.ID == id }):
		return ErrNotFound
	}
	m.memory.registrations = slices.DeleteFunc(m.registrations, func(r Registration) bool { return r.ID == id })
	return nil
}

type memoryRecords struct{ *memory }

func (m memoryRecords) Page(_ context.Context, f Filter) ([]pbx.CDR, string, error) {
	if f.After == "nonsense" {
		return nil, "", &Invalid{"after", "after is not a cursor of this list."}
	}
	var all []pbx.CDR
	for c := range m.All(context.Background(), f) {
		if f.After == "" || c.ID < f.After {
			all = append(all, c)
		}
	}
	if len(all) > f.Limit {
		return all[:f.Limit], all[f.Limit-1].ID, m.broken
	}
	return all, "", m.broken
}

func (m memoryRecords) Get(_ context.Context, id string) (pbx.CDR, error) {
	for _, c := range m.records {
		if c.ID == id {
			return c, nil
		}
	}
	return pbx.CDR{}, ErrNotFound
}

func (m memoryRecords) All(_ context.Context, f Filter) iter.Seq2[pbx.CDR, error] {
	return func(yield func(pbx.CDR, error) bool) {
		fire := errors.New("the disk is on fire in /secret/place")
		if m.breakAfter < 0 {
			yield(pbx.CDR{}, fire)
			return
		}
		for i, c := range m.records {
			if m.breakAfter > 0 && i == m.breakAfter {
				yield(pbx.CDR{}, fire)
				return
			}
			fits := (f.From == "" || f.From == c.From) && (f.To == "" || f.To == c.To) && (f.Outcome == "" || f.Outcome == c.Outcome) &&
				(f.Number == "" || f.Number == c.From || f.Number == c.To || f.Number == c.By) && (f.Since.IsZero() || !c.Started.Before(f.Since)) &&
				(f.Until.IsZero() || c.Started.Before(f.Until))
			if fits && !yield(c, nil) {
				return
			}
		}
	}
}

type memoryTokens struct{ *memory }

func (m memoryTokens) Valid(s string) (string, bool) { return "monitoring", s == secret }
func (m memoryTokens) List() []Token                 { return m.tokens }
func (m memoryTokens) Create(_ context.Context, name string) (string, error) {
	if slices.ContainsFunc(m.tokens, func(t Token) bool { return t.Name == name }) {
		return "", ErrExists
	}
	m.memory.tokens = append(m.tokens, Token{Name: name, Created: epoch})
	return "rb_new", nil
}

func (m memoryTokens) Revoke(_ context.Context, name string) error {
	if !slices.ContainsFunc(m.tokens, func(t Token) bool { return t.Name == name }) {
		return ErrNotFound
	}
	return nil
}

var epoch = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// filled has two of everything.
func filled() *memory {
	return &memory{
		extensions: []Extension{{Number: "1000", Name: "Alice", Enabled: true, MaxContacts: 5, RingSeconds: 25, Created: epoch, Updated: epoch},
			{Number: "1001", Name: "Bob", Enabled: true, MaxContacts: 5, RingSeconds: 25, Codecs: []string{"PCMA"}, Created: epoch, Updated: epoch}},
		registrations: []Registration{
			{ID: "1000-a", Reachable: true, RoundTrip: 1500 * time.Microsecond, Binding: pbx.Binding{Extension: "1000", Contact: "sip:1000@192.0.2.7:5062",
				Transport: "udp", Source: "192.0.2.7:5062", Q: 500, UserAgent: "<script>alert(1)</script>", Registered: epoch, Updated: epoch, Expires: epoch.Add(time.Hour)}},
			{ID: "1001-b", Binding: pbx.Binding{Extension: "1001", Contact: "sip:1001@192.0.2.8", Transport: "tcp", Q: 1000, Registered: epoch, Updated: epoch, Expires: epoch}}},
		calls: []pbx.CallInfo{{ID: "c1", From: pbx.Identity{Number: "1000", Name: "Alice"}, To: pbx.Identity{Number: "1001"}, Dialled: "1001", State: "ringing", Started: epoch}},
		records: []pbx.CDR{
			{ID: "r3", From: "1000", FromName: `=HYPERLINK("http://evil")`, To: "1001", Started: epoch.Add(2 * time.Minute), Answered: epoch.Add(3 * time.Minute),
				Ended: epoch.Add(4 * time.Minute), By: "1001", Outcome: "answered", EndedBy: "caller", Codec: "PCMU", FromPhone: pbx.Quality{PacketsIn: 3000, JitterIn: 1500 * time.Microsecond, MOSIn: 4.4, RoundTrip: 80 * time.Millisecond}},
			{ID: "r2", From: "1001", To: "1000", Started: epoch.Add(time.Minute), Ended: epoch.Add(2 * time.Minute), Outcome: "busy", Status: 486, Cause: 17, EndedBy: "callee"},
			{ID: "r1", From: "+4930123", FromName: "@SUM(1)", To: "1000", Started: epoch, Ended: epoch, Outcome: "cancelled", Status: 487, EndedBy: "caller", Reason: "-1+1"}},
		tokens:    []Token{{Name: "first", Created: epoch}},
		services:  map[string]pbx.Services{},
		groups:    map[string]pbx.Group{},
		rooms:     map[string]pbx.Room{},
		menus:     map[string]pbx.Menu{},
		mailboxes: map[string]pbx.Mailbox{},
		hours:     map[string]pbx.Hours{},
	}
}

func (m *memory) backend() Backend {
	if m.messages == nil {
		m.messages = &memoryMessages{memory: m, greetings: map[string]string{}}
	}
	if m.recordings == nil {
		m.recordings = &memoryRecordings{memory: m}
	}
	if m.recorder == nil {
		m.recorder = &memoryRecorder{}
	}
	return Backend{Events: pbx.NewFeed(), Extensions: m, Services: m, Groups: m, Rooms: m, Menus: m, Mailboxes: m, Messages: m.messages, Recordings: m.recordings, Recorder: m.recorder,
		Hours: m, Office: m, Prompts: newMemoryPrompts(m), Plans: m, Registrations: memoryRegistrations{m}, Calls: m, Conferences: m, Records: memoryRecords{m}, Tokens: memoryTokens{m}, Users: m,
		Ready: func() error { return m.notReady }}
}

// client asks one handler.
type client struct {
	t *testing.T
	h http.Handler
}

func serve(t *testing.T, m *memory) client {
	return client{t, New(m.backend(), Options{}).Handler()}
}

// ask sends a request with the right token; header lines are "Name: value", an empty value takes the header out.
func (c client) ask(method, path, body string, header ...string) *httptest.ResponseRecorder {
	c.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, path, in)
	r.Header.Set("Authorization", "Bearer "+secret)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ":")
		if value = strings.TrimSpace(value); value == "" {
			r.Header.Del(name)
			continue
		}
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	return w
}

// ok asks for a 2xx with JSON and decodes it.
func (c client) ok(method, path, body string, status int, out any) *httptest.ResponseRecorder {
	c.t.Helper()
	w := c.ask(method, path, body)
	if w.Code != status {
		c.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	if out != nil {
		if ct := w.Header().Get("Content-Type"); ct != "application/json" {
			c.t.Errorf("%s %s: Content-Type %q", method, path, ct)
		}
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			c.t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
		}
	} else if w.Body.Len() > 0 && status == http.StatusNoContent {
		c.t.Errorf("%s %s: a body with 204: %s", method, path, w.Body)
	}
	return w
}

// bad checks a problem document (RFC 9457).
func bad(t *testing.T, w *httptest.ResponseRecorder, status int, detail string) {
	t.Helper()
	var p struct {
		Title, Detail string
		Status        int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("no problem document: %v: %q", err, w.Body)
	}
	if w.Code != status || p.Status != status || p.Title == "" || w.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(p.Detail, detail) {
		t.Errorf("got %d %s %s, want %d with %q", w.Code, w.Header().Get("Content-Type"), w.Body, status, detail)
	}
	if w.Header().Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("headers are missing: %v", w.Header())
	}
}
