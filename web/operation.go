package web

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
)

const apiRoot = "/api/v1"

// answer is a response with a JSON body.
type answer[T any] struct{ Body T }

// page is one part of a list. Lists are ordered, and go on after the key of their last item.
type page[T any] struct {
	Items []T    `json:"items" nullable:"false" doc:"This part of the list, in order."`
	Next  string `json:"next,omitempty" doc:"Ask again with this to get the next page; absent on the last."`
}

// pageOf is a page of at most limit items, as show makes them of what there is; key is what a full one says to go on after.
func pageOf[T, V any](all []T, limit int, show func(T) V, key func(T) string) *answer[page[V]] {
	p := page[V]{Items: make([]V, 0, len(all))}
	for _, v := range all {
		p.Items = append(p.Items, show(v))
	}
	if len(all) > 0 && len(all) == limit {
		p.Next = key(all[len(all)-1])
	}
	return &answer[page[V]]{p}
}

// same shows something as it is.
func same[T any](v T) T { return v }

// describe is what the OpenAPI document says of the whole.
func (s *Server) describe() huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "Ringback", Version: "1",
				Description: "The REST API of a Ringback exchange. Errors are problem details (RFC 9457). " +
					"Times are UTC (RFC 3339). Over the Unix socket ringback.sock in the data directory no token is needed."},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token":    {Type: "http", Scheme: "bearer", Description: "An API token."},
					"password": {Type: "http", Scheme: "basic", Description: "The administrator's name and password; slow by design."},
				},
			},
			Security: []map[string][]string{{"token": {}}, {"password": {}}},
			Tags: []*huma.Tag{
				{Name: "extensions", Description: "Who can register, call and be called."},
				{Name: "services", Description: "What an extension has switched on: forwards, do-not-disturb, find-me, screening."},
				{Name: "groups", Description: "Ring groups: numbers that several extensions answer."},
				{Name: "rooms", Description: "Conference rooms: numbers where callers meet."},
				{Name: "menus", Description: "IVR menus: numbers whose callers choose by keys where the call goes."},
				{Name: "mailboxes", Description: "Voicemail: where the messages of callers are kept, and what they are greeted with."},
				{Name: "hours", Description: "Opening hours, holidays and the day/night switch."},
				{Name: "office", Description: "What holds for all extensions: screening, classes of calls, feature codes."},
				{Name: "prompts", Description: "What callers hear of the PBX: the recordings, which files of one's own may replace."},
				{Name: "plan", Description: "Where a call would go, and why."},
				{Name: "registrations", Description: "Phones that are registered now."},
				{Name: "calls", Description: "Calls that are up."},
				{Name: "conferences", Description: "Conferences that are up, and who is in them."},
				{Name: "recordings", Description: "The sound of calls and conferences that is kept."},
				{Name: "records", Description: "Call records: every attempt, newest first."},
				{Name: "events", Description: "What happens, as it happens."},
				{Name: "tokens", Description: "API tokens."},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
}

// operation describes a route under /api/v1. errs are the statuses of its own, besides those that any can have.
func operation(id, method, path, tag, summary string, status int, errs ...int) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: apiRoot + path, Tags: []string{tag}, Summary: summary,
		DefaultStatus: status, Errors: append(errs, 401, 422, 429, 500), MaxBodyBytes: maxBody}
}

func register[I, O any](s *Server, o huma.Operation, handle func(context.Context, *I) (*O, error)) {
	huma.Register(s.api, o, handle)
	for _, known := range operations(s.api.OpenAPI().Paths[o.Path]) {
		if b := known.RequestBody; b != nil && b.Content["application/json"] != nil {
			delete(b.Content, "application/octet-stream") // huma's, where a handler looks at the JSON itself
		}
	}
}
