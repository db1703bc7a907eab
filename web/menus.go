package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"ringback/pbx"
)

const noMenu = "There is no menu of that number."

func (s *Server) menuRoutes() {
	const path, one, tag = "/menus", "/menus/{number}", "menus"
	register(s, operation("list-menus", http.MethodGet, path, tag, "List IVR menus by number", 0), s.listMenus)
	register(s, operation("create-menu", http.MethodPost, path, tag, "Create an IVR menu", http.StatusCreated, 409), s.createMenu)
	register(s, operation("get-menu", http.MethodGet, one, tag, "Show an IVR menu", 0, 404), s.getMenu)
	register(s, operation("put-menu", http.MethodPut, one, tag, "Replace an IVR menu, or create it (201)", 0), s.putMenu)
	register(s, operation("remove-menu", http.MethodDelete, one, tag, "Remove an IVR menu; callers who are in it stay", http.StatusNoContent, 404), s.removeMenu)
}

func (s *Server) listMenus(ctx context.Context, in *extensionsIn) (*answer[page[pbx.Menu]], error) {
	all, err := s.b.Menus.ListMenus(ctx, in.After, in.Limit)
	if err != nil {
		return nil, s.failed(err, noMenu)
	}
	return pageOf(all, in.Limit, same, func(v pbx.Menu) string { return v.Number }), nil
}

func (s *Server) getMenu(ctx context.Context, in *numberPath) (*answer[pbx.Menu], error) {
	g, err := s.b.Menus.GetMenu(ctx, in.Number)
	if err != nil {
		return nil, s.failed(err, noMenu)
	}
	return &answer[pbx.Menu]{g}, nil
}

func (s *Server) createMenu(ctx context.Context, in *struct{ Body pbx.Menu }) (*keyed[pbx.Menu], error) {
	g, err := s.b.Menus.CreateMenu(ctx, set(ctx), in.Body)
	if errors.Is(err, ErrExists) {
		return nil, huma.Error409Conflict("There is a menu of that number already.")
	} else if err != nil {
		return nil, s.failed(err, noMenu)
	}
	return &keyed[pbx.Menu]{http.StatusCreated, apiRoot + "/menus/" + url.PathEscape(g.Number), g}, nil
}

type putMenuIn struct {
	Number string `path:"number" maxLength:"32" example:"700"`
	Body   pbx.Menu
}

// putMenu replaces or creates (RFC 9110 §9.3.4).
func (s *Server) putMenu(ctx context.Context, in *putMenuIn) (*keyed[pbx.Menu], error) {
	if in.Body.Number != in.Number {
		return nil, s.failed(&Invalid{"number", "number must be the one in the address; a menu that gets another number is a new one."}, "")
	}
	g, err := s.b.Menus.ReplaceMenu(ctx, set(ctx), in.Body)
	if errors.Is(err, ErrNotFound) {
		return s.createMenu(ctx, &struct{ Body pbx.Menu }{in.Body})
	} else if err != nil {
		return nil, s.failed(err, noMenu)
	}
	return &keyed[pbx.Menu]{Status: http.StatusOK, Body: g}, nil
}

func (s *Server) removeMenu(ctx context.Context, in *numberPath) (*struct{}, error) {
	if err := s.b.Menus.DeleteMenu(ctx, in.Number); err != nil {
		return nil, s.failed(err, noMenu)
	}
	return nil, nil
}
