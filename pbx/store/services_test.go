package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"ringback/pbx"
)

var (
	march = time.Date(2026, 3, 2, 18, 5, 0, 0, time.UTC)
	alice = pbx.Set{By: "1000", At: march}
	admin = pbx.Set{By: "admin", At: march.Add(time.Hour)}
)

// full is services with everything that there is, as an extension of withOffice may have them.
func fullServices() pbx.Services {
	forward := pbx.Forward{On: true, To: "1001", After: 20, Ring: 30, Answer: "redirect", Set: alice}
	rule := pbx.Rule{Name: "night", Numbers: []string{"1001", "+4930123"}, Prefixes: []string{"0900"}, Group: "600", Anonymous: true, Trunk: "berlin",
		Schedule: &pbx.Schedule{Days: []string{"mon", "sun"}, From: "22:00", To: "06:00", Zone: "Europe/Berlin"}, Hours: "office",
		Action: pbx.SendTo, To: "1002", Set: alice}
	return pbx.Services{Always: forward, Busy: forward, NoAnswer: forward, Unreachable: forward,
		DoNotDisturb: pbx.Switch{On: true, Set: alice}, OneCall: pbx.Switch{On: true, Set: alice}, HideNumber: pbx.Switch{On: true, Set: alice},
		FindMe: pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "1000", Confirm: true}, {Number: "+4917112345"}}, Seconds: 3}},
			Schedule: &pbx.Schedule{Days: []string{"fri"}, From: "00:00", To: "24:00", Zone: "UTC"}, Set: alice},
		Closed: pbx.Closed{Hours: "office", To: "1001", Set: alice}, Incoming: []pbx.Rule{rule}, Outgoing: []pbx.Rule{rule}, Class: "national",
		PINHash: nobody, Redirect: pbx.PassOn, Music: "spring", Voicemail: pbx.Voicemail{On: true, Box: "info", After: 15, Set: alice},
		Record: pbx.RecordPolicy{Incoming: true, Outgoing: true, OnDemand: true, Announce: true, Set: alice}, SpeedDials: map[string]string{"1": "1001", "42": "*43"}}
}

func fullHours(name string) pbx.Hours {
	span := pbx.Span{Days: []string{"mon", "tue"}, From: "08:00", To: "17:30"}
	return pbx.Hours{Name: name, Zone: "Europe/Berlin", Open: []pbx.Span{span}, Mode: "night", Set: alice,
		Holidays: []pbx.Holiday{{Name: "Christmas", First: "--12-24", Last: "--12-26", Open: []pbx.Span{span}}}}
}

func fullGroup(number string) pbx.Group {
	return pbx.Group{Number: number, Name: "Sales", Enabled: true, Strategy: pbx.LongestIdle, Members: []string{"1000", "1001"}, Seconds: 15, KeepForwards: true,
		Overflow: "1002", Closed: pbx.Closed{Hours: "office", To: "1002", Set: alice}, Set: alice}
}

func fullOffice() pbx.Office {
	rules := fullServices()
	return pbx.Office{Incoming: rules.Incoming, Outgoing: rules.Outgoing, Classes: []pbx.ClassRule{{Prefix: "0900", Class: "premium"}},
		RedirectHosts: []string{"example.com"}, DayNight: "office", Codes: pbx.FeatureCodes{Profile: "mikopbx", Changed: map[string]string{"echo": "*44"}}}
}

