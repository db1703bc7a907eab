package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"ringback/pbx"
)

type planIn struct {
	From string `query:"from" required:"true" minLength:"1" maxLength:"64" example:"1001" doc:"Who calls: an extension, or any other number for a call from outside; \"anonymous\" for a caller from outside who hides it."`
	To   string `query:"to" required:"true" minLength:"1" maxLength:"64" example:"1000" doc:"What is dialled: any number or feature code."`
	At   string `query:"at" maxLength:"64" example:"2026-03-02T18:05:00+01:00" doc:"Time of the call (RFC 3339); now when left out."`
}

type plan struct {
	From string    `json:"from" doc:"Who calls."`
	To   string    `json:"to" doc:"What is dialled."`
	At   time.Time `json:"at" doc:"Time of the call."`
	Text string    `json:"text" doc:"The plan as a tree for people: one line a node, two spaces a level."`
	Plan pbx.Node  `json:"plan" doc:"The plan as data."`
}

func (s *Server) planRoutes() {
	register(s, operation("get-plan", http.MethodGet, "/plan", "plan", "Show where a call would go, and why; nothing rings", 0), s.getPlan)
}

// plus gives back what a query that was not escaped has lost: neither numbers nor times have blanks.
func plus(s string) string { return strings.ReplaceAll(s, " ", "+") }

func (s *Server) getPlan(_ context.Context, in *planIn) (*answer[plan], error) {
	at := time.Now().UTC().Truncate(time.Second)
	if in.At != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, plus(in.At)); err != nil {
			return nil, s.failed(&Invalid{"query.at", "at must be a time such as 2026-03-02T18:05:00+01:00."}, "")
		}
	}
	from, to := plus(in.From), plus(in.To)
	n, err := s.b.Plans.Plan(from, to, at)
	if err != nil {
		return nil, s.failed(err, noExtension)
	}
	return &answer[plan]{plan{From: from, To: to, At: at, Text: n.String(), Plan: n}}, nil
}
