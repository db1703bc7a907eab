package web

import "ringback/pbx"

func (s *Server) menuRoutes() {
	b := s.b.Menus
	numbered(s, &documents[pbx.Menu, pbx.Menu]{path: "/menus", name: "menu", a: "an IVR menu", many: "IVR menus",
		remove: "; callers who are in it stay", missing: "There is no menu of that number.",
		exists: "There is a menu of that number already.", moved: "a menu that gets another number is a new one.",
		key: func(m pbx.Menu) string { return m.Number }, of: func(m *pbx.Menu) (field, key string) { return "number", m.Number }, show: same[pbx.Menu],
		all: b.ListMenus, get: b.GetMenu, create: given(b.CreateMenu), replace: given(b.ReplaceMenu), drop: b.DeleteMenu}, "700")
}
