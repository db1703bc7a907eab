package store

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"ringback/pbx"
)

func fullRoom(number string) pbx.Room {
	return pbx.Room{Number: number, Name: "Board", Enabled: true, PINHash: nobody, ModeratorPINHash: nobody, Limit: 20, Quiet: true, Muted: true,
		WaitForModerator: true, EndWithModerator: true, Record: true, Set: alice}
}

func pinsOf(pin, moderator string) pbx.RoomPINs {
	return pbx.RoomPINs{PIN: &pin, Moderator: &moderator}
}

func TestRoomsSurvive(t *testing.T) {
	dir := t.TempDir()
	s := withOffice(t, dir, Options{})
	ctx := t.Context()
	want := fullRoom("800")
	complete(t, "Room", reflect.ValueOf(want))
	want.PINHash, want.ModeratorPINHash = "", "" // what is given as a hash counts for nothing
	made, err := s.CreateRoom(ctx, pbx.Set{}, fullRoom("800"), pbx.RoomPINs{})
	if err != nil || !reflect.DeepEqual(made, want) {
		t.Fatalf("%s %v", text(t, made), err)
	}
	plain, err := s.CreateRoom(ctx, admin, pbx.Room{Number: "801", Enabled: true}, pbx.RoomPINs{})
	if err != nil || plain.Name != "801" || plain.Set.By != "admin" {
		t.Fatalf("%s %v", text(t, plain), err)
	}
	for _, when := range []string{"at once", "after a restart"} {
		if got := s.Room("800"); !reflect.DeepEqual(got, &want) || s.Snapshot().Room("800") != got {
			t.Fatalf("%s: %s", when, text(t, got))
		}
		_ = s.Close()
		s = open(t, dir, Options{})
	}
	if all, err := s.ListRooms(ctx, "800", 5); err != nil || len(all) != 1 || all[0].Number != "801" {
		t.Error(all, err)
	}
	// What is handed out reaches nothing, and a snapshot stays.
	before := s.Snapshot()
	got, err := s.GetRoom(ctx, "800")
	got.Name, got.Enabled = "Cellar", false
	if s.Room("800").Name != "Board" {
		t.Error("it reaches into the directory")
	}
	if _, err2 := s.ReplaceRoom(ctx, admin, got, pbx.RoomPINs{}); errors.Join(err, err2) != nil || before.Room("800").Name != "Board" || s.Room("800").Name != "Cellar" ||
		s.Room("800").Set.By != "admin" {
		t.Error(text(t, s.Room("800")), err, err2)
	}
	if err := s.DeleteRoom(ctx, "800"); err != nil || s.Room("800") != nil || before.Room("800") == nil {
		t.Error(err)
	}
	_, err1 := s.GetRoom(ctx, "800")
	_, err2 := s.ReplaceRoom(ctx, admin, got, pbx.RoomPINs{})
	_, err3 := s.CreateRoom(ctx, admin, plain, pbx.RoomPINs{})
	if !errors.Is(err1, ErrNotFound) || !errors.Is(err2, ErrNotFound) || !errors.Is(err3, ErrExists) || !errors.Is(s.DeleteRoom(ctx, "800"), ErrNotFound) {
		t.Error(err1, err2, err3)
	}
}

func TestRoomsAreValidated(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	if _, err := s.CreateRoom(t.Context(), admin, fullRoom("800"), pbx.RoomPINs{}); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		field string
		pins  pbx.RoomPINs
		bad   func(*pbx.Room)
	}{
		{field: ""}, {"", pinsOf("1234", "123456789012"), nil}, {"", pinsOf("", ""), nil}, {"", pbx.RoomPINs{}, func(r *pbx.Room) { r.Limit = 0 }},
		{"", pbx.RoomPINs{}, func(r *pbx.Room) { r.Limit = 1000 }}, {"", pbx.RoomPINs{}, func(r *pbx.Room) { r.Limit = 2 }},
		{"limit", pbx.RoomPINs{}, func(r *pbx.Room) { r.Limit = 1 }}, {"limit", pbx.RoomPINs{}, func(r *pbx.Room) { r.Limit = 1001 }},
		{"limit", pbx.RoomPINs{}, func(r *pbx.Room) { r.Limit = -2 }}, {"name", pbx.RoomPINs{}, func(r *pbx.Room) { r.Name = "a\nb" }},
		{"set", pbx.RoomPINs{}, func(r *pbx.Room) { r.Name, r.Set.By = "new", "\x00" }},
		{"pin", pinsOf("123", ""), nil}, {"pin", pinsOf("12a4", ""), nil}, {"moderator_pin", pinsOf("", "1234567890123"), nil},
		{"moderator_pin", pinsOf("4711", "4711"), nil},
	} {
		r := fullRoom("800")
		if c.bad != nil {
			c.bad(&r)
		}
		_, err := s.ReplaceRoom(t.Context(), pbx.Set{}, r, c.pins)
		about(t, fmt.Sprint("case ", i), c.field, err)
	}
	for _, number := range []string{"", "..", "8 00", strings.Repeat("8", 33), "announcement.x"} {
		_, err := s.CreateRoom(t.Context(), admin, pbx.Room{Number: number}, pbx.RoomPINs{})
		about(t, "number "+number, "number", err)
	}
}

