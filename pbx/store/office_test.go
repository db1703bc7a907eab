package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"ringback/pbx"
)

func TestOfficeSurvives(t *testing.T) {
	dir := t.TempDir()
	s := withOffice(t, dir, Options{})
	ctx := t.Context()
	office, group, hours := fullOffice(), fullGroup("601"), fullHours("Büro Süd")
	for name, v := range map[string]any{"Office": office, "Group": group, "Hours": hours} {
		complete(t, name, reflect.ValueOf(v))
	}
	o, err1 := s.ChangeOffice(ctx, pbx.Set{}, func(o *pbx.Office) error { *o = office; return nil })
	g, err2 := s.CreateGroup(ctx, pbx.Set{}, group)
	h, err3 := s.CreateHours(ctx, pbx.Set{}, hours)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(o, office) || !reflect.DeepEqual(g, group) || !reflect.DeepEqual(h, hours) {
		t.Errorf("returned\n%s\n%s\n%s", text(t, o), text(t, g), text(t, h))
	}
	for _, when := range []string{"at once", "after a restart"} {
		if !reflect.DeepEqual(s.Office(), &office) || !reflect.DeepEqual(s.Group("601"), &group) || !reflect.DeepEqual(s.Hours("Büro Süd"), &hours) {
			t.Errorf("%s\n%s\n%s\n%s", when, text(t, s.Office()), text(t, s.Group("601")), text(t, s.Hours("Büro Süd")))
		}
		_ = s.Close()
		s = open(t, dir, Options{})
	}
	if s.Setting(settingOffice) != "" {
		t.Error("the office is kept twice")
	}
}

