package archive

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media/wav"
	"ringback/pbx"
)

func TestACallIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := inStore(t, Options{})
		started := time.Now().Add(-time.Second)
		id, tape, err := a.Record(pbx.Recording{ID: "x", Call: "call", From: "1000", To: "1001", By: "policy of 1000", Started: started, Channels: 2, Bytes: 5, Problem: "none"})
		if err != nil {
			t.Fatal(err)
		}
		both := ramp(0, 2*2*wav.Rate)
		if n := write(tape, both, 2); n != len(both) {
			t.Fatal(n)
		}
		if list, err := a.Recordings(t.Context(), pbx.RecordingFilter{}); err != nil || len(list) != 0 {
			t.Error("before Keep:", list, err)
		}
		if err := tape.Keep(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := pbx.Recording{ID: id, Call: "call", From: "1000", To: "1001", By: "policy of 1000", Started: started.UTC().Round(0), Length: 2 * time.Second,
			Bytes: wav.HeaderSize + 4*2*wav.Rate, Channels: 2}
		if r, err := a.GetRecording(t.Context(), id); err != nil || r != want {
			t.Errorf("got  %+v\nwant %+v: %v", r, want, err)
		}
		if s := a.Stats(); s != (Stats{Kept: 1, Written: 4 * 2 * wav.Rate, Recordings: 1, Bytes: want.Bytes}) {
			t.Errorf("%+v", s)
		}
		if list, err := a.Recordings(t.Context(), pbx.RecordingFilter{Call: "call"}); err != nil || !slices.Equal(list, []pbx.Recording{want}) {
			t.Error(list, err)
		}
		f, size, _, err := a.OpenRecording(id)
		if err != nil || size != want.Bytes {
			t.Fatal(size, err)
		}
		if err := a.RemoveRecording(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(sound(t, f, size, 2), both) {
			t.Error("another sound, though it was open when it was removed")
		}
		for _, err := range []error{a.RemoveRecording(t.Context(), id), second(a.GetRecording(t.Context(), id)), opened(a.OpenRecording(id))} {
			if !errors.Is(err, pbx.ErrNoSuchSound) {
				t.Error(err)
			}
		}
		if s := a.Stats(); s.Recordings != 0 || s.Bytes != 0 {
			t.Error(s)
		}
	})
}

// What a tape was told to have missed is in its row, and Keep says it too; the sound is there all the same.
func TestWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, Options{Dir: t.TempDir()})
		id, tape, err := a.Record(pbx.Recording{Call: "call", By: "1000", Channels: 2})
		if err != nil {
			t.Fatal(err)
		}
		write(tape, ramp(0, 2*wav.Rate), 2)
		tape.Miss("One of them.")
		tape.Miss("The other one.")
		if tape.Write(ramp(0, 320)) {
			t.Error("it takes more")
		}
		if err := tape.Keep(t.Context()); err == nil || err.Error() != "One of them." {
			t.Error(err)
		}
		if r, err := a.GetRecording(t.Context(), id); err != nil || r.Length != time.Second || r.Problem != "One of them." {
			t.Error(r, err)
		}
		if s := a.Stats(); s.Failed != 0 || s.Kept != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAConferenceHasOneChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, Options{Dir: t.TempDir()})
		id, tape, err := a.Record(pbx.Recording{Room: "800", By: "room 800", Channels: 1})
		if err != nil {
			t.Fatal(err)
		}
		write(tape, ramp(0, wav.Rate), 1)
		if err := tape.Keep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r, err := a.GetRecording(t.Context(), id); err != nil || r.Length != time.Second || r.Room != "800" || r.Started.IsZero() {
			t.Error(r, err)
		}
		for _, channels := range []int{-1, 0, 3} {
			if _, _, err := a.Record(pbx.Recording{Channels: channels}); err == nil {
				t.Error(channels, "channels")
			}
		}
	})
}

func TestTheGreatestLength(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows := newTable()
		a := open(t, Options{Dir: t.TempDir(), Rows: rows})
		tape, err := a.Greet(t.Context(), "1000", pbx.GreetBusy)
		if err != nil {
			t.Fatal(err)
		}
		long := make([]int16, int(longestGreeting.Seconds()+1)*wav.Rate)
		if n := write(tape, long, 1); n != len(long)-wav.Rate {
			t.Error("taken", n)
		}
		if err := tape.Keep(t.Context()); err == nil || !strings.Contains(err.Error(), "3m0s") || greetingLength(t, a, "1000", pbx.GreetBusy) != longestGreeting {
			t.Error(err)
		}
		if s := a.Stats(); s.Failed != 0 || s.Kept != 1 {
			t.Error("that is no failure of the disk:", s)
		}
	})
}

// Old recordings go, messages never do, nor what is being recorded.
func TestRetentionByAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, rows := t.TempDir(), newTable()
		a := open(t, Options{Dir: dir, Rows: rows, Keep: 30 * 24 * time.Hour})
		old, message := record(t, a, 1), leave(t, a, "1000", 1)
		_, running, err := a.Record(pbx.Recording{Channels: 1})
		if err != nil {
			t.Fatal(err)
		}
		write(running, ramp(0, wav.Rate), 1)
		time.Sleep(20 * 24 * time.Hour)
		young := record(t, a, 1)
		synctest.Wait()
		if a.Stats().Recordings != 2 {
			t.Fatal(a.Stats())
		}
		f, size, _, err := a.OpenRecording(old)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*24*time.Hour + 2*time.Hour)
		synctest.Wait()
		if s := a.Stats(); s.Recordings != 1 || s.Bytes != wav.HeaderSize+4*wav.Rate || !errors.Is(opened(a.OpenRecording(old)), pbx.ErrNoSuchSound) || opened(a.OpenRecording(young)) != nil {
			t.Error(s)
		}
		sound(t, f, size, 2) // a download goes on
		if err := running.Keep(t.Context()); err != nil {
			t.Error(err)
		}
		if err := opened(a.OpenMessage("1000", message)); err != nil {
			t.Error("messages are the user's:", err)
		}
	})
}

func TestRetentionBySize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const each = wav.HeaderSize + 4*wav.Rate
		a := open(t, Options{Dir: t.TempDir(), MaxBytes: 3*each + 1})
		leave(t, a, "1000", 60)
		var all []string
		for range 5 {
			all = append(all, record(t, a, 1))
			time.Sleep(time.Second)
		}
		synctest.Wait()
		for i, id := range all {
			if err := opened(a.OpenRecording(id)); (err == nil) != (i >= 2) {
				t.Error(i, err)
			}
		}
		large := record(t, a, 20) // alone more than all may have
		synctest.Wait()
		if s := a.Stats(); s.Recordings != 1 || opened(a.OpenRecording(large)) != nil {
			t.Error("the newest one stays:", s)
		}
		if a.Count("1000").New != 1 {
			t.Error("messages are not counted")
		}
	})
}
