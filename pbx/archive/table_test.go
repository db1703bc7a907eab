package archive

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"sync"

	"ringback/pbx"
)

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
