package web

import (
	"context"
	"net/http"

	"ringback/pbx"
)

const noHours = "There are no opening hours of that name."

func (s *Server) hoursRoutes() {
	b := s.b.Hours
	d := documents[pbx.Hours, pbx.Hours]{path: "/hours", name: "hours", a: "opening hours", many: "opening hours", remove: "; not those that are in use", used: true,
		missing: noHours, exists: "There are opening hours of that name already.", moved: "hours that get another name are new ones.",
		key: func(h pbx.Hours) string { return h.Name }, of: func(h *pbx.Hours) (field, key string) { return "name", h.Name }, show: whole,
		all: b.ListHours, get: b.GetHours, create: given(b.CreateHours), replace: given(b.ReplaceHours), drop: b.DeleteHours}
	const one = "/hours/{name}"
	register(s, d.listing("name"), func(ctx context.Context, in *hoursIn) (*answer[page[pbx.Hours]], error) {
		return d.doList(ctx, s, in.After, in.Limit)
	})
	register(s, d.creating(), func(ctx context.Context, in *body[pbx.Hours]) (*keyed[pbx.Hours], error) {
		return d.doCreate(ctx, s, in)
	})
	register(s, d.getting(one), func(ctx context.Context, in *namePath) (*answer[pbx.Hours], error) { return d.doGet(ctx, s, in.Name) })
	register(s, d.putting(one), func(ctx context.Context, in *putHoursIn) (*keyed[pbx.Hours], error) {
		return d.doPut(ctx, s, in.Name, &in.body)
	})
	register(s, d.removing(one), func(ctx context.Context, in *namePath) (*struct{}, error) { return d.doRemove(ctx, s, in.Name) })
	register(s, operation("switch-hours", http.MethodPut, one+"/mode", "hours", "Switch between day, night and the clock", 0, 404),
		func(ctx context.Context, in *switchHoursIn) (*answer[pbx.Hours], error) {
			if err := b.SwitchHours(ctx, in.Name, in.Body.Mode, set(ctx)); err != nil {
				return nil, s.failed(err, noHours)
			}
			return d.doGet(ctx, s, in.Name)
		})
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

type putHoursIn struct {
	Name string `path:"name" maxLength:"128" example:"office"`
	body[pbx.Hours]
}

type mode struct {
	Mode string `json:"mode" enum:",day,night" doc:"\"\": by the clock."`
}

type switchHoursIn struct {
	Name string `path:"name" maxLength:"128" example:"office"`
	Body mode
}