func TestGroupsAndHoursLife(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	ctx := t.Context()
	if _, err := s.CreateGroup(ctx, admin, fullGroup("600")); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if _, err := s.CreateHours(ctx, admin, fullHours("office")); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if _, err := s.ReplaceGroup(ctx, admin, fullGroup("601")); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if _, err := s.ReplaceHours(ctx, admin, fullHours("shop")); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if err := s.SwitchHours(ctx, "shop", "day", admin); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	g, err := s.CreateGroup(ctx, admin, pbx.Group{Number: "601", Enabled: true})
	if err != nil || g.Name != "601" || g.Strategy != pbx.RingAll || g.Seconds != DefaultRingSeconds || g.Members == nil {
		t.Errorf("%+v %v", g, err)
	}
	for i := range 5 {
		if _, err := s.CreateHours(ctx, admin, pbx.Hours{Name: fmt.Sprint("h", i)}); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for after := ""; ; {
		page, err := s.ListHours(ctx, after, 4)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range page {
			names = append(names, h.Name)
		}
		if len(page) < 4 {
			break
		}
		after = page[3].Name
	}
	if want := []string{"h0", "h1", "h2", "h3", "h4", "office"}; !slices.Equal(names, want) {
		t.Error(names)
	}
	groups, err := s.ListGroups(ctx, "600", 0)
	if err != nil || len(groups) != 1 || groups[0].Number != "601" {
		t.Error(groups, err)
	}
	for _, want := range []error{nil, ErrNotFound} {
		if err := s.DeleteGroup(ctx, "601"); !errors.Is(err, want) {
			t.Error(err)
		}
		if err := s.DeleteHours(ctx, "h3"); !errors.Is(err, want) {
			t.Error(err)
		}
	}
	if _, err := s.GetGroup(ctx, "601"); !errors.Is(err, ErrNotFound) || s.Group("601") != nil {
		t.Error(err)
	}
	if _, err := s.GetHours(ctx, "h3"); !errors.Is(err, ErrNotFound) || s.Hours("h3") != nil {
		t.Error(err)
	}
}

func TestWhatIsInUseStays(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	ctx := t.Context()
	refused := func(err error, want ...string) {
		t.Helper()
		var v *ValidationError
		if !errors.As(err, &v) {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(v.Sentence, w) {
				t.Errorf("%s does not say %s", v.Sentence, w)
			}
		}
	}
	if err := s.ChangeServices(ctx, "1001", func(v *pbx.Services) error { *v = fullServices(); return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ChangeOffice(ctx, admin, func(o *pbx.Office) error { o.DayNight = "office"; return nil }); err != nil {
		t.Fatal(err)
	}
	refused(s.DeleteHours(ctx, "office"), "extension 1001", "ring group 600", "the office")
	refused(s.DeleteGroup(ctx, "600"), "extension 1001")
	if s.Hours("office") == nil || s.Group("600") == nil {
		t.Fatal("gone")
	}
	if err := s.DeleteExtension(ctx, "1001"); err != nil { // it leaves the group
		t.Fatal(err)
	}
	if m := s.Group("600").Members; !slices.Equal(m, []string{"1000"}) {
		t.Error("members:", m)
	}
	refused(s.DeleteHours(ctx, "office"), "ring group 600")
	if err := s.DeleteGroup(ctx, "600"); err != nil {
		t.Error(err)
	}
	if _, err := s.ChangeOffice(ctx, admin, func(o *pbx.Office) error { o.DayNight = ""; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteHours(ctx, "office"); err != nil {
		t.Error(err)
	}
}

func TestDeletedMembersAreOutOfTheDatabaseToo(t *testing.T) {
	dir := t.TempDir()
	s := withOffice(t, dir, Options{})
	if err := s.DeleteExtension(t.Context(), "1000"); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	s = open(t, dir, Options{})
	if m := s.Group("600").Members; !slices.Equal(m, []string{"1001"}) {
		t.Error(m)
	}
}

func TestFurtherNumbers(t *testing.T) {
	dir := t.TempDir()
	s := withOffice(t, dir, Options{})
	ctx := t.Context()
	e, _, err := s.CreateExtension(ctx, NewExtension{Number: "1500", Numbers: []string{"2500", "+49301500"}})
	if err != nil || !slices.Equal(e.Numbers, []string{"2500", "+49301500"}) {
		t.Fatalf("%+v %v", e, err)
	}
	is := func(number, owner string) {
		t.Helper()
		got := ""
		if e := s.Owner(number); e != nil {
			got = e.Number
			if e != s.Extension(owner) {
				t.Errorf("%s: another snapshot of %s", number, owner)
			}
		}
		if got != owner {
			t.Errorf("%s is %q's, want %q", number, got, owner)
		}
	}
	is("1500", "1500")
	is("2500", "1500")
	is("+49301500", "1500")
	is("9999", "")
	is("", "")
	if s.Extension("2500") != nil {
		t.Error("a further number is an extension")
	}
	if err := s.ChangeServices(ctx, "1500", func(v *pbx.Services) error { v.OneCall.On = true; return nil }); err != nil {
		t.Fatal(err)
	}
	is("2500", "1500")
	next := []string{"2501", "+49301500"}
	if e, _, err = s.UpdateExtension(ctx, "1500", ExtensionUpdate{Numbers: &next}); err != nil || !slices.Equal(e.Numbers, next) {
		t.Fatalf("%+v %v", e, err)
	}
	is("2500", "")
	is("2501", "1500")
	if got, err := s.GetExtension(ctx, "1500"); err != nil || !slices.Equal(got.Numbers, next) {
		t.Error(got, err)
	}
	_ = s.Close()
	s = open(t, dir, Options{})
	is("2501", "1500")
	if err := s.DeleteExtension(ctx, "1500"); err != nil {
		t.Fatal(err)
	}
	is("2501", "")
}

func TestNumbersAreUnique(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{IsCode: func(_ *pbx.Office, n string) bool { return strings.HasPrefix(n, "*7") }})
	ctx := t.Context()
	if _, _, err := s.CreateExtension(ctx, NewExtension{Number: "1500", Numbers: []string{"2500"}}); err != nil {
		t.Fatal(err)
	}
	own := func(n ...string) error { return second3(s.UpdateExtension(ctx, "1000", ExtensionUpdate{Numbers: &n})) }
	create := func(n string, further ...string) error {
		return second3(s.CreateExtension(ctx, NewExtension{Number: n, Numbers: further}))
	}
	many := func(list ...NewExtension) error { return second(s.CreateExtensions(ctx, list)) }
	group := func(n string) error { return second(s.CreateGroup(ctx, admin, pbx.Group{Number: n})) }
	for _, c := range []struct {
		err         error
		field, says string
	}{
		{create("2500"), "number", "a further number of extension 1500"},
		{create("600"), "number", "ring group 600"},
		{create("*72"), "number", "a feature code"},
		{create("Announcement.x"), "number", "the PBX's own"},
		{create("1600", "1000"), "numbers[0]", "extension 1000"},
		{create("1600", "1601", "2500"), "numbers[1]", "a further number of extension 1500"},
		{create("1600", "1600"), "numbers[0]", "own number"},
		{create("1600", "1601", "1601"), "numbers[1]", "twice"},
		{create("1600", "16 01"), "numbers[0]", "digits"},
		{create("1600", "announcement.closed"), "numbers[0]", "the PBX's own"},
		{create("1600", "*73"), "numbers[0]", "a feature code"},
		{create("1600", make([]string, 51)...), "numbers", "at most 50"},
		{own("600"), "numbers[0]", "ring group 600"},
		{own("1001"), "numbers[0]", "extension 1001"},
		{own("1000"), "numbers[0]", "own number"},
		{own("2500"), "numbers[0]", "a further number of extension 1500"},
		{group("1000"), "number", "extension 1000"},
		{group("2500"), "number", "a further number of extension 1500"},
		{group("*71"), "number", "a feature code"},
		{group("announcement."), "number", "the PBX's own"},
		{many(NewExtension{Number: "1700", Numbers: []string{"2700"}}, NewExtension{Number: "2700"}), "number", "a further number of extension 1700"},
		{many(NewExtension{Number: "1700"}, NewExtension{Number: "1701", Numbers: []string{"1700"}}), "numbers[0]", "extension 1700"},
	} {
		var v *ValidationError
		if !errors.As(c.err, &v) || v.Field != c.field || !strings.Contains(v.Sentence, c.says) || !strings.HasSuffix(v.Sentence, ".") {
			t.Errorf("%s, %s: %v", c.field, c.says, c.err)
		}
	}
	if s.Extension("1700") != nil || s.CountExtensions() != 4 {
		t.Error("a refused one was made")
	}
	if err := own("2600"); err != nil {
		t.Error(err)
	}
	if err := own("2600", "2601"); err != nil {
		t.Error("what it has already is no collision:", err)
	}
	if err := create("2500"); err == nil {
		t.Error("taken twice")
	}
}

func second3[A, B any](_ A, _ B, err error) error { return err }

func TestCodesThatCoverNumbersAreRefused(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{IsCode: func(o *pbx.Office, n string) bool {
		code := o.Codes.Changed["block"] // takes an argument
		return code != "" && strings.HasPrefix(n, code)
	}})
	if _, _, err := s.CreateExtension(t.Context(), NewExtension{Number: "*555"}); err != nil {
		t.Fatal(err)
	}
	set := func(code string) error {
		return second(s.ChangeOffice(t.Context(), admin, func(o *pbx.Office) error {
			o.Codes.Changed = map[string]string{"block": code}
			return nil
		}))
	}
	var v *ValidationError
	if err := set("*5"); !errors.As(err, &v) || v.Field != "codes" || v.Sentence != "*555, extension *555, could not be called: it would be a feature code." {
		t.Error(err)
	}
	if err := set("*6"); err != nil {
		t.Error(err)
	}
}

func TestCodesThatCollideAreRefused(t *testing.T) {
	asked := 0
	s := withOffice(t, t.TempDir(), Options{CheckCodes: func(o *pbx.Office, taken func(string) bool) error {
		asked++
		for _, code := range o.Codes.Changed {
			if taken(code) {
				return fmt.Errorf("the code %s is a number", code)
			}
		}
		return nil
	}})
	numbers := []string{"2000"}
	if _, _, err := s.UpdateExtension(t.Context(), "1000", ExtensionUpdate{Numbers: &numbers}); err != nil {
		t.Fatal(err)
	}
	set := func(code string) error {
		return second(s.ChangeOffice(t.Context(), admin, func(o *pbx.Office) error {
			o.Codes.Changed = map[string]string{"echo": code}
			return nil
		}))
	}
	for _, taken := range []string{"1000", "2000", "600"} {
		var v *ValidationError
		if err := set(taken); !errors.As(err, &v) || v.Field != "codes" || v.Sentence != "The code "+taken+" is a number." {
			t.Error(taken, err)
		}
	}
	if s.Office().Codes.Changed != nil {
		t.Error("saved all the same")
	}
	if err := set("*44"); err != nil || s.Office().Codes.Changed["echo"] != "*44" || asked != 4 {
		t.Error(err, asked)
	}
}

// A plan reads one snapshot: what belongs together is there together.
func TestSnapshotsAreWhole(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for ctx.Err() == nil {
				d := s.Snapshot()
				for _, m := range d.Group("600").Members {
					if d.Extension(m) == nil {
						t.Error("a member that does not exist")
						return
					}
				}
				if e := d.Owner("2000"); e != nil && e != d.Extension("1000") {
					t.Error("two states of one extension")
					return
				}
			}
		})
	}
	numbers, none := []string{"2000"}, []string{}
	for range 20 {
		err := errors.Join(
			second3(s.UpdateExtension(t.Context(), "1000", ExtensionUpdate{Numbers: &numbers})),
			s.ChangeServices(t.Context(), "1000", func(v *pbx.Services) error { v.OneCall.On = !v.OneCall.On; return nil }),
			second3(s.UpdateExtension(t.Context(), "1000", ExtensionUpdate{Numbers: &none})),
			s.DeleteExtension(t.Context(), "1001"),
			second3(s.CreateExtension(t.Context(), NewExtension{Number: "1001"})),
			second(s.ReplaceGroup(t.Context(), admin, fullGroup("600"))))
		if err != nil {
			t.Fatal(err)
		}
	}
	stop()
	readers.Wait()
}