// withOffice opens a store with extensions 1000 to 1002, ring group 600, the mailbox "info" and the hours "office".
func withOffice(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	s := open(t, dir, o)
	fill(t, s, 3)
	ctx := context.Background()
	_, err := s.CreateHours(ctx, pbx.Set{}, fullHours("office"))
	if err == nil {
		_, err = s.CreateGroup(ctx, pbx.Set{}, fullGroup("600"))
	}
	if err == nil {
		_, err = s.CreateMailbox(ctx, pbx.Set{}, fullMailbox("info"), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// complete fails for fields that are zero anywhere in v: somebody added one and did not test it.
func complete(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			complete(t, path, v.Elem())
			return
		}
	case reflect.Struct:
		if v.Type() != reflect.TypeFor[time.Time]() {
			for i := range v.NumField() {
				complete(t, path+"."+v.Type().Field(i).Name, v.Field(i))
			}
			return
		}
	case reflect.Slice:
		for i := range v.Len() {
			if v.Index(i).Kind() == reflect.Struct && i == 0 {
				complete(t, path+"[0]", v.Index(i))
			}
		}
	}
	if v.IsZero() {
		t.Errorf("%s is not tested", path)
	}
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestServicesSurvive(t *testing.T) {
	dir := t.TempDir()
	s := withOffice(t, dir, Options{})
	want := fullServices()
	complete(t, "Services", reflect.ValueOf(want))
	if err := s.ChangeServices(t.Context(), "1000", func(v *pbx.Services) error { *v = want; return nil }); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		if got := s.Extension("1000").Services; !reflect.DeepEqual(got, want) {
			t.Fatalf("%s:\n%s\nwant\n%s", when, text(t, got), text(t, want))
		}
		got, err := s.GetServices(t.Context(), "1000")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatal(when, err)
		}
		if !reflect.DeepEqual(s.Extension("1001").Services, pbx.Services{}) {
			t.Fatal(when, "another extension has services")
		}
	}
	check("at once")
	name := "Alicia"
	if _, _, err := s.UpdateExtension(t.Context(), "1000", ExtensionUpdate{Name: &name}); err != nil {
		t.Fatal(err)
	}
	check("after another change")
	_ = s.Close()
	s = open(t, dir, Options{})
	check("after a restart")
	if s.Extension("1000").Name != name {
		t.Fatal("the other change was lost")
	}
	if _, err := s.GetServices(t.Context(), "404"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if err := s.ChangeServices(t.Context(), "404", func(*pbx.Services) error { return nil }); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if err := s.DeleteExtension(t.Context(), "1000"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.CreateExtension(t.Context(), NewExtension{Number: "1000"}); err != nil || !reflect.DeepEqual(s.Extension("1000").Services, pbx.Services{}) {
		t.Fatal("whoever gets the number next has inherited services", err)
	}
}

func TestConcurrentChangesLoseNothing(t *testing.T) {
	dir := t.TempDir()
	s := withOffice(t, dir, Options{})
	const each = 20
	var all sync.WaitGroup
	for g := range 5 {
		all.Go(func() {
			for i := range each {
				key := fmt.Sprint(g*each + i)
				var err error
				switch g {
				case 0: // other properties of the extension meanwhile
					ring := 5 + i
					_, _, err = s.UpdateExtension(t.Context(), "1000", ExtensionUpdate{RingSeconds: &ring})
				default:
					err = s.ChangeServices(t.Context(), "1000", func(v *pbx.Services) error {
						if v.SpeedDials == nil {
							v.SpeedDials = map[string]string{}
						}
						v.SpeedDials[key] = "1001"
						return nil
					})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, when := range []string{"in memory", "in the database"} {
		e := s.Extension("1000")
		if len(e.Services.SpeedDials) != 4*each || e.Ring != (4+each)*time.Second {
			t.Fatal(when, len(e.Services.SpeedDials), e.Ring)
		}
		_ = s.Close()
		s = open(t, dir, Options{})
	}
}

// scramble changes all that can be reached from v without replacing v's own slices, maps and pointers, as code does
// that holds on to a part of it.
func scramble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			scramble(v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			if v.CanSet() {
				v.Set(reflect.ValueOf(time.Unix(1, 0)))
			}
			return
		}
		for i := range v.NumField() {
			scramble(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			scramble(v.Index(i))
		}
		if v.Cap() > v.Len() {
			scramble(v.Slice(v.Len(), v.Cap()))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			v.SetMapIndex(k, reflect.ValueOf("scrambled"))
		}
	case reflect.String:
		v.SetString("scrambled")
	case reflect.Int:
		v.SetInt(-1)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	}
}

// A plan that is being carried out holds parts of a snapshot: nobody may reach them by what the store hands out.
func TestSnapshotsShareNothing(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	ctx := t.Context()
	set := func() error {
		return errors.Join(
			s.ChangeServices(ctx, "1000", func(v *pbx.Services) error { *v = fullServices(); return nil }),
			second(s.ChangeOffice(ctx, pbx.Set{}, func(o *pbx.Office) error { *o = fullOffice(); return nil })))
	}
	if err := set(); err != nil {
		t.Fatal(err)
	}
	running := s.Snapshot()
	show := func() string {
		return text(t, []any{running.Extension("1000"), running.Office(), running.Group("600"), running.Hours("office")})
	}
	before := show()
	boom := errors.New("not like this")
	var kept []any
	keep := func(v any) error { kept = append(kept, v); return nil }
	for name, do := range map[string]func() error{
		"services refused": func() error {
			return s.ChangeServices(ctx, "1000", func(v *pbx.Services) error { scramble(reflect.ValueOf(v)); return boom })
		},
		"office refused": func() error {
			return second(s.ChangeOffice(ctx, admin, func(o *pbx.Office) error { scramble(reflect.ValueOf(o)); return boom }))
		},
		"services kept": func() error {
			return s.ChangeServices(ctx, "1000", func(v *pbx.Services) error { v.Class = "local"; return keep(v) })
		},
		"office kept": func() error {
			return second(s.ChangeOffice(ctx, admin, func(o *pbx.Office) error { o.DayNight = ""; return keep(o) }))
		},
		"got": func() error {
			v, err1 := s.GetServices(ctx, "1000")
			o, err2 := s.GetOffice(ctx)
			g, err3 := s.GetGroup(ctx, "600")
			h, err4 := s.GetHours(ctx, "office")
			gs, err5 := s.ListGroups(ctx, "", 0)
			hs, err6 := s.ListHours(ctx, "", 0)
			kept = append(kept, &v, &o, &g, &h, &gs, &hs)
			return errors.Join(err1, err2, err3, err4, err5, err6)
		},
		"saved": func() error {
			in, hin := fullGroup("600"), fullHours("office")
			g, err1 := s.ReplaceGroup(ctx, admin, in)
			h, err2 := s.ReplaceHours(ctx, admin, hin)
			v, err3 := s.UpdateServices(ctx, "1001", admin, func(v *pbx.Services) error { *v = fullServices(); return nil })
			kept = append(kept, &in, &hin, &g, &h, &v)
			return errors.Join(err1, err2, err3)
		},
	} {
		if err := do(); err != nil && !errors.Is(err, boom) {
			t.Fatal(name, err)
		}
	}
	now := func() string {
		return text(t, []any{s.Extension("1000"), s.Extension("1001"), s.Office(), s.Group("600"), s.Hours("office")})
	}
	held := now()
	for _, v := range kept {
		scramble(reflect.ValueOf(v))
	}
	if now() != held {
		t.Errorf("what was handed out reaches into the directory:\n%s\nwas\n%s", now(), held)
	}
	if err := errors.Join(set(), s.DeleteExtension(ctx, "1000"), s.SwitchHours(ctx, "office", "day", admin)); err != nil {
		t.Fatal(err)
	}
	if show() != before {
		t.Errorf("a running plan's snapshot has changed:\n%s\nwas\n%s", show(), before)
	}
}

func second[T any](_ T, err error) error { return err }

func TestAFailedChangeChangesNothing(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	boom := errors.New("not like this")
	before := s.Extension("1000")
	if err := s.ChangeServices(t.Context(), "1000", func(v *pbx.Services) error { v.DoNotDisturb.On = true; return boom }); !errors.Is(err, boom) {
		t.Error(err)
	}
	var v *ValidationError
	if err := s.ChangeServices(t.Context(), "1000", func(v *pbx.Services) error { v.Class = "dear"; return nil }); !errors.As(err, &v) || v.Field != "class" {
		t.Error(err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = s.ChangeServices(t.Context(), "1000", func(v *pbx.Services) error { panic("defect") })
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.ChangeServices(ctx, "1000", func(v *pbx.Services) error { v.DoNotDisturb.On = true; return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if s.Extension("1000") != before {
		t.Error("something has changed")
	}
	if err := s.ChangeServices(t.Context(), "1000", func(v *pbx.Services) error { v.DoNotDisturb.On = true; return nil }); err != nil || !s.Extension("1000").Services.DoNotDisturb.On {
		t.Error("nothing can be changed any more:", err)
	}
}

func TestChangesOfServicesAreTold(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	var told []Change
	s.OnChange(func(c Change) { told = append(told, c) })
	before := s.Extension("1000")
	on := func(v *pbx.Services) error { v.DoNotDisturb = pbx.Switch{On: true, Set: alice}; return nil }
	for range 2 { // the second time nothing changes
		if err := s.ChangeServices(t.Context(), "1000", on); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) != 1 || told[0].Number != "1000" || told[0].Before != before || told[0].After != s.Extension("1000") {
		t.Fatalf("%+v", told)
	}
}

func TestMarks(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	ctx := t.Context()
	get := func() pbx.Services { return s.Extension("1000").Services }
	is := func(what string, got, want pbx.Set) {
		t.Helper()
		if got.By != want.By || !got.At.Equal(want.At) {
			t.Errorf("%s: marked %v, want %v", what, got, want)
		}
	}
	change := func(by pbx.Set, f func(v *pbx.Services)) {
		t.Helper()
		if _, err := s.changeServices(ctx, "1000", by, func(v *pbx.Services) error { f(v); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	// A change that marks itself, as those of feature codes do.
	change(pbx.Set{}, func(v *pbx.Services) { v.Always = pbx.Forward{On: true, To: "1001", Set: alice} })
	is("by code", get().Always.Set, alice)
	// One that does not.
	change(pbx.Set{}, func(v *pbx.Services) { v.DoNotDisturb.On = true })
	if at := get().DoNotDisturb.Set.At; time.Since(at) > time.Hour || at.IsZero() {
		t.Error("not marked with the time:", at)
	}
	// An administrator's marks count for nothing but his own name, where something changes.
	rules := []pbx.Rule{{Action: pbx.Reject, Numbers: []string{"1"}}, {Action: pbx.Reject, Numbers: []string{"2"}}}
	change(admin, func(v *pbx.Services) {
		v.Always = pbx.Forward{On: true, To: "1001", Set: pbx.Set{By: "somebody else"}}
		v.Busy = pbx.Forward{On: true, To: "1001", Set: alice}
		v.Incoming = rules
	})
	is("given again", get().Always.Set, alice)
	is("new", get().Busy.Set, admin)
	is("a rule", get().Incoming[1].Set, admin)
	later := pbx.Set{By: "bob", At: admin.At.Add(time.Hour)}
	change(later, func(v *pbx.Services) {
		v.Busy.On = false
		v.Incoming = append([]pbx.Rule{{Action: pbx.TellWhy, Anonymous: true}}, v.Incoming...)
		v.Incoming[2].Action = pbx.TellWhy
	})
	is("changed", get().Busy.Set, later)
	is("a rule before others", get().Incoming[0].Set, later)
	is("a rule that was moved", get().Incoming[1].Set, admin)
	is("a rule that was changed", get().Incoming[2].Set, later)
	change(pbx.Set{}, func(v *pbx.Services) { v.Incoming[1].Action = pbx.TellWhy })
	if got := get().Incoming[1].Set; got.By != "" || got.At.Before(march) || got.At.Equal(admin.At) {
		t.Error("a changed rule still has the mark of before:", got)
	}

	g := fullGroup("600")
	g.Members = []string{"1001"}
	g, err := s.ReplaceGroup(ctx, later, g)
	if err != nil {
		t.Fatal(err)
	}
	is("group", g.Set, later)
	is("what stayed of a group", g.Closed.Set, alice)
	h, err := s.ReplaceHours(ctx, later, pbx.Hours{Name: "office", Mode: "night", Open: []pbx.Span{}})
	if err != nil {
		t.Fatal(err)
	}
	is("hours that are night as before", h.Set, alice)
	if err := s.SwitchHours(ctx, "office", "", admin); err != nil {
		t.Fatal(err)
	}
	is("hours that were switched", s.Hours("office").Set, admin)
	o, err := s.ChangeOffice(ctx, admin, func(o *pbx.Office) error { o.Outgoing = rules; return nil })
	if err != nil {
		t.Fatal(err)
	}
	is("rule of the office", o.Outgoing[0].Set, admin)
}

func TestPIN(t *testing.T) {
	dir := t.TempDir()
	s := withOffice(t, dir, Options{})
	ctx := t.Context()
	for _, bad := range []string{"123", "1234567890123", "12a4", "١٢٣٤", " 1234"} {
		var v *ValidationError
		if err := s.SetPIN(ctx, "1000", bad); !errors.As(err, &v) || v.Field != "pin" {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := s.SetPIN(ctx, "404", "1234"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if err := errors.Join(s.SetPIN(ctx, "1000", "4711"), s.SetPIN(ctx, "1001", "123456789012")); err != nil {
		t.Fatal(err)
	}
	if h := s.Extension("1000").Services.PINHash; strings.Contains(h, "4711") || !strings.HasPrefix(h, "$argon2id$") {
		t.Error("kept as", h)
	}
	_ = s.Close()
	s = open(t, dir, Options{})
	for _, c := range []struct {
		extension, pin string
		ok             bool
	}{{"1000", "4711", true}, {"1001", "123456789012", true}, {"1000", "4712", false}, {"1000", "123456789012", false}, {"1000", "", false},
		{"1002", "4711", false}, {"404", "4711", false}, {"1002", "", false}} {
		if got := s.CheckPIN(ctx, c.extension, c.pin); got != c.ok {
			t.Error(c, got)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	s.hashing <- struct{}{} // somebody else is being checked
	if s.CheckPIN(cancelled, "1000", "4711") {
		t.Error("not checked, and taken")
	}
	<-s.hashing
	if err := s.SetPIN(ctx, "1000", ""); err != nil || s.Extension("1000").Services.PINHash != "" || s.CheckPIN(ctx, "1000", "4711") {
		t.Error("it is still there", err)
	}
}
