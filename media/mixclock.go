package media

import (
	"slices"
	"sync"
	"time"

	"ringback/media/mix"
)

// Rooms are mixed, and captures taken, by a few goroutines, one for each processor. Like what is played (see player), frames are
// due in slots counted from the engine's start: being late once delays nothing that follows. They are spread over the slots of a frame.
const frameSlots = int64(20 * time.Millisecond / slotTime)

// timed is what has a frame due each 20 ms: a room or a capture.
type timed interface {
	frame(slot int64, t *table)
	at() *place
	Close()
}

// place is the clock of a timed, and in which of its slots it is due. It never changes.
type place struct {
	clock *clock
	phase int64
}

func (p *place) at() *place { return p }

// clocks are all of an engine.
type clocks struct {
	mu     sync.Mutex
	all    []*clock
	opened int64 // rooms and captures
	closed bool
}

// clock has some rooms and captures go on in time. While it has none it sleeps.
type clock struct {
	engine *Engine
	wake   chan struct{}

	mu    sync.Mutex
	at    int64 // the slot that was done last
	count int
	slots [frameSlots][]timed

	table *table
}

// table is what a clock's goroutine works with.
type table struct {
	due       []timed
	outlets   []outlet
	low, high [mix.Frame]int16
	sound     [FrameSamples]int16
	own       [mix.Frame]byte
	common    [3]bool // shared is made, by codec
	shared    [3][mix.Frame]byte
	packet    [rtpHeaderLen + len(player{}.linear)]byte
	counters  counters
}

func (e *Engine) startClocks(n int) {
	for range n {
		c := &clock{engine: e, wake: make(chan struct{}, 1), table: new(table)}
		e.clocks.all = append(e.clocks.all, c)
		e.running.Add(1)
		go c.run()
	}
}

// add has r go on from its next slot. It reports false once the engine is closed.
func (cs *clocks) add(r timed, now int64) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.closed {
		return false
	}
	n, p := int64(len(cs.all)), r.at()
	p.clock, p.phase = cs.all[cs.opened%n], cs.opened/n%frameSlots
	cs.opened++
	p.clock.add(r, now)
	return true
}

// close closes all rooms and captures.
func (cs *clocks) close() {
	cs.mu.Lock()
	cs.closed = true
	cs.mu.Unlock()
	for _, c := range cs.all {
		for _, r := range c.all() {
			r.Close()
		}
	}
}

func (cs *clocks) count(st *EngineStats) {
	for _, c := range cs.all {
		c.table.counters.add(st)
	}
}

func (c *clock) add(r timed, now int64) {
	c.mu.Lock()
	if c.count == 0 {
		c.at = now / int64(slotTime)
	}
	c.count++
	due := &c.slots[r.at().phase]
	*due = append(*due, r)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *clock) remove(r timed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := &c.slots[r.at().phase]
	if i := slices.Index(*due, r); i >= 0 {
		*due = slices.Delete(*due, i, i+1)
		c.count--
	}
}

func (c *clock) all() []timed {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Concat(c.slots[:]...)
}

// take gives what is due in the next slot, and that slot. If nothing is, it says how long to wait; <0: until something is
// added. What was missed is caught up with as by player.take.
func (c *clock) take(due []timed, now int64) ([]timed, int64, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == 0 {
		return nil, 0, -1
	}
	last := now / int64(slotTime)
	if missed := last - c.at; missed > slotCount {
		c.at += missed / slotCount * slotCount
	}
	for c.at < last {
		c.at++
		if all := c.slots[c.at%frameSlots]; len(all) > 0 {
			return append(due, all...), c.at, 0
		}
	}
	slot := c.at + 1
	for len(c.slots[slot%frameSlots]) == 0 {
		slot++
	}
	return nil, 0, time.Duration(slot*int64(slotTime) - now)
}

// run goes on until the engine closes.
func (c *clock) run() {
	defer c.engine.running.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		due, slot, wait := c.take(c.table.due[:0], c.engine.now())
		for _, r := range due {
			r.frame(slot, c.table)
		}
		switch {
		case wait > 0:
			timer.Reset(wait)
		case wait < 0:
			timer.Stop()
		default:
			clear(due)
			c.table.due = due[:0]
			select {
			case <-c.engine.done:
				return
			default:
				continue
			}
		}
		select {
		case <-c.engine.done:
			return
		case <-timer.C:
		case <-c.wake:
		}
	}
}
