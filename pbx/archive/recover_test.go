package archive

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media/wav"
	"ringback/pbx"
)

// crash gives what another process would find now: a copy of the files and of the rows.
func crash(t *testing.T, a *Archive) Options {
	t.Helper()
	synctest.Wait()
	dir := t.TempDir()
	for _, sub := range []string{recordingsDir, mailboxesDir} {
		if err := os.CopyFS(filepath.Join(dir, sub), os.DirFS(filepath.Join(a.opts.Dir, sub))); err != nil {
			t.Fatal(err)
		}
	}
	return Options{Dir: dir, Rows: a.rows.(*table).copy()}
}

func TestWhatWasBeingRecordedIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, Options{Dir: t.TempDir()})
		words := ramp(0, 2*10*wav.Rate)
		long, message, err1 := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000", From: "1001"}, 0)
		_, short, err2 := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, 0)
		greeting, err3 := a.Greet(t.Context(), "1000", pbx.GreetBusy)
		call, stereo, err4 := a.Record(pbx.Recording{Call: "c", Channels: 2})
		_, begun, err5 := a.Record(pbx.Recording{Channels: 1})
		for _, err := range []error{err1, err2, err3, err4, err5} {
			if err != nil {
				t.Fatal(err)
			}
		}
		write(message, words[:10*wav.Rate], 1)
		write(short, words[:wav.Rate/2], 1)
		write(greeting, words[:5*wav.Rate], 1)
		write(stereo, words, 2)
		kept := leave(t, a, "2000", 1)
		after := crash(t, a)
		if err := os.Truncate(filepath.Join(after.Dir, recordingPath(call)+part), 200_003); err != nil { // in the middle of a frame
			t.Fatal(err)
		}
		for _, tape := range []pbx.Tape{message, short, greeting, stereo, begun} {
			tape.Drop()
		}

		var log said
		after.Log = log.logger()
		b := open(t, after)
		if n := b.Count("1000"); n != (pbx.MessageCount{New: 1}) || b.Count("2000").New != 1 || b.HasGreeting("1000", pbx.GreetBusy) {
			t.Error(n)
		}
		m, err := b.Message(t.Context(), "1000", long)
		if err != nil || m.Length < 9*time.Second || m.From != "1001" {
			t.Error(m, err)
		}
		f, size, _, err := b.OpenMessage("1000", long)
		if err != nil {
			t.Fatal(err)
		}
		if got := sound(t, f, size, 1); lengthOf(int64(2*len(got)), 1) != m.Length || !slices.Equal(got, words[:len(got)]) {
			t.Error("not what was said")
		}
		r, err := b.GetRecording(t.Context(), call)
		if err != nil || r.Problem != errStopped.Error() || r.Bytes != 200_000 || r.Length != lengthOf(200_000-44, 2) {
			t.Errorf("%+v %v", r, err)
		}
		f, size, _, err = b.OpenRecording(call)
		if err != nil {
			t.Fatal(err)
		}
		if got := sound(t, f, size, 2); !slices.Equal(got, words[:len(got)]) {
			t.Error("not what was said")
		}
		want := []string{recordingPath(call) + whole, messagePath("1000", long) + whole, messagePath("2000", kept) + whole}
		if got := tree(t, after.Dir); !slices.Equal(got, want) {
			t.Error(got)
		}
		if rows := after.Rows.(*table); len(rows.messages) != 2 || len(rows.recordings) != 1 {
			t.Error(rows.messages, rows.recordings)
		}
		if n := strings.Count(log.String(), "the PBX stopped"); n != 2 {
			t.Error(log.String())
		}
	})
}

// What is still open when the archive is closed is kept as after a crash, only whole.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, rows := t.TempDir(), newTable()
		a := open(t, Options{Dir: dir, Rows: rows})
		_, long, err1 := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, 0)
		_, short, err2 := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, 0)
		greeting, err3 := a.Greet(t.Context(), "1000", pbx.GreetBusy)
		call, stereo, err4 := a.Record(pbx.Recording{Channels: 2})
		for _, err := range []error{err1, err2, err3, err4} {
			if err != nil {
				t.Fatal(err)
			}
		}
		write(long, ramp(0, wav.Rate), 1)
		write(short, ramp(0, wav.Rate-frame), 1)
		write(greeting, ramp(0, wav.Rate), 1)
		write(stereo, ramp(0, 2*frame), 2)
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); err != nil {
			t.Error("twice:", err)
		}
		for tape, want := range map[pbx.Tape]error{long: errStopped, short: errDropped, greeting: errDropped, stereo: errStopped} {
			if err := tape.Keep(t.Context()); err != want || tape.Write(ramp(0, frame)) {
				t.Error(err, want)
			}
			tape.Drop()
		}
		if _, _, err := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, 0); err != ErrClosed {
			t.Error(err)
		}
		a = open(t, Options{Dir: dir, Rows: rows})
		r, err := a.GetRecording(t.Context(), call)
		if a.Count("1000") != (pbx.MessageCount{New: 1}) || err != nil || r.Length != 20*time.Millisecond || r.Problem != errStopped.Error() || len(tree(t, dir)) != 2 {
			t.Error(a.Count("1000"), r, err, tree(t, dir))
		}
	})
}

