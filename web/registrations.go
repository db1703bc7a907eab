package web

import (
	"context"
	"net/http"
	"time"
)

// registration is a Registration as the API shows it.
type registration struct {
	ID          string    `json:"id" doc:"The same for as long as it is registered."`
	Extension   string    `json:"extension" doc:"Whose phone it is."`
	Contact     string    `json:"contact" doc:"URI as the phone registered it."`
	Source      string    `json:"source" doc:"Address and port it came from."`
	Transport   string    `json:"transport" enum:"udp,tcp,tls" doc:"How it is reached."`
	UserAgent   string    `json:"user_agent,omitempty" doc:"What it says it is."`
	Instance    string    `json:"instance,omitempty" doc:"+sip.instance (RFC 5626)."`
	Path        []string  `json:"path,omitempty" doc:"RFC 3327."`
	Q           float64   `json:"q" doc:"0 to 1."`
	Registered  time.Time `json:"registered" doc:"First REGISTER."`
	Updated     time.Time `json:"updated" doc:"Newest REGISTER."`
	Expires     time.Time `json:"expires" doc:"When it ends unless the phone registers again."`
	Reachable   bool      `json:"reachable" doc:"False: it did not answer the last OPTIONS, or its connection is gone."`
	RoundTripMS float64   `json:"round_trip_ms,omitempty" doc:"Of the last OPTIONS."`
}

func (s *Server) registrationRoutes() {
	register(s, operation("list-registrations", http.MethodGet, "/registrations", "registrations", "List registered phones by ID, which begins with the extension", 0), s.listRegistrations)
	register(s, operation("remove-registration", http.MethodDelete, "/registrations/{id}", "registrations",
		"Remove a registration; the phone may register again", http.StatusNoContent, 404), s.removeRegistration)
}

type registrationsIn struct {
	Extension string `query:"extension" maxLength:"32" doc:"Only phones of this extension."`
	After     string `query:"after" maxLength:"200" doc:"next of the page before."`
	Limit     int    `query:"limit" minimum:"1" maximum:"10000" default:"1000" doc:"Items a page."`
}

func (s *Server) listRegistrations(_ context.Context, in *registrationsIn) (*answer[page[registration]], error) {
	all := s.b.Registrations.List(in.Extension, in.After, in.Limit)
	return pageOf(all, in.Limit, shownRegistration, func(r Registration) string { return r.ID }), nil
}

func shownRegistration(r Registration) registration {
	return registration{ID: r.ID, Extension: r.Extension, Contact: r.Contact, Source: r.Source,
		Transport: r.Transport, UserAgent: r.UserAgent, Instance: r.Instance, Path: r.Path, Q: float64(r.Q) / 1000,
		Registered: r.Registered.UTC(), Updated: r.Updated.UTC(), Expires: r.Expires.UTC(), Reachable: r.Reachable,
		RoundTripMS: float64(r.RoundTrip.Microseconds()) / 1000}
}

type idPath struct {
	ID string `path:"id" maxLength:"200"`
}

func (s *Server) removeRegistration(ctx context.Context, in *idPath) (*struct{}, error) {
	if err := s.b.Registrations.Remove(ctx, in.ID); err != nil {
		return nil, s.failed(err, "There is no registration of that ID.")
	}
	return nil, nil
}
