package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ringback/pbx"
)

// call is pbx.CallInfo as the API shows it.
type call struct {
	ID       string    `json:"id" doc:"Also that of its record."`
	From     string    `json:"from" doc:"Who calls."`
	FromName string    `json:"from_name,omitempty" doc:"Display name of the caller."`
	To       string    `json:"to" doc:"Who is called, or has answered."`
	ToName   string    `json:"to_name,omitempty" doc:"Display name of who is called."`
	Dialled  string    `json:"dialled" doc:"What was dialled."`
	State    string    `json:"state" enum:"routing,ringing,answered,ending" doc:"How far it is."`
	Started  time.Time `json:"started" doc:"When it came."`
	Answered time.Time `json:"answered,omitzero" doc:"When it was answered."`
	Codec    string    `json:"codec,omitempty" doc:"What the caller sends."`
	Contact  string    `json:"contact,omitempty" doc:"URI of the phone that answered."`
	Held     bool      `json:"held" doc:"One party holds the other."`
	Recorded bool      `json:"recorded" doc:"It is being recorded now."`

	FromPhone pbx.Quality `json:"from_phone,omitzero" doc:"The sound of the caller's leg so far."`
	ToPhone   pbx.Quality `json:"to_phone,omitzero" doc:"The sound of the leg that it talks to so far."`
}

func (s *Server) callRoutes() {
	register(s, operation("list-calls", http.MethodGet, "/calls", "calls", "List the calls that are up, oldest first", 0), s.listCalls)
	register(s, operation("hangup-call", http.MethodDelete, "/calls/{id}", "calls", "Hang up a call", http.StatusNoContent, 404), s.hangupCall)
}

func (s *Server) listCalls(context.Context, *struct{}) (*answer[page[call]], error) {
	all := s.b.Calls.Calls()
	p := page[call]{Items: make([]call, 0, len(all))}
	for _, c := range all {
		p.Items = append(p.Items, call{ID: c.ID, From: c.From.Number, FromName: c.From.Name, To: c.To.Number, ToName: c.To.Name,
			Dialled: c.Dialled, State: c.State, Started: c.Started, Answered: c.Answered, Codec: c.Codec, Contact: c.Contact, Held: c.Held, Recorded: c.Recorded,
			FromPhone: c.FromPhone, ToPhone: c.ToPhone})
	}
	return &answer[page[call]]{p}, nil
}

// byAdmin is how a call that is hung up here has ended: normal clearing (Q.850 16).
var byAdmin = pbx.Outcome{Kind: pbx.Cancelled, By: pbx.Admin, Status: 480, Cause: 16}

func (s *Server) hangupCall(_ context.Context, in *idPath) (*struct{}, error) {
	if !s.b.Calls.HangupCall(in.ID, byAdmin) {
		return nil, huma.Error404NotFound("There is no call of that ID now.")
	}
	return nil, nil
}
