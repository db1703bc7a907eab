package store

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"ringback/pbx"
)

func fullMenu(number string) pbx.Menu {
	return pbx.Menu{Number: number, Name: "Sales", Enabled: true, Prompt: "menu/sales,goodbye", Keys: map[string]string{"1": "1000", "12": "601", "*": number},
		DialExtension: true, Seconds: 7, Tries: 2, Timeout: "1000", Invalid: "700", Set: alice}
}

func TestMenusSurvive(t *testing.T) {
	dir := t.TempDir()
	s := withOffice(t, dir, Options{})
	ctx := t.Context()
	want := fullMenu("700")
	complete(t, "Menu", reflect.ValueOf(want))
	if made, err := s.CreateMenu(ctx, pbx.Set{}, want); err != nil || !reflect.DeepEqual(made, want) {
		t.Fatalf("%s %v", text(t, made), err)
	}
	plain, err := s.CreateMenu(ctx, admin, pbx.Menu{Number: "701", Enabled: true, DialExtension: true})
	if err != nil || plain.Name != "701" || plain.Seconds != 5 || plain.Tries != 3 || plain.Set.By != "admin" {
		t.Fatalf("%s %v", text(t, plain), err)
	}
	for range 2 { // at once, and after a restart
		if got := s.Menu("700"); !reflect.DeepEqual(got, &want) || s.Snapshot().Menu("700") != got {
			t.Fatal(text(t, got))
		}
		_ = s.Close()
		s = open(t, dir, Options{})
	}
	if all, err := s.ListMenus(ctx, "700", 5); err != nil || len(all) != 1 || all[0].Number != "701" {
		t.Error(all, err)
	}
	before := s.Snapshot()
	got, err := s.GetMenu(ctx, "700")
	got.Keys["1"] = "1001"
	if s.Menu("700").Keys["1"] != "1000" {
		t.Error("it reaches into the directory")
	}
	if _, err2 := s.ReplaceMenu(ctx, admin, got); errors.Join(err, err2) != nil || before.Menu("700").Keys["1"] != "1000" || s.Menu("700").Keys["1"] != "1001" || s.Menu("700").Set.By != "admin" {
		t.Error(text(t, s.Menu("700")), err, err2)
	}
	if err := s.DeleteMenu(ctx, "700"); err != nil || s.Menu("700") != nil || before.Menu("700") == nil {
		t.Error(err)
	}
	if _, err := s.GetMenu(ctx, "700"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if err := s.DeleteMenu(ctx, "700"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if _, err := s.ReplaceMenu(ctx, admin, fullMenu("700")); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if _, err := s.CreateMenu(ctx, admin, fullMenu("701")); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
}

func TestMenuNumbers(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{IsCode: func(_ *pbx.Office, number string) bool { return number == "*60" }})
	ctx := t.Context()
	if _, err := s.CreateMenu(ctx, admin, fullMenu("700")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateRoom(ctx, admin, pbx.Room{Number: "800"}, pbx.RoomPINs{}); err != nil {
		t.Fatal(err)
	}
	for _, number := range []string{"1000", "800", "*60"} {
		if _, err := s.CreateMenu(ctx, admin, fullMenu(number)); err == nil {
			t.Errorf("%s is given to a menu", number)
		}
	}
	if _, err := s.CreateRoom(ctx, admin, pbx.Room{Number: "700"}, pbx.RoomPINs{}); err == nil || !strings.Contains(err.Error(), "menu 700") {
		t.Error("a room takes the number of a menu:", err)
	}
	if _, _, err := s.CreateExtension(ctx, NewExtension{Number: "700"}); err == nil || !strings.Contains(err.Error(), "menu 700") {
		t.Error("an extension takes the number of a menu:", err)
	}
	for digits, want := range map[string]bool{"": true, "1": true, "100": true, "1000": false, "9999": false} {
		if s.Begins(digits) != want {
			t.Errorf("%q: %v", digits, !want)
		}
	}
}

func TestMenuErrors(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	for name, change := range map[string]func(*pbx.Menu){
		"number": func(m *pbx.Menu) { m.Number = "7 0" }, "name": func(m *pbx.Menu) { m.Name = "\n" }, "keys": func(m *pbx.Menu) { m.Keys = nil; m.DialExtension = false },
		"# ": func(m *pbx.Menu) { m.Keys["#"] = "1000" }, "no keys": func(m *pbx.Menu) { m.Keys[""] = "1000" }, "long": func(m *pbx.Menu) { m.Keys["123456789"] = "1000" },
		"nowhere": func(m *pbx.Menu) { m.Keys["3"] = "" }, "a name": func(m *pbx.Menu) { m.Keys["3"] = "no number" }, "seconds": func(m *pbx.Menu) { m.Seconds = 61 },
		"below": func(m *pbx.Menu) { m.Seconds = -1 }, "tries": func(m *pbx.Menu) { m.Tries = 11 }, "path": func(m *pbx.Menu) { m.Prompt = "../x" },
		"long prompt": func(m *pbx.Menu) { m.Prompt = strings.Repeat("a", 257) }, "timeout": func(m *pbx.Menu) { m.Timeout = "a b" }, "invalid": func(m *pbx.Menu) { m.Invalid = "a b" },
	} {
		m := fullMenu("700")
		change(&m)
		var bad *ValidationError
		if _, err := s.CreateMenu(t.Context(), admin, m); !errors.As(err, &bad) || s.Menu(m.Number) != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
