package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/pbx"
)

func TestListCDRs(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	base := record(0).Started
	var all []pbx.CDR
	for i := range 300 {
		c := record(i)
		c.Started = base.Add(time.Duration(i/3) * time.Second) // three calls at the same time
		c.From, c.To, c.By = string(rune('a'+i%5)), string(rune('a'+i%7)), string(rune('a'+i%11))
		c.Outcome = []string{"answered", "busy", "no answer"}[i%3]
		all = append(all, c)
		s.Journal().Ended(c)
	}
	flush(t, s)
	slices.Reverse(all) // ids grow with time
	filters := map[string]struct {
		f    CDRFilter
		keep func(pbx.CDR) bool
	}{
		"all":     {CDRFilter{}, func(c pbx.CDR) bool { return true }},
		"from":    {CDRFilter{From: "a"}, func(c pbx.CDR) bool { return c.From == "a" }},
		"to":      {CDRFilter{To: "b"}, func(c pbx.CDR) bool { return c.To == "b" }},
		"number":  {CDRFilter{Number: "c"}, func(c pbx.CDR) bool { return c.From == "c" || c.To == "c" || c.By == "c" }},
		"outcome": {CDRFilter{Outcome: "busy"}, func(c pbx.CDR) bool { return c.Outcome == "busy" }},
		"since":   {CDRFilter{Since: base.Add(40 * time.Second)}, func(c pbx.CDR) bool { return !c.Started.Before(base.Add(40 * time.Second)) }},
		"until":   {CDRFilter{Until: base.Add(40 * time.Second)}, func(c pbx.CDR) bool { return c.Started.Before(base.Add(40 * time.Second)) }},
		"mixed": {CDRFilter{Number: "a", Outcome: "answered", Since: base.Add(10 * time.Second), Until: base.Add(90 * time.Second)}, func(c pbx.CDR) bool {
			return (c.From == "a" || c.To == "a" || c.By == "a") && c.Outcome == "answered" &&
				!c.Started.Before(base.Add(10*time.Second)) && c.Started.Before(base.Add(90*time.Second))
		}},
		"injected": {CDRFilter{Number: "a' OR '1'='1", From: "x; DROP TABLE cdrs"}, func(pbx.CDR) bool { return false }},
	}
	for name, test := range filters {
		var want []string
		for _, c := range all {
			if test.keep(c) {
				want = append(want, c.ID)
			}
		}
		for _, limit := range []int{1, 7, 100, 1000} { // pages fit together whatever their size
			test.f.Limit = limit
			if got := ids(t, s, test.f); !slices.Equal(got, want) {
				t.Errorf("%s, pages of %d: %d records, want %d", name, limit, len(got), len(want))
			}
		}
	}
	for _, f := range []CDRFilter{{Limit: -1}, {Limit: 1001}, {After: "x"}, {After: "1."}, {After: "x.y"}} {
		var v *ValidationError
		if _, err := s.ListCDRs(t.Context(), f); !errors.As(err, &v) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

// A list must be read off its index in order, whatever the filter: sorting would mean reading every call there is.
func TestListsAreNotSorted(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	for _, f := range []CDRFilter{{}, {Number: "1000"}, {From: "1000", Outcome: "busy"}, {Since: time.Now(), To: "1"}} {
		where, args := f.where(1, "x")
		rows, err := s.sql.QueryContext(t.Context(), "EXPLAIN QUERY PLAN SELECT "+cdrColumns+" FROM cdrs WHERE "+where+" ORDER BY started DESC, id DESC LIMIT 10", args...)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, step)
		}
		_ = rows.Close()
		text := strings.Join(plan, "; ")
		if !strings.Contains(text, "USING INDEX cdrs_started") || strings.Contains(text, "TEMP B-TREE FOR ORDER BY") {
			t.Errorf("%+v: %s", f, text)
		}
	}
}

func TestStreamingStopsWithItsContext(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	for i := range 30 {
		s.Journal().Ended(record(i))
	}
	flush(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range s.CDRs(ctx, CDRFilter{Limit: 10}) {
		if last = err; err == nil {
			n++
		}
		cancel()
	}
	if n != 10 || !errors.Is(last, context.Canceled) {
		t.Fatal(n, last)
	}
}

// BenchmarkListCDRs looks for a number that never called among 100,000 calls: the worst there is.
func BenchmarkListCDRs(b *testing.B) {
	s := open(b, b.TempDir(), Options{})
	for i := 0; i < 100_000; i += batchCDRs {
		list := make([]pbx.CDR, batchCDRs)
		for k := range list {
			list[k] = record(i + k)
		}
		if err := s.insertCDRs(context.Background(), list, upsertEnded); err != nil {
			b.Fatal(err)
		}
	}
	for name, f := range map[string]CDRFilter{"newest": {}, "number": {Number: "1000"}, "nobody": {Number: "404"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.ListCDRs(context.Background(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
