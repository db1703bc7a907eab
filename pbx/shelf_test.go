package pbx_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// shelf is a RecordingStore whose disk does as it is told.
type shelf struct {
	mu    sync.Mutex
	tapes []*reel

	begins time.Duration // what Record takes
	keeps  time.Duration // what Keep takes
	fails  error         // of Record
	room   int           // frames that fit on a tape; 0: any
	broken bool          // Record panics
}

// reel is a tape on it.
type reel struct {
	shelf   *shelf
	what    pbx.Recording
	frames  int
	left    []int16 // levels that were heard, in order, each once in a row
	right   []int16
	kept    bool
	dropped bool
	late    bool // written to after its end
	missing string
}

func (s *shelf) Record(r pbx.Recording) (string, pbx.Tape, error) {
	time.Sleep(s.begins)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.broken:
		panic("defect")
	case s.fails != nil:
		return "", nil, s.fails
	}
	t := &reel{shelf: s, what: r}
	s.tapes = append(s.tapes, t)
	return fmt.Sprint("tape-", len(s.tapes)), t, nil
}

func (t *reel) Write(frame []int16) bool {
	t.shelf.mu.Lock()
	defer t.shelf.mu.Unlock()
	t.late = t.late || t.kept || t.dropped
	if t.shelf.room > 0 && t.frames >= t.shelf.room {
		return false
	}
	t.frames++
	note(&t.left, frame[0])
	note(&t.right, frame[t.what.Channels-1])
	return true
}

func note(all *[]int16, level int16) {
	if n := len(*all); n == 0 || (*all)[n-1] != level {
		*all = append(*all, level)
	}
}

func (t *reel) Keep(ctx context.Context) error {
	t.shelf.mu.Lock()
	t.kept = true
	t.shelf.mu.Unlock()
	select {
	case <-time.After(t.shelf.keeps):
	case <-ctx.Done():
		return ctx.Err()
	}
	if t.shelf.room > 0 && t.length() >= time.Duration(t.shelf.room)*20*time.Millisecond {
		return errors.New("The disk is full.")
	}
	if t.missing != "" {
		return errors.New(t.missing)
	}
	return nil
}

func (t *reel) Miss(why string) {
	t.shelf.mu.Lock()
	defer t.shelf.mu.Unlock()
	t.missing = why
	t.late = t.late || t.kept || t.dropped
}

func (t *reel) Drop() {
	t.shelf.mu.Lock()
	defer t.shelf.mu.Unlock()
	t.dropped = t.dropped || !t.kept
}

func (t *reel) length() time.Duration {
	t.shelf.mu.Lock()
	defer t.shelf.mu.Unlock()
	return time.Duration(t.frames) * 20 * time.Millisecond
}

// all are the tapes so far.
func (s *shelf) all() []*reel {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tapes)
}

// policies is a directory of extensions with these policies; others have none.
type policies map[string]pbx.RecordPolicy

func (p policies) Extension(number string) *pbx.Extension {
	x := directory{}.Extension(number)
	if x != nil {
		x.Services.Record = p[number]
	}
	return x
}

// taped is a switchboard that records, by these policies.
func taped(s *shelf, p policies) func(*pbx.Options) {
	return func(o *pbx.Options) {
		o.Route = func(c *pbx.Call) pbx.Target { return pbx.Ring(c.Dialled, 20*time.Second) }
		o.Directory, o.Recordings, o.NewCapture, o.Log = p, s, pbxtest.NewCapture, slog.New(slog.DiscardHandler)
	}
}

// recorded is what the record of the call that ended last says of its recordings.
func (r *rig) recorded() []pbx.Recorded {
	r.Helper()
	synctest.Wait()
	return r.journal.last(r.T).Recorded
}

// call is the ID of the only call that is up.
func (r *rig) call() string {
	r.Helper()
	list := r.sb.Calls()
	if len(list) != 1 {
		r.Fatalf("%d calls", len(list))
	}
	return list[0].ID
}
