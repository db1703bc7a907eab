package web

import "ringback/pbx"

func (s *Server) groupRoutes() {
	b := s.b.Groups
	numbered(s, &documents[pbx.Group, pbx.Group]{path: "/groups", name: "group", a: "a ring group", many: "ring groups",
		remove: "; not one that a rule names", used: true, missing: "There is no ring group of that number.",
		exists: "There is a ring group of that number already.", moved: "a group that gets another number is a new one.",
		key: func(g pbx.Group) string { return g.Number }, of: func(g *pbx.Group) (field, key string) { return "number", g.Number }, show: same[pbx.Group],
		all: b.ListGroups, get: b.GetGroup, create: given(b.CreateGroup), replace: given(b.ReplaceGroup), drop: b.DeleteGroup}, "600")
}
