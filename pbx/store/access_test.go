package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestTokens(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	secret, err := s.CreateToken(t.Context(), "ci", ScopeAdmin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateToken(t.Context(), "ci", ScopeAdmin); !errors.Is(err, ErrExists) {
		t.Fatal(err)
	}
	for range 2 { // the second time from the database
		got, ok := s.CheckToken(secret)
		if !ok || got.Name != "ci" || got.Scope != ScopeAdmin || got.Created.IsZero() || got.LastUsed().IsZero() {
			t.Fatalf("%+v", got)
		}
		for _, wrong := range []string{"", secret[1:], secret + "x", "rb_" + generate(32)} {
			if _, ok := s.CheckToken(wrong); ok {
				t.Fatal("accepted", wrong)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "ringback.db"))
		if err != nil || bytes.Contains(b, []byte(secret)) {
			t.Fatal("a token stands in the database", err)
		}
		s = open(t, dir, Options{})
		if list := s.Tokens(); len(list) != 1 || list[0].LastUsed().IsZero() {
			t.Fatal("the last use was not stored")
		}
	}
	for _, want := range []error{nil, ErrNotFound} {
		if err := s.RevokeToken(t.Context(), "ci"); !errors.Is(err, want) {
			t.Fatal(err)
		}
	}
	if _, ok := s.CheckToken(secret); ok {
		t.Fatal("a revoked token was accepted")
	}
}

func TestSetToken(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	for _, secret := range []string{"first-secret-of-the-environment", "first-secret-of-the-environment", "second-secret-of-the-environment"} {
		if err := s.SetToken(t.Context(), "environment", ScopeAdmin, secret); err != nil {
			t.Fatal(err)
		}
		if _, ok := s.CheckToken(secret); !ok || len(s.Tokens()) != 1 {
			t.Fatal(ok, s.Tokens())
		}
	}
	if _, ok := s.CheckToken("first-secret-of-the-environment"); ok {
		t.Fatal("the replaced token is still good")
	}
	var v *ValidationError
	if err := s.SetToken(t.Context(), "environment", ScopeAdmin, "short"); !errors.As(err, &v) {
		t.Fatal(err)
	}
}

func TestAdmin(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	password, err := s.EnsureAdmin(t.Context())
	if err != nil || len(password) != 20 {
		t.Fatal(password, err)
	}
	if again, err := s.EnsureAdmin(t.Context()); err != nil || again != "" {
		t.Fatal("a second password", again, err)
	}
	check := func(user, password string, want bool) {
		t.Helper()
		if ok, err := s.VerifyUser(t.Context(), user, password); err != nil || ok != want {
			t.Error(user, ok, err)
		}
	}
	check(AdminUser, password, true)
	check(AdminUser, password+"x", false)
	check(AdminUser, "", false)
	check("nobody", password, false)
	if err := s.SetUserPassword(t.Context(), AdminUser, "another one"); err != nil {
		t.Fatal(err)
	}
	check(AdminUser, password, false)
	check(AdminUser, "another one", true)

	s.hashing <- struct{}{} // somebody else is being checked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if ok, err := s.VerifyUser(ctx, AdminUser, "another one"); ok || !errors.Is(err, context.Canceled) {
		t.Error(ok, err)
	}
	<-s.hashing
}
