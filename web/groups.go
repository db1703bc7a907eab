package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"ringback/pbx"
)

const noGroup = "There is no ring group of that number."

func (s *Server) groupRoutes() {
	const path, one, tag = "/groups", "/groups/{number}", "groups"
	register(s, operation("list-groups", http.MethodGet, path, tag, "List ring groups by number", 0), s.listGroups)
	register(s, operation("create-group", http.MethodPost, path, tag, "Create a ring group", http.StatusCreated, 409), s.createGroup)
	register(s, operation("get-group", http.MethodGet, one, tag, "Show a ring group", 0, 404), s.getGroup)
	register(s, operation("put-group", http.MethodPut, one, tag, "Replace a ring group, or create it (201)", 0), s.putGroup)
	register(s, operation("remove-group", http.MethodDelete, one, tag, "Remove a ring group; not one that a rule names", http.StatusNoContent, 404, 409), s.removeGroup)
}

// keyed is the answer to something stored under its own address.
type keyed[T any] struct {
	Status   int
	Location string `header:"Location"`
	Body     T
}

func (s *Server) listGroups(ctx context.Context, in *extensionsIn) (*answer[page[pbx.Group]], error) {
	all, err := s.b.Groups.ListGroups(ctx, in.After, in.Limit)
	if err != nil {
		return nil, s.failed(err, noGroup)
	}
	return pageOf(all, in.Limit, same, func(v pbx.Group) string { return v.Number }), nil
}

func (s *Server) getGroup(ctx context.Context, in *numberPath) (*answer[pbx.Group], error) {
	g, err := s.b.Groups.GetGroup(ctx, in.Number)
	if err != nil {
		return nil, s.failed(err, noGroup)
	}
	return &answer[pbx.Group]{g}, nil
}

func (s *Server) createGroup(ctx context.Context, in *struct{ Body pbx.Group }) (*keyed[pbx.Group], error) {
	g, err := s.b.Groups.CreateGroup(ctx, set(ctx), in.Body)
	if errors.Is(err, ErrExists) {
		return nil, huma.Error409Conflict("There is a ring group of that number already.")
	} else if err != nil {
		return nil, s.failed(err, noGroup)
	}
	return &keyed[pbx.Group]{http.StatusCreated, apiRoot + "/groups/" + url.PathEscape(g.Number), g}, nil
}

type putGroupIn struct {
	Number string `path:"number" maxLength:"32" example:"600"`
	Body   pbx.Group
}

// putGroup replaces or creates (RFC 9110 §9.3.4).
func (s *Server) putGroup(ctx context.Context, in *putGroupIn) (*keyed[pbx.Group], error) {
	if in.Body.Number != in.Number {
		return nil, s.failed(&Invalid{"number", "number must be the one in the address; a group that gets another number is a new one."}, "")
	}
	g, err := s.b.Groups.ReplaceGroup(ctx, set(ctx), in.Body)
	if errors.Is(err, ErrNotFound) {
		return s.createGroup(ctx, &struct{ Body pbx.Group }{in.Body})
	} else if err != nil {
		return nil, s.failed(err, noGroup)
	}
	return &keyed[pbx.Group]{Status: http.StatusOK, Body: g}, nil
}

func (s *Server) removeGroup(ctx context.Context, in *numberPath) (*struct{}, error) {
	if err := s.b.Groups.DeleteGroup(ctx, in.Number); err != nil {
		return nil, s.failed(inUse(err), noGroup)
	}
	return nil, nil
}
