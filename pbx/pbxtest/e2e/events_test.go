package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// happened is an event of the stream.
type happened struct {
	ID, Type, Call, Room, Mailbox, Extension string

	Data map[string]any
}

// stream is a listener.
type stream struct {
	mu   sync.Mutex
	all  []happened
	bad  []string
	stop func()
}

// listens opens the event stream, behind an event if it is not "", and returns when it is open.
func (s *scene) listens(after string) *stream {
	s.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	q, err := http.NewRequestWithContext(ctx, "GET", s.x.http+"/api/v1/events?after="+url.QueryEscape(after), nil)
	s.must(err)
	q.Header.Set("Authorization", "Bearer "+apiToken)
	res, err := http.DefaultClient.Do(q)
	s.must(err)
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		cancel()
		s.Fatal(res.Status, res.Header)
	}
	st, opened, done := new(stream), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		var id, kind, data string
		for open := false; lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ":")
			value = strings.TrimPrefix(value, " ")
			switch name {
			case "id":
				id = value
			case "event":
				kind = value
			case "data":
				data += value
			case "":
				if lines.Text() == "" {
					if !open {
						open = true
						close(opened)
					}
					if data != "" {
						st.take(id, kind, data)
					}
					kind, data = "", ""
				}
			}
		}
	}()
	st.stop = func() { cancel(); <-done }
	s.Cleanup(st.stop)
	select {
	case <-opened:
	case <-done:
		s.Fatal("the stream ends at once")
	}
	return st
}

func (st *stream) take(id, kind, data string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	var e happened
	if err := json.Unmarshal([]byte(data), &e); err != nil || e.ID != id || e.Type != kind {
		st.bad = append(st.bad, kind+" "+id+": "+data)
	}
	st.all = append(st.all, e)
}

// of are the events that were sent so far about something.
func (st *stream) of(about func(happened) bool) []happened {
	st.mu.Lock()
	defer st.mu.Unlock()
	var found []happened
	for _, e := range st.all {
		if about(e) {
			found = append(found, e)
		}
	}
	return found
}

// tells waits until the events about something have come, of these types in this order.
func (s *scene) tells(st *stream, about func(happened) bool, types ...string) []happened {
	s.Helper()
	var found []happened
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		found = st.of(about)
		var have []string
		for _, e := range found {
			have = append(have, e.Type)
		}
		if slices.Equal(have, types) {
			break
		}
		if len(have) > len(types) || time.Now().After(end) {
			s.Fatalf("the events are %q, not %q", have, types)
		}
	}
	for _, bad := range st.bad {
		s.Error(bad)
	}
	return found
}

// The life of a call, in order, with its quality at the end; who comes again hears what he has missed.
func TestEventsOfACall(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		s.services(bob.User(), "record", doc{"incoming": true})
		st := s.listens("")
		caller, callee := s.up(alice, bob)
		id := s.callID(alice.User())
		s.conversation(caller, callee)
		ofCall := func(e happened) bool { return e.Call == id && strings.HasPrefix(e.Type, "call.") }
		all := s.tells(st, ofCall, "call.started", "call.ringing", "call.answered", "call.ended")
		if d := all[0].Data; d["from"] != alice.User() || d["to"] != bob.User() {
			s.Errorf("it begins with %v", d)
		}
		if all[2].Extension != bob.User() {
			s.Errorf("it was answered by %q", all[2].Extension)
		}
		for _, party := range []string{"from_phone", "to_phone"} {
			q, _ := all[3].Data[party].(map[string]any)
			for _, mos := range []string{"mos_in", "mos_out"} {
				if v, _ := q[mos].(float64); v < 1 { // how good it was a busy machine decides
					s.Errorf("%s of %s is %v: %v", mos, party, q[mos], all[3].Data)
				}
			}
		}
		s.tells(st, func(e happened) bool { return e.Call == id && strings.HasPrefix(e.Type, "recording.") }, "recording.started", "recording.ended")
		st.stop()
		s.tells(s.listens(all[1].ID), ofCall, "call.answered", "call.ended")
	})
}

// Phones, messages and conferences.
func TestEventsOfOthers(t *testing.T) {
	play(t, func(s *scene) {
		owner, room := s.extension(), s.room("quiet", true)
		s.mailbox(owner)
		st := s.listens("")
		bob := s.phone()
		s.tells(st, func(e happened) bool { return e.Extension == bob.User() }, "registration.added")
		s.leavesMessage(s.dials(bob, "*99"+owner), 440)
		m := s.holds(owner, 1)[0]
		e := s.tells(st, func(e happened) bool { return e.Mailbox == owner }, "mailbox.changed")[0]
		if e.Data["new"] != 1.0 || e.Data["old"] != 0.0 {
			s.Errorf("%+v", e)
		}
		s.must(s.x.api(s.ctx, "DELETE", "/mailboxes/"+owner+"/messages/"+m.ID, nil, nil))
		s.tells(st, func(e happened) bool { return e.Mailbox == owner }, "mailbox.changed", "mailbox.changed")
		l := s.enters(bob, room, 440)
		s.tells(st, func(e happened) bool { return e.Room == room && e.Type == "conference.changed" }, "conference.changed")
		s.leaves(l)
		s.tells(st, func(e happened) bool { return e.Room == room && e.Type == "conference.changed" }, "conference.changed", "conference.changed")
		s.must(bob.Unregister(s.ctx))
		s.tells(st, func(e happened) bool { return e.Extension == bob.User() && strings.HasPrefix(e.Type, "registration.") }, "registration.added", "registration.removed")
	})
}
