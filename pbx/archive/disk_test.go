package archive

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media/wav"
	"ringback/pbx"
)

// onDisk runs a test over such a disk, in virtual time.
func onDisk(t *testing.T, test func(t *testing.T, a *Archive, d *disk, rows *table)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		d, rows := newDisk(t, dir), newTable()
		test(t, open(t, Options{Dir: dir, Rows: rows, files: d}), d, rows)
	})
}

func TestDiskFull(t *testing.T) {
	onDisk(t, func(t *testing.T, a *Archive, d *disk, rows *table) {
		id, tape, err := a.Record(pbx.Recording{Channels: 2})
		if err != nil {
			t.Fatal(err)
		}
		both := ramp(0, 2*10*wav.Rate)
		write(tape, both[:2*2*wav.Rate], 2)
		d.set(func() { d.space = 32_001 }) // a second, and a part of a frame
		if n := write(tape, both[2*2*wav.Rate:], 2); n == 0 || n > 2*2*wav.Rate {
			t.Error("taken", n)
		}
		if tape.Write(both[:frame]) {
			t.Error("it takes more")
		}
		if err := tape.Keep(t.Context()); !errors.Is(err, syscall.ENOSPC) || err.Error() != "The disk is full." {
			t.Error(err)
		}
		r, err := a.GetRecording(t.Context(), id)
		if err != nil || r.Problem != "The disk is full." || r.Length < 5*time.Second/2 || (r.Bytes-wav.HeaderSize)%4 != 0 {
			t.Errorf("%+v %v", r, err)
		}
		f, size, _, err := a.OpenRecording(id)
		if err != nil || size != r.Bytes {
			t.Fatal(size, err)
		}
		if got := sound(t, f, size, 2); !slices.Equal(got, both[:len(got)]) {
			t.Error("not what was said")
		}
		if s := a.Stats(); s.Failed != 1 || s.Kept != 1 || s.Tapes != 0 {
			t.Error(s)
		}
	})
}

// What others need is left to them.
func TestTheLastOfTheDisk(t *testing.T) {
	onDisk(t, func(t *testing.T, a *Archive, d *disk, rows *table) {
		_, running, err := a.Record(pbx.Recording{Channels: 1})
		if err != nil {
			t.Fatal(err)
		}
		write(running, ramp(0, 3*wav.Rate), 1)
		put(t, a, "1000", pbx.GreetName, 1)
		d.set(func() { d.free = DefaultMinFree - 1 })
		if n := write(running, ramp(0, 10*wav.Rate), 1); n > 2*wav.Rate {
			t.Error("taken", n)
		}
		if err := running.Keep(t.Context()); !errors.Is(err, syscall.ENOSPC) {
			t.Error(err)
		}
		if _, _, err := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, 0); err != errSpace {
			t.Error(err)
		}
		if _, err := a.Greet(t.Context(), "1000", pbx.GreetBusy); err != errSpace {
			t.Error(err)
		}
		if err := a.PutGreeting(t.Context(), "1000", pbx.GreetName, wavOf(wav.Rate)); err != errSpace {
			t.Error(err)
		}
		if _, _, err := a.Record(pbx.Recording{Channels: 1}); err != errSpace {
			t.Error(err)
		}
		synctest.Wait()
		if len(rows.messages) > 0 || len(rows.recordings) != 1 || len(tree(t, a.opts.Dir)) != 2 {
			t.Error(rows.messages, rows.recordings, tree(t, a.opts.Dir))
		}
		d.set(func() { d.free = DefaultMinFree })
		leave(t, a, "1000", 1)
	})
}

func TestASlowDisk(t *testing.T) {
	onDisk(t, func(t *testing.T, a *Archive, d *disk, rows *table) {
		id, tape, err := a.Record(pbx.Recording{Channels: 2})
		if err != nil {
			t.Fatal(err)
		}
		d.set(func() { d.slow = time.Second })
		both := ramp(0, 2*30*wav.Rate)
		if n := write(tape, both, 2); n != len(both) {
			t.Fatal("it is fast enough for this:", n)
		}
		d.set(func() { d.slow = 7 * time.Second })
		n := write(tape, both, 2)
		if n < 2*3*wav.Rate || n > 2*8*wav.Rate {
			t.Error("taken", n)
		}
		if err := tape.Keep(t.Context()); err != errSlow {
			t.Error(err)
		}
		r, err := a.GetRecording(t.Context(), id)
		if err != nil || r.Problem != errSlow.Error() || r.Length != lengthOf(2*int64(len(both)+n), 2) {
			t.Error("all that was taken is kept:", r, n, err)
		}
	})
}

