package web

import (
	"context"
	"net/http"
	"time"
)

// registration is a Registration as the API shows it.
type registration struct {
	ID          string    `json:"id"`
	Extension   string    `json:"extension"`
	Contact     string    `json:"contact" doc:"URI as the phone registered it."`
	Source      string    `json:"source" doc:"Address and port it came from."`
	Transport   string    `json:"transport" enum:"udp,tcp,tls"`
	UserAgent   string    `json:"user_agent,omitempty"`
	Instance    string    `json:"instance,omitempty" doc:"+sip.instance (RFC 5626)."`
	Path        []string  `json:"path,omitempty" doc:"RFC 3327."`
	Q           float64   `json:"q" doc:"0 to 1."`
	Registered  time.Time `json:"registered"`
	Updated     time.Time `json:"updated"`
	Expires     time.Time `json:"expires"`
	Reachable   bool      `json:"reachable" doc:"False: it did not answer the last OPTIONS, or its connection is gone."`
	RoundTripMS float64   `json:"round_trip_ms,omitempty" doc:"Of the last OPTIONS."`
}

func (s *Server) registrationRoutes() {
	register(s, operation("list-registrations", http.MethodGet, "/registrations", "registrations", "List registered phones", 0), s.listRegistrations)
	register(s, operation("remove-registration", http.MethodDelete, "/registrations/{id}", "registrations",
		"Remove a registration; the phone may register again", http.StatusNoContent, 404), s.removeRegistration)
}

type registrationsIn struct {
	Extension string `query:"extension" maxLength:"15" doc:"Only phones of this extension."`
}

func (s *Server) listRegistrations(_ context.Context, in *registrationsIn) (*answer[page[registration]], error) {
	all := s.b.Registrations.List(in.Extension)
	p := page[registration]{Items: make([]registration, 0, len(all))}
	for _, r := range all {
		p.Items = append(p.Items, registration{ID: r.ID, Extension: r.Extension, Contact: r.Contact, Source: r.Source,
			Transport: r.Transport, UserAgent: r.UserAgent, Instance: r.Instance, Path: r.Path, Q: float64(r.Q) / 1000,
			Registered: r.Registered.UTC(), Updated: r.Updated.UTC(), Expires: r.Expires.UTC(), Reachable: r.Reachable,
			RoundTripMS: float64(r.RoundTrip.Microseconds()) / 1000})
	}
	return &answer[page[registration]]{p}, nil
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