func TestDamagedDocuments(t *testing.T) {
	for _, bad := range []string{"{", "[]", `{"incoming":7,"members":7,"open":7}`, "null and void", `"`, `{"forward_always":{"set":{"at":"yesterday"}},"set":{"at":"yesterday"},"codes":1}`,
		strings.Repeat(" ", 4*maxDocument) + "{}", strings.Repeat("[", 100000)} {
		dir := t.TempDir()
		s := withOffice(t, dir, Options{})
		numbers := []string{"2000", "2001"}
		if _, _, err := s.UpdateExtension(t.Context(), "1000", ExtensionUpdate{Numbers: &numbers}); err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{"UPDATE extensions SET services = ? WHERE number = '1000'", "UPDATE ring_groups SET document = ?", "UPDATE hours SET document = ?",
			"INSERT INTO settings (name, value) VALUES ('office', ?)"} {
			if _, err := s.sql.Exec(q, bad); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.sql.Exec("UPDATE extensions SET numbers = '2001 2002' WHERE number = '1001'"); err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		var log said
		s = open(t, dir, Options{Log: log.logger()})
		if e := s.Extension("1000"); e == nil || !reflect.DeepEqual(e.Services, pbx.Services{Class: "internal"}) || s.Owner("2001") != e || s.Owner("2002") == nil {
			t.Fatalf("%+v", e)
		}
		if g := s.Group("600"); g == nil || g.Enabled || len(g.Members) > 0 {
			t.Fatalf("%+v", g)
		}
		if h := s.Hours("office"); h == nil || h.Mode != "day" || s.Office() == nil {
			t.Fatalf("%+v", h)
		}
		for _, row := range []string{"table=extensions row=1000", "table=ring_groups row=600", "table=hours row=office", "table=settings row=office", "number=2001 first=1000 second=1001"} {
			if strings.Count(log.String(), row) != 1 {
				t.Errorf("%.20q: %s is not said once:\n%s", bad, row, log.String())
			}
		}
		// Each is put right by setting it again.
		name := "Alice again"
		err := errors.Join(
			second3(s.UpdateExtension(t.Context(), "1000", ExtensionUpdate{Name: &name})),
			s.ChangeServices(t.Context(), "1000", func(v *pbx.Services) error { *v = pbx.Services{Class: "local"}; return nil }),
			second(s.ReplaceHours(t.Context(), admin, fullHours("office"))),
			second(s.ReplaceGroup(t.Context(), admin, fullGroup("600"))),
			second(s.ChangeOffice(t.Context(), admin, func(o *pbx.Office) error { o.DayNight = "office"; return nil })))
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		var quiet said
		s = open(t, dir, Options{Log: quiet.logger()})
		if strings.Contains(quiet.String(), "damaged") || s.Extension("1000").Services.Class != "local" || !s.Group("600").Enabled {
			t.Fatal(quiet.String())
		}
		_ = s.Close()
	}
}

// A disk that is full refuses the change and leaves everything as it was.
func TestOfficeOnAFullDisk(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	s.sql.SetMaxOpenConns(1) // the limit is the connection's
	limit := func(pages string) {
		t.Helper()
		if _, err := s.sql.Exec("PRAGMA max_page_count = " + pages); err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // means: as it is
	much := make([]string, 400)
	for i := range much {
		much[i] = fmt.Sprintf("%032d", i)
	}
	rules := []pbx.Rule{{Action: pbx.Reject, Numbers: much}, {Action: pbx.Reject, Prefixes: much}}
	large := fullHours("office")
	for i := range 400 {
		large.Holidays = append(large.Holidays, pbx.Holiday{Name: strings.Repeat("x", 100), First: fmt.Sprintf("%d-01-01", 2000+i)})
	}
	before := s.Snapshot()
	changes := map[string]func() error{
		"services": func() error {
			return s.ChangeServices(t.Context(), "1000", func(v *pbx.Services) error { v.Incoming = rules; return nil })
		},
		"office": func() error {
			return second(s.ChangeOffice(t.Context(), admin, func(o *pbx.Office) error { o.Incoming = rules; return nil }))
		},
		"hours": func() error { return second(s.ReplaceHours(t.Context(), admin, large)) },
	}
	for name, do := range changes {
		if err := do(); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s.Snapshot() != before {
		t.Error("something has changed")
	}
	limit("1000000")
	for name, do := range changes {
		if err := do(); err != nil {
			t.Errorf("%s, when there is space again: %v", name, err)
		}
	}
}
