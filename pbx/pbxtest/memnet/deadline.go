package memnet

import (
	"sync"
	"time"
)

// deadline is a channel that is closed when a settable time has come. It may be set again at any time.
type deadline struct{ *deadlineState }

type deadlineState struct {
	mu      sync.Mutex
	timer   *time.Timer
	passed  chan struct{}
	expired bool // passed is closed
}

func newDeadline() deadline { return deadline{&deadlineState{passed: make(chan struct{})}} }

func (d deadline) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.passed
}

func (d deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	now := time.Now()
	if !t.IsZero() && !t.After(now) {
		if !d.expired {
			d.expired = true
			close(d.passed)
		}
		return
	}
	if d.expired {
		d.passed, d.expired = make(chan struct{}), false
	}
	if t.IsZero() {
		return
	}
	var mine *time.Timer
	mine = time.AfterFunc(t.Sub(now), func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.timer == mine && !d.expired {
			d.expired = true
			close(d.passed)
		}
	})
	d.timer = mine
}
