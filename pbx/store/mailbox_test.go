package store

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/pbx"
)

func fullMailbox(number string) pbx.Mailbox {
	return pbx.Mailbox{Number: number, Name: "Reception", Enabled: true, PINHash: nobody, SkipPIN: true, Email: "info@example.com", Attach: true, DeleteSent: true,
		Operator: "1001", MaxMessages: 7, MaxSeconds: 60, Set: alice}
}

func TestMailboxesSurvive(t *testing.T) {
	dir := t.TempDir()
	s := withOffice(t, dir, Options{})
	ctx := t.Context()
	want := fullMailbox("1000")
	complete(t, "Mailbox", reflect.ValueOf(want))
	want.PINHash = "" // what is given as a hash counts for nothing
	if made, err := s.CreateMailbox(ctx, pbx.Set{}, fullMailbox("1000"), nil); err != nil || !reflect.DeepEqual(made, want) {
		t.Fatalf("%s %v", text(t, made), err)
	}
	plain, err := s.CreateMailbox(ctx, admin, pbx.Mailbox{Number: "sales", Enabled: true}, nil)
	if err != nil || plain.Name != "sales" || plain.MaxMessages != 100 || plain.MaxSeconds != 180 || plain.Set.By != "admin" {
		t.Fatalf("%s %v", text(t, plain), err)
	}
	for _, when := range []string{"at once", "after a restart"} {
		if got := s.Mailbox("1000"); !reflect.DeepEqual(got, &want) || s.Snapshot().Mailbox("1000") != got {
			t.Fatalf("%s: %s", when, text(t, got))
		}
		_ = s.Close()
		s = open(t, dir, Options{})
	}
	if all, err := s.ListMailboxes(ctx, "info", 5); err != nil || len(all) != 1 || all[0].Number != "sales" {
		t.Error(all, err)
	}
	before := s.Snapshot()
	got, err := s.GetMailbox(ctx, "1000")
	got.Name = "Cellar"
	if s.Mailbox("1000").Name != "Reception" {
		t.Error("it reaches into the directory")
	}
	if _, err2 := s.ReplaceMailbox(ctx, admin, got, nil); errors.Join(err, err2) != nil || before.Mailbox("1000").Name != "Reception" ||
		s.Mailbox("1000").Name != "Cellar" || s.Mailbox("1000").Set.By != "admin" {
		t.Error(text(t, s.Mailbox("1000")), err, err2)
	}
	if err := s.DeleteMailbox(ctx, "1000"); err != nil || s.Mailbox("1000") != nil || before.Mailbox("1000") == nil {
		t.Error(err)
	}
	_, err1 := s.GetMailbox(ctx, "1000")
	_, err2 := s.ReplaceMailbox(ctx, admin, got, nil)
	_, err3 := s.CreateMailbox(ctx, admin, plain, nil)
	if !errors.Is(err1, ErrNotFound) || !errors.Is(err2, ErrNotFound) || !errors.Is(err3, ErrExists) || !errors.Is(s.DeleteMailbox(ctx, "1000"), ErrNotFound) {
		t.Error(err1, err2, err3)
	}
	_ = s.Close()
	if s = open(t, dir, Options{}); s.Mailbox("1000") != nil || s.Mailbox("sales") == nil {
		t.Error("a restart brings it back")
	}
}

func TestMailboxesAreValidated(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	for i, c := range []struct {
		field string
		bad   func(*pbx.Mailbox)
	}{
		{"", nil}, {"", func(m *pbx.Mailbox) { m.MaxMessages, m.MaxSeconds = 0, 0 }}, {"", func(m *pbx.Mailbox) { m.MaxMessages, m.MaxSeconds = 1000, 1800 }},
		{"", func(m *pbx.Mailbox) { m.MaxMessages, m.MaxSeconds = 1, 10 }}, {"", func(m *pbx.Mailbox) { m.Email, m.Attach, m.DeleteSent = "", false, false }},
		{"max_messages", func(m *pbx.Mailbox) { m.MaxMessages = 1001 }}, {"max_messages", func(m *pbx.Mailbox) { m.MaxMessages = -1 }},
		{"max_seconds", func(m *pbx.Mailbox) { m.MaxSeconds = 9 }}, {"max_seconds", func(m *pbx.Mailbox) { m.MaxSeconds = 1801 }},
		{"delete_sent", func(m *pbx.Mailbox) { m.Attach = false }}, {"attach", func(m *pbx.Mailbox) { m.Email = "" }},
		{"name", func(m *pbx.Mailbox) { m.Name = "a\nb" }}, {"operator", func(m *pbx.Mailbox) { m.Operator = "1 0" }},
		{"operator", func(m *pbx.Mailbox) { m.Operator = pbx.MailboxTarget + m.Number }},
		{"set", func(m *pbx.Mailbox) { m.Set.By = "\x00" }},
		{"email", func(m *pbx.Mailbox) { m.Email = "info" }}, {"email", func(m *pbx.Mailbox) { m.Email = "@example.com" }}, {"email", func(m *pbx.Mailbox) { m.Email = "a@" }},
		{"email", func(m *pbx.Mailbox) { m.Email = "a@b@c" }}, {"email", func(m *pbx.Mailbox) { m.Email = "a@b\r\nBcc: c@d" }},
		{"email", func(m *pbx.Mailbox) { m.Email = "Alice <a@b>" }}, {"email", func(m *pbx.Mailbox) { m.Email = "a@b,c@d" }},
		{"email", func(m *pbx.Mailbox) { m.Email = "a@" + strings.Repeat("b", 253) }},
	} {
		m := fullMailbox("info")
		if c.bad != nil {
			c.bad(&m)
		}
		_, err := s.ReplaceMailbox(t.Context(), pbx.Set{}, m, nil)
		about(t, text(t, i), c.field, err)
	}
	for _, number := range []string{"", "..", "../x", "8 00", strings.Repeat("8", 33), "announcement.x", "mailbox.x", "Mailbox.1000"} {
		_, err := s.CreateMailbox(t.Context(), admin, pbx.Mailbox{Number: number}, nil)
		about(t, "number "+number, "number", err)
		if _, _, err = s.CreateExtension(t.Context(), NewExtension{Number: number}); err == nil {
			t.Errorf("an extension %q", number)
		}
	}
}

