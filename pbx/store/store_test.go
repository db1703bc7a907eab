package store

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if child() {
		return
	}
	goleak.VerifyTestMain(m)
}

// open opens a data directory and closes it at the end of the test.
func open(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error("close:", err)
		}
	})
	return s
}

// said collects log lines.
type said struct {
	sync.Mutex
	b strings.Builder
}

func (s *said) Write(p []byte) (int, error) {
	s.Lock()
	defer s.Unlock()
	return s.b.Write(p)
}

func (s *said) String() string {
	s.Lock()
	defer s.Unlock()
	return s.b.String()
}

func (s *said) logger() *slog.Logger { return slog.New(slog.NewTextHandler(s, nil)) }

func TestOpenMakesAPrivateDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c%20#", "data")
	open(t, dir, Options{})
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if _, err := os.Stat(filepath.Join(dir, "ringback.db")); err != nil {
		t.Fatal("the database is not in the directory:", err)
	}
}

func TestOpenRefusesASecondInstance(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Fatalf("got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir, Options{})
}

func TestOpenRefusesANewerSchema(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	if err := s.db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)").Error; err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrNewer) {
		t.Fatalf("got %v", err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	base := t.TempDir()
	plainFile := filepath.Join(base, "file")
	broken := filepath.Join(base, "broken")
	if err := errors.Join(os.WriteFile(plainFile, nil, 0o600), os.Mkdir(broken, 0o700),
		os.WriteFile(filepath.Join(broken, "ringback.db"), []byte(strings.Repeat("no database ", 1000)), 0o600)); err != nil {
		t.Fatal(err)
	}
	for where, want := range map[string]string{
		plainFile:            "not a directory",
		broken:               "damaged",
		"/proc/ringback":     "cannot be used",
		"postgres://host/db": "not supported yet",
	} {
		_, err := Open(where, Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", where, err)
		}
	}
	if os.Getuid() != 0 { // root may write anywhere
		readOnly := filepath.Join(base, "ro")
		_ = os.Mkdir(readOnly, 0o500)
		if _, err := Open(readOnly, Options{}); err == nil || !strings.Contains(err.Error(), "not writable") {
			t.Errorf("read-only directory: %v", err)
		}
	}
}

func TestMigrationsGoDownAndUp(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	if _, _, err := s.CreateExtension(t.Context(), NewExtension{Number: "1000"}); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	s = open(t, dir, Options{}) // an existing database
	if s.Extension("1000") == nil {
		t.Fatal("an extension was lost")
	}
	p, err := s.migrations()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.DownTo(context.Background(), 0); err != nil {
		t.Fatal("down:", err)
	}
	if _, err := p.Up(context.Background()); err != nil {
		t.Fatal("up:", err)
	}
}

func TestRealmChangeIsDetected(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{Realm: "one.example"})
	for _, n := range []string{"1000", "1001"} {
		if _, _, err := s.CreateExtension(t.Context(), NewExtension{Number: n}); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.Close()

	s = open(t, dir, Options{})
	if s.Realm() != "one.example" {
		t.Fatal("the realm was forgotten:", s.Realm())
	}
	_ = s.Close()

	var log said
	s = open(t, dir, Options{Realm: "two.example", Log: log.logger()})
	if !strings.Contains(log.String(), "realm was changed") || !strings.Contains(log.String(), "extensions=2") {
		t.Fatal("not said:", log.String())
	}
	password := "correct horse"
	e, _, err := s.UpdateExtension(t.Context(), "1000", ExtensionUpdate{Password: &password})
	if err != nil || e.WrongRealm {
		t.Fatal("a new password is for the new realm:", e, err)
	}
	if s.Extension("1000").HA1MD5 != HA1MD5("1000", "two.example", password) {
		t.Fatal("hashed for another realm")
	}
	if e, _ = s.GetExtension(t.Context(), "1001"); !e.WrongRealm {
		t.Fatal("the other one is still of the old realm")
	}
}

func TestSettingsSurvive(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	secret, err := s.Secret(t.Context(), SettingGRUUSecret, 32)
	if err != nil || len(secret) != 32 {
		t.Fatal(err)
	}
	if err := s.SetSetting(t.Context(), "answer", "41"); err != nil {
		t.Fatal(err)
	}
	if err := s.SetSetting(t.Context(), "answer", "42"); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	s = open(t, dir, Options{})
	again, err := s.Secret(t.Context(), SettingGRUUSecret, 32)
	if err != nil || string(again) != string(secret) {
		t.Fatal("the secret changed", err)
	}
	if s.SettingInt("answer", 0) != 42 || s.SettingInt("question", 7) != 7 || s.Setting("question") != "" {
		t.Fatal("settings:", s.Setting("answer"))
	}
}

func TestPurgeDeletesOldRecordsOnly(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	now := time.Now()
	for i := range 1200 {
		c := record(i)
		c.Started = now.Add(-time.Duration(i) * time.Hour)
		s.Journal().Ended(c)
	}
	if err := s.Journal().Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	n, err := s.purgeCDRs(t.Context(), now.Add(-600*time.Hour+time.Minute))
	if err != nil || n != 600 {
		t.Fatal(n, err)
	}
	page, err := s.ListCDRs(t.Context(), CDRFilter{Limit: 1000})
	if err != nil || len(page.CDRs) != 600 {
		t.Fatal(len(page.CDRs), err)
	}
}
