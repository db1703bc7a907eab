package web

import (
	"context"
	"reflect"
	"testing"

	"ringback/pbx"
)

func (m *memory) ListMenus(_ context.Context, after string, limit int) ([]pbx.Menu, error) {
	return sorted(m.menus, after, limit), m.broken
}

func (m *memory) GetMenu(_ context.Context, number string) (pbx.Menu, error) {
	if v, ok := m.menus[number]; ok {
		return v, nil
	}
	return pbx.Menu{}, ErrNotFound
}

func (m *memory) CreateMenu(_ context.Context, by pbx.Set, v pbx.Menu) (pbx.Menu, error) {
	return kept(m, m.menus, v.Number, v, false, by)
}

func (m *memory) ReplaceMenu(_ context.Context, by pbx.Set, v pbx.Menu) (pbx.Menu, error) {
	return kept(m, m.menus, v.Number, v, true, by)
}

func (m *memory) DeleteMenu(_ context.Context, number string) error {
	if _, ok := m.menus[number]; !ok {
		return ErrNotFound
	}
	delete(m.menus, number)
	return nil
}

func TestMenus(t *testing.T) {
	m := filled()
	c := serve(t, m)
	const path = "/api/v1/menus"
	want := pbx.Menu{Number: "700", Name: "Sales", Enabled: true, Prompt: "menu/sales", Keys: map[string]string{"1": "1000", "*": "700"}, DialExtension: true,
		Seconds: 7, Tries: 2, Timeout: "1000", Invalid: "1001"}
	var got pbx.Menu
	w := c.ok("POST", path, mustJSON(t, want), 201, &got)
	if !reflect.DeepEqual(got, want) || w.Header().Get("Location") != path+"/700" || m.by[0].By != "monitoring" {
		t.Errorf("created %+v at %s by %v", got, w.Header().Get("Location"), m.by)
	}
	bad(t, c.ask("POST", path, mustJSON(t, want)), 409, "already")
	c.ok("PUT", path+"/701", `{"number":"701","enabled":false,"keys":{"1":"700"}}`, 201, nil)
	c.ok("PUT", path+"/701", `{"number":"701","enabled":true,"keys":{"2":"700"}}`, 200, nil)
	var l page[pbx.Menu]
	c.ok("GET", path+"?limit=1", "", 200, &l)
	if len(l.Items) != 1 || l.Next != "700" {
		t.Errorf("%+v", l)
	}
	c.ok("GET", path+"/701", "", 200, &got)
	if got.Keys["2"] != "700" || !got.Enabled {
		t.Errorf("%+v", got)
	}
	for _, x := range []struct {
		method, path, body string
		status             int
		detail             string
	}{
		{"GET", "/9", "", 404, "no menu"},
		{"DELETE", "/9", "", 404, "no menu"},
		{"PUT", "/701", `{"number":"702","enabled":true}`, 422, "the one in the address"},
		{"POST", "", `{"number":"702"}`, 422, ""},
		{"POST", "", `{"number":"702","enabled":true,"keys":{"1":2}}`, 422, ""},
		{"POST", "", `{"number":"702","enabled":true,"nonsense":1}`, 422, ""},
	} {
		bad(t, c.ask(x.method, path+x.path, x.body), x.status, x.detail)
	}
	c.ok("DELETE", path+"/701", "", 204, nil)
	bad(t, c.ask("GET", path+"/701", ""), 404, "no menu")
}