// A disk that does not answer hangs nobody but the writers.
func TestADiskThatHangs(t *testing.T) {
	onDisk(t, func(t *testing.T, a *Archive, d *disk, rows *table) {
		old := leave(t, a, "1000", 1)
		_, message, err := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		var tapes [3]pbx.Tape
		for i := range tapes {
			if _, tapes[i], err = a.Record(pbx.Recording{Channels: 1}); err != nil {
				t.Fatal(err)
			}
		}
		hold := make(chan struct{})
		d.set(func() { d.hold = hold })
		if n := write(message, ramp(0, 20*wav.Rate), 1); n < 4*wav.Rate || n > 6*wav.Rate {
			t.Error("taken", n)
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := message.Keep(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 3*time.Second {
			t.Error(time.Since(began), err)
		}
		began = time.Now()
		if _, _, err := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, 0); err != errStuck || time.Since(began) != patience {
			t.Error(time.Since(began), err)
		}
		for _, tape := range tapes {
			if n := write(tape, ramp(0, 3*wav.Rate), 1); n != 3*wav.Rate {
				t.Error("taken", n)
			}
		}
		time.Sleep(patience)
		began = time.Now()
		if _, _, err = a.Record(pbx.Recording{Channels: 1}); err != errStuck || time.Since(began) > 0 {
			t.Error(time.Since(began), err)
		}
		tapes[0].Drop()
		if a.Count("1000").New != 1 || a.HasGreeting("1000", pbx.GreetName) || a.Stats().Tapes == 0 || a.Sound("message:1000:"+old) != nil {
			t.Error("from memory")
		}
		if took := time.Since(began); took != patience { // of Sound alone
			t.Error(took)
		}
		close(hold)
		d.set(func() { d.hold = nil })
		synctest.Wait()
		if a.Count("1000").New != 2 {
			t.Error("what was kept is there once the disk is:", a.Count("1000"))
		}
		for _, tape := range tapes[1:] {
			if err := tape.Keep(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if len(rows.recordings) != len(tapes)-1 || len(rows.messages) != 2 || a.Stats().Tapes != 0 {
			t.Error(rows.recordings, rows.messages, a.Stats())
		}
	})
}

func TestCloseDoesNotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, rows := t.TempDir(), newTable()
		d := newDisk(t, dir)
		a, err := Open(fill(Options{Dir: dir, Rows: rows, files: d}))
		if err != nil {
			t.Fatal(err)
		}
		_, tape, err := a.Record(pbx.Recording{Channels: 1})
		if err != nil {
			t.Fatal(err)
		}
		write(tape, ramp(0, 2*wav.Rate), 1)
		hold := make(chan struct{})
		d.set(func() { d.hold = hold })
		began := time.Now()
		if err := a.Close(); err == nil || time.Since(began) != closeAtMost {
			t.Error(time.Since(began), err)
		}
		if _, _, err := a.Record(pbx.Recording{Channels: 1}); err == nil {
			t.Error("it is closed")
		}
		close(hold)
		synctest.Wait()
	})
}

// What the disk does not take at the end is tried again.
func TestTheEndIsTriedAgain(t *testing.T) {
	for _, op := range []string{"sync", "rename", "write", "rows"} {
		t.Run(op, func(t *testing.T) {
			onDisk(t, func(t *testing.T, a *Archive, d *disk, rows *table) {
				_, tape, err := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, 1)
				if err != nil {
					t.Fatal(err)
				}
				if n := write(tape, ramp(0, wav.Rate/2), 1); n != wav.Rate/2 {
					t.Fatal(n)
				}
				synctest.Wait()
				if op == "write" { // of the header: the sound is there
					write(tape, ramp(0, 2*wav.Rate), 1)
				}
				broken := func(err error) {
					d.set(func() { d.bad[op] = err })
					if op == "rows" {
						rows.breaks(err)
					}
				}
				broken(syscall.EIO)
				if err := tape.Keep(t.Context()); !errors.Is(err, syscall.EIO) || a.Count("1000").New != 0 {
					t.Error(err, a.Count("1000"))
				}
				if _, _, err := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, 1); !errors.Is(err, pbx.ErrMailboxFull) {
					t.Error("its place is taken:", err)
				}
				time.Sleep(2*housekeeping + time.Second)
				synctest.Wait()
				if a.Count("1000").New != 0 {
					t.Error("still broken")
				}
				broken(nil)
				time.Sleep(housekeeping)
				synctest.Wait()
				list, err := a.Messages(t.Context(), "1000")
				if a.Count("1000").New != 1 || err != nil || len(list) != 1 || a.Stats().Tapes != 0 {
					t.Error(a.Count("1000"), list, err, a.Stats())
				}
			})
		})
	}
}

