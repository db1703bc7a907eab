package media

import (
	"slices"
	"sync"
	"time"

	"ringback/media/mix"
)

// Rooms are mixed by a few goroutines, one for each processor. Like what is played (see player), frames are due in slots counted
// from the engine's start: being late once delays nothing that follows. Rooms are spread over the slots of a frame.
const frameSlots = int64(20 * time.Millisecond / slotTime)

// clocks are all of an engine.
type clocks struct {
	mu     sync.Mutex
	all    []*clock
	opened int64 // rooms
	closed bool
}

// clock has some rooms mix in time. While it has none it sleeps.
type clock struct {
	engine *Engine
	wake   chan struct{}

	mu    sync.Mutex
	at    int64 // the slot that was done last
	count int   // rooms
	rooms [frameSlots][]*room

	table *table
}

// table is what a clock's goroutine works with.
type table struct {
	due       []*room
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

// add has a room mixed from its next slot on. It reports false once the engine is closed.
func (cs *clocks) add(r *room, now int64) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.closed {
		return false
	}
	n := int64(len(cs.all))
	r.clock, r.phase = cs.all[cs.opened%n], cs.opened/n%frameSlots
	cs.opened++
	r.clock.add(r, now)
	return true
}

// close closes all rooms.
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

func (c *clock) add(r *room, now int64) {
	c.mu.Lock()
	if c.count == 0 {
		c.at = now / int64(slotTime)
	}
	c.count++
	c.rooms[r.phase] = append(c.rooms[r.phase], r)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *clock) remove(r *room) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rooms := &c.rooms[r.phase]
	if i := slices.Index(*rooms, r); i >= 0 {
		*rooms = slices.Delete(*rooms, i, i+1)
		c.count--
	}
}

func (c *clock) all() []*room {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Concat(c.rooms[:]...)
}

// take gives the rooms of the next slot that is due, and that slot. If none is, it says how long to wait; <0: until there is
// a room. What was missed is caught up with as by player.take.
func (c *clock) take(due []*room, now int64) ([]*room, int64, time.Duration) {
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
		if rooms := c.rooms[c.at%frameSlots]; len(rooms) > 0 {
			return append(due, rooms...), c.at, 0
		}
	}
	slot := c.at + 1
	for len(c.rooms[slot%frameSlots]) == 0 {
		slot++
	}
	return nil, 0, time.Duration(slot*int64(slotTime) - now)
}

// run mixes until the engine closes.
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
