package pbxtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

func (p *Phone) spawn(f func()) { p.work.Go(f) }

func (p *Phone) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// wake tells all that wait to look again. It needs p.mu.
func (p *Phone) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// after calls f with p.mu held, unless the phone is closed by then. It needs p.mu.
func (p *Phone) after(d time.Duration, f func()) *time.Timer {
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.timers, t)
		if !p.closed {
			f()
		}
	})
	p.timers[t] = struct{}{}
	return t
}

// ErrClosed is what waits end with when the phone is closed.
var ErrClosed = errors.New("the phone is closed")

// await waits until ready, which is called with p.mu held.
func (p *Phone) await(ctx context.Context, what string, ready func() bool) error {
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.c.Patience)
		defer cancel()
	}
	start := time.Now()
	for {
		p.mu.Lock()
		if ready() {
			p.mu.Unlock()
			return nil
		}
		closed, changed := p.closed, p.changed
		p.mu.Unlock()
		if closed {
			return fmt.Errorf("%s waits for %s: %w", p.c.Name, what, ErrClosed)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s waited %v for %s in vain (%w); it got: %s", p.c.Name, time.Since(start).Round(time.Millisecond), what, ctx.Err(), p.tail())
		}
	}
}

// tail is the newest of what came.
func (p *Phone) tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, m := range p.inbox[max(0, len(p.inbox)-8):] {
		all = append(all, m.String())
	}
	s := strings.Join(all, ", ")
	if s == "" {
		s = "nothing"
	}
	if p.lastErr != nil {
		s += fmt.Sprintf(" (last transport error: %v)", p.lastErr)
	}
	return s
}
