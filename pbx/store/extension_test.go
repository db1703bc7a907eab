package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringback/pbx"
)

func TestExtensionLife(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{Realm: "example.com"})
	var told []string
	s.OnChange(func(c Change) { told = append(told, fmt.Sprint(c.Number, " ", c.Before != nil, " ", c.After != nil)) })

	e, password, err := s.CreateExtension(t.Context(), NewExtension{Number: "1000", Name: "Алиса ✓", Password: "only-digest-hashes", Codecs: []string{"g722", "pcmu"}})
	if err != nil || password != "only-digest-hashes" {
		t.Fatal(password, err)
	}
	if !e.Enabled || e.MaxContacts != DefaultMaxContacts || e.RingSeconds != DefaultRingSeconds || !slices.Equal(e.Codecs, []string{"G722", "PCMU"}) || e.Created.IsZero() || e.WrongRealm {
		t.Fatalf("%+v", e)
	}
	want := &pbx.Extension{Number: "1000", Name: "Алиса ✓", Enabled: true, MaxContacts: 10, Ring: 25 * time.Second, Codecs: []string{"G722", "PCMU"},
		HA1MD5: HA1MD5("1000", "example.com", "only-digest-hashes"), HA1SHA256: HA1SHA256("1000", "example.com", "only-digest-hashes")}
	before := s.Extension("1000")
	if !reflect.DeepEqual(before, want) {
		t.Fatalf("%+v", before)
	}

	if _, _, err := s.CreateExtension(t.Context(), NewExtension{Number: "1000"}); !errors.Is(err, ErrExists) {
		t.Fatal(err)
	}
	off, empty, none := false, "", []string{}
	e, generated, err := s.UpdateExtension(t.Context(), "1000", ExtensionUpdate{Enabled: &off, Password: &empty, Codecs: &none})
	if err != nil || len(generated) != 20 || e.Enabled || len(e.Codecs) != 0 || e.Name != "Алиса ✓" {
		t.Fatalf("%+v %q %v", e, generated, err)
	}
	if !reflect.DeepEqual(before, want) {
		t.Fatal("a snapshot changed under its holder")
	}
	if now := s.Extension("1000"); now.Enabled || now.HA1MD5 != HA1MD5("1000", "example.com", generated) {
		t.Fatalf("%+v", now)
	}
	if _, _, err := s.UpdateExtension(t.Context(), "404", ExtensionUpdate{}); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	if got, err := s.GetExtension(t.Context(), "1000"); err != nil || !reflect.DeepEqual(got, e) {
		t.Fatalf("%+v\n%+v %v", got, e, err)
	}
	for _, want := range []error{nil, ErrNotFound} {
		if err := s.DeleteExtension(t.Context(), "1000"); !errors.Is(err, want) {
			t.Fatal(err)
		}
	}
	if s.Extension("1000") != nil {
		t.Fatal("still there")
	}
	if _, err := s.GetExtension(t.Context(), "1000"); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	if want := []string{"1000 false true", "1000 true true", "1000 true false"}; !slices.Equal(told, want) {
		t.Fatal(told)
	}
	for _, name := range []string{"ringback.db", "ringback.db-wal"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || bytes.Contains(b, []byte("only-digest-hashes")) {
			t.Fatal("a password stands in", name, err)
		}
	}
}

