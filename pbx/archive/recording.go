package archive

import (
	"context"
	"fmt"
	"io"
	"time"

	"ringback/media/wav"
	"ringback/pbx"
)

// Record implements pbx.RecordingStore. It waits until the disk has taken the beginning: at most 2 s where the disk does not answer, not at
// all where it has not for that long already, and at most 8 s where it is slow.
func (a *Archive) Record(r pbx.Recording) (id string, t pbx.Tape, err error) {
	switch {
	case r.Channels != 1 && r.Channels != 2:
		return "", nil, fmt.Errorf("a recording has one or two channels, not %d", r.Channels)
	case a.stuck():
		return "", nil, errStuck
	}
	r.ID, r.Length, r.Bytes, r.Problem = a.ids.next(), 0, 0, ""
	if r.Started.IsZero() {
		r.Started = time.Now()
	}
	r.Started = r.Started.UTC().Round(0)
	tape, err := a.start(&recording{r}, r.Channels, longestRecording)
	if err != nil {
		return "", nil, err
	}
	if err := tape.begins(context.Background()); err != nil {
		tape.Drop()
		return "", nil, err
	}
	return r.ID, tape, nil
}

// stuck reports whether all writers wait for the disk.
func (a *Archive) stuck() bool {
	for _, w := range a.writers {
		if !w.stuck() {
			return false
		}
	}
	return true
}

// Recordings is a page of the recordings that a filter picks, the newest first; the ID of its last one is After of the next.
func (a *Archive) Recordings(ctx context.Context, f pbx.RecordingFilter) ([]pbx.Recording, error) {
	return a.rows.ListRecordings(ctx, f)
}

// GetRecording returns one recording, or pbx.ErrNoSuchSound.
func (a *Archive) GetRecording(ctx context.Context, id string) (pbx.Recording, error) {
	if !isID(id) {
		return pbx.Recording{}, pbx.ErrNoSuchSound
	}
	return a.rows.GetRecording(ctx, id)
}

// OpenRecording opens the WAV file of a recording; it can be read to its end also if the recording is removed meanwhile. Errors:
// pbx.ErrNoSuchSound.
func (a *Archive) OpenRecording(id string) (f io.ReadSeekCloser, size int64, modified time.Time, err error) {
	if !isID(id) {
		return nil, 0, time.Time{}, pbx.ErrNoSuchSound
	}
	return a.read(recordingPath(id) + whole)
}

// RemoveRecording deletes a recording. Errors: pbx.ErrNoSuchSound.
func (a *Archive) RemoveRecording(ctx context.Context, id string) error {
	return a.change(ctx, func(ctx context.Context) error {
		r, err := a.GetRecording(ctx, id)
		if err != nil {
			return err
		}
		return a.removeRecording(ctx, r)
	})
}

// removeRecording removes its file, then its row. Under change.
func (a *Archive) removeRecording(ctx context.Context, r pbx.Recording) error {
	if err := a.removeFile(recordingPath(r.ID) + whole); err != nil {
		return err
	}
	if err := a.rows.DeleteRecordings(ctx, r.ID); err != nil {
		return err
	}
	a.sum(r, -1)
	return nil
}

// sum adds n recordings as large as r.
func (a *Archive) sum(r pbx.Recording, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.recordings += n
	a.bytes += int64(n) * r.Bytes
}

// recording is the purpose of a recording's tape.
type recording struct{ r pbx.Recording }

func (r *recording) names() (string, string) {
	name := recordingPath(r.r.ID)
	return name + part, name + whole
}

func (r *recording) begin(a *Archive) error { return a.rows.SaveRecording(a.ctx, r.r, false) }

func (r *recording) keep(a *Archive, size int64, length time.Duration, why error) error {
	done := r.r
	done.Bytes, done.Length = wav.HeaderSize+size, length
	if why != nil {
		done.Problem = why.Error()
	}
	err := a.commit(a.ctx, func(ctx context.Context) error {
		if err := a.rows.SaveRecording(ctx, done, true); err != nil {
			return err
		}
		a.sum(done, 1)
		return nil
	})
	if err == nil {
		select {
		case a.recorded <- struct{}{}:
		default:
		}
	}
	return err
}

func (*recording) lost(*Archive)               {}
func (r *recording) drop(a *Archive) error     { return a.rows.DeleteRecordings(a.ctx, r.r.ID) }
func (*recording) closed(time.Duration) ending { return kept }