func TestWhatCannotBeginLeavesNothing(t *testing.T) {
	for _, op := range []string{"mkdir", "create", "write", "free", "rows"} {
		t.Run(op, func(t *testing.T) {
			onDisk(t, func(t *testing.T, a *Archive, d *disk, rows *table) {
				d.set(func() { d.bad[op] = syscall.EIO })
				if op == "rows" {
					rows.breaks(syscall.EIO)
				}
				if _, _, err := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, 1); !errors.Is(err, syscall.EIO) {
					t.Error(err)
				}
				if _, _, err := a.Record(pbx.Recording{Channels: 1}); !errors.Is(err, syscall.EIO) || err.Error() != "The disk did not take it." {
					t.Error(err)
				}
				d.set(func() { clear(d.bad) })
				rows.breaks(nil)
				time.Sleep(housekeeping + time.Second)
				synctest.Wait()
				if len(rows.messages)+len(rows.recordings) > 0 || len(tree(t, a.opts.Dir)) > 0 || a.Stats().Tapes > 0 {
					t.Error(rows.messages, rows.recordings, tree(t, a.opts.Dir), a.Stats())
				}
				leave(t, a, "1000", 1)
			})
		})
	}
}

// A message whose file cannot be removed stays on the list.
func TestRemoveFails(t *testing.T) {
	onDisk(t, func(t *testing.T, a *Archive, d *disk, rows *table) {
		id := leave(t, a, "1000", 1)
		d.set(func() { d.bad["remove"] = syscall.EIO })
		if err := a.Remove(t.Context(), "1000", id); !errors.Is(err, syscall.EIO) || a.Count("1000").New != 1 {
			t.Error(err, a.Count("1000"))
		}
		_, tape, err := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		tape.Drop()
		synctest.Wait()
		d.set(func() { clear(d.bad) })
		time.Sleep(housekeeping + time.Second)
		synctest.Wait()
		if err := a.Remove(t.Context(), "1000", id); err != nil || len(tree(t, a.opts.Dir)) > 0 || len(rows.messages) > 0 {
			t.Error(err, tree(t, a.opts.Dir), rows.messages)
		}
	})
}

// Where only the end came late, nothing is missing.
func TestALateEndIsNoProblemOfTheSound(t *testing.T) {
	for op, want := range map[string]string{"rename": "", "sync": "The disk did not take it."} {
		t.Run(op, func(t *testing.T) {
			onDisk(t, func(t *testing.T, a *Archive, d *disk, rows *table) {
				id, tape, err := a.Record(pbx.Recording{Channels: 1})
				if err != nil {
					t.Fatal(err)
				}
				write(tape, ramp(0, wav.Rate), 1)
				d.set(func() { d.bad[op] = syscall.EIO })
				if err := tape.Keep(t.Context()); !errors.Is(err, syscall.EIO) {
					t.Error(err)
				}
				d.set(func() { clear(d.bad) })
				time.Sleep(housekeeping + time.Second)
				synctest.Wait()
				if r, err := a.GetRecording(t.Context(), id); err != nil || r.Problem != want || r.Length != time.Second {
					t.Error(r, err)
				}
			})
		})
	}
}

// Whoever does not wait any more leaves nothing half done.
func TestACallerWhoIsGone(t *testing.T) {
	onDisk(t, func(t *testing.T, a *Archive, d *disk, rows *table) {
		id := leave(t, a, "1000", 1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		hold := make(chan struct{})
		d.set(func() { d.hold = hold })
		if _, _, err := a.Leave(ctx, pbx.VoiceMessage{Mailbox: "1000"}, 0); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		removed := make(chan error)
		go func() { removed <- a.Remove(t.Context(), "1000", id) }()
		synctest.Wait()
		for _, err := range []error{a.MarkHeard(ctx, "1000", id, true), a.Remove(ctx, "1000", id), a.RemoveGreeting(ctx, "1000", pbx.GreetBusy), a.RemoveMailbox(ctx, "2000")} {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		close(hold)
		d.set(func() { d.hold = nil })
		if err := <-removed; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if a.Count("1000") != (pbx.MessageCount{}) || len(tree(t, a.opts.Dir)) > 0 || len(rows.messages) > 0 {
			t.Error(a.Count("1000"), tree(t, a.opts.Dir), rows.messages)
		}
	})
}
