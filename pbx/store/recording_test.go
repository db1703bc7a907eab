package store

import (
	"errors"
	"slices"
	"testing"
	"time"

	"ringback/pbx"
)

func aRecording(i int) pbx.Recording {
	return pbx.Recording{
		ID: id36(i), Call: "call " + string(rune('a'+i%3)), From: string(rune('a' + i%5)), To: string(rune('a' + i%7)), By: "policy of 1000",
		Started: time.Unix(1_000_000_000+int64(i), 123456789).UTC(), Length: time.Second, Bytes: 32044, Channels: 1 + i%2,
	}
}

func TestRecordings(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	ctx := t.Context()
	var all []pbx.Recording
	for i := range 50 {
		r := aRecording(i)
		if i%4 == 0 {
			r.Call, r.Room, r.Problem = "", "800", "The disk is full."
		}
		all = append(all, r)
		if err := errors.Join(s.SaveRecording(ctx, pbx.Recording{ID: r.ID, Channels: 1}, false), s.SaveRecording(ctx, r, true)); err != nil {
			t.Fatal(err)
		}
	}
	under := aRecording(50)
	if err := s.SaveRecording(ctx, under, false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.GetRecording(ctx, under.ID); !errors.Is(err, pbx.ErrNoSuchSound) {
		t.Error("it is not done:", err)
	}
	if r, err := s.GetRecording(ctx, all[8].ID); err != nil || r != all[8] {
		t.Errorf("got %+v, want %+v: %v", r, all[8], err)
	}
	if old, err := s.OldestRecordings(ctx, 7); err != nil || !slices.Equal(old, all[:7]) {
		t.Error(old, err)
	}
	slices.Reverse(all)
	middle := all[25].Started
	filters := map[string]struct {
		f    pbx.RecordingFilter
		keep func(pbx.Recording) bool
	}{
		"all":    {pbx.RecordingFilter{}, func(pbx.Recording) bool { return true }},
		"call":   {pbx.RecordingFilter{Call: "call a"}, func(r pbx.Recording) bool { return r.Call == "call a" }},
		"number": {pbx.RecordingFilter{Number: "c"}, func(r pbx.Recording) bool { return r.From == "c" || r.To == "c" }},
		"room":   {pbx.RecordingFilter{Room: "800"}, func(r pbx.Recording) bool { return r.Room == "800" }},
		"since":  {pbx.RecordingFilter{Since: middle}, func(r pbx.Recording) bool { return !r.Started.Before(middle) }},
		"until":  {pbx.RecordingFilter{Until: middle}, func(r pbx.Recording) bool { return r.Started.Before(middle) }},
		"mixed": {pbx.RecordingFilter{Number: "a", Room: "800", Until: middle}, func(r pbx.Recording) bool {
			return (r.From == "a" || r.To == "a") && r.Room == "800" && r.Started.Before(middle)
		}},
		"injected": {pbx.RecordingFilter{Call: "' OR 1=1 --"}, func(pbx.Recording) bool { return false }},
	}
	for name, test := range filters {
		want := slices.DeleteFunc(slices.Clone(all), func(r pbx.Recording) bool { return !test.keep(r) })
		for _, limit := range []int{1, 7, 0, 1000} {
			test.f.Limit, test.f.After = limit, ""
			var got []pbx.Recording
			for {
				page, err := s.ListRecordings(ctx, test.f)
				if err != nil {
					t.Fatal(name, err)
				}
				if len(page) == 0 {
					break
				}
				got = append(got, page...)
				test.f.After = page[len(page)-1].ID
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, pages of %d: %d recordings, want %d", name, limit, len(got), len(want))
			}
		}
	}
	var v *ValidationError
	if _, err := s.ListRecordings(ctx, pbx.RecordingFilter{Limit: 1001}); !errors.As(err, &v) {
		t.Error(err)
	}
	if err := errors.Join(s.DeleteRecordings(ctx, all[0].ID, under.ID, "nope"), s.DeleteRecordings(ctx)); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := s.EachRecording(ctx, func(r pbx.Recording, done bool) {
		if n++; !done {
			t.Error(r)
		}
	}); err != nil || n != len(all)-1 {
		t.Error(n, err)
	}
}