// A number has one holder, whoever came first.
func TestNumbersOfRoomsAreUnique(t *testing.T) {
	code := func(o *pbx.Office, n string) bool {
		return strings.HasPrefix(n, "*7") || n != "" && n == o.Codes.Changed["echo"]
	}
	var taken bool
	s := withOffice(t, t.TempDir(), Options{IsCode: code, CheckCodes: func(_ *pbx.Office, is func(string) bool) error {
		taken = is("800") && !is("801")
		return nil
	}})
	ctx := t.Context()
	numbers := []string{"2500"}
	_, _, err1 := s.UpdateExtension(ctx, "1000", ExtensionUpdate{Numbers: &numbers})
	_, err2 := s.CreateRoom(ctx, admin, fullRoom("800"), pbx.RoomPINs{})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	room := func(n string) error {
		return second(s.CreateRoom(ctx, admin, pbx.Room{Number: n}, pbx.RoomPINs{}))
	}
	further := []string{"800"}
	for i, c := range []struct {
		field, says string
		err         error
	}{
		{"number", "extension 1000", room("1000")}, {"number", "a further number of extension 1000", room("2500")}, {"number", "ring group 600", room("600")},
		{"number", "a feature code", room("*72")},
		{"number", "conference room 800", second3(s.CreateExtension(ctx, NewExtension{Number: "800"}))},
		{"numbers[0]", "conference room 800", second3(s.UpdateExtension(ctx, "1001", ExtensionUpdate{Numbers: &further}))},
		{"number", "conference room 800", second(s.CreateGroup(ctx, admin, pbx.Group{Number: "800"}))},
		{"codes", "conference room 800", second(s.ChangeOffice(ctx, admin, func(o *pbx.Office) error {
			o.Codes.Changed = map[string]string{"echo": "800"}
			return nil
		}))},
	} {
		about(t, fmt.Sprint("case ", i), c.field, c.err)
		if c.err == nil || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("case %d: %v", i, c.err)
		}
	}
	if !taken {
		t.Error("those who check codes are not told")
	}
}

func TestRoomPINs(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	ctx := t.Context()
	save := func(pins pbx.RoomPINs) error {
		return second(s.ReplaceRoom(ctx, admin, pbx.Room{Number: "800", Enabled: true}, pins))
	}
	pin := func(s string) *string { return &s }
	check := func(when string, want map[string]string) {
		t.Helper()
		for _, p := range []string{"", "1111", "2222", "3333", "11"} {
			got := ""
			switch ok, moderator := s.CheckRoomPIN(ctx, "800", p); {
			case moderator:
				got = "moderator"
			case ok:
				got = "member"
			}
			if got != want[p] {
				t.Errorf("%s: %q is that of a %q, want %q", when, p, got, want[p])
			}
		}
	}
	if _, err := s.CreateRoom(ctx, admin, pbx.Room{Number: "800", Enabled: true}, pbx.RoomPINs{}); err != nil {
		t.Fatal(err)
	}
	check("none", nil)
	if err := save(pbx.RoomPINs{PIN: pin("1111")}); err != nil {
		t.Fatal(err)
	}
	check("everybody is a moderator", map[string]string{"1111": "moderator"})
	about(t, "the same as the PIN that is there", "moderator_pin", save(pbx.RoomPINs{Moderator: pin("1111")}))
	if err := save(pbx.RoomPINs{Moderator: pin("2222")}); err != nil {
		t.Fatal(err)
	}
	both := map[string]string{"1111": "member", "2222": "moderator"}
	check("both", both)
	about(t, "the same as the moderator's", "pin", save(pbx.RoomPINs{PIN: pin("2222")}))
	if err := save(pbx.RoomPINs{}); err != nil {
		t.Fatal(err)
	}
	check("what is not given stays", both)
	if err := save(pinsOf("2222", "1111")); err != nil {
		t.Fatal(err)
	}
	check("changed for each other", map[string]string{"2222": "member", "1111": "moderator"})
	if err := save(pbx.RoomPINs{PIN: pin("")}); err != nil {
		t.Fatal(err)
	}
	check("only moderators", map[string]string{"1111": "moderator"})
	for range maxWrongPINs {
		s.CheckRoomPIN(ctx, "800", "9999")
	}
	check("locked", nil)
	s.pins.wrong["room 800"] = wrongPIN{until: time.Now()}
	check("open again", map[string]string{"1111": "moderator"})
	if ok, _ := s.CheckRoomPIN(ctx, "404", "1111"); ok {
		t.Error("a room that is not there")
	}
	text := text(t, s.Room("800"))
	if strings.Contains(text, "1111") || strings.Contains(text, "2222") {
		t.Error("a PIN is kept in clear:", text)
	}
}

// A room that cannot be read any more lets nobody in: it may have had a PIN.
func TestADamagedRoomIsSwitchedOff(t *testing.T) {
	for _, bad := range []string{"{", "[]", `{"limit":"many"}`, strings.Repeat("[", 100000)} {
		dir := t.TempDir()
		s := withOffice(t, dir, Options{})
		if _, err := s.CreateRoom(t.Context(), admin, fullRoom("800"), pbx.RoomPINs{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.sql.Exec("UPDATE rooms SET document = ?", bad); err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		var log said
		s = open(t, dir, Options{Log: log.logger()})
		if r := s.Room("800"); r == nil || r.Enabled || r.Number != "800" {
			t.Fatalf("%+v", r)
		}
		if strings.Count(log.String(), "table=rooms row=800") != 1 || !strings.Contains(log.String(), "switched off") {
			t.Error(log.String())
		}
		if _, err := s.ReplaceRoom(t.Context(), admin, fullRoom("800"), pbx.RoomPINs{}); err != nil || !s.Room("800").Enabled {
			t.Error(err)
		}
		_ = s.Close()
	}
}
