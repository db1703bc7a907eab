package web

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"ringback/pbx"
)

type recordsIn struct {
	From    string    `query:"from" maxLength:"64" doc:"Only calls from this number."`
	To      string    `query:"to" maxLength:"64" doc:"Only calls to this number, as dialled."`
	Number  string    `query:"number" maxLength:"64" doc:"Only calls that this number made, was called by, or answered."`
	Outcome string    `query:"outcome" enum:"answered,no answer,busy,declined,unreachable,looped,cancelled,redirected,screened,failed" doc:"Only calls that ended so."`
	Since   time.Time `query:"since" doc:"Only calls that began then or later (RFC 3339)."`
	Until   time.Time `query:"until" doc:"Only calls that began before (RFC 3339)."`
	After   string    `query:"after" maxLength:"128" doc:"next of the page before. Not for CSV."`
	Limit   int       `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Records a page. CSV has all that fit."`
	Format  string    `query:"format" enum:"json,csv" doc:"As the Accept header, for people with a browser."`
	Accept  string    `header:"Accept"`
}

func (in recordsIn) filter() Filter {
	return Filter{From: in.From, To: in.To, Number: in.Number, Outcome: in.Outcome, Since: in.Since, Until: in.Until}
}

func (in recordsIn) csv() bool {
	return in.Format == "csv" || in.Format == "" && strings.HasPrefix(strings.TrimSpace(in.Accept), "text/csv")
}

func (s *Server) recordRoutes() {
	list := operation("list-cdrs", http.MethodGet, "/cdrs", "records", "List call records, newest first, as JSON in pages or as CSV in one stream", 0)
	list.Responses = map[string]*huma.Response{"200": {
		Description: "OK",
		Content: map[string]*huma.MediaType{
			"application/json": {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[page[pbx.CDR]](), true, "")},
			"text/csv":         {Schema: &huma.Schema{Type: huma.TypeString}},
		},
	}}
	register(s, list, s.listRecords)
	register(s, operation("get-cdr", http.MethodGet, "/cdrs/{id}", "records", "Show a call record", 0, 404), s.getRecord)
}

func (s *Server) listRecords(ctx context.Context, in *recordsIn) (*huma.StreamResponse, error) {
	if in.csv() {
		return s.streamCSV(ctx, in.filter())
	}
	f := in.filter()
	f.After, f.Limit = in.After, in.Limit
	all, next, err := s.b.Records.Page(ctx, f)
	if err != nil {
		return nil, s.failed(err, "")
	}
	p := page[pbx.CDR]{Items: all, Next: next}
	if all == nil {
		p.Items = []pbx.CDR{}
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humachi.Unwrap(hc)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Vary", "Accept")
		json.NewEncoder(w).Encode(p)
	}}, nil
}

func (s *Server) getRecord(ctx context.Context, in *idPath) (*answer[pbx.CDR], error) {
	c, err := s.b.Records.Get(ctx, in.ID)
	if err != nil {
		return nil, s.failed(err, "There is no call record of that ID.")
	}
	return &answer[pbx.CDR]{c}, nil
}
