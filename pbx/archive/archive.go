// Package archive keeps the sound that the PBX takes: messages and greetings of mailboxes, and recordings of calls and conferences.
// An Archive is a pbx.MessageStore and a pbx.RecordingStore.
//
// Sound is in WAV files of 16-bit linear samples at 8 kHz below one directory; what is known of it is in rows (Rows):
//
//	recordings/<id>.wav                    a call (caller left, called party right) or a conference (one channel)
//	mailboxes/<number>/<id>.wav            a message
//	mailboxes/<number>/greeting-<g>.wav    a greeting; it has no row
//	….part                                 what is being recorded
//	lost/                                  sound that was found without a row; nothing is ever removed here
//
// In <number> everything but digits, small letters, + - and _ is written as % and two hexadecimal digits, so that no number leads out
// of the directory or is the same as another one where letters have no case. Names that come from outside are ids or numbers, and
// checked to be; besides, the directory is an os.Root.
//
// Who records writes to a tape: a buffer of a few seconds. A few writers, goroutines of the archive's, own the files and bring there
// what has come, so that a disk that is slow, full, broken or does not answer ends a recording and nothing else. A row is there
// before its file is, and says that it is done after the file has its name; Open repairs what was not done when the process ended.
// A file is removed before its row.
//
// All methods may be called from any goroutine, those of a tape as pbx.Tape says. Count, HasGreeting, Stats and all of a tape but Keep answer
// from memory; the others may wait for the disk, and those that begin something do not wait long. Changes of rows are made one at a time, in the order in which the counts
// change.
package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"ringback/pbx"
)

// Options of Open.
type Options struct {
	Dir      string        // the data directory; it is there
	Rows     Rows          // must be usable until Close has returned
	Keep     time.Duration // recordings that ended longer ago are removed; 0: never
	MaxBytes int64         // of all recordings: beyond, the oldest are removed, but never the newest; 0: no bound
	MinFree  int64         // bytes of the disk that are left to others; 0: DefaultMinFree
	Log      *slog.Logger  // nil: slog.Default()

	// Changed is called after the number of messages of a mailbox has changed, without a lock, from the goroutine that did it. It must
	// not block. nil: nobody wants to know.
	Changed func(mailbox string)

	files files // nil: Dir of the operating system
}

// DefaultMinFree is the usual Options.MinFree: room for the journal and the database.
const DefaultMinFree = 64 << 20

// The greatest lengths.
const (
	longestMessage   = pbx.MaxMessageSeconds * time.Second
	longestGreeting  = 3 * time.Minute
	longestRecording = 12 * time.Hour
)

const (
	writers      = 4                // goroutines that write to the disk
	patience     = 2 * time.Second  // with a disk that does not answer, where somebody waits for it
	closeAtMost  = 10 * time.Second // Close waits for the disk
	housekeeping = time.Minute      // what failed is tried again
	retention    = time.Hour
)

// ErrClosed is what a closed Archive says.
var ErrClosed = errors.New("the archive is closed")

// Archive is an open archive.
type Archive struct {
	opts    Options
	log     *slog.Logger
	files   files
	rows    Rows
	ids     ids
	writers [writers]*writer
	round   atomic.Uint32 // which writer is next

	changing chan struct{} // holds one value while rows and counts change

	mu         sync.Mutex // held for memory only
	closed     bool
	boxes      map[string]*box
	tapes      map[*tape]struct{}
	late       []*tape // the disk did not take their end; it is tried again
	recordings int
	bytes      int64 // of all recordings

	ctx        context.Context // of work behind the back
	stop       context.CancelFunc
	recorded   chan struct{} // wakes retention
	background sync.WaitGroup
	kept       atomic.Uint64
	written    atomic.Uint64
	failed     atomic.Uint64
}

var (
	_ pbx.MessageStore   = (*Archive)(nil)
	_ pbx.RecordingStore = (*Archive)(nil)
)