func TestMailboxPINs(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	ctx := t.Context()
	check := func(when, right string) {
		t.Helper()
		for _, pin := range []string{"", "12", "1234", "4711"} {
			if got := s.CheckMailboxPIN(ctx, "1000", pin); got != (pin == right && right != "") {
				t.Errorf("%s: %q %v", when, pin, got)
			}
		}
	}
	save := func(pin *string) error {
		return second(s.ReplaceMailbox(ctx, admin, pbx.Mailbox{Number: "1000"}, pin))
	}
	check("no mailbox", "")
	if err := second(s.CreateMailbox(ctx, admin, pbx.Mailbox{Number: "1000"}, nil)); err != nil {
		t.Fatal(err)
	}
	check("no PIN", "")
	for _, bad := range []string{"123", "12a4", "1234567890123"} {
		about(t, bad, "pin", save(&bad))
		about(t, bad, "pin", s.SetMailboxPIN(ctx, "1000", bad, alice))
	}
	about(t, "none by phone", "pin", s.SetMailboxPIN(ctx, "1000", "", alice))
	pin := "1234"
	if err := save(&pin); err != nil {
		t.Fatal(err)
	}
	check("set", "1234")
	if err := save(nil); err != nil {
		t.Fatal(err)
	}
	check("what is not given stays", "1234")
	if err := s.SetMailboxPIN(ctx, "1000", "4711", alice); err != nil || s.Mailbox("1000").Set.By != "1000" {
		t.Fatal(err, s.Mailbox("1000").Set)
	}
	check("changed by phone", "4711")
	if h := s.Mailbox("1000").PINHash; strings.Contains(h, "4711") || !strings.HasPrefix(h, "$argon2id$") {
		t.Error("kept as", h)
	}
	for range maxWrongPINs {
		s.CheckMailboxPIN(ctx, "1000", "9999")
	}
	check("locked", "")
	s.pins.wrong["mailbox 1000"] = wrongPIN{until: time.Now()}
	check("open again", "4711")
	pin = ""
	if err := save(&pin); err != nil || s.Mailbox("1000").PINHash != "" {
		t.Error(err)
	}
	check("taken away", "")
	if err := s.SetMailboxPIN(ctx, "404", "4711", alice); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// Who switches voicemail on need not know that there are mailboxes.
func TestVoicemailMakesTheMailbox(t *testing.T) {
	dir := t.TempDir()
	s := withOffice(t, dir, Options{})
	ctx := t.Context()
	name := "Alice"
	if err := second3(s.UpdateExtension(ctx, "1000", ExtensionUpdate{Name: &name})); err != nil {
		t.Fatal(err)
	}
	on := func(extension, box string) error {
		return second(s.UpdateServices(ctx, extension, admin, func(v *pbx.Services) error { v.Voicemail = pbx.Voicemail{On: true, Box: box}; return nil }))
	}
	bad := func(v *pbx.Services) error { v.Voicemail.On, v.Class = true, "dear"; return nil }
	about(t, "another section is wrong", "class", second(s.UpdateServices(ctx, "1000", admin, bad)))
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.ChangeServices(cancelled, "1000", func(v *pbx.Services) error { v.Voicemail.On = true; return nil }); err == nil || s.Mailbox("1000") != nil {
		t.Fatal("a change that failed has made a mailbox", err)
	}
	if err := errors.Join(on("1000", ""), on("1001", "1001"), on("1002", "info")); err != nil {
		t.Fatal(err)
	}
	want := pbx.Mailbox{Number: "1000", Name: "Alice", Enabled: true, MaxMessages: 100, MaxSeconds: 180, Set: admin}
	for range 2 { // at once, and after a restart
		if got := s.Mailbox("1000"); !reflect.DeepEqual(got, &want) {
			t.Fatal(text(t, got))
		}
		if s.Mailbox("1001") == nil || s.Extension("1001").Services.Voicemail.Box != "" || s.Mailbox("1002") != nil {
			t.Error(text(t, s.Extension("1001").Services.Voicemail), s.Mailbox("1001"), s.Mailbox("1002"))
		}
		_ = s.Close()
		s = open(t, dir, Options{})
	}
	// What is there stays.
	if err := second(s.ReplaceMailbox(ctx, alice, pbx.Mailbox{Number: "1000", Name: "Cellar"}, nil)); err != nil {
		t.Fatal(err)
	}
	off := func(v *pbx.Services) error { v.Voicemail.On = false; return nil }
	if err := errors.Join(s.ChangeServices(ctx, "1000", off), on("1000", "")); err != nil || s.Mailbox("1000").Name != "Cellar" {
		t.Error(err, text(t, s.Mailbox("1000")))
	}
}

func TestMailboxesInUseStay(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	ctx := t.Context()
	var removed []string
	s.OnMailbox(func(number string) {
		if err := second(s.GetExtension(ctx, "1002")); err != nil { // it may call the store
			t.Error(err)
		}
		if s.Mailbox(number) == nil {
			removed = append(removed, number)
		}
	})
	voicemail := func(extension string, v pbx.Voicemail) error {
		return s.ChangeServices(ctx, extension, func(x *pbx.Services) error { x.Voicemail = v; return nil })
	}
	if err := errors.Join(voicemail("1000", pbx.Voicemail{On: true}), voicemail("1001", pbx.Voicemail{Box: "1000"}), voicemail("1002", pbx.Voicemail{On: true, Box: "info"})); err != nil {
		t.Fatal(err)
	}
	refused := func(what, says string, err error) {
		t.Helper()
		about(t, what, "number", err)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("used twice", "is used by extension 1000, extension 1001: change", s.DeleteMailbox(ctx, "1000"))
	refused("a common one", "is used by extension 1002: change", s.DeleteMailbox(ctx, "info"))
	refused("its extension", "is used by extension 1001, too", s.DeleteExtension(ctx, "1000"))
	if s.Extension("1000") == nil || !slices.Contains(s.Group("600").Members, "1000") || len(removed) > 0 {
		t.Fatal("a refused change has changed something", removed)
	}
	if err := errors.Join(voicemail("1001", pbx.Voicemail{}), s.DeleteExtension(ctx, "1000")); err != nil || s.Mailbox("1000") != nil {
		t.Error("the mailbox stays for whoever gets the number next", err)
	}
	if err := errors.Join(s.DeleteExtension(ctx, "1001"), voicemail("1002", pbx.Voicemail{}), s.DeleteMailbox(ctx, "info")); err != nil {
		t.Error(err)
	}
	if !slices.Equal(removed, []string{"1000", "info"}) {
		t.Error("told of", removed)
	}
}

// A mailbox that cannot be read any more lets nobody in: it may have had a PIN.
func TestADamagedMailboxIsSwitchedOff(t *testing.T) {
	dir := t.TempDir()
	s := withOffice(t, dir, Options{})
	if _, err := s.sql.Exec("UPDATE mailboxes SET document = '{'"); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	var log said
	s = open(t, dir, Options{Log: log.logger()})
	if m := s.Mailbox("info"); m == nil || m.Enabled || m.Number != "info" || strings.Count(log.String(), "table=mailboxes row=info") != 1 {
		t.Fatalf("%+v %s", m, log.String())
	}
}

func TestMailboxesAndRoomsAreToldOf(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	ctx := t.Context()
	var told []string
	s.OnMailbox(func(number string) { told = append(told, "mailbox "+number) })
	s.OnRoom(func(number string) { told = append(told, "room "+number) })
	want := func(what ...string) {
		t.Helper()
		if !slices.Equal(told, what) {
			t.Errorf("told of %q, want %q", told, what)
		}
		told = nil
	}
	box := pbx.Mailbox{Number: "4711", Enabled: true}
	if err := second(s.CreateMailbox(ctx, alice, box, nil)); err != nil {
		t.Fatal(err)
	}
	want("mailbox 4711")
	box.Enabled = false
	if err := second(s.ReplaceMailbox(ctx, alice, box, nil)); err != nil {
		t.Fatal(err)
	}
	want("mailbox 4711")
	if err := second(s.CreateRoom(ctx, alice, pbx.Room{Number: "8711", Enabled: true}, pbx.RoomPINs{})); err != nil {
		t.Fatal(err)
	}
	want("room 8711")
	if err := errors.Join(s.DeleteMailbox(ctx, "4711"), s.DeleteRoom(ctx, "8711")); err != nil {
		t.Fatal(err)
	}
	want("mailbox 4711", "room 8711")
	if err := s.DeleteRoom(ctx, "8711"); err == nil {
		t.Error("a room was removed twice")
	}
	want()
}
