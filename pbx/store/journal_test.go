package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// disk is a file system whose space, fsync and truncate fail on demand.
type disk struct {
	osFiles
	space    atomic.Int64 // bytes left; negative: no limit
	badSyncs atomic.Int32 // so many fail
	noTrunc  atomic.Bool
	syncHold chan struct{} // not nil: Sync waits for it to be closed
	holding  atomic.Bool
}

type diskFile struct {
	file
	d *disk
}

func newDisk() *disk {
	d := &disk{}
	d.space.Store(-1)
	return d
}

func (d *disk) Create(name string) (file, error) {
	if d.space.Load() == 0 {
		return nil, syscall.ENOSPC
	}
	f, err := d.osFiles.Create(name)
	return diskFile{f, d}, err
}

func (d *disk) Open(name string) (file, error) {
	f, err := d.osFiles.Open(name)
	return diskFile{f, d}, err
}

func (f diskFile) WriteAt(b []byte, off int64) (int, error) {
	left := f.d.space.Load()
	if left < 0 {
		return f.file.WriteAt(b, off)
	}
	n, err := f.file.WriteAt(b[:min(int(left), len(b))], off)
	f.d.space.Add(-int64(n))
	if err == nil && n < len(b) {
		err = syscall.ENOSPC
	}
	return n, err
}

func (f diskFile) Sync() error {
	if f.d.holding.Load() {
		<-f.d.syncHold
	}
	if f.d.badSyncs.Load() > 0 {
		f.d.badSyncs.Add(-1)
		return syscall.EIO
	}
	return f.file.Sync()
}

func (f diskFile) Truncate(n int64) error {
	if f.d.noTrunc.Load() {
		return syscall.EIO
	}
	return f.file.Truncate(n)
}

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

// A database that takes nothing more keeps the journal's segments waiting, and nobody else.
func TestDatabaseFull(t *testing.T) {
	s := open(t, t.TempDir(), Options{Checkpoint: time.Hour})
	fill(t, s, 1)
	s.sql.SetMaxOpenConns(1) // the limit is the connection's
	limit := func(pages string) {
		t.Helper()
		if _, err := s.sql.Exec("PRAGMA max_page_count = " + pages); err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // means: as it is
	const calls = 2500
	for i := range calls {
		s.Journal().Ended(record(i))
	}
	for range 2 {
		if err := s.Journal().Flush(t.Context()); err == nil || !full(err) {
			t.Fatal("flush:", err)
		}
		if err := errors.Join(bind(s, 0, 1), s.Journal().Answered(record(calls))); err != nil {
			t.Fatal("promises are still kept:", err)
		}
	}
	if n := s.Journal().Stats().PendingSegments; n < 1 {
		t.Fatal("no segment waits")
	}
	if _, _, err := s.CreateExtension(t.Context(), NewExtension{Number: "2000", Name: strings.Repeat("x", 128)}); err != nil && !errors.Is(err, syscall.ENOSPC) {
		t.Fatal("not said plainly:", err)
	}
	limit("1000000")
	flush(t, s)
	if got := ids(t, s, CDRFilter{}); len(got) != calls || s.Journal().Stats().PendingSegments != 0 {
		t.Fatal(len(got), s.Journal().Stats())
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

func TestDiskFull(t *testing.T) {
	for _, stuck := range []bool{false, true} { // stuck: not even truncate works
		t.Run(fmt.Sprint("stuck=", stuck), func(t *testing.T) {
			d, dir := newDisk(), t.TempDir()
			var log said
			s := open(t, dir, Options{files: d, Log: log.logger()})
			fill(t, s, 2)
			if err := bind(s, 0, 1); err != nil {
				t.Fatal(err)
			}
			d.space.Store(50) // the next record is cut off in its middle
			d.noTrunc.Store(stuck)
			if err := s.Journal().Answered(record(1)); !errors.Is(err, syscall.ENOSPC) {
				t.Fatal("answered:", err)
			}
			if err := bind(s, 1, 1); !errors.Is(err, syscall.ENOSPC) {
				t.Fatal("bindings:", err)
			}
			s.Journal().Ended(record(2)) // waits
			if err := s.Journal().Flush(t.Context()); !errors.Is(err, syscall.ENOSPC) {
				t.Fatal("flush:", err)
			}
			s.Journal().Ended(record(3))
			if s.Journal().Stats().Failed < 3 || strings.Count(log.String(), "cannot be written") != 1 {
				t.Fatal(s.Journal().Stats(), log.String())
			}
			d.space.Store(-1)
			d.noTrunc.Store(false)
			if err := errors.Join(s.Journal().Answered(record(4)), bind(s, 1, 2)); err != nil {
				t.Fatal("space is back:", err)
			}
			flush(t, s)
			if got := ids(t, s, CDRFilter{}); len(got) != 2 || got[0] != record(3).ID || got[1] != record(2).ID {
				t.Fatal(got)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir, Options{})
			if got := ids(t, s, CDRFilter{}); len(got) != 3 {
				t.Fatal("with the call that was going on:", got)
			}
			if list, _ := s.LoadBindings(t.Context()); len(list) != 2 {
				t.Fatal(list)
			}
			if bad := segments(t, s, ".damaged"); len(bad) > 0 || strings.Contains(log.String(), "damaged") {
				t.Fatal(bad, log.String())
			}
		})
	}
}

func TestAFailedSyncIsNoPromise(t *testing.T) {
	d := newDisk()
	s := open(t, t.TempDir(), Options{files: d, Checkpoint: time.Hour})
	d.badSyncs.Store(1)
	if err := bind(s, 0, 1); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	if err := bind(s, 0, 2); err != nil {
		t.Fatal(err)
	}
	if names := segments(t, s, "2.log"); len(names) != 1 {
		t.Fatal("the journal trusts a file whose fsync has failed:", segments(t, s, ""))
	}
}

func TestAHungDiskBlocksNobody(t *testing.T) {
	d := newDisk()
	d.syncHold = make(chan struct{})
	s := open(t, t.TempDir(), Options{files: d, Checkpoint: time.Hour})
	d.holding.Store(true)
	number, list := bindingsOf(1)
	var asked, kept, refused atomic.Int64
	var all sync.WaitGroup
	for refused.Load() == 0 {
		all.Add(1)
		asked.Add(1)
		s.Journal().Bindings(number, list, func(err error) {
			defer all.Done()
			switch {
			case err == nil:
				kept.Add(1)
			case errors.Is(err, ErrOverload):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
		if asked.Load() > 1_000_000 {
			t.Fatal("the queue has no bound")
		}
	}
	if err := s.Journal().Answered(record(1)); err != nil {
		t.Error("an answer does not wait for fsync:", err)
	}
	if n := s.Journal().Stats().QueuedBytes; n > maxQueue+maxRecord {
		t.Error("queued", n)
	}
	close(d.syncHold)
	all.Wait()
	if kept.Load()+refused.Load() != asked.Load() || kept.Load() == 0 {
		t.Error(kept.Load(), refused.Load(), asked.Load())
	}
	if err := bind(s, 0, 1); err != nil {
		t.Error("it recovers:", err)
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
