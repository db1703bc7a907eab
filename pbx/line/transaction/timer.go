package transaction

import "time"

// Timer is one entry of the layer's timer wheel.
type Timer struct{}

// After calls f on the wheel's goroutine when d has passed (10 ms resolution, never early). f must not block.
func (l *Layer) After(d time.Duration, f func()) *Timer { return &Timer{} }

// Stop keeps f from being called; false means that it was called already, is being called, or was stopped before.
func (t *Timer) Stop() bool { return false }