func TestExtensionValidation(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	ok := []NewExtension{{Number: "*43"}, {Number: "#1"}, {Number: "+4930.1-2_x"}, {Number: strings.Repeat("9", 32)},
		{Number: "a", Name: strings.Repeat("é", 128), RingSeconds: 5, MaxContacts: 32, Password: strings.Repeat("~", 128)},
		{Number: "b", Password: "8 chars ", RingSeconds: 600, MaxContacts: 1}}
	for _, n := range ok {
		if _, _, err := s.CreateExtension(t.Context(), n); err != nil {
			t.Errorf("%+v: %v", n, err)
		}
	}
	bad := map[string][]NewExtension{
		"number": {{}, {Number: ".."}, {Number: "1 2"}, {Number: "1@x"}, {Number: "1/2"}, {Number: "é"}, {Number: "1\x00"}, {Number: strings.Repeat("9", 33)}},
		"name": {{Number: "1", Name: "a\nb"}, {Number: "1", Name: "\xff"}, {Number: "1", Name: strings.Repeat("é", 129)}, {Number: "1", Name: "a\u202eb"},
			{Number: "1", Name: "\x7f"}},
		"password":     {{Number: "1", Password: "7 chars"}, {Number: "1", Password: strings.Repeat("x", 129)}, {Number: "1", Password: "contains\ttab"}, {Number: "1", Password: "pässwörter"}},
		"ring_seconds": {{Number: "1", RingSeconds: 4}, {Number: "1", RingSeconds: 601}, {Number: "1", RingSeconds: -1}},
		"max_contacts": {{Number: "1", MaxContacts: 33}, {Number: "1", MaxContacts: -1}},
		"codecs": {{Number: "1", Codecs: []string{"PCMX"}}, {Number: "1", Codecs: []string{"PCMU", "pcmu"}}, {Number: "1", Codecs: make([]string, 17)},
			{Number: "1", Codecs: []string{"PCMU PCMA"}}},
	}
	for field, list := range bad {
		for _, n := range list {
			_, _, err := s.CreateExtension(t.Context(), n)
			var v *ValidationError
			if !errors.As(err, &v) || v.Field != field || !strings.HasSuffix(v.Sentence, ".") || strings.Contains(v.Sentence, "\n") {
				t.Errorf("%s: %+v: %v", field, n, err)
			}
		}
	}
	long, nothing := 1000, 0
	var v *ValidationError
	if _, _, err := s.UpdateExtension(t.Context(), "a", ExtensionUpdate{RingSeconds: &long, MaxContacts: &nothing}); !errors.As(err, &v) {
		t.Error("update is not validated:", err)
	}
	if s.Extension("a").Ring != 5*time.Second || s.CountExtensions() != len(ok) {
		t.Error("a refused change was made")
	}
}

func TestGeneratedPasswords(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		p := GeneratePassword()
		if len(p) != 20 || strings.ContainsAny(p, "0Oo1lIi") || seen[p] {
			t.Fatal(p)
		}
		seen[p] = true
	}
}

// RFC 7616 §3.9.1 and RFC 2617 §3.5 give the same user, realm and password.
func TestHA1(t *testing.T) {
	if got := HA1MD5("Mufasa", "testrealm@host.com", "Circle Of Life"); got != "939e7578ed9e3c518a452acee763bce9" {
		t.Error(got)
	}
	if got := HA1SHA256("Mufasa", "http-auth@example.org", "Circle of Life"); got != "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232" {
		t.Error(got)
	}
}

func TestListExtensionsPages(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	fill(t, s, 25)
	var got []string
	for after := ""; ; {
		page, err := s.ListExtensions(t.Context(), after, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			got = append(got, e.Number)
		}
		if len(page) < 10 {
			break
		}
		after = page[9].Number
	}
	if len(got) != 25 || !slices.IsSorted(got) {
		t.Fatal(got)
	}
	if _, err := s.CreateExtensions(t.Context(), []NewExtension{{Number: "2000"}, {Number: "1000"}}); !errors.Is(err, ErrExists) || s.Extension("2000") != nil {
		t.Fatal("all or none:", err)
	}
	if all, err := s.ListExtensions(t.Context(), "", 0); err != nil || len(all) != 25 {
		t.Fatal(len(all), err)
	}
}

func TestDirectoryUnderChange(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	fill(t, s, 10)
	var last sync.Map
	s.OnChange(func(c Change) { last.Store(c.Number, c.After) })
	ctx, stop := context.WithCancel(t.Context())
	var readers, writers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				for i := range 10 {
					if e := s.Extension(fmt.Sprint(1000 + i)); e == nil || e.Name != fmt.Sprint("name ", int(e.Ring.Seconds())) && e.Name != e.Number {
						t.Error("half a change:", e)
						return
					}
				}
			}
		})
	}
	for g := range 4 {
		writers.Go(func() {
			for i := range 30 {
				ring := 5 + (g+1)*i
				name := fmt.Sprint("name ", ring)
				if _, _, err := s.UpdateExtension(t.Context(), fmt.Sprint(1000+i%10), ExtensionUpdate{RingSeconds: &ring, Name: &name}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	stop()
	readers.Wait()
	for i := range 10 {
		number := fmt.Sprint(1000 + i)
		e, err := s.GetExtension(t.Context(), number)
		told, _ := last.Load(number)
		if err != nil || e.Name != s.Extension(number).Name || told != s.Extension(number) {
			t.Error("memory, database and listeners disagree on", number, err)
		}
	}
}
