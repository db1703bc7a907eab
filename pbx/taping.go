package pbx

import (
	"context"
	"errors"
	"sync"
	"time"
)

// tapeWait is how long a recording waits for the disk: at its beginning, and at its end.
const tapeWait = 10 * time.Second

// taping is a recording under way. A goroutine of its own waits for the disk, so that nobody else has to.
type taping struct {
	Recording
	source source
	stop   chan struct{} // closed when it shall end

	// Guarded by Switchboard.mu.
	running bool // the tape has begun, and hears
	ending  bool // stop is closed
}

// source is what is recorded. Its methods are called by the recording's goroutine, without a lock, each once and in this order, but for look.
type source interface {
	// look is called by anybody, also before listen, after what is to be heard has changed. It does not block.
	look()
	// listen has sink called with each 20 ms, until deaf is called. It is left out, as begun and missing are, where the tape does not begin.
	listen(sink func(frame []int16)) (deaf func())
	// begun says that it is being recorded now.
	begun()
	// missing says, once deaf was called, what of it could not be recorded, in sentences.
	missing() string
	// ended says that it is not any more; ok is false where it never was.
	ended(ok bool)
	// kept says what became of it.
	kept(Recorded)
}

// problem is why something of a recording is missing, in a sentence for the record.
type problem string

func (p problem) Error() string { return string(p) }

const (
	slowDisk problem = "The disk did not answer in time."
	fullDisk problem = "The disk has taken no more."
	tooLate  problem = "It was over before the disk was ready."
	defect   problem = "A defect of the PBX has ended it."
)

// tapes reports whether anything can be recorded.
func (s *Switchboard) tapes() bool { return s.recordings != nil && s.newCapture != nil }

// tape begins a recording. The caller holds s.mu, and has looked that the switchboard is not closed.
func (s *Switchboard) tape(r Recording, from source) *taping {
	t := &taping{Recording: r, source: from, stop: make(chan struct{})}
	s.taping.Add(1)
	go s.runTape(t)
	return t
}

// end has a recording end. The caller holds s.mu.
func (t *taping) end() {
	if !t.ending {
		t.ending = true
		close(t.stop)
	}
}

// runTape is the goroutine of a recording.
func (s *Switchboard) runTape(t *taping) {
	defer s.taping.Done()
	r := Recorded{By: t.By, Started: t.Started}
	ended := false
	defer func() {
		if p := recover(); p != nil {
			s.counters.panics.Add(1)
			panicked(p)
			r.Problem = string(defect)
		}
		if !ended {
			t.source.ended(false)
		}
		t.source.kept(r)
		over := t.Recording
		over.ID, over.Problem = r.ID, r.Problem
		if !r.Ended.IsZero() {
			over.Length = r.Ended.Sub(r.Started)
		}
		s.feed.RecordingOver(over)
	}()
	id, tape, err := s.beginTape(t)
	if err == nil {
		r.ID = id
		err = s.hear(t, &r, tape, func() {
			ended = true
			t.source.ended(true)
		})
	}
	if err != nil {
		r.Problem = err.Error()
		s.log.Warn("a recording has a problem", "call", t.Call, "room", t.Room, "recording", r.ID, "err", err)
	}
}

// hear puts on a tape what is heard from now on, until the recording ends or the tape takes no more. The error says why something
// is missing.
func (s *Switchboard) hear(t *taping, r *Recorded, tape Tape, ended func()) error {
	defer tape.Drop() // where Keep was not reached
	in := &intake{tape: tape, full: make(chan struct{})}
	deaf := t.source.listen(in.frame)
	s.mu.Lock()
	t.running = true
	s.mu.Unlock()
	begun := t.Recording
	begun.ID = r.ID
	s.feed.RecordingBegun(begun)
	t.source.begun()
	select {
	case <-t.stop:
	case <-in.full:
	case <-s.base.Done():
	}
	deaf()
	in.close()
	if why := t.source.missing(); why != "" {
		tape.Miss(why)
	}
	r.Ended = time.Now().UTC()
	s.mu.Lock()
	t.running = false
	s.mu.Unlock()
	ended()
	ctx, cancel := context.WithTimeout(context.Background(), tapeWait)
	defer cancel()
	err := tape.Keep(ctx)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return slowDisk
	case err == nil && in.short:
		return fullDisk
	}
	return err
}

// beginTape waits for the store, but not for ever: a disk may hang; and not longer than there is something to be recorded. A tape that comes too
// late is dropped.
func (s *Switchboard) beginTape(t *taping) (id string, tape Tape, err error) {
	type begun struct {
		id   string
		tape Tape
		err  error
	}
	came, late := make(chan begun), make(chan struct{})
	defer close(late)
	go func() {
		b := begun{err: slowDisk}
		defer func() {
			if p := recover(); p != nil {
				s.counters.panics.Add(1)
				panicked(p)
				b.err = defect
			}
			select {
			case came <- b:
			case <-late:
				if b.err == nil {
					b.tape.Drop()
				}
			}
		}()
		b.id, b.tape, b.err = s.recordings.Record(t.Recording)
	}()
	wait := time.NewTimer(tapeWait)
	defer wait.Stop()
	select {
	case b := <-came:
		if b.err != nil {
			return "", nil, b.err
		}
		id, tape = b.id, b.tape
	case <-t.stop:
		return "", nil, tooLate
	case <-s.base.Done():
		return "", nil, tooLate
	case <-wait.C:
		return "", nil, slowDisk
	}
	select {
	case <-t.stop:
		tape.Drop()
		return "", nil, tooLate
	default:
		return id, tape, nil
	}
}

// intake is where the sound of a recording arrives, from any goroutine.
type intake struct {
	tape Tape
	full chan struct{} // closed when the tape takes no more

	mu    sync.Mutex
	over  bool
	short bool // the tape took no more before the recording was to end
}

func (in *intake) frame(sound []int16) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.over && !in.tape.Write(sound) {
		in.over, in.short = true, true
		close(in.full)
	}
}

// close has nothing more be written. What comes after that is left out.
func (in *intake) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.over = true
}
