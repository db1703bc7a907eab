package archive

import (
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"ringback/media/wav"
	"ringback/pbx"
)

// world is an archive, whose power can be cut, beside what must be in it.
type world struct {
	dir  string
	rows *table
	d    *disk
	a    *Archive

	messages   map[string]pbx.VoiceMessage // that are there; ID, Mailbox, Length and Heard count
	unheard    map[string]bool             // of which it is not known whether they are marked as heard
	recordings map[string]time.Duration
	greetings  map[string][]time.Duration // that may be there, 0 for none
	maybe      map[string]bool            // messages and recordings that may be there
}

var worldBoxes = []string{"1000", "2000"}

func newWorld(t *testing.T) *world {
	return &world{
		dir: t.TempDir(), rows: newTable(), messages: map[string]pbx.VoiceMessage{}, unheard: map[string]bool{}, recordings: map[string]time.Duration{},
		greetings: map[string][]time.Duration{}, maybe: map[string]bool{},
	}
}

func (w *world) open(t *testing.T) {
	t.Helper()
	w.d, w.rows = newDisk(t, w.dir), w.rows.copy()
	p := &power{left: -1}
	w.d.power, w.rows.power = p, p
	var err error
	if w.a, err = Open(fill(Options{Dir: w.dir, Rows: w.rows, files: w.d})); err != nil {
		t.Fatal(err)
	}
}

func (w *world) close(t *testing.T) {
	t.Helper()
	if err := w.a.Close(); err != nil && !w.dead() {
		t.Error("close:", err)
	}
}

// power has it cut after so many operations of the disk and the rows.
func (w *world) power(operations int, torn bool) {
	p := w.d.power
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left, p.torn = operations, torn
}

func (w *world) dead() bool { return w.d.power.dead() }

// crash ends the process, whose last operations came to nothing, and starts another one.
func (w *world) crash(t *testing.T) {
	w.power(0, false)
	w.close(t)
	w.open(t)
}

func (w *world) leave(t *testing.T, mailbox string, seconds int) string {
	id, tape, err := w.a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: mailbox}, 0)
	if err != nil {
		w.expect(t, err)
		return ""
	}
	write(tape, ramp(0, seconds*wav.Rate), 1)
	if err := tape.Keep(t.Context()); err != nil {
		w.expect(t, err)
		w.maybe[id] = true
		return ""
	}
	w.messages[id] = pbx.VoiceMessage{ID: id, Mailbox: mailbox, Length: time.Duration(seconds) * time.Second}
	return id
}

// begin leaves a message whose end does not come.
func (w *world) begin(t *testing.T, mailbox string, seconds int) pbx.Tape {
	id, tape, err := w.a.Leave(t.Context(), pbx.VoiceMessage{Mailbox: mailbox}, 0)
	if err != nil {
		w.expect(t, err)
		return nil
	}
	w.maybe[id] = true
	write(tape, ramp(0, seconds*wav.Rate), 1)
	return tape
}

func (w *world) drop(t *testing.T, mailbox string, seconds int) {
	if tape := w.begin(t, mailbox, seconds); tape != nil {
		tape.Drop()
		synctest.Wait()
	}
}

func (w *world) mark(t *testing.T, id string) {
	m, ok := w.messages[id]
	if !ok {
		return
	}
	if err := w.a.MarkHeard(t.Context(), m.Mailbox, id, !m.Heard); err != nil {
		w.expect(t, err)
		w.unheard[id] = true
		return
	}
	m.Heard = !m.Heard
	w.messages[id] = m
}

func (w *world) remove(t *testing.T, id string) {
	m, ok := w.messages[id]
	if !ok {
		return
	}
	if err := w.a.Remove(t.Context(), m.Mailbox, id); err != nil {
		w.expect(t, err)
		w.maybe[id] = true
	}
	delete(w.messages, id)
}

