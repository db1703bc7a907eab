package pbx

import (
	"context"
	"time"
)

// becameIdle tells Drain when the last call is over. The caller holds s.mu.
func (s *Switchboard) becameIdle() {
	if s.draining && len(s.calls) == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}

// Drain takes no more calls, gives those that are up the time of grace, hangs up what is left, and returns when all are
// over, or when ctx is done.
func (s *Switchboard) Drain(ctx context.Context, grace time.Duration) error {
	s.mu.Lock()
	s.draining = true
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	idle := s.idle
	s.becameIdle()
	s.mu.Unlock()

	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
	}
	for _, c := range s.Calls() {
		s.HangupCall(c.ID, GoingDown)
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close ends all plans and recordings, and waits for them. Legs are the line's to end.
func (s *Switchboard) Close() {
	s.mu.Lock()
	s.draining, s.closed = true, true
	s.mu.Unlock()
	s.stop(GoingDown)
	s.plans.Wait()
	s.taping.Wait()
}
