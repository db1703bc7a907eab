package archive

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"ringback/media/wav"
	"ringback/pbx"
)

const (
	sampleBytes = 2
	buffered    = 4 * time.Second // of sound between a tape and the disk
	flushAt     = 16 << 10        // bytes in the buffer that the disk gets at once
	mostTapes   = 2000            // at a time; each has a buffer of up to 128 kB
)

// rate is bytes a second.
func rate(channels int) int { return channels * sampleBytes * wav.Rate }

// lengthOf is how long so many bytes are.
func lengthOf(bytes int64, channels int) time.Duration {
	return time.Duration(bytes) * time.Second / time.Duration(rate(channels))
}

// purpose is what a tape becomes. Its methods are called by the tape's writer, but for lost.
type purpose interface {
	// names are those of the file while it is recorded and then.
	names() (part, whole string)
	// begin says that there will be something.
	begin(a *Archive) error
	// keep says that it is there. why is why something is missing, nil if nothing is.
	keep(a *Archive, size int64, length time.Duration, why error) error
	// drop says that there will be nothing.
	drop(a *Archive) error
	// lost says in memory that there will be nothing. It is called once, before drop.
	lost(a *Archive)
	// closed is what becomes of it when the archive is closed.
	closed(length time.Duration) ending
}

// ending is how a tape ended.
type ending int

const (
	running ending = iota
	kept
	dropped
)

// tape is a pbx.Tape.
type tape struct {
	a        *Archive
	writer   *writer
	as       purpose
	channels int
	limit    int64         // bytes of sound
	begun    chan struct{} // closed when the writer has begun it, or failed to
	done     chan struct{} // closed when it is known what became of it
	err      error         // of Keep, from done on

	mu      sync.Mutex // never held while the disk works, nor with a lock of the archive
	ring    []byte
	taken   int64 // bytes of sound that came
	flushed int64 // bytes of them that the disk has
	end     ending
	problem error // why it takes no more
	started bool  // as.begin has done its work

	// The queue's, under its lock.
	queued bool
	next   *tape

	file writing // the writer's
}

var _ pbx.Tape = (*tape)(nil)

// rings are used again.
var rings = [...]*sync.Pool{newRings(1), newRings(2)}

func newRings(channels int) *sync.Pool {
	size := int(buffered.Seconds()) * rate(channels)
	return &sync.Pool{New: func() any { b := make([]byte, size); return &b }}
}

// start makes a tape, and has a writer begin it. It is on the list until its end.
func (a *Archive) start(as purpose, channels int, longest time.Duration) (*tape, error) {
	channels = max(1, min(channels, len(rings)))
	t := &tape{
		a: a, as: as, channels: channels, limit: int64(longest.Seconds()) * int64(rate(channels)),
		begun: make(chan struct{}), done: make(chan struct{}), ring: *rings[channels-1].Get().(*[]byte),
		writer: a.writers[a.round.Add(1)%writers],
	}
	for range writers - 1 { // one that waits for the disk is passed over
		if !t.writer.stuck() {
			break
		}
		t.writer = a.writers[a.round.Add(1)%writers]
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, ErrClosed
	}
	if len(a.tapes) >= mostTapes {
		return nil, &problem{sentence: fmt.Sprintf("More than %d recordings at a time are not made.", mostTapes)}
	}
	a.tapes[t] = struct{}{}
	t.writer.add(t)
	return t, nil
}

// Write implements pbx.Tape.
func (t *tape) Write(frame []int16) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.end != running || t.problem != nil {
		return false
	}
	frame = frame[:len(frame)-len(frame)%t.channels]
	n := int64(sampleBytes * len(frame))
	switch {
	case t.taken+n > t.limit:
		t.problem = tooLong(lengthOf(t.limit, t.channels))
	case t.taken-t.flushed+n > int64(len(t.ring)):
		t.problem = errSlow
		t.a.failed.Add(1)
	}
	if t.problem != nil {
		return false
	}
	for at := int(t.taken % int64(len(t.ring))); len(frame) > 0; at = 0 {
		to := t.ring[at:min(len(t.ring), at+sampleBytes*len(frame))]
		for i := 0; i+1 < len(to); i += sampleBytes {
			binary.LittleEndian.PutUint16(to[i:], uint16(frame[i/sampleBytes]))
		}
		frame = frame[len(to)/sampleBytes:]
	}
	if t.taken += n; t.taken-t.flushed >= flushAt {
		t.writer.add(t)
	}
	return true
}

// Miss implements pbx.Tape.
func (t *tape) Miss(why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.problem == nil {
		t.problem = &problem{sentence: why}
	}
}

// Keep implements pbx.Tape. When ctx ends first, it is kept all the same, as soon as the disk has it.
func (t *tape) Keep(ctx context.Context) error {
	t.finish(kept)
	select {
	case <-t.done:
		return t.err
	case <-ctx.Done():
		return problemOf(ctx.Err())
	}
}

// Drop implements pbx.Tape.
func (t *tape) Drop() { t.finish(dropped) }

// close ends it with the archive.
func (t *tape) close() {
	t.mu.Lock()
	length := lengthOf(t.taken, t.channels)
	if t.end == running && t.problem == nil {
		t.problem = errStopped
	}
	t.mu.Unlock()
	t.finish(t.as.closed(length))
}

// finish ends it; only the first ending counts.
func (t *tape) finish(how ending) {
	t.mu.Lock()
	first := t.end == running
	if first {
		t.end = how
	}
	t.mu.Unlock()
	if first {
		t.writer.add(t)
	}
}

// fail notes why it takes no more, if there was no reason before.
func (t *tape) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.problem == nil || t.problem == errStopped {
		t.problem = problemOf(err)
		t.a.failed.Add(1)
		part, _ := t.as.names()
		t.a.log.Warn("a recording ends because of the disk; what is there of it is kept", "file", part, "err", err)
	}
}

// waiting is the sound that the disk does not have yet, up to the end of the ring.
func (t *tape) waiting() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken == t.flushed {
		return nil
	}
	from := int(t.flushed % int64(len(t.ring)))
	return t.ring[from:min(int64(len(t.ring)), int64(from)+t.taken-t.flushed)]
}

func (t *tape) advance(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flushed += int64(n)
}

// state is how it ended, and why something is missing.
func (t *tape) state() (ending, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.end, t.problem
}

// settle says what became of it to those who wait.
func (t *tape) settle(err error) {
	select {
	case <-t.done:
		return
	default:
	}
	t.mu.Lock()
	ring := t.ring
	t.ring = nil
	t.mu.Unlock()
	rings[t.channels-1].Put(&ring)
	t.err = err
	close(t.done)
}

// begins waits until the tape is known to have a place on the disk: not longer than patience where the disk does not answer, and
// somewhat longer where many begin at a time.
func (t *tape) begins(ctx context.Context) error {
	wait := time.NewTicker(patience)
	defer wait.Stop()
	for range 4 {
		select {
		case <-t.begun:
			t.mu.Lock()
			defer t.mu.Unlock()
			if !t.started {
				return t.problem
			}
			return nil
		case <-ctx.Done():
			return problemOf(ctx.Err())
		case <-wait.C:
			if t.writer.stuck() {
				return errStuck
			}
		}
	}
	return errSlow
}