func (w *world) removeMailbox(t *testing.T, mailbox string) {
	err := w.a.RemoveMailbox(t.Context(), mailbox)
	w.expect(t, err)
	for id, m := range w.messages {
		if m.Mailbox == mailbox {
			w.maybe[id] = err != nil
			delete(w.messages, id)
		}
	}
	if err != nil {
		w.greetings[mailbox] = append(w.greetings[mailbox], 0)
	} else {
		w.greetings[mailbox] = nil
	}
}

func (w *world) greet(t *testing.T, mailbox string, seconds int) {
	if len(w.greetings[mailbox]) == 0 {
		w.greetings[mailbox] = []time.Duration{0}
	}
	length := time.Duration(seconds) * time.Second
	var err error
	if seconds%2 == 0 {
		err = w.a.PutGreeting(t.Context(), mailbox, pbx.GreetBusy, wavOf(seconds*wav.Rate))
	} else {
		var tape pbx.Tape
		if tape, err = w.a.Greet(t.Context(), mailbox, pbx.GreetBusy); err == nil {
			write(tape, ramp(0, seconds*wav.Rate), 1)
			err = tape.Keep(t.Context())
		}
	}
	if err != nil {
		w.expect(t, err)
		w.greetings[mailbox] = append(w.greetings[mailbox], length)
		return
	}
	w.greetings[mailbox] = []time.Duration{length}
}

func (w *world) record(t *testing.T, seconds int) {
	id, tape, err := w.a.Record(pbx.Recording{Channels: 2})
	if err != nil {
		w.expect(t, err)
		return
	}
	write(tape, ramp(0, 2*seconds*wav.Rate), 2)
	if err := tape.Keep(t.Context()); err != nil {
		w.expect(t, err)
		w.maybe[id] = true
		return
	}
	w.recordings[id] = time.Duration(seconds) * time.Second
}

func (w *world) removeRecording(t *testing.T) {
	for _, id := range slices.Sorted(maps.Keys(w.recordings))[:min(1, len(w.recordings))] {
		if err := w.a.RemoveRecording(t.Context(), id); err != nil {
			w.expect(t, err)
			w.maybe[id] = true
		}
		delete(w.recordings, id)
	}
}

// expect is for errors, which come when the power is off and only then.
func (w *world) expect(t *testing.T, err error) {
	t.Helper()
	if err != nil && !w.dead() {
		t.Error("with power:", err)
	}
}

// check holds what is there against what must be. What may be there is, from then on, or is not.
func (w *world) check(t *testing.T) {
	t.Helper()
	files := map[string]bool{}
	there := map[string]bool{}
	for _, box := range worldBoxes {
		list, err := w.a.Messages(t.Context(), box)
		if err != nil {
			t.Fatal(err)
		}
		var count pbx.MessageCount
		for _, m := range list {
			if m.Heard {
				count.Old++
			} else {
				count.New++
			}
			there[m.ID] = true
			files[messagePath(box, m.ID)+whole] = true
			f, size, _, err := w.a.OpenMessage(box, m.ID)
			if err != nil {
				t.Error("listed, and not there:", m, err)
				continue
			}
			got := sound(t, f, size, 1)
			if lengthOf(2*int64(len(got)), 1) != m.Length || !slices.Equal(got, ramp(0, len(got))) {
				t.Error("another sound:", m, len(got))
			}
			want, certain := w.messages[m.ID]
			switch {
			case certain && (want.Length != m.Length || want.Heard != m.Heard && !w.unheard[m.ID]):
				t.Errorf("got %+v, want %+v", m, want)
			case !certain && !w.maybe[m.ID]:
				t.Errorf("it was not kept, or removed: %+v", m)
			}
			w.messages[m.ID] = m
		}
		if w.a.Count(box) != count {
			t.Errorf("counted %+v, listed %+v", w.a.Count(box), count)
		}
		w.checkGreeting(t, box, files)
	}
	for id, m := range w.messages {
		if !there[id] {
			t.Errorf("lost: %+v", m)
			delete(w.messages, id)
		}
	}
	w.checkRecordings(t, files)
	for _, name := range tree(t, w.dir) {
		if !files[name] {
			t.Error("left over:", name)
		}
		delete(files, name)
	}
	if len(files) > 0 {
		t.Error("not there:", files)
	}
	clear(w.unheard)
	clear(w.maybe)
}

