package transaction

import (
	"math"
	"math/bits"
	"sync"
	"time"
)

// Timer is one entry of the layer's timer wheel.
type Timer struct {
	w    *wheel
	e    expirer
	next *Timer
	prev **Timer // what points at this timer; nil: not armed
	tick uint64
	seq  uint32 // counts arm and stop, so that an expiry already under way can be told from the present one
}

// expirer is called without the wheel's lock. seq is the timer's when it was armed.
type expirer interface{ expire(t *Timer, seq uint32) }

type callback func()

func (f callback) expire(*Timer, uint32) { f() }

// After calls f on the wheel's goroutine when d has passed (10 ms resolution, never early). f must not block.
func (l *Layer) After(d time.Duration, f func()) *Timer {
	t := &Timer{w: &l.wheel, e: callback(f)}
	t.arm(d)
	return t
}

// Stop keeps f from being called; false means that it was called already, is being called, or was stopped before.
func (t *Timer) Stop() bool {
	if t == nil || t.w == nil {
		return false
	}
	w := t.w
	w.mu.Lock()
	defer w.mu.Unlock()
	t.seq++
	return w.unlink(t)
}

const (
	resolution = 10 * time.Millisecond
	slots      = 4096 // 41 s a turn: RFC 3261's timers are linked once, longer ones are passed over once a turn
)

// wheel is a hashed timer wheel: a list a slot, and a bit a slot that is not empty. Its goroutine sleeps until the next slot
// that is not empty; arming and stopping cost the same however many timers there are.
type wheel struct {
	mu     sync.Mutex
	base   time.Time
	now    uint64 // all ticks up to this one have been handled
	until  uint64 // the goroutine sleeps until then
	slot   [slots]*Timer
	full   [slots / 64]uint64
	armed  int
	wake   chan struct{}
	quit   chan struct{}
	done   chan struct{} // nil: not started
	closed bool
}

func (w *wheel) init() {
	w.base = time.Now()
	w.wake = make(chan struct{}, 1)
	w.quit = make(chan struct{})
}

// arm starts t, or starts it anew.
func (t *Timer) arm(d time.Duration) {
	w := t.w
	w.mu.Lock()
	defer w.mu.Unlock()
	t.seq++
	w.unlink(t)
	if w.closed {
		return
	}
	at := time.Since(w.base) + max(d, 0)
	t.tick = max(uint64((at+resolution-1)/resolution), w.now+1)
	w.armed++
	i := t.tick % slots
	w.link(t, &w.slot[i])
	w.full[i/64] |= 1 << (i % 64)
	if w.done == nil {
		w.done = make(chan struct{})
		w.until = math.MaxUint64
		go w.run()
	}
	if t.tick < w.until {
		w.until = t.tick
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

func (w *wheel) link(t *Timer, head **Timer) {
	t.next, t.prev = *head, head
	if t.next != nil {
		t.next.prev = &t.next
	}
	*head = t
}

func (w *wheel) unlink(t *Timer) bool {
	if t.prev == nil {
		return false
	}
	*t.prev = t.next
	if t.next != nil {
		t.next.prev = t.prev
	}
	t.next, t.prev = nil, nil
	w.armed--
	if i := t.tick % slots; w.slot[i] == nil {
		w.full[i/64] &^= 1 << (i % 64)
	}
	return true
}

func (w *wheel) run() {
	defer close(w.done)
	clock := time.NewTimer(time.Hour)
	defer clock.Stop()
	for {
		w.mu.Lock()
		w.until = 0 // nobody needs to wake this goroutine while it is awake
		w.turn(uint64(time.Since(w.base) / resolution))
		next, ok := w.next()
		w.until = math.MaxUint64
		if ok {
			w.until = next
		}
		closed := w.closed
		w.mu.Unlock()
		if closed {
			return
		}
		if ok {
			clock.Reset(time.Until(w.base.Add(time.Duration(next) * resolution)))
		} else {
			clock.Stop()
		}
		select {
		case <-clock.C:
		case <-w.wake:
		case <-w.quit:
			return
		}
	}
}

// turn handles every tick up to now, in order. w.mu is held, but not while a timer's expiry is called.
func (w *wheel) turn(now uint64) {
	for w.now < now && !w.closed {
		next, ok := w.next()
		if !ok || next > now {
			w.now = now
			return
		}
		w.now = next
		var due *Timer
		for t := w.slot[next%slots]; t != nil; {
			following := t.next
			if t.tick <= now {
				tick := t.tick
				w.unlink(t)
				t.tick = tick
				w.armed++ // until it is called
				w.link(t, &due)
			}
			t = following
		}
		for due != nil && !w.closed {
			t, seq := due, due.seq
			w.unlink(t)
			w.mu.Unlock()
			t.e.expire(t, seq)
			w.mu.Lock()
		}
		for due != nil { // closed meanwhile
			w.unlink(due)
		}
	}
}

// next is the first tick after w.now whose slot is not empty; its timers may be due a turn later.
func (w *wheel) next() (uint64, bool) {
	from := w.now + 1
	i := from % slots
	if word := w.full[i/64] >> (i % 64); word != 0 {
		return from + uint64(bits.TrailingZeros64(word)), true
	}
	skip := 64 - i%64
	for k := range uint64(len(w.full)) { // one more than the others: the start of the first word comes last
		j := (i/64 + 1 + k) % uint64(len(w.full))
		if w.full[j] != 0 {
			return from + skip + k*64 + uint64(bits.TrailingZeros64(w.full[j])), true
		}
	}
	return 0, false
}

// close stops the goroutine and waits for it: no expiry is called after.
func (w *wheel) close() {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return
	}
	w.closed = true
	done := w.done
	w.mu.Unlock()
	close(w.quit)
	if done != nil {
		<-done
	}
	w.mu.Lock()
	clear(w.slot[:])
	clear(w.full[:])
	w.mu.Unlock()
}
