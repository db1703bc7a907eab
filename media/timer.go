package media

import (
	"sync"
	"time"
)

// tick is the resolution of the engine's timers.
const tick = 100 * time.Millisecond

const wheelSlots = 128 // 12.8 s, more than the longest time between two reports

// wheel holds the streams that have something to do later: one list for each tick. One goroutine turns it.
type wheel struct {
	mu    sync.Mutex
	at    int64 // the tick that was done last
	slots [wheelSlots]timer
}

// timer is a stream's place in the wheel.
type timer struct {
	next, prev *timer
	stream     *Stream
	gone       bool // the stream is closed and never comes back
}

func (w *wheel) init() {
	for i := range w.slots {
		w.slots[i].next, w.slots[i].prev = &w.slots[i], &w.slots[i]
	}
}

// set puts a stream where it is due, instead of where it was.
func (w *wheel) set(s *Stream, due, now int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := &s.timer
	if t.gone {
		return
	}
	t.unlink()
	t.stream = s
	n := (due + int64(tick) - 1) / int64(tick)
	n = min(max(n, now/int64(tick)+1, w.at+1), w.at+wheelSlots-1)
	head := &w.slots[n%wheelSlots]
	t.prev, t.next = head.prev, head
	t.prev.next, head.prev = t, t
}

func (w *wheel) remove(s *Stream) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.timer.gone = true
	s.timer.unlink()
}

func (t *timer) unlink() {
	if t.next != nil {
		t.prev.next, t.next.prev = t.next, t.prev
		t.next, t.prev = nil, nil
	}
}

// due takes out the next stream that has something to do, nil if there is none.
func (w *wheel) due(now int64) *Stream {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ; w.at < now/int64(tick); w.at++ {
		head := &w.slots[(w.at+1)%wheelSlots]
		if t := head.next; t != head {
			t.unlink()
			return t.stream
		}
	}
	return nil
}

// keepTime sends reports and finds silent streams until the engine closes.
func (e *Engine) keepTime() {
	defer e.running.Done()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-e.done:
			return
		case <-ticker.C:
			e.turn(e.now())
		}
	}
}

func (e *Engine) turn(now int64) {
	defer e.survive("timer")
	for s := e.wheel.due(now); s != nil; s = e.wheel.due(now) {
		due, silent := s.work(now)
		e.wheel.set(s, due, now)
		if silent {
			e.timedOut.Add(1)
			if s.onTimeout != nil {
				s.onTimeout(s)
			}
		}
	}
}

// work does what is due, and says when something is due again and whether the stream has just been found silent.
func (s *Stream) work(now int64) (due int64, silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return now, false
	}
	if now >= s.reports.due {
		s.reports.due = now + randomised(interval)
		s.sendReport(now, false)
	}
	if s.expecting() && now-s.heard >= s.engine.timeout {
		s.silent, silent = true, true
	}
	return s.nextDue(), silent
}

// due is when the stream has something to do next.
func (s *Stream) due() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nextDue()
}

func (s *Stream) nextDue() int64 {
	if s.expecting() {
		return min(s.reports.due, s.heard+s.engine.timeout)
	}
	return s.reports.due
}

// expecting says whether silence counts: not on hold, neither ours nor the phone's, and not once it was reported.
func (s *Stream) expecting() bool {
	return s.engine.timeout > 0 && !s.silent && s.maySend && s.mayRecv
}