func (w *world) checkGreeting(t *testing.T, box string, files map[string]bool) {
	t.Helper()
	length := time.Duration(0)
	if w.a.HasGreeting(box, pbx.GreetBusy) {
		length = greetingLength(t, w.a, box, pbx.GreetBusy)
		files[greetingPath(box, pbx.GreetBusy)] = true
	}
	if may := w.greetings[box]; !slices.Contains(may, length) && (len(may) > 0 || length > 0) {
		t.Error("a greeting of", length, "where there may be one of", may)
	}
	w.greetings[box] = []time.Duration{length}
}

func (w *world) checkRecordings(t *testing.T, files map[string]bool) {
	t.Helper()
	list, err := w.a.Recordings(t.Context(), pbx.RecordingFilter{})
	if err != nil {
		t.Fatal(err)
	}
	bytes, there := int64(0), map[string]bool{}
	for _, r := range list {
		bytes += r.Bytes
		there[r.ID] = true
		files[recordingPath(r.ID)+whole] = true
		if want, certain := w.recordings[r.ID]; certain && want != r.Length || !certain && !w.maybe[r.ID] {
			t.Errorf("got %+v, want %v", r, want)
		}
		f, size, _, err := w.a.OpenRecording(r.ID)
		if err != nil || size != r.Bytes {
			t.Error("listed, and not there:", r, size, err)
			continue
		}
		if got := sound(t, f, size, 2); !slices.Equal(got, ramp(0, len(got))) {
			t.Error("another sound:", r)
		}
		w.recordings[r.ID] = r.Length
	}
	for id := range w.recordings {
		if !there[id] {
			t.Error("lost: recording", id)
			delete(w.recordings, id)
		}
	}
	if s := w.a.Stats(); s.Bytes != bytes || s.Recordings != len(list) || s.Tapes != 0 {
		t.Errorf("%+v, and there are %d of %d bytes", s, len(list), bytes)
	}
}

// Whatever happens in which order, and whenever the power is cut: what was kept is there, what was removed is not.
func TestWhatWasKeptIsThere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 999), 1, 25).Draw(rt, "steps")
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.open(t)
			for _, n := range steps {
				w.step(t, n%10, n/10)
				if w.dead() {
					w.crash(t)
				}
				if !w.d.power.armed() {
					w.check(t)
				}
			}
			w.crash(t)
			w.check(t)
			w.close(t)
		})
		if t.Failed() {
			rt.Fatal("with these steps")
		}
	})
}

func (w *world) step(t *testing.T, what, n int) {
	box, seconds := worldBoxes[n%2], 1+n%3
	ids := slices.Sorted(maps.Keys(w.messages))
	id := ""
	if len(ids) > 0 {
		id = ids[n%len(ids)]
	}
	switch what {
	case 0, 1:
		w.leave(t, box, seconds)
	case 2:
		w.drop(t, box, seconds)
	case 3:
		w.mark(t, id)
	case 4:
		w.remove(t, id)
	case 5:
		w.greet(t, box, seconds)
	case 6:
		w.record(t, seconds)
	case 7:
		w.removeRecording(t)
	case 8:
		if n%5 == 0 {
			w.removeMailbox(t, box)
		} else { // the process is stopped as it should be
			w.close(t)
			w.open(t)
		}
	case 9:
		if n%2 == 0 {
			w.power(1+n/2%30, n%4 == 0)
			return
		}
		w.begin(t, box, seconds)
		w.crash(t)
	}
}
