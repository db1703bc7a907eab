package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"ringback/pbx"
)

// Journal is an append-only log in front of the database. What is lost when:
//
//	              process killed        power cut
//	Bindings      nothing once done     nothing once done
//	Answered      nothing once returned what was written in the last second
//	Ended         the last 50 ms        the last second
//
// A call whose Ended was lost, but not its Answered, is in the call records after the next start.
//
// One goroutine, the committer, owns the segments: it writes what is queued, makes it durable, tells who waits, and
// begins a new segment every few seconds or megabytes. Another one, the checkpointer, moves full segments into the
// database and deletes them. Only Answered writes by itself.
type Journal struct {
	dir   string
	files files
	log   *slog.Logger
	store *Store

	mu     sync.Mutex // guards active's end
	active *segment   // replaced by the committer, under mu; nil after close
	dirty  atomic.Bool

	queue struct {
		sync.Mutex
		promises []byte // records of Bindings
		waiting  []func(error)
		endings  []byte // records of Ended
		closed   bool
	}
	wake    chan struct{}
	flushes chan chan error
	quit    chan struct{}
	ended   sync.WaitGroup // committer and checkpointer
	telling sync.WaitGroup // refusals under way

	retired struct { // segments that wait for the checkpointer, oldest first
		sync.Mutex
		names []string
	}
	drained    chan struct{} // wakes the checkpointer
	checkpoint sync.Mutex    // one at a time

	scratch sync.Pool
	count   counters
}

type segment struct {
	file   file
	name   string // path
	number uint64
	salt   uint32
	size   int64 // behind the last good record
	ragged bool  // a failed write left something behind size
}

type counters struct {
	commits, promises, failed, dropped, checkpoints, cdrs atomic.Uint64
}

// JournalStats are counters since the start, and what waits now.
type JournalStats struct {
	Commits         uint64 // fsyncs that made promises good
	Promises        uint64 // Bindings committed
	Failed          uint64 // writes that failed, for whatever reason
	Dropped         uint64 // records refused because the queue was full
	Checkpoints     uint64 // segments moved into the database
	CDRs            uint64 // call records moved into the database
	QueuedBytes     int
	PendingSegments int // full segments that wait for a checkpoint
}

const (
	commitEvery  = 20 * time.Millisecond // under load, one fsync for all REGISTERs of this time; it costs as much as ten of them
	endingsEvery = 50 * time.Millisecond // how long an Ended waits for others
	syncEvery    = time.Second           // how long an answer may stay in the page cache
	maxQueue     = 8 << 20               // bytes, each of promises and endings
	maxSegment   = 4 << 20               // bytes
	keepBuffer   = 256 << 10             // buffers that grew larger are given back
)

// Bindings implements pbx.Journal. Errors: ErrOverload, ErrClosed, ENOSPC and whatever else the disk says.
func (j *Journal) Bindings(extension string, all []pbx.Binding, done func(error)) {
	q := &j.queue
	q.Lock()
	err := j.refusal(len(q.promises))
	if err == nil {
		q.promises, err = appendRecord(q.promises, recordBindings, func(b []byte) []byte { return appendBindings(b, extension, all) })
	}
	if err == nil {
		q.waiting = append(q.waiting, done)
		q.Unlock()
		j.signal()
		return
	}
	j.count.dropped.Add(1)
	closed := q.closed
	if !closed {
		j.telling.Add(1) // under the lock, and so before close waits
	}
	q.Unlock()
	go func() { // not here: the caller may hold what done needs
		if !closed {
			defer j.telling.Done()
		}
		done(err)
	}()
}

// refusal says why nothing can be queued now; under the queue's lock.
func (j *Journal) refusal(queued int) error {
	switch {
	case j.queue.closed:
		return ErrClosed
	case queued > maxQueue:
		return ErrOverload
	}
	return nil
}

func (j *Journal) signal() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Ended implements pbx.Journal.
func (j *Journal) Ended(c pbx.CDR) {
	if c.EndedBy == "" {
		c.EndedBy = pbx.System.String()
	}
	q := &j.queue
	q.Lock()
	first := len(q.endings) == 0
	err := j.refusal(len(q.endings))
	if err == nil {
		q.endings, err = appendRecord(q.endings, recordEnded, func(b []byte) []byte { return appendCDR(b, &c) })
	}
	q.Unlock()
	if err != nil {
		if j.count.dropped.Add(1)&1023 == 1 { // once in a while: there may be thousands a second
			j.log.Error("a call record was lost", "call", c.ID, "error", err)
		}
	} else if first {
		j.signal()
	}
}

// Answered implements pbx.Journal.
func (j *Journal) Answered(c pbx.CDR) error {
	c.EndedBy = ""
	buf := j.scratch.Get().(*[]byte)
	defer j.scratch.Put(buf)
	b, err := appendRecord((*buf)[:0], recordAnswered, func(b []byte) []byte { return appendCDR(b, &c) })
	*buf = b
	if err == nil {
		err = j.write(b, true)
	}
	if err != nil {
		return fmt.Errorf("the answer of call %s could not be recorded: %w", quoted(c.ID), err)
	}
	return nil
}

// write puts records at the end of the active segment; all of them or none.
func (j *Journal) write(b []byte, sealing bool) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.active
	if s == nil {
		return ErrClosed
	}
	if sealing {
		seal(b, s.salt)
	}
	if s.ragged && s.file.Truncate(s.size) == nil {
		s.ragged = false
	}
	if _, err := s.file.WriteAt(b, s.size); err != nil {
		j.count.failed.Add(1)
		s.ragged = s.file.Truncate(s.size) != nil
		return err
	}
	s.size += int64(len(b))
	if !j.dirty.Load() {
		j.dirty.Store(true)
	}
	return nil
}

// written is the size of the active segment; for the committer, which alone replaces it.
func (j *Journal) written() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.active.size
}

// Flush writes what was given to the journal so far and moves it into the database.
func (j *Journal) Flush(ctx context.Context) error {
	reply := make(chan error, 1)
	select {
	case j.flushes <- reply:
	case <-j.quit:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := <-reply; err != nil {
		return err
	}
	return j.drain()
}

// Stats may be read at any time.
func (j *Journal) Stats() JournalStats {
	s := JournalStats{Commits: j.count.commits.Load(), Promises: j.count.promises.Load(), Failed: j.count.failed.Load(),
		Dropped: j.count.dropped.Load(), Checkpoints: j.count.checkpoints.Load(), CDRs: j.count.cdrs.Load()}
	j.queue.Lock()
	s.QueuedBytes = len(j.queue.promises) + len(j.queue.endings)
	j.queue.Unlock()
	j.retired.Lock()
	s.PendingSegments = len(j.retired.names)
	j.retired.Unlock()
	return s
}

func (j *Journal) close() error {
	j.queue.Lock()
	j.queue.closed = true
	j.queue.Unlock()
	close(j.quit)
	j.ended.Wait()
	j.telling.Wait()
	return j.drain()
}

// newSegment makes the segment of that number, with its name on disk.
func (j *Journal) newSegment(number uint64) (*segment, error) {
	name := filepath.Join(j.dir, fmt.Sprintf("%012d.log", number))
	f, err := j.files.Create(name)
	if err != nil {
		return nil, err
	}
	header, salt := newSegmentHeader()
	_, err = f.WriteAt(header, 0)
	if err = errors.Join(err, f.Sync(), j.files.SyncDir(j.dir)); err != nil {
		_ = f.Close()
		_ = j.files.Remove(name)
		return nil, err
	}
	return &segment{file: f, name: name, number: number, salt: salt, size: int64(len(header))}, nil
}
