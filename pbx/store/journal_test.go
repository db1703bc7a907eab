package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bind waits for the promise.
func bind(s *Store, i int, cseq uint32) error {
	number, list := bindingsOf(i)
	list[0].CSeq = cseq
	done := make(chan error)
	s.Journal().Bindings(number, list, func(err error) { done <- err })
	return <-done
}

func flush(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Journal().Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func ids(t testing.TB, s *Store, f CDRFilter) (list []string) {
	t.Helper()
	for c, err := range s.CDRs(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c.ID)
	}
	return list
}

func segments(t testing.TB, s *Store, suffix string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(s.Dir(), "journal", "*"+suffix))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestRecordsKeepEverything(t *testing.T) {
	c := record(7)
	got, ok := decodeCDR(appendCDR(nil, &c))
	if !ok || !reflect.DeepEqual(got, c) {
		t.Errorf("got  %+v\nwant %+v", got, c)
	}
	number, list := bindingsOf(3)
	n, l, ok := decodeBindings(appendBindings(nil, number, list))
	if !ok || n != number || !reflect.DeepEqual(l, list) {
		t.Errorf("got  %+v\nwant %+v", l, list)
	}
	// Every field of the types is covered, also one that is added later.
	for _, v := range []any{c, list[0], c.FromPhone} {
		for i, r := 0, reflect.ValueOf(v); i < r.NumField(); i++ {
			if name := r.Type().Field(i).Name; r.Field(i).IsZero() && name != "Status" {
				t.Errorf("%T.%s is not tested", v, name)
			}
		}
	}
}

func TestCDRRoundTrip(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	c := record(1)
	c.Status, c.Reason = 487, "\x00\xff'\"; DROP TABLE cdrs; --"
	s.Journal().Ended(c)
	flush(t, s)
	got, err := s.GetCDR(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	c.Reason = got.Reason
	if !strings.HasSuffix(got.Reason, "DROP TABLE cdrs; --") || !reflect.DeepEqual(got, c) {
		t.Fatalf("got  %+v\nwant %+v", got, c)
	}
	if _, err := s.GetCDR(t.Context(), "nope"); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
}

func TestACallThatGoesOnIsNoRecordYet(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	c := record(1)
	if err := s.Journal().Answered(c); err != nil {
		t.Fatal(err)
	}
	flush(t, s) // the answer is in the database, its segment is gone
	if got := ids(t, s, CDRFilter{}); len(got) != 0 {
		t.Fatal("listed while it goes on:", got)
	}
	s.Journal().Ended(c)
	flush(t, s)
	if got := ids(t, s, CDRFilter{}); len(got) != 1 {
		t.Fatal(got)
	}
}

func TestBindingsNewestWinsAndEmptyForgets(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	fill(t, s, 3)
	for cseq := range uint32(5) {
		for i := range 3 {
			if err := bind(s, i, cseq); err != nil {
				t.Fatal(err)
			}
		}
	}
	done := make(chan error)
	s.Journal().Bindings("1001", nil, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Options{})
	list, err := s.LoadBindings(t.Context())
	if err != nil || len(list) != 2 || list[0].CSeq != 4 || list[1].CSeq != 4 {
		t.Fatalf("%+v %v", list, err)
	}
	if err := s.DeleteExtension(t.Context(), "1000"); err != nil {
		t.Fatal(err)
	}
	if list, err = s.LoadBindings(t.Context()); err != nil || len(list) != 1 || list[0].Extension != "1002" {
		t.Fatalf("%+v %v", list, err)
	}
}

// The next owner of a number must not be called on the phones of the last one.
func TestADeletedExtensionLeavesNoBindings(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{Checkpoint: time.Hour})
	fill(t, s, 2)
	for i := range 2 {
		if err := bind(s, i, 1); err != nil { // in the journal only
			t.Fatal(err)
		}
	}
	if err := s.DeleteExtension(t.Context(), "1000"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.CreateExtension(t.Context(), NewExtension{Number: "1000"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Options{})
	if list, err := s.LoadBindings(t.Context()); err != nil || len(list) != 1 || list[0].Extension != "1001" {
		t.Fatalf("%+v %v", list, err)
	}
}

func TestExpiredBindingsAreNotLoaded(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	fill(t, s, 1)
	number, list := bindingsOf(0)
	list = append(list, list[0])
	list[0].Expires = time.Now().Add(-time.Second)
	s.Journal().Bindings(number, list, func(error) {})
	flush(t, s)
	if got, err := s.LoadBindings(t.Context()); err != nil || len(got) != 1 || !got[0].Expires.Equal(list[1].Expires) {
		t.Fatalf("%+v %v", got, err)
	}
}

func TestReplayChangesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{Checkpoint: time.Hour})
	fill(t, s, 1)
	c := record(1)
	if err := errors.Join(s.Journal().Answered(c), bind(s, 0, 9)); err != nil {
		t.Fatal(err)
	}
	s.Journal().Ended(c)
	if err := bind(s, 0, 10); err != nil {
		t.Fatal(err)
	}
	name := segments(t, s, ".log")[0]
	copied, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // as if the machine had stopped between the commit and the removal
		if err := os.WriteFile(name, copied, 0o600); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir, Options{})
		got, err := s.GetCDR(t.Context(), c.ID)
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Fatal(got, err)
		}
		if list, _ := s.LoadBindings(t.Context()); len(list) != 1 || list[0].CSeq != 10 {
			t.Fatal(list)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestManyPromisesOneSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{Checkpoint: time.Hour})
		var all sync.WaitGroup
		number, list := bindingsOf(1)
		for range 500 {
			all.Add(1)
			s.Journal().Bindings(number, list, func(err error) {
				if err != nil {
					t.Error(err)
				}
				all.Done()
			})
		}
		all.Wait()
		if st := s.Journal().Stats(); st.Promises != 500 || st.Commits > 3 {
			t.Errorf("%+v", st)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAfterClose(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := bind(s, 0, 1); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := s.Journal().Answered(record(1)); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	s.Journal().Ended(record(1))
	if err := s.Journal().Flush(t.Context()); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if left := segments(t, s, ""); len(left) > 0 {
		t.Error("left over:", left)
	}
}

func TestRotationUnderLoad(t *testing.T) {
	s := open(t, t.TempDir(), Options{Checkpoint: 10 * time.Millisecond})
	fill(t, s, 50)
	var all sync.WaitGroup
	const callers, calls = 8, 3000
	for g := range callers {
		all.Go(func() {
			for i := range calls {
				c := record(g*calls + i)
				if err := s.Journal().Answered(c); err != nil {
					t.Error(err)
				}
				s.Journal().Ended(c)
				if i%100 == 0 {
					if err := bind(s, g, uint32(i)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Go(func() {
		for i := range 50 {
			ring := 5 + i
			if _, _, err := s.UpdateExtension(t.Context(), fmt.Sprint(1000+i), ExtensionUpdate{RingSeconds: &ring}); err != nil {
				t.Error(err)
			}
			if _, err := s.ListCDRs(t.Context(), CDRFilter{Number: "1001"}); err != nil {
				t.Error(err)
			}
			flush(t, s)
		}
	})
	all.Wait()
	flush(t, s)
	if got := ids(t, s, CDRFilter{Limit: 1000}); len(got) != callers*calls {
		t.Fatal(len(got), s.Journal().Stats())
	}
	if st := s.Journal().Stats(); st.Dropped > 0 || st.Failed > 0 || st.Checkpoints < 5 || st.PendingSegments > 0 {
		t.Fatalf("%+v", st)
	}
}
