package store

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"ringback/pbx"
)

// busyOffice has 10,000 extensions, each with a few services, further numbers and a place in a ring group.
func busyOffice(tb testing.TB, dir string) *Store {
	tb.Helper()
	s := open(tb, dir, Options{})
	const n = 10_000
	list := make([]NewExtension, n)
	services := make([]string, n)
	for i := range list {
		list[i] = NewExtension{Number: fmt.Sprint(1000 + i), Numbers: []string{fmt.Sprint("+4930", 1000+i)}}
		text, err := encode("services", &pbx.Services{NoAnswer: pbx.Forward{On: true, To: fmt.Sprint(1000 + (i+1)%n), Set: alice}, OneCall: pbx.Switch{On: true, Set: alice},
			FindMe:   pbx.FindMe{Steps: []pbx.Step{{Places: []pbx.Place{{Number: fmt.Sprint(1000 + i)}, {Number: "+4917112345", Confirm: true}}, Seconds: 20}}, Set: alice},
			Incoming: []pbx.Rule{{Numbers: []string{"+49301", "+49302"}, Action: pbx.Reject, Set: alice}}, Class: "national", SpeedDials: map[string]string{"1": "1001"}})
		if err != nil {
			tb.Fatal(err)
		}
		services[i] = text
	}
	ctx := context.Background()
	if _, err := s.CreateExtensions(ctx, list); err != nil {
		tb.Fatal(err)
	}
	tx, err := s.sql.Begin()
	if err != nil {
		tb.Fatal(err)
	}
	for i, text := range services {
		if _, err := tx.Exec("UPDATE extensions SET services = ? WHERE number = ?", text, list[i].Number); err != nil {
			tb.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
	if err := s.loadDirectory(ctx); err != nil {
		tb.Fatal(err)
	}
	return s
}

// BenchmarkPublish is what a change of one extension costs beside its transaction, among 10,000 with services.
func BenchmarkPublish(b *testing.B) {
	s := busyOffice(b, b.TempDir())
	for name, e := range map[string]*pbx.Extension{"services": s.Extension("5000"), "numbers": {Number: "5000", Numbers: []string{"2"}}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := s.change("", func(d *draft) error { d.put(e); return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkChangeServices is a whole change, with its transaction (one fsync).
func BenchmarkChangeServices(b *testing.B) {
	s := busyOffice(b, b.TempDir())
	b.ReportAllocs()
	for b.Loop() {
		if err := s.ChangeServices(b.Context(), "5000", func(v *pbx.Services) error { v.DoNotDisturb.On = !v.DoNotDisturb.On; return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLoadServices is the start with 10,000 extensions, and the memory they take.
func BenchmarkLoadServices(b *testing.B) {
	s := busyOffice(b, b.TempDir())
	for b.Loop() {
		if err := s.loadDirectory(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	with := heap()
	s.directory.Store(new(directory))
	b.ReportMetric(float64(with-heap())/10_000, "bytes/extension")
	if err := s.loadDirectory(context.Background()); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkOwner(b *testing.B) {
	s := busyOffice(b, b.TempDir())
	b.ReportAllocs()
	for b.Loop() {
		if s.Owner("+49305000") == nil {
			b.Fatal("gone")
		}
	}
}

func TestReadingTheDirectoryAllocatesNothing(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{})
	numbers := []string{"2000"}
	if _, _, err := s.UpdateExtension(t.Context(), "1000", ExtensionUpdate{Numbers: &numbers}); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1000, func() {
		d := s.Snapshot()
		if s.Extension("1000") == nil || s.Owner("2000") == nil || s.Owner("404") != nil || s.Group("600") == nil || s.Hours("office") == nil || s.Office() == nil || d.Owner("2000") == nil {
			t.Fatal("gone")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkLoadRecent reads the newest 10,000 records.
func BenchmarkLoadRecent(b *testing.B) {
	s := busyOffice(b, b.TempDir())
	for i := 0; i < recentCalls; i += batchCDRs {
		list := make([]pbx.CDR, batchCDRs)
		for k := range list {
			list[k] = record(i + k)
		}
		if err := s.insertCDRs(context.Background(), list, upsertEnded); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if err := s.LoadRecent(context.Background(), pbx.NewRecent()); err != nil {
			b.Fatal(err)
		}
	}
}
