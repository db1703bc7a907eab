package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

type newToken struct {
	Name string `json:"name" minLength:"1" maxLength:"128" example:"monitoring" doc:"What it is for."`
}

type createdToken struct {
	Name   string `json:"name" doc:"What it is for."`
	Secret string `json:"secret" doc:"The token itself, shown this one time."`
}

type tokenPath struct {
	Name string `path:"name" maxLength:"128" example:"monitoring"`
}

func (s *Server) tokenRoutes() {
	const path, tag = "/tokens", "tokens"
	register(s, operation("list-tokens", http.MethodGet, path, tag, "List API tokens, without their secrets", 0), s.listTokens)
	register(s, operation("create-token", http.MethodPost, path, tag, "Create an API token", http.StatusCreated, 409), s.createToken)
	register(s, operation("revoke-token", http.MethodDelete, path+"/{name}", tag, "Revoke an API token; it stops working at once", http.StatusNoContent, 404), s.revokeToken)
}

func (s *Server) listTokens(context.Context, *struct{}) (*answer[page[Token]], error) {
	p := page[Token]{Items: s.b.Tokens.List()}
	if p.Items == nil {
		p.Items = []Token{}
	}
	return &answer[page[Token]]{p}, nil
}

func (s *Server) createToken(ctx context.Context, in *struct{ Body newToken }) (*answer[createdToken], error) {
	secret, err := s.b.Tokens.Create(ctx, in.Body.Name)
	if errors.Is(err, ErrExists) {
		return nil, huma.Error409Conflict("There is a token of that name already.")
	} else if err != nil {
		return nil, s.failed(err, "")
	}
	return &answer[createdToken]{createdToken{in.Body.Name, secret}}, nil
}

func (s *Server) revokeToken(ctx context.Context, in *tokenPath) (*struct{}, error) {
	if err := s.b.Tokens.Revoke(ctx, in.Name); err != nil {
		return nil, s.failed(err, "There is no token of that name.")
	}
	return nil, nil
}
