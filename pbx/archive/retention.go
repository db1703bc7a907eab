package archive

import (
	"context"
	"time"

	"ringback/pbx"
)

// housekeep tries again what the disk did not take, once a minute, and removes old recordings, once an hour and when there is a new one.
func (a *Archive) housekeep() {
	again, hourly := time.NewTicker(housekeeping), time.NewTicker(retention)
	defer again.Stop()
	defer hourly.Stop()
	a.retain()
	for {
		select {
		case <-again.C:
			a.mu.Lock()
			late := a.late
			a.late = nil
			a.mu.Unlock()
			for _, t := range late {
				t.writer.add(t)
			}
		case <-hourly.C:
			a.retain()
		case <-a.recorded:
			a.retain()
		case <-a.ctx.Done():
			return
		}
	}
}

// retain removes recordings that are too old or too many, the oldest first.
func (a *Archive) retain() {
	if a.opts.Keep <= 0 && a.opts.MaxBytes <= 0 {
		return
	}
	removed := 0
	for {
		n, err := a.removeOldest()
		removed += n
		if err != nil {
			if a.ctx.Err() == nil {
				a.log.Error("old recordings cannot be removed", "err", err)
			}
			break
		}
		if n == 0 {
			break
		}
	}
	if removed > 0 {
		a.log.Info("old recordings removed", "recordings", removed)
	}
}

// removeOldest removes some at a time, so that others get to the rows.
func (a *Archive) removeOldest() (removed int, err error) {
	err = a.commit(a.ctx, func(ctx context.Context) error {
		oldest, err := a.rows.OldestRecordings(ctx, 50)
		if err != nil {
			return err
		}
		for _, r := range oldest {
			if !a.tooOld(r) && !a.tooMany() {
				return nil
			}
			if err := a.removeRecording(ctx, r); err != nil {
				return err
			}
			removed++
		}
		return nil
	})
	return removed, err
}

func (a *Archive) tooOld(r pbx.Recording) bool {
	return a.opts.Keep > 0 && time.Since(r.Started.Add(r.Length)) > a.opts.Keep
}

func (a *Archive) tooMany() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.opts.MaxBytes > 0 && a.bytes > a.opts.MaxBytes && a.recordings > 1
}
