package archive

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"ringback/media/wav"
)

// writer is a goroutine that brings the sound of some tapes to the disk: the only one that waits for it.
type writer struct {
	wake chan struct{} // holds one value
	quit chan struct{}
	busy atomic.Int64 // when it began what it does now, ns since 1970; 0: it does nothing

	mu          sync.Mutex
	first, last *tape // of the queue
}

// add has the writer look at a tape, soon. It allocates nothing.
func (w *writer) add(t *tape) {
	w.mu.Lock()
	if !t.queued {
		t.queued, t.next = true, nil
		if w.last == nil {
			w.first = t
		} else {
			w.last.next = t
		}
		w.last = t
	}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *writer) pop() *tape {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.first
	if t == nil {
		return nil
	}
	if w.first = t.next; w.first == nil {
		w.last = nil
	}
	t.queued, t.next = false, nil
	return t
}

func (w *writer) run() {
	for {
		for t := w.pop(); t != nil; t = w.pop() {
			w.busy.Store(time.Now().UnixNano())
			t.work()
			w.busy.Store(0)
		}
		select {
		case <-w.wake:
		case <-w.quit:
			return
		}
	}
}

// stuck reports whether the disk has not answered for a while.
func (w *writer) stuck() bool {
	since := w.busy.Load()
	return since != 0 && time.Since(time.Unix(0, since)) >= patience
}

// syncEvery is after how many bytes what was written is made durable.
const syncEvery = 512 << 10

// writing is how far a tape has come on the disk.
type writing struct {
	file    file
	seen    bool  // the writer has looked at it
	tried   bool  // to begin
	broken  bool  // nothing more is written
	size    int64 // bytes of sound
	synced  int64 // of them durable
	sealed  bool  // the header is right, all of it is durable, and the file closed
	renamed bool
	lost    bool // as.lost was called
	over    bool // nothing is left to be done
}

// work does what there is to do for a tape. Only its writer calls it.
func (t *tape) work() {
	w := &t.file
	if w.over {
		return
	}
	end, _ := t.state()
	if !w.seen {
		w.seen = true
		if end != dropped {
			w.tried = true
			if err := t.create(); err != nil {
				w.broken = true
				t.fail(err)
			}
		}
		close(t.begun)
	}
	if end == dropped {
		t.discard(errDropped)
		return
	}
	if err := t.flush(); err != nil {
		w.broken = true
		t.fail(err)
	}
	if end == kept {
		t.complete()
	}
}

// create makes the row, then the file with a header that says nothing of a size.
func (t *tape) create() error {
	if err := t.room(); err != nil {
		return err
	}
	name, _ := t.as.names()
	if err := t.a.files.Mkdir(path.Dir(name)); err != nil {
		return err
	}
	if err := t.as.begin(t.a); err != nil {
		return err
	}
	f, err := t.a.files.Create(name)
	if err != nil {
		return err
	}
	t.file.file = f
	if _, err := f.WriteAt(wav.AppendHeader(nil, t.channels, wav.Rate, 0), 0); err != nil {
		return err
	}
	t.mu.Lock()
	t.started = true
	t.mu.Unlock()
	return nil
}

// room says whether there is space on the disk for more.
func (t *tape) room() error {
	free, err := t.a.files.Free()
	if err == nil && free < t.a.opts.MinFree {
		return errSpace
	}
	return err
}

// flush brings to the disk what has come.
func (t *tape) flush() error {
	w := &t.file
	if w.broken {
		return nil
	}
	for {
		b := t.waiting()
		if b == nil {
			break
		}
		if err := t.room(); err != nil {
			return err
		}
		n, err := w.file.WriteAt(b, wav.HeaderSize+w.size)
		w.size += int64(n)
		t.advance(n)
		t.a.written.Add(uint64(n))
		if err != nil {
			return err
		}
	}
	if w.size-w.synced < syncEvery {
		return nil
	}
	name, _ := t.as.names()
	first := w.synced == 0
	w.synced = w.size
	if err := w.file.Sync(); err != nil || !first {
		return err
	}
	return t.a.files.SyncDir(path.Dir(name))
}

// complete brings what has been kept to its end, as far as the disk lets it; the rest is tried again later.
func (t *tape) complete() {
	w := &t.file
	_, problem := t.state()
	frame := int64(sampleBytes * t.channels)
	size := w.size / frame * frame
	if size == 0 {
		if problem == nil || problem == errStopped {
			problem = errEmpty
		}
		t.discard(problem)
		return
	}
	err := t.seal(size)
	if err != nil {
		t.fail(err) // what was not made durable may be missing
		_, problem = t.state()
	} else if err = t.rename(); err == nil {
		err = t.as.keep(t.a, size, lengthOf(size, t.channels), problem)
	}
	if err != nil {
		t.again(cmp.Or(problem, problemOf(err)), err)
		return
	}
	t.a.kept.Add(1)
	t.leave(problem)
}

// seal makes the file whole and durable.
func (t *tape) seal(size int64) error {
	w := &t.file
	if w.sealed {
		return nil
	}
	if size != w.size {
		if err := w.file.Truncate(wav.HeaderSize + size); err != nil {
			return err
		}
		w.size = size
	}
	if _, err := w.file.WriteAt(wav.AppendHeader(nil, t.channels, wav.Rate, size), 0); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	w.sealed = true
	_ = w.file.Close()
	return nil
}

func (t *tape) rename() error {
	if t.file.renamed {
		return nil
	}
	part, whole := t.as.names()
	if err := t.a.files.Rename(part, whole); err != nil {
		return err
	}
	t.file.renamed = true
	return t.a.files.SyncDir(path.Dir(whole))
}

// discard removes what there is. problem is what Keep says of it.
func (t *tape) discard(problem error) {
	w := &t.file
	if !w.lost {
		w.lost = true
		t.as.lost(t.a)
	}
	if w.file != nil {
		if !w.sealed {
			w.sealed = true
			_ = w.file.Close()
		}
		name, _ := t.as.names()
		if err := t.a.files.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.again(problem, err)
			return
		}
	}
	if w.tried {
		if err := t.as.drop(t.a); err != nil {
			t.again(problem, err)
			return
		}
	}
	t.leave(problem)
}

// again notes that the disk did not take a tape's end.
func (t *tape) again(problem, err error) {
	part, _ := t.as.names()
	t.a.log.Error("the disk does not take the end of a recording; it is tried again", "file", part, "err", err)
	t.a.mu.Lock()
	t.a.late = append(t.a.late, t)
	t.a.mu.Unlock()
	t.settle(problem)
}

// leave takes the tape off the list.
func (t *tape) leave(problem error) {
	t.file.over = true
	t.a.mu.Lock()
	delete(t.a.tapes, t)
	t.a.mu.Unlock()
	t.settle(problem)
}
