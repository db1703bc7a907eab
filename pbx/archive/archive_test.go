package archive

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
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
