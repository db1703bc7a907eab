package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"ringback/pbx"
)

const (
	maxStreams  = 100              // listeners at a time
	heartbeat   = 15 * time.Second // between comments where nothing happens
	streamWrite = 10 * time.Second // that a client may take to read what was sent; then it is gone
)

// event is a pbx.Event as the API shows it.
type event struct {
	ID        string    `json:"id" doc:"Its place in the stream, for Last-Event-ID or after. They are in order, but not without gaps where types are chosen."`
	At        time.Time `json:"at" doc:"When it happened."`
	Type      string    `json:"type" example:"call.ended" doc:"What happened; also the event line."`
	Call      string    `json:"call,omitempty" doc:"ID of the call's record."`
	Room      string    `json:"room,omitempty" doc:"Number of the conference room."`
	Mailbox   string    `json:"mailbox,omitempty" doc:"Number of the mailbox."`
	Extension string    `json:"extension,omitempty" doc:"Whose phone it is; of a call, who has answered."`
	Data      any       `json:"data,omitempty" doc:"What there is to say, by type: docs/events.md."`
}

// phone is a pbx.Binding as an event tells of it.
type phone struct {
	Contact   string `json:"contact"`
	Source    string `json:"source,omitempty"`
	Transport string `json:"transport,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	Instance  string `json:"instance,omitempty"`
}

type eventsIn struct {
	Types []string `query:"types" doc:"Only events of these types, with commas between."`
	After string   `query:"after" maxLength:"64" doc:"ID of an event: the stream goes on behind it. Without one it begins with what happens next; 0 is the oldest that is kept."`
	Last  string   `header:"Last-Event-ID" maxLength:"64" doc:"The same, as browsers send it when they come again; it wins."`
}

func (s *Server) eventRoutes() {
	o := operation("listen-to-events", http.MethodGet, "/events", "events",
		"Listen to what happens, as server-sent events; each has an id, an event and a data line, whose JSON is this", 0, 503)
	o.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
		"text/event-stream": {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[event](), true, "")}}}}
	register(s, o, s.listen)
}

func (s *Server) listen(_ context.Context, in *eventsIn) (*huma.StreamResponse, error) {
	for _, t := range in.Types {
		if !slices.Contains(pbx.EventTypes, pbx.EventType(t)) {
			return nil, s.failed(&Invalid{"query.types", "There are no events of one of these types; docs/events.md lists what there is."}, "")
		}
	}
	after := s.b.Events.Last()
	if from := cmp.Or(in.Last, in.After); from == "0" {
		after = pbx.EventID{Run: after.Run}
	} else if from != "" {
		var ok bool
		if after, ok = pbx.ParseEventID(from); !ok {
			return nil, s.failed(&Invalid{"query.after", "after is not the ID of an event."}, "")
		}
	}
	select {
	case s.streams <- struct{}{}:
	default:
		return nil, s.failed(ErrBusy, "")
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer func() { <-s.streams }()
		r, w := humachi.Unwrap(hc)
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("X-Accel-Buffering", "no") // nginx would wait for more
		if r.Method == http.MethodHead {
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(s.closing, cancel)()
		t := &listening{s: s, request: r, connection: http.NewResponseController(w), w: w, types: in.Types}
		t.connection.SetReadDeadline(time.Time{}) // which is for the request, and would end what comes after it
		t.run(ctx, after)
	}}, nil
}

// listening is one client who listens.
type listening struct {
	s          *Server
	request    *http.Request
	connection *http.ResponseController
	w          http.ResponseWriter
	types      []string
	b          bytes.Buffer
}

// run sends events until the client or the server goes.
func (t *listening) run(ctx context.Context, after pbx.EventID) {
	listener := t.s.b.Events.Listen(after)
	t.b.WriteString("retry: 2000\n") // milliseconds, after which a browser comes again
	t.place(after)
	var events []pbx.Event
	for t.send() == nil {
		clear(events) // a record is not to be kept by who has sent it
		waiting, cancel := context.WithTimeout(ctx, heartbeat)
		var err error
		events, err = listener.Next(waiting, events[:0])
		cancel()
		if ctx.Err() != nil || !t.s.stillAllowed(t.request) {
			return
		}
		if err != nil {
			t.place(after)
			continue
		}
		for _, e := range events {
			after = e.ID
			if len(t.types) == 0 || e.Type == pbx.EventGap || slices.Contains(t.types, string(e.Type)) {
				t.event(e)
			}
		}
	}
}

// place is a comment, by which one sees that the connection lives, with an ID: who comes again has not missed what was not for him.
func (t *listening) place(after pbx.EventID) {
	t.b.WriteString(": \nid: " + after.String() + "\n\n")
}

// event writes an event as the HTML standard has it (§9.2.6). JSON has no ends of lines.
func (t *listening) event(e pbx.Event) {
	id := e.ID.String()
	data, err := json.Marshal(event{id, e.At, string(e.Type), e.Call, e.Room, e.Mailbox, e.Extension, told(e.Data)})
	if err != nil {
		t.s.log.Error("an event cannot be shown", "type", string(e.Type), "error", err)
		return
	}
	t.b.WriteString("id: " + id + "\nevent: " + string(e.Type) + "\ndata: ")
	t.b.Write(data)
	t.b.WriteString("\n\n")
}

// send gives the client what there is; an error says that it is gone, or too slow.
func (t *listening) send() error {
	if t.b.Len() == 0 {
		return nil
	}
	t.connection.SetWriteDeadline(time.Now().Add(streamWrite)) // where it cannot be set, it is in memory
	_, err := t.w.Write(t.b.Bytes())
	if err == nil {
		err = t.connection.Flush()
	}
	t.b.Reset()
	return err
}

// told is the Data of an event as the API shows it elsewhere.
func told(data any) any {
	switch v := data.(type) {
	case pbx.ConferenceInfo:
		if len(v.Members) == 0 { // it is over
			return nil
		}
		return showConference(v)
	case pbx.MessageCount:
		return messageCount(v)
	case pbx.Binding:
		return phone{v.Contact, v.Source, v.Transport, v.UserAgent, v.Instance}
	}
	return data
}
