package store

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
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
