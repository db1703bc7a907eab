package store

import (
	"context"
	"database/sql"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"ringback/migrations"
	"ringback/pbx"
)

// schema1 makes a database as the exchange of before had it, with an extension, a call and registrations.
func schema1(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "ringback.db")+"?"+pragmas)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		`INSERT INTO settings (name, value) VALUES ('realm', 'example.com')`,
		`INSERT INTO extensions (number, name, enabled, max_contacts, ring_seconds, codecs, realm, ha1_md5, ha1_sha256, created, updated)
			VALUES ('1000', 'Alice', 1, 3, 40, 'G722 PCMA', 'example.com', 'a', 'b', 1, 2), ('1001', 'Bob', 0, 10, 25, '', 'example.com', 'c', 'd', 1, 2)`,
		`INSERT INTO bindings (extension, bindings) VALUES ('1000', '[{"ext":"1000","contact":"sip:1000@192.0.2.1","expires":"2999-01-01T00:00:00Z"}]')`,
		`INSERT INTO cdrs (id, started, from_number, to_number, answered_by, outcome, ended_by, rang, answered, ended, status, cause, from_name, detail)
			VALUES ('x', 1000000, '1000', '1001', '1001', 'answered', 'caller', 0, 2000000, 3000000, 0, 16, 'Alice', '{"codec":"PCMU"}')`,
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADatabaseOfBeforeGoesOn(t *testing.T) {
	dir := t.TempDir()
	schema1(t, dir)
	s := open(t, dir, Options{})
	want := &pbx.Extension{Number: "1000", Name: "Alice", Enabled: true, MaxContacts: 3, Ring: 40 * time.Second, Codecs: []string{"G722", "PCMA"}, HA1MD5: "a", HA1SHA256: "b"}
	if got := s.Extension("1000"); !reflect.DeepEqual(got, want) || s.Owner("1000") != got || s.CountExtensions() != 2 || s.Realm() != "example.com" {
		t.Fatalf("%+v", got)
	}
	if !reflect.DeepEqual(s.Office(), new(pbx.Office)) || s.Group("600") != nil || s.Hours("office") != nil || s.Room("800") != nil {
		t.Error("an office out of nothing")
	}
	if all, err := s.LoadBindings(t.Context()); err != nil || len(all) != 1 {
		t.Error(all, err)
	}
	c, err := s.GetCDR(t.Context(), "x")
	if err != nil || c.Codec != "PCMU" || c.Plan != "" || c.Path != nil || c.Hidden {
		t.Errorf("%+v %v", c, err)
	}
	r := pbx.NewRecent()
	if err := s.LoadRecent(t.Context(), r); err != nil || r.LastDialled("1000") != "1001" {
		t.Error(r.LastDialled("1000"), err)
	}
	if from, ok := r.LastCaller("1001"); ok {
		t.Error("whether he hid his number is not known:", from)
	}
	// It is changed as a new one is.
	numbers := []string{"2000"}
	if _, _, err := s.UpdateExtension(t.Context(), "1000", ExtensionUpdate{Numbers: &numbers}); err != nil {
		t.Fatal(err)
	}
	if err := s.ChangeServices(t.Context(), "1000", func(v *pbx.Services) error { v.Class = "local"; return nil }); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	s = open(t, dir, Options{})
	if e := s.Owner("2000"); e == nil || e.Number != "1000" || e.Services.Class != "local" {
		t.Fatalf("%+v", e)
	}
}

// What plans are made from is gone after the way down to the schema of before, and nothing else.
func TestTheWayBackKeepsExtensions(t *testing.T) {
	dir := t.TempDir()
	s := withOffice(t, dir, Options{})
	if _, err := s.ChangeOffice(t.Context(), admin, func(o *pbx.Office) error { o.DayNight = "office"; return nil }); err != nil {
		t.Fatal(err)
	}
	p, err := s.migrations()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.DownTo(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	s = open(t, dir, Options{})
	if s.CountExtensions() != 3 || s.Group("600") != nil || s.Hours("office") != nil || s.Office().DayNight != "" {
		t.Fatal("not as before")
	}
}
