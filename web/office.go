package web

import (
	"context"
	"net/http"

	"ringback/pbx"
)

func (s *Server) officeRoutes() {
	const path, tag = "/office", "office"
	register(s, operation("get-office", http.MethodGet, path, tag, "Show what holds for all extensions", 0), s.getOffice)
	register(s, operation("change-office", http.MethodPatch, path, tag,
		"Change what is given: each section replaces the one before as a whole, null clears it", 0), s.changeOffice)
}

func (s *Server) getOffice(ctx context.Context, _ *struct{}) (*answer[pbx.Office], error) {
	o, err := s.b.Office.GetOffice(ctx)
	if err != nil {
		return nil, s.failed(err, "")
	}
	return &answer[pbx.Office]{o}, nil
}

type changeOfficeIn struct {
	Body    pbx.Office
	RawBody []byte
}

func (s *Server) changeOffice(ctx context.Context, in *changeOfficeIn) (*answer[pbx.Office], error) {
	given, err := sectionsOf(in.RawBody)
	if err != nil {
		return nil, err
	}
	after, err := s.b.Office.ChangeOffice(ctx, set(ctx), func(o *pbx.Office) error {
		replace(given, o, in.Body)
		return nil
	})
	if err != nil {
		return nil, s.failed(err, "")
	}
	return &answer[pbx.Office]{after}, nil
}
