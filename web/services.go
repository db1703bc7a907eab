package web

import (
	"context"
	"net/http"

	"ringback/pbx"
)

// services are pbx.Services as the API shows and takes them: everything but the hash of the PIN.
type services struct {
	pbx.Services
	PINHash struct{} `json:"-"` // hides the field of the same name from the API's description; shown clears its value
	HasPIN  bool     `json:"has_pin" readOnly:"true" doc:"A PIN is set: with it calls beyond class are allowed too."`
	PIN     *string  `json:"pin,omitempty" writeOnly:"true" maxLength:"64" example:"4711" doc:"New PIN, digits to be dialled. null takes it away. It cannot be read."`
}

func shown(v pbx.Services) services {
	s := services{Services: v, HasPIN: v.PINHash != ""}
	s.Services.PINHash = ""
	return s
}

func (s *Server) serviceRoutes() {
	const path, tag = "/extensions/{number}/services", "services"
	register(s, operation("get-services", http.MethodGet, path, tag, "Show what an extension has switched on", 0, 404), s.getServices)
	register(s, operation("change-services", http.MethodPatch, path, tag,
		"Change what is given: each section replaces the one before as a whole, null clears it; the next call has it", 0, 404), s.changeServices)
}

func (s *Server) getServices(ctx context.Context, in *numberPath) (*answer[services], error) {
	v, err := s.b.Services.GetServices(ctx, in.Number)
	if err != nil {
		return nil, s.failed(err, noExtension)
	}
	return &answer[services]{shown(v)}, nil
}

type changeServicesIn struct {
	Number  string `path:"number" maxLength:"32" example:"1000"`
	Body    services
	RawBody []byte
}

func (s *Server) changeServices(ctx context.Context, in *changeServicesIn) (*answer[services], error) {
	given, err := sectionsOf(in.RawBody)
	if err != nil {
		return nil, err
	}
	pin := ""
	if in.Body.PIN != nil {
		if pin, err = s.b.Services.HashPIN(ctx, *in.Body.PIN); err != nil {
			return nil, s.failed(err, noExtension)
		}
	}
	after, err := s.b.Services.UpdateServices(ctx, in.Number, set(ctx), func(v *pbx.Services) error {
		was := v.PINHash
		replace(given, v, in.Body.Services)
		if v.PINHash = was; given.has("pin") {
			v.PINHash = pin
		}
		return nil
	})
	if err != nil {
		return nil, s.failed(err, noExtension)
	}
	return &answer[services]{shown(after)}, nil
}
