package web

import (
	"context"
	"net/http"
)

func (s *Server) codeRoutes() {
	register(s, operation("list-codes", http.MethodGet, "/codes", "office", "List the feature codes in force", 0), s.listCodes)
}

func (s *Server) listCodes(context.Context, *struct{}) (*answer[page[Code]], error) {
	return &answer[page[Code]]{page[Code]{Items: append([]Code{}, s.b.Plans.Codes()...)}}, nil
}