// Sound is never removed because a row is missing, and rows are not because a disk is.
func TestFilesAndRowsThatDoNotBelongTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, rows := t.TempDir(), newTable()
		a := open(t, Options{Dir: dir, Rows: rows})
		messages, recordings := [3]string{}, [3]string{}
		for i := range 3 {
			messages[i], recordings[i] = leave(t, a, "1*0", 1), record(t, a, 1)
		}
		put(t, a, "1*0", pbx.GreetBusy, 1)
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		// The database is of before, or somebody was there.
		_ = rows.DeleteMessages(t.Context(), messages[0])
		_ = rows.DeleteRecordings(t.Context(), recordings[0])
		at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
		for _, name := range []string{messagePath("1*0", messages[1]) + whole, recordingPath(recordings[1]) + whole} {
			if err := os.Remove(at(name)); err != nil {
				t.Fatal(err)
			}
		}
		empty := strings.Repeat("0", idChars)
		for name, text := range map[string]string{"recordings/notes.txt": "mine", "recordings/" + empty + part: "", "mailboxes/README": "mine", "mailboxes/1%2a0/greeting-x.wav": "mine"} {
			if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Mkdir(at("mailboxes/%2E%2E"), 0o700); err != nil {
			t.Fatal(err)
		}
		var log said
		a = open(t, Options{Dir: dir, Rows: rows, Log: log.logger()})
		if a.Count("1*0") != (pbx.MessageCount{New: 1}) || a.Stats().Recordings != 1 || a.Stats().Bytes != wav.HeaderSize+4*wav.Rate || len(rows.messages) != 1 || len(rows.recordings) != 1 {
			t.Error(a.Count("1*0"), a.Stats(), rows.messages, rows.recordings)
		}
		want := []string{
			recordingPath(recordings[2]) + whole, "recordings/notes.txt", messagePath("1*0", messages[2]) + whole, "mailboxes/1%2a0/greeting-busy.wav",
			"mailboxes/1%2a0/greeting-x.wav", "mailboxes/README", "lost/" + recordings[0] + whole, "lost/1%2a0." + messages[0] + whole,
		}
		if got := tree(t, dir); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		for what, n := range map[string]int{"was put away": 2, "taken off the list": 2, "not of the PBX": 4} {
			if strings.Count(log.String(), what) != n {
				t.Errorf("%q is not said %d times: %s", what, n, log.String())
			}
		}
		again := open(t, Options{Dir: dir, Rows: rows})
		if got := tree(t, dir); !slices.Equal(got, want) || again.Count("1*0").New != 1 {
			t.Errorf("the next time: %q", got)
		}
	})
}

func TestADirectoryThatIsNotMounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, rows := t.TempDir(), newTable()
		a := open(t, Options{Dir: dir, Rows: rows})
		for range 2 {
			leave(t, a, "1000", 1)
			record(t, a, 1)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		var log said
		a = open(t, Options{Dir: t.TempDir(), Rows: rows, Log: log.logger()})
		if len(rows.messages) != 2 || len(rows.recordings) != 2 || a.Count("1000").New != 2 || a.Stats().Recordings != 2 || strings.Count(log.String(), "is their disk mounted?") != 2 {
			t.Error(rows.messages, rows.recordings, log.String())
		}
		leave(t, a, "2000", 1) // to the wrong place
		wrong := a.opts.Dir
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		a = open(t, Options{Dir: wrong, Rows: rows})
		if a.Count("1000").New != 2 || a.Count("2000").New != 1 || a.Close() != nil {
			t.Error(a.Count("1000"), a.Count("2000"))
		}
		_ = rows.DeleteMessages(t.Context(), slices.Sorted(maps.Keys(rows.messages))[2])
		again := open(t, Options{Dir: dir, Rows: rows})
		f, size, _, err := again.OpenMessage("1000", slices.Sorted(maps.Keys(rows.messages))[0])
		if err != nil {
			t.Fatal(err)
		}
		sound(t, f, size, 1)
	})
}

// A process may end after each of its operations: what was promised is there, what was removed is not, and what is listed
// can be played.
func TestCrashAfterEachOperation(t *testing.T) {
	for _, torn := range []bool{false, true} {
		over := false
		for n := 0; !over; n++ {
			t.Run(fmt.Sprint(n, torn), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { over = crashAfter(t, n, torn) })
			})
			if n > 500 {
				t.Fatal("it does not come to its end")
			}
		}
	}
}

// crashAfter lets n operations through. It reports whether all that is done took no more.
func crashAfter(t *testing.T, n int, torn bool) bool {
	w := newWorld(t)
	w.open(t)
	w.power(n, torn)
	first := w.leave(t, "1000", 2)
	w.mark(t, first)
	w.greet(t, "1000", 1)
	w.record(t, 2)
	second := w.leave(t, "1000", 3)
	w.remove(t, first)
	w.greet(t, "1000", 2)
	w.mark(t, second)
	w.removeRecording(t)
	w.begin(t, "2000", 3)
	synctest.Wait()
	over := !w.dead()
	w.crash(t)
	w.check(t)
	w.close(t)
	return over
}
