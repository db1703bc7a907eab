package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringback/media/wav"
	"ringback/pbx"
	"ringback/pbx/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ Rows = (*store.Store)(nil)

// open opens an archive and closes it at the end of the test.
func open(t testing.TB, o Options) *Archive {
	t.Helper()
	a, err := Open(fill(o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error("close:", err)
		}
	})
	return a
}

func fill(o Options) Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Rows == nil {
		o.Rows = newTable()
	}
	return o
}

// inStore opens an archive over a real database.
func inStore(t testing.TB, o Options) *Archive {
	t.Helper()
	o.Dir = t.TempDir()
	s, err := store.Open(o.Dir, store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	o.Rows = s
	return open(t, o)
}

// table is Rows in memory, which can fail.
type table struct {
	mu         sync.Mutex
	messages   map[string]messageRow
	recordings map[string]recordingRow
	fail       error
	power      *power // nil: it is never cut
}

type messageRow struct {
	m            pbx.VoiceMessage
	done, mailed bool
}

type recordingRow struct {
	r    pbx.Recording
	done bool
}

func newTable() *table {
	return &table{messages: map[string]messageRow{}, recordings: map[string]recordingRow{}}
}

// copy is what another process would find.
func (t *table) copy() *table {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &table{messages: maps.Clone(t.messages), recordings: maps.Clone(t.recordings)}
}

func (t *table) breaks(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fail = err
}

// do runs f under the lock, unless it fails.
func (t *table) do(ctx context.Context, f func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	err := cmp.Or(t.fail, ctx.Err(), t.power.use())
	if err == nil || err == errDying {
		err = cmp.Or(f(), err)
	}
	return err
}

func (t *table) EachMessage(ctx context.Context, f func(pbx.VoiceMessage, bool)) error {
	return t.do(ctx, func() error {
		for _, id := range slices.Sorted(maps.Keys(t.messages)) {
			f(t.messages[id].m, t.messages[id].done)
		}
		return nil
	})
}

func (t *table) SaveMessage(ctx context.Context, m pbx.VoiceMessage, done bool) error {
	return t.do(ctx, func() error {
		t.messages[m.ID] = messageRow{m, done, t.messages[m.ID].mailed}
		return nil
	})
}

func (t *table) GetMessage(ctx context.Context, id string) (m pbx.VoiceMessage, err error) {
	err = t.do(ctx, func() error {
		r := t.messages[id]
		if m = r.m; !r.done {
			return pbx.ErrNoSuchSound
		}
		return nil
	})
	return m, err
}

func (t *table) pick(ctx context.Context, keep func(messageRow) bool) (list []pbx.VoiceMessage, err error) {
	err = t.do(ctx, func() error {
		for _, id := range slices.Sorted(maps.Keys(t.messages)) {
			if r := t.messages[id]; r.done && keep(r) {
				list = append(list, r.m)
			}
		}
		return nil
	})
	return list, err
}

func (t *table) ListMessages(ctx context.Context, mailbox string) ([]pbx.VoiceMessage, error) {
	return t.pick(ctx, func(r messageRow) bool { return r.m.Mailbox == mailbox })
}

func (t *table) ListUnmailed(ctx context.Context) ([]pbx.VoiceMessage, error) {
	return t.pick(ctx, func(r messageRow) bool { return !r.mailed })
}

func (t *table) MarkMailed(ctx context.Context, id string) error {
	return t.do(ctx, func() error {
		r := t.messages[id]
		r.mailed = true
		t.messages[id] = r
		return nil
	})
}

func (t *table) DeleteMessages(ctx context.Context, ids ...string) error {
	return t.do(ctx, func() error {
		for _, id := range ids {
			delete(t.messages, id)
		}
		return nil
	})
}

func (t *table) EachRecording(ctx context.Context, f func(pbx.Recording, bool)) error {
	return t.do(ctx, func() error {
		for _, id := range slices.Sorted(maps.Keys(t.recordings)) {
			f(t.recordings[id].r, t.recordings[id].done)
		}
		return nil
	})
}

func (t *table) SaveRecording(ctx context.Context, r pbx.Recording, done bool) error {
	return t.do(ctx, func() error {
		t.recordings[r.ID] = recordingRow{r, done}
		return nil
	})
}

func (t *table) GetRecording(ctx context.Context, id string) (r pbx.Recording, err error) {
	err = t.do(ctx, func() error {
		row := t.recordings[id]
		if r = row.r; !row.done {
			return pbx.ErrNoSuchSound
		}
		return nil
	})
	return r, err
}

func (t *table) ListRecordings(ctx context.Context, f pbx.RecordingFilter) ([]pbx.Recording, error) {
	list, err := t.OldestRecordings(ctx, math.MaxInt)
	slices.Reverse(list)
	return list, err
}

func (t *table) OldestRecordings(ctx context.Context, limit int) (list []pbx.Recording, err error) {
	err = t.do(ctx, func() error {
		for _, id := range slices.Sorted(maps.Keys(t.recordings)) {
			if r := t.recordings[id]; r.done && len(list) < limit {
				list = append(list, r.r)
			}
		}
		return nil
	})
	return list, err
}

func (t *table) DeleteRecordings(ctx context.Context, ids ...string) error {
	return t.do(ctx, func() error {
		for _, id := range ids {
			delete(t.recordings, id)
		}
		return nil
	})
}

// said collects log lines.
type said struct {
	sync.Mutex
	b strings.Builder
}

func (s *said) Write(p []byte) (int, error) {
	s.Lock()
	defer s.Unlock()
	return s.b.Write(p)
}

func (s *said) String() string {
	s.Lock()
	defer s.Unlock()
	return s.b.String()
}

func (s *said) logger() *slog.Logger { return slog.New(slog.NewTextHandler(s, nil)) }

const frame = 160

// ramp is sound of which each part is different, from a place on.
func ramp(from, samples int) []int16 {
	s := make([]int16, samples)
	for i := range s {
		s[i] = int16((from + i) * 7)
	}
	return s
}

// write writes sound to a tape as it comes, a frame each 20 ms, in virtual time. It is how many samples were taken.
func write(t pbx.Tape, samples []int16, channels int) int {
	taken := 0
	for len(samples) > 0 {
		n := min(frame*channels, len(samples))
		if !t.Write(samples[:n]) {
			break
		}
		taken += n
		samples = samples[n:]
		time.Sleep(20 * time.Millisecond)
	}
	return taken
}

// leave leaves a message of so many seconds.
func leave(t testing.TB, a *Archive, mailbox string, seconds int) string {
	t.Helper()
	id, tape, err := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: mailbox, From: "1001", FromName: "Alice"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := write(tape, ramp(0, seconds*wav.Rate), 1); n != seconds*wav.Rate {
		t.Fatal("taken", n)
	}
	if err := tape.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	return id
}

// record records a call of so many seconds.
func record(t testing.TB, a *Archive, seconds int) string {
	t.Helper()
	id, tape, err := a.Record(pbx.Recording{Call: "c", From: "1000", To: "1001", By: "1000", Channels: 2})
	if err != nil {
		t.Fatal(err)
	}
	write(tape, ramp(0, 2*seconds*wav.Rate), 2)
	if err := tape.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	return id
}

// sound is what a file has, all channels, and its header is right.
func sound(t testing.TB, f io.ReadSeekCloser, size int64, channels int) []int16 {
	t.Helper()
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil || int64(len(b)) != size || len(b) < wav.HeaderSize {
		t.Fatal(len(b), size, err)
	}
	if !bytes.Equal(b[:wav.HeaderSize], wav.AppendHeader(nil, channels, wav.Rate, size-wav.HeaderSize)) {
		t.Errorf("header % x", b[:wav.HeaderSize])
	}
	var s []int16
	for b := b[wav.HeaderSize:]; len(b) > 1; b = b[2:] {
		s = append(s, int16(uint16(b[0])|uint16(b[1])<<8))
	}
	return s
}

// tree is every file below a directory but the database.
func tree(t testing.TB, dir string) (names []string) {
	t.Helper()
	for _, sub := range []string{recordingsDir, mailboxesDir, lostDir} {
		err := filepath.WalkDir(filepath.Join(dir, sub), func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				rel, _ := filepath.Rel(dir, path)
				names = append(names, filepath.ToSlash(rel))
			}
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}
