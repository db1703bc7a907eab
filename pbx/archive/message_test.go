package archive

import (
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"ringback/media/wav"
	"ringback/pbx"
)

func TestAMessageIsLeftHeardAndRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		changes := 0
		var a *Archive
		a = inStore(t, Options{Changed: func(mailbox string) {
			mu.Lock()
			defer mu.Unlock()
			changes++
			if a.Count(mailbox); mailbox != "1000" {
				t.Error("changed:", mailbox)
			}
		}})
		ctx := t.Context()
		id, tape, err := a.Leave(ctx, pbx.VoiceMessage{ID: "../x", Mailbox: "1000", Call: "call", From: "1001", FromName: "Alice", Heard: true, Length: 7}, 10)
		if err != nil {
			t.Fatal(err)
		}
		said := ramp(0, 3*wav.Rate+77)
		if n := write(tape, said, 1); n != len(said) {
			t.Fatal("taken", n)
		}
		if list, err := a.Messages(ctx, "1000"); a.Count("1000") != (pbx.MessageCount{}) || len(list) != 0 || err != nil {
			t.Error("it is there before Keep:", list, err)
		}
		for _, urgent := range []bool{false, true} { // who leaves it may say so before it is there
			if err := a.MarkUrgent(ctx, "1000", id, urgent); err != nil {
				t.Error("before Keep:", err)
			}
		}
		if err := a.MarkUrgent(ctx, "1001", id, false); !errors.Is(err, pbx.ErrNoSuchSound) {
			t.Error("of another mailbox:", err)
		}
		if err := a.MarkHeard(ctx, "1000", id, true); !errors.Is(err, pbx.ErrNoSuchSound) {
			t.Error("before Keep:", err)
		}
		if s := a.Stats(); s.Tapes != 1 {
			t.Error(s)
		}
		if err := tape.Keep(ctx); err != nil {
			t.Fatal(err)
		}
		if tape.Write(said[:frame]) {
			t.Error("taken after Keep")
		}
		tape.Drop()
		if err := tape.Keep(ctx); err != nil {
			t.Error("once more:", err)
		}
		if mu.Lock(); changes != 1 {
			t.Errorf("told %d times of a message that was urgent from the beginning", changes)
		}
		mu.Unlock()
		if n := a.Count("1000"); n != (pbx.MessageCount{New: 1, UrgentNew: 1}) || a.Count("1001") != (pbx.MessageCount{}) {
			t.Error(n)
		}
		m, err := a.Message(ctx, "1000", id)
		if err != nil || !isID(id) || m.ID != id || m.From != "1001" || !m.Urgent || m.Heard || m.Length != lengthOf(2*int64(len(said)), 1) || m.At.IsZero() {
			t.Errorf("%+v %v", m, err)
		}
		f, size, modified, err := a.OpenMessage("1000", id)
		if err != nil || modified.IsZero() {
			t.Fatal(err)
		}
		if got := sound(t, f, size, 1); !slices.Equal(got, said) {
			t.Error("another sound", len(got), len(said))
		}

		if err := errors.Join(a.MarkHeard(ctx, "1000", id, true), a.MarkHeard(ctx, "1000", id, true)); err != nil || a.Count("1000") != (pbx.MessageCount{Old: 1, UrgentOld: 1}) {
			t.Error(a.Count("1000"), err)
		}
		if err := a.MarkUrgent(ctx, "1000", id, false); err != nil || a.Count("1000") != (pbx.MessageCount{Old: 1}) {
			t.Error(a.Count("1000"), err)
		}
		if list, err := a.Unmailed(ctx); err != nil || len(list) != 1 || list[0].ID != id {
			t.Error(list, err)
		}
		if err := a.MarkMailed(ctx, id); err != nil {
			t.Error(err)
		}
		if list, err := a.Unmailed(ctx); err != nil || len(list) != 0 {
			t.Error(list, err)
		}
		for _, err := range []error{
			a.MarkHeard(ctx, "1001", id, false), a.MarkUrgent(ctx, "1001", id, true), a.Remove(ctx, "1001", id), second(a.Message(ctx, "1001", id)),
			a.MarkHeard(ctx, "1000", "nope", true), a.Remove(ctx, "1000", strings.Repeat("z", idChars)), opened(a.OpenMessage("1001", id)),
		} {
			if !errors.Is(err, pbx.ErrNoSuchSound) {
				t.Error("of another mailbox, or of none:", err)
			}
		}
		f, size, _, err = a.OpenMessage("1000", id)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Remove(ctx, "1000", id); err != nil {
			t.Fatal(err)
		}
		if got := sound(t, f, size, 1); !slices.Equal(got, said) {
			t.Error("what is open is read to its end")
		}
		if err := a.Remove(ctx, "1000", id); !errors.Is(err, pbx.ErrNoSuchSound) {
			t.Error(err)
		}
		if n := a.Count("1000"); n != (pbx.MessageCount{}) || len(tree(t, a.opts.Dir)) > 0 {
			t.Error(n, tree(t, a.opts.Dir))
		}
		mu.Lock()
		defer mu.Unlock()
		if changes != 4 {
			t.Error("changes told:", changes)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func opened(f io.Closer, _ int64, _ any, err error) error {
	if err == nil {
		_ = f.Close()
	}
	return err
}

func TestMessagesSurvive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, rows := t.TempDir(), newTable()
		a := open(t, Options{Dir: dir, Rows: rows})
		first, urgent := leave(t, a, "1000", 1), leave(t, a, "1000", 1)
		leave(t, a, "Üx"[2:]+"*7", 1)
		if err := errors.Join(a.MarkUrgent(t.Context(), "1000", urgent, true), a.MarkHeard(t.Context(), "1000", first, true), a.Close()); err != nil {
			t.Fatal(err)
		}
		before := tree(t, dir)
		a = open(t, Options{Dir: dir, Rows: rows})
		if n := a.Count("1000"); n != (pbx.MessageCount{New: 1, Old: 1, UrgentNew: 1}) || a.Count("x*7").New != 1 {
			t.Error(n, a.Count("x*7"))
		}
		if after := tree(t, dir); !reflect.DeepEqual(before, after) || len(after) != 3 {
			t.Error(before, after)
		}
	})
}

func TestAMailboxIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, Options{Dir: t.TempDir()})
		leave(t, a, "1000", 1)
		const at, limit = 20, 5
		var tapes []pbx.Tape
		var mu sync.Mutex
		var all sync.WaitGroup
		for range at { // all at once: those under way count
			all.Go(func() {
				_, tape, err := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, limit)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					tapes = append(tapes, tape)
				} else if !errors.Is(err, pbx.ErrMailboxFull) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(tapes) != limit-1 {
			t.Fatal(len(tapes), "may leave a message")
		}
		tapes[0].Drop()
		_ = tapes[0].Keep(t.Context()) // waits until it is gone
		_, again, err := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, limit)
		if err != nil {
			t.Fatal("one was dropped:", err)
		}
		for _, tape := range append(tapes[1:], again) {
			write(tape, ramp(0, frame), 1)
			if err := tape.Keep(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if _, _, err := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, limit); !errors.Is(err, pbx.ErrMailboxFull) || a.Count("1000").New != limit {
			t.Error(err, a.Count("1000"))
		}
		if _, tape, err := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1001"}, limit); err != nil {
			t.Error("another mailbox:", err)
		} else {
			tape.Drop()
		}
	})
}

func TestNothingWasSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, rows := t.TempDir(), newTable()
		a := open(t, Options{Dir: dir, Rows: rows})
		_, message, err := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, 1)
		if err != nil {
			t.Fatal(err)
		}
		greeting, err := a.Greet(t.Context(), "1000", pbx.GreetName)
		if err != nil {
			t.Fatal(err)
		}
		_, recording, err := a.Record(pbx.Recording{Channels: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, tape := range []pbx.Tape{message, greeting, recording} {
			if err := tape.Keep(t.Context()); err != errEmpty {
				t.Error(err)
			}
		}
		if a.Count("1000").New != 0 || a.HasGreeting("1000", pbx.GreetName) || len(tree(t, dir)) > 0 || len(rows.messages)+len(rows.recordings) > 0 || a.Stats().Tapes > 0 {
			t.Error(tree(t, dir), rows.messages, rows.recordings, a.Stats())
		}
		leave(t, a, "1000", 1) // its place is free again
	})
}

// A mailbox that is no more leaves nothing behind, also of what is being recorded just then.
func TestRemoveMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, rows := t.TempDir(), newTable()
		told := make(chan string, 100)
		a := open(t, Options{Dir: dir, Rows: rows, Changed: func(mailbox string) { told <- mailbox }})
		leave(t, a, "1000", 1)
		leave(t, a, "1000", 1)
		other := leave(t, a, "100", 1)
		put(t, a, "1000", pbx.GreetBusy, 1)
		_, message, err := a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: "1000"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		greeting, err := a.Greet(t.Context(), "1000", pbx.GreetName)
		if err != nil {
			t.Fatal(err)
		}
		write(message, ramp(0, wav.Rate), 1)
		write(greeting, ramp(0, wav.Rate), 1)
		for len(told) > 0 {
			<-told
		}
		if err := a.RemoveMailbox(t.Context(), "1000"); err != nil {
			t.Fatal(err)
		}
		if err := message.Keep(t.Context()); err != errDropped {
			t.Error(err)
		}
		if err := greeting.Keep(t.Context()); err != errDropped {
			t.Error(err)
		}
		if len(told) != 1 || <-told != "1000" || a.Count("1000") != (pbx.MessageCount{}) || a.HasGreeting("1000", pbx.GreetBusy) {
			t.Error("told", len(told), a.Count("1000"))
		}
		if left := tree(t, dir); len(left) != 1 || left[0] != "mailboxes/100/"+other+whole || len(rows.messages) != 1 {
			t.Error(left, rows.messages)
		}
		if err := errors.Join(a.RemoveMailbox(t.Context(), "1000"), a.RemoveMailbox(t.Context(), "../100")); err != nil {
			t.Error(err)
		}
		leave(t, a, "1000", 1)
	})
}