// box is what memory knows of a mailbox.
type box struct {
	count     pbx.MessageCount
	leaving   int // messages that are being left
	greetings map[pbx.Greeting]bool
}

// Open opens the archive of a data directory, makes its folders if need be, and puts in order what the last process left behind. The
// error is a sentence.
func Open(o Options) (*Archive, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.MinFree == 0 {
		o.MinFree = DefaultMinFree
	}
	if o.files == nil {
		root, err := openRoot(o.Dir)
		if err != nil {
			return nil, fmt.Errorf("recordings and messages cannot be kept in %s: %w", o.Dir, err)
		}
		o.files = root
	}
	a := &Archive{
		opts: o, log: o.Log, files: o.files, rows: o.Rows, changing: make(chan struct{}, 1), recorded: make(chan struct{}, 1),
		boxes: map[string]*box{}, tapes: map[*tape]struct{}{},
	}
	a.ctx, a.stop = context.WithCancel(context.Background())
	if err := a.restore(); err != nil {
		a.stop()
		return nil, errors.Join(fmt.Errorf("recordings and messages cannot be read: %w", err), o.files.Close())
	}
	for i := range a.writers {
		a.writers[i] = &writer{wake: make(chan struct{}, 1), quit: make(chan struct{})}
		a.background.Go(a.writers[i].run)
	}
	a.background.Go(a.housekeep)
	return a, nil
}

// Close ends what is being recorded, and waits until the disk has it, but not long: Open does the rest then. Greetings that
// are being recorded are dropped. A second call does nothing.
func (a *Archive) Close() error {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil
	}
	a.closed = true
	var open []*tape
	for t := range a.tapes {
		open = append(open, t)
	}
	a.mu.Unlock()
	for _, t := range open {
		t.close()
	}
	over := make(chan struct{})
	go func() {
		for _, t := range open {
			<-t.done
		}
		a.stop()
		for _, w := range a.writers {
			close(w.quit)
		}
		a.background.Wait()
		close(over)
	}()
	wait := time.NewTimer(closeAtMost)
	defer wait.Stop()
	select {
	case <-over:
		return a.files.Close()
	case <-wait.C:
		a.stop()
		return errors.New("the disk does not take what was recorded last; the next start looks for it")
	}
}

// Stats are for metrics.
type Stats struct {
	Tapes      int    // being recorded
	Kept       uint64 // tapes, since the start
	Failed     uint64 // tapes that the disk ended, since the start
	Written    uint64 // bytes, since the start
	Recordings int    // kept recordings
	Bytes      int64  // of them
}

// Stats may be read at any time.
func (a *Archive) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	return Stats{len(a.tapes), a.kept.Load(), a.failed.Load(), a.written.Load(), a.recordings, a.bytes}
}

// change is commit for those who ask for something.
func (a *Archive) change(ctx context.Context, f func(context.Context) error) error {
	a.mu.Lock()
	closed := a.closed
	a.mu.Unlock()
	if closed {
		return ErrClosed
	}
	return a.commit(ctx, f)
}

// commit runs f while nothing else changes rows. Once it has begun it goes on to its end, also when ctx ends: f does not get halfway.
func (a *Archive) commit(ctx context.Context, f func(context.Context) error) error {
	select {
	case a.changing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-a.changing }()
	return f(context.WithoutCancel(ctx))
}

// tell calls Options.Changed.
func (a *Archive) tell(mailbox string) {
	if a.opts.Changed != nil {
		a.opts.Changed(mailbox)
	}
}

// box is that of a number, made if there is none. Under mu.
func (a *Archive) box(mailbox string) *box {
	b := a.boxes[mailbox]
	if b == nil {
		b = &box{greetings: map[pbx.Greeting]bool{}}
		a.boxes[mailbox] = b
	}
	return b
}

// spawn runs f behind the back, and reports false if the archive is closed.
func (a *Archive) spawn(f func()) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	a.background.Go(f)
	return true
}
