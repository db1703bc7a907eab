package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"ringback/pbx"
)

const noHours = "There are no opening hours of that name."

func (s *Server) hoursRoutes() {
	const path, one, tag = "/hours", "/hours/{name}", "hours"
	register(s, operation("list-hours", http.MethodGet, path, tag, "List opening hours by name", 0), s.listHours)
	register(s, operation("create-hours", http.MethodPost, path, tag, "Create opening hours", http.StatusCreated, 409), s.createHours)
	register(s, operation("get-hours", http.MethodGet, one, tag, "Show opening hours", 0, 404), s.getHours)
	register(s, operation("put-hours", http.MethodPut, one, tag, "Replace opening hours, or create them (201)", 0), s.putHours)
	register(s, operation("remove-hours", http.MethodDelete, one, tag, "Remove opening hours; not those that are in use", http.StatusNoContent, 404, 409), s.removeHours)
	register(s, operation("switch-hours", http.MethodPut, one+"/mode", tag, "Switch between day, night and the clock", 0, 404), s.switchHours)
}

type hoursIn struct {
	After string `query:"after" maxLength:"128" doc:"next of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"10000" default:"1000" doc:"Items a page."`
}

type namePath struct {
	Name string `path:"name" maxLength:"128" example:"office"`
}

// whole is h without a null where the API promises a list.
func whole(h pbx.Hours) pbx.Hours {
	if h.Open == nil {
		h.Open = []pbx.Span{}
	}
	return h
}

func (s *Server) listHours(ctx context.Context, in *hoursIn) (*answer[page[pbx.Hours]], error) {
	all, err := s.b.Hours.ListHours(ctx, in.After, in.Limit)
	if err != nil {
		return nil, s.failed(err, noHours)
	}
	return pageOf(all, in.Limit, whole, func(v pbx.Hours) string { return v.Name }), nil
}

func (s *Server) getHours(ctx context.Context, in *namePath) (*answer[pbx.Hours], error) {
	h, err := s.b.Hours.GetHours(ctx, in.Name)
	if err != nil {
		return nil, s.failed(err, noHours)
	}
	return &answer[pbx.Hours]{whole(h)}, nil
}

func (s *Server) createHours(ctx context.Context, in *struct{ Body pbx.Hours }) (*keyed[pbx.Hours], error) {
	h, err := s.b.Hours.CreateHours(ctx, set(ctx), in.Body)
	if errors.Is(err, ErrExists) {
		return nil, huma.Error409Conflict("There are opening hours of that name already.")
	} else if err != nil {
		return nil, s.failed(err, noHours)
	}
	return &keyed[pbx.Hours]{http.StatusCreated, apiRoot + "/hours/" + url.PathEscape(h.Name), whole(h)}, nil
}

type putHoursIn struct {
	Name string `path:"name" maxLength:"128" example:"office"`
	Body pbx.Hours
}

// putHours replaces or creates (RFC 9110 §9.3.4).
func (s *Server) putHours(ctx context.Context, in *putHoursIn) (*keyed[pbx.Hours], error) {
	if in.Body.Name != in.Name {
		return nil, s.failed(&Invalid{"name", "name must be the one in the address; hours that get another name are new ones."}, "")
	}
	h, err := s.b.Hours.ReplaceHours(ctx, set(ctx), in.Body)
	if errors.Is(err, ErrNotFound) {
		return s.createHours(ctx, &struct{ Body pbx.Hours }{in.Body})
	} else if err != nil {
		return nil, s.failed(err, noHours)
	}
	return &keyed[pbx.Hours]{Status: http.StatusOK, Body: whole(h)}, nil
}

func (s *Server) removeHours(ctx context.Context, in *namePath) (*struct{}, error) {
	if err := s.b.Hours.DeleteHours(ctx, in.Name); err != nil {
		return nil, s.failed(inUse(err), noHours)
	}
	return nil, nil
}

type mode struct {
	Mode string `json:"mode" enum:",day,night" doc:"\"\": by the clock."`
}

type switchHoursIn struct {
	Name string `path:"name" maxLength:"128" example:"office"`
	Body mode
}

func (s *Server) switchHours(ctx context.Context, in *switchHoursIn) (*answer[pbx.Hours], error) {
	if err := s.b.Hours.SwitchHours(ctx, in.Name, in.Body.Mode, set(ctx)); err != nil {
		return nil, s.failed(err, noHours)
	}
	return s.getHours(ctx, &namePath{in.Name})
}
