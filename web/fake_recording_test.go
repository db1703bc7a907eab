package web

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"ringback/pbx"
)

// memoryRecordings are the recordings, newest first; their files are text.
type memoryRecordings struct {
	*memory
	list []pbx.Recording
	long string // the text of each
	open int    // files
}

func (m *memoryRecordings) Recordings(_ context.Context, f pbx.RecordingFilter) (list []pbx.Recording, err error) {
	for _, r := range m.list {
		if (f.Call == "" || f.Call == r.Call) && (f.Number == "" || f.Number == r.From || f.Number == r.To) && (f.Room == "" || f.Room == r.Room) &&
			(f.Since.IsZero() || !r.Started.Before(f.Since)) && (f.Until.IsZero() || r.Started.Before(f.Until)) && (f.After == "" || r.ID < f.After) && len(list) < f.Limit {
			list = append(list, r)
		}
	}
	return list, m.broken
}

func (m *memoryRecordings) GetRecording(_ context.Context, id string) (pbx.Recording, error) {
	if i := slices.IndexFunc(m.list, func(r pbx.Recording) bool { return r.ID == id }); i >= 0 {
		return m.list[i], m.broken
	}
	return pbx.Recording{}, pbx.ErrNoSuchSound
}

func (m *memoryRecordings) OpenRecording(id string) (io.ReadSeekCloser, int64, time.Time, error) {
	if _, err := m.GetRecording(context.Background(), id); err != nil {
		return nil, 0, time.Time{}, err
	}
	return opened(&m.open, "RIFF "+id+m.long)
}

func (m *memoryRecordings) RemoveRecording(ctx context.Context, id string) error {
	_, err := m.GetRecording(ctx, id)
	m.list = slices.DeleteFunc(m.list, func(r pbx.Recording) bool { return r.ID == id })
	return err
}

// memoryRecorder answers with what a test says, by what it is asked for.
type memoryRecorder struct {
	says  map[string]error
	asked []string
}

func (m *memoryRecorder) ask(what ...string) error {
	line := strings.Join(what, " ")
	m.asked = append(m.asked, line)
	return m.says[what[0]]
}

func (m *memoryRecorder) StartRecording(call, by string) error { return m.ask(call, "start", by) }
func (m *memoryRecorder) StopRecording(call, by string) error  { return m.ask(call, "stop", by) }
func (m *memoryRecorder) RecordConference(room string, on bool, by string) error {
	if on {
		return m.ask(room, "start", by)
	}
	return m.ask(room, "stop", by)
}
