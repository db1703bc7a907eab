package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
)

// browser listens to events. It reads for itself, and knows no HTTP.
type browser struct {
	t      *testing.T
	feed   *pbx.Feed
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	header   http.Header
	status   int
	got      strings.Builder
	deadline time.Time
	stuck    chan struct{} // closed: writes go on
}

func (b *browser) Header() http.Header    { return b.header }
func (b *browser) WriteHeader(status int) { b.status = status }
func (b *browser) Flush()                 {}

func (b *browser) SetWriteDeadline(t time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deadline = t
	return nil
}

func (b *browser) SetReadDeadline(t time.Time) error {
	if !t.IsZero() {
		b.t.Error("a deadline for reading")
	}
	return nil
}

func (b *browser) Write(p []byte) (int, error) {
	b.mu.Lock()
	stuck, deadline := b.stuck, b.deadline
	b.mu.Unlock()
	if stuck != nil {
		select {
		case <-stuck:
		case <-time.After(time.Until(deadline)):
			return 0, errors.New("i/o timeout")
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.status == 0 {
		b.status = 200
	}
	return b.got.Write(p)
}

// text is what has come since it was asked for last, without the first line of all.
func (b *browser) text() string {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.got.String()
	b.got.Reset()
	return strings.TrimPrefix(s, "retry: 2000\n")
}

// browse begins to listen; path is what comes behind /events.
func browse(t *testing.T, s *Server, feed *pbx.Feed, path string, header ...string) *browser {
	return browseAt(t, s.Local(), feed, path, header...)
}

func browseAt(t *testing.T, h http.Handler, feed *pbx.Feed, path string, header ...string) *browser {
	ctx, cancel := context.WithCancel(context.Background())
	b := &browser{t: t, feed: feed, cancel: cancel, done: make(chan struct{}), header: http.Header{}}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/events"+path, nil)
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	go func() {
		defer close(b.done)
		h.ServeHTTP(b, r)
	}()
	synctest.Wait()
	return b
}

// gone waits for the end of the request.
func (b *browser) gone() {
	b.cancel()
	<-b.done
}

// listeners runs f in a bubble with a server and its feed.
func listeners(t *testing.T, f func(*testing.T, *Server, *pbx.Feed)) {
	synctest.Test(t, func(t *testing.T) {
		feed := pbx.NewFeed()
		backend := filled().backend()
		backend.Events = feed
		s := New(backend, Options{})
		f(t, s, feed)
		s.close()
		synctest.Wait()
		if n := len(s.streams); n != 0 {
			t.Errorf("%d places are still taken", n)
		}
	})
}

// blocks are the events of a stream, taken apart as the HTML standard has it.
func blocks(t *testing.T, text string) (all []event, place string) {
	t.Helper()
	for block := range strings.SplitSeq(text, "\n\n") {
		var e event
		var data string
		for line := range strings.SplitSeq(block, "\n") {
			name, value, _ := strings.Cut(line, ":")
			switch value = strings.TrimPrefix(value, " "); name {
			case "id":
				e.ID = value
			case "event":
				e.Type = value
			case "data":
				data += value
			case "", "retry":
			default:
				t.Errorf("a line that is none: %q", line)
			}
		}
		if e.ID != "" {
			place = e.ID
		}
		if data == "" {
			continue
		}
		var body event
		if err := json.Unmarshal([]byte(data), &body); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		if body.ID != e.ID || body.Type != e.Type {
			t.Errorf("%s %s is %s %s", e.ID, e.Type, body.ID, body.Type)
		}
		all = append(all, body)
	}
	return all, place
}

func TestEvents(t *testing.T) {
	listeners(t, func(t *testing.T, s *Server, feed *pbx.Feed) {
		feed.MailboxChanged("1000", pbx.MessageCount{New: 1}) // before
		b := browse(t, s, feed, "")
		if b.status != 200 || b.header.Get("Content-Type") != "text/event-stream" || b.header.Get("Cache-Control") != "no-store" {
			t.Error(b.status, b.header)
		}
		if all, place := blocks(t, b.text()); len(all) != 0 || place != feed.Last().String() {
			t.Error(all, place)
		}
		at := time.Now().UTC()
		record := &pbx.CDR{ID: "c1", From: "1000", FromName: "Eve\ndata: {}\n\nevent: x\u2028", To: "1001", By: "1001", Outcome: "answered", FromPhone: pbx.Quality{MOSIn: 4.1, LostIn: 3, RoundTrip: 20 * time.Millisecond}}
		feed.Publish(pbx.Event{Type: pbx.CallEnded, Call: "c1", Extension: "1001", Data: record})
		feed.MailboxChanged("1000", pbx.MessageCount{New: 2, Old: 3, UrgentNew: 1})
		feed.ConferenceChanged(pbx.ConferenceInfo{Number: "800", Members: []pbx.MemberInfo{{Call: "c1", From: pbx.Identity{Number: "1000"}}}})
		feed.ConferenceChanged(pbx.ConferenceInfo{Number: "800"})
		feed.Publish(pbx.Event{Type: pbx.RegistrationAdded, Extension: "1000", Data: pbx.Binding{Contact: "sip:1000@192.0.2.1", Transport: "udp"}})
		feed.Publish(pbx.Event{Type: pbx.RecordingEnded, Call: "c1", Data: pbx.Recording{ID: "r1", By: "1000", Channels: 2}})
		text := b.text()
		all, _ := blocks(t, text)
		want := []struct{ kind, about, data string }{
			{"call.ended", "c1/1001", `"mos_in":4.1`},
			{"mailbox.changed", "1000", `{"new":2,"old":3,"urgent_new":1,"urgent_old":0}`},
			{"conference.changed", "800", `"members":[{"call":"c1"`},
			{"conference.changed", "800", ``},
			{"registration.added", "1000", `{"contact":"sip:1000@192.0.2.1","transport":"udp"}`},
			{"recording.ended", "c1", `"id":"r1"`},
		}
		if len(all) != len(want) {
			t.Fatalf("%d events:\n%s", len(all), text)
		}
		for i, e := range all {
			about := strings.Trim(strings.Join([]string{e.Call, e.Room + e.Mailbox + e.Extension}, "/"), "/")
			if e.Type != want[i].kind || about != want[i].about || !e.At.Equal(at) || !strings.Contains(text, want[i].data) || (e.Data == nil) != (want[i].data == "") {
				t.Errorf("%+v, want %+v", e, want[i])
			}
		}
		if got := all[0].Data.(map[string]any)["from_name"]; got != record.FromName {
			t.Errorf("%q", got)
		}
		b.gone()
		feed.MailboxChanged("1000", pbx.MessageCount{})
	})
}

// TestEventsResume: by header, by query, from the oldest, of another run.
func TestEventsResume(t *testing.T) {
	listeners(t, func(t *testing.T, s *Server, feed *pbx.Feed) {
		var ids []string
		for i := range 5 {
			feed.MailboxChanged(fmt.Sprint(i), pbx.MessageCount{})
			ids = append(ids, feed.Last().String())
		}
		for _, x := range []struct {
			path, header, want string
		}{
			{"?after=" + ids[2], "", "3 4"},
			{"?after=" + ids[0], "Last-Event-ID: " + ids[3], "4"},
			{"", "Last-Event-ID: " + ids[4], ""},
			{"?after=0", "", "0 1 2 3 4"},
			{"?after=1-1", "", "gap 0 1 2 3 4"},
			{"?after=0&types=call.ended", "", ""},
			{"?after=1-1&types=call.ended", "", "gap"},
			{"?after=0&types=call.ended,mailbox.changed", "", "0 1 2 3 4"},
		} {
			var header []string
			if x.header != "" {
				header = append(header, x.header)
			}
			b := browse(t, s, feed, x.path, header...)
			all, _ := blocks(t, b.text())
			var got []string
			for _, e := range all {
				if e.Type == "gap" {
					e.Mailbox = "gap"
				}
				got = append(got, e.Mailbox)
			}
			if strings.Join(got, " ") != x.want {
				t.Errorf("%s %s: %q, want %q", x.path, x.header, got, x.want)
			}
			b.gone()
		}
	})
}

// TestEventsHeartbeat: a comment each 15 s says where one is, also if nothing was for him; and costs nothing where events come.
func TestEventsHeartbeat(t *testing.T) {
	listeners(t, func(t *testing.T, s *Server, feed *pbx.Feed) {
		b := browse(t, s, feed, "?types=call.ended")
		b.text()
		feed.MailboxChanged("1000", pbx.MessageCount{})
		if text := b.text(); text != "" {
			t.Errorf("%q", text)
		}
		for range 3 {
			time.Sleep(heartbeat + time.Second)
			text := b.text()
			if all, place := blocks(t, text); len(all) != 0 || place != feed.Last().String() || strings.Count(text, "\n\n") != 1 {
				t.Errorf("%q", text)
			}
		}
		b.gone()
	})
}

// TestEventsSlow: a client that does not read is dropped, and has cost the exchange nothing.
func TestEventsSlow(t *testing.T) {
	listeners(t, func(t *testing.T, s *Server, feed *pbx.Feed) {
		b := browse(t, s, feed, "")
		b.mu.Lock()
		b.stuck = make(chan struct{})
		b.mu.Unlock()
		start := time.Now()
		for range 10_000 {
			feed.MailboxChanged("1000", pbx.MessageCount{})
		}
		<-b.done
		if d := time.Since(start); d != streamWrite {
			t.Error("dropped after", d)
		}
		b.cancel()
	})
}

func TestEventsBounds(t *testing.T) {
	listeners(t, func(t *testing.T, s *Server, feed *pbx.Feed) {
		var all []*browser
		for range maxStreams {
			all = append(all, browse(t, s, feed, ""))
		}
		c := client{t, s.Local()}
		w := c.ask("GET", "/api/v1/events", "")
		bad(t, w, 503, "Retry-After")
		all[0].gone()
		all[0] = browse(t, s, feed, "")
		if all[0].status != 200 {
			t.Error(all[0].status)
		}
		feed.MailboxChanged("1000", pbx.MessageCount{})
		for _, b := range all {
			if events, _ := blocks(t, b.text()); len(events) != 1 {
				t.Error(events)
			}
		}
		s.close() // as when the server is shut down
		for _, b := range all {
			<-b.done
			b.cancel()
		}
	})
}

func TestEventsRefused(t *testing.T) {
	c := serve(t, filled())
	for path, detail := range map[string]string{
		"?types=call.nonsense":              "no events of one of these types",
		"?types=gap":                        "no events of one of these types",
		"?types=call.ended,,x":              "no events of one of these types",
		"?after=nonsense":                   "not the ID",
		"?after=1-2-3":                      "not the ID",
		"?nonsense=1":                       "",
		"?after=" + strings.Repeat("1", 65): "",
	} {
		bad(t, c.ask("GET", "/api/v1/events"+path, ""), 422, detail)
	}
	bad(t, c.ask("GET", "/api/v1/events", "", "Last-Event-ID: x"), 422, "not the ID")
	bad(t, c.ask("GET", "/api/v1/events", "", "Authorization:"), 401, "token")
	if w := c.ask("HEAD", "/api/v1/events", ""); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Type") != "text/event-stream" {
		t.Error(w.Code, w.Body, w.Header())
	}
}

// TestEventsOfARevokedToken: they end with the next thing to say.
func TestEventsOfARevokedToken(t *testing.T) {
	listeners(t, func(t *testing.T, s *Server, feed *pbx.Feed) {
		tokens := &revocable{Tokens: s.b.Tokens}
		s.b.Tokens = tokens
		b := browseAt(t, s.Handler(), feed, "", "Authorization: Bearer "+secret)
		b.text()
		feed.MailboxChanged("1000", pbx.MessageCount{})
		if all, _ := blocks(t, b.text()); len(all) != 1 {
			t.Error(all)
		}
		tokens.revoked.Store(true)
		feed.MailboxChanged("1000", pbx.MessageCount{})
		<-b.done
		if text := b.text(); text != "" {
			t.Error(text)
		}
		b.cancel()
	})
}

// revocable is a token that may be revoked.
type revocable struct {
	Tokens
	revoked atomic.Bool
}

func (r *revocable) Valid(secret string) (string, bool) {
	name, ok := r.Tokens.Valid(secret)
	return name, ok && !r.revoked.Load()
}

// TestEventsOverHTTP: on a real connection, until the server is shut down, which does not wait for listeners.
func TestEventsOverHTTP(t *testing.T) {
	feed := pbx.NewFeed()
	backend := filled().backend()
	backend.Events = feed
	s := New(backend, Options{})
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := s.HTTP(s.Handler())
	var serving sync.WaitGroup
	serving.Go(func() { server.Serve(Limit(l)) })
	transport := &http.Transport{}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/api/v1/events?types=mailbox.changed", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "id:") { // it listens
	}
	for i := range 3 {
		feed.MailboxChanged(fmt.Sprint(i), pbx.MessageCount{})
	}
	got := 0
	for got < 3 && lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var e event
			if err := json.Unmarshal([]byte(data), &e); err != nil || e.Mailbox != fmt.Sprint(got) {
				t.Error(err, data)
			}
			got++
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil || got != 3 {
		t.Error(err, got)
	}
	for lines.Scan() {
	}
	res.Body.Close()
	serving.Wait()
	transport.CloseIdleConnections()
}
