package media

import (
	"sync"
	"time"
)

// Our own sound is sent by one goroutine for all streams. Time is cut into slots, counted from the engine's start; a stream has
// its packets in the slots that follow from the one after Play was called, so that streams spread over them by themselves.
// Packets are due at slots, not after one another: being late once delays nothing that follows.
const (
	slotTime  = 5 * time.Millisecond
	slotCount = 16 // more than the longest packet time
	maxPTime  = 60 * time.Millisecond

	soundRate   = 8000 // Hz
	slotSamples = soundRate / 200
)

// slotsOf is how many slots a packet of so many samples lasts.
func slotsOf(samples int) int64 { return int64(samples / slotSamples) }

// slotTicks is a slot in units of the RTP clock.
func slotTicks(slot int64) uint32 { return uint32(slot * slotSamples) }

// player holds what is being played, by the slot of the next packet.
type player struct {
	mu    sync.Mutex
	at    int64 // the slot that was done last
	slots [slotCount]*playing
	count int // of those being played, also while their packet is made

	wake chan struct{} // something was added

	// Of its goroutine.
	linear [soundRate * maxPTime / time.Second]int16
	high   [soundRate * maxPTime / time.Second]int16 // the upper band
	packet [rtpHeaderLen + soundRate*maxPTime/time.Second]byte
}

// add has the first packet of p sent in the next slot.
func (w *player) add(p *playing, now int64) {
	w.mu.Lock()
	last := now / int64(slotTime)
	if w.count == 0 {
		w.at = last
	}
	w.count++
	w.put(p, max(last, w.at)+1)
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// again has the next packet of p sent in a later slot.
func (w *player) again(p *playing, slot int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.put(p, slot)
}

func (w *player) put(p *playing, slot int64) {
	head := &w.slots[slot%slotCount]
	p.next, *head = *head, p
}

// gone says that one of them is not played any more.
func (w *player) gone() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count--
}

// take gives what is due next, and its slot. If nothing is, it says how long to wait; <0: until something is added.
//
// What was missed is caught up with for less than a round of slots. If it is more, the machine stood still, and phones
// have heard silence: all streams go on whole rounds later.
func (w *player) take(now int64) (due *playing, slot int64, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.count == 0 {
		return nil, 0, -1
	}
	last := now / int64(slotTime)
	if missed := last - w.at; missed > slotCount {
		w.at += missed / slotCount * slotCount
	}
	for w.at < last {
		w.at++
		if due = w.slots[w.at%slotCount]; due != nil {
			w.slots[w.at%slotCount] = nil
			return due, w.at, 0
		}
	}
	slot = w.at + 1
	for w.slots[slot%slotCount] == nil {
		slot++
	}
	return nil, 0, time.Duration(slot*int64(slotTime) - now)
}

// play sends what is due until the engine closes. While nothing is played it sleeps.
func (e *Engine) play() {
	defer e.running.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		due, slot, wait := e.player.take(e.now())
		for due != nil {
			p := due
			due = p.next
			e.step(p, slot)
		}
		switch {
		case wait > 0:
			timer.Reset(wait)
		case wait < 0:
			timer.Stop()
		default:
			select {
			case <-e.done:
				return
			default:
				continue
			}
		}
		select {
		case <-e.done:
			return
		case <-timer.C:
		case <-e.player.wake:
		}
	}
}

// step has a sound go on by a packet, or end.
func (e *Engine) step(p *playing, slot int64) {
	if !p.state.CompareAndSwap(resting, reading) {
		e.player.gone() // cut short
		return
	}
	after, whole := e.send(p, slot)
	if after > 0 && p.state.CompareAndSwap(reading, resting) {
		e.player.again(p, slot+after)
		return
	}
	e.player.gone()
	p.stream.played(p)
	p.tell(p.state.Swap(over) == reading && whole)
}

// send says in how many slots the next packet is due, 0 if there is none, and whether that is because the sound has come
// to its end: it may have panicked.
func (e *Engine) send(p *playing, slot int64) (after int64, whole bool) {
	defer e.survive("sound")
	if p.typing {
		return p.stream.typeOn(p, &e.player, slot, &e.counters), false
	}
	if p.samples == 0 { // the phone's answer is in its ACK (RFC 3261 §13.2.1): the sound begins once that has come
		p.stream.ready(p)
		return slotsOf(FrameSamples), false
	}
	linear, high := e.player.linear[:p.samples], e.player.high[:p.samples]
	if !p.read(linear, high) {
		return 0, true
	}
	p.stream.speak(p, linear, high, e.player.packet[:], slot, &e.counters)
	return slotsOf(len(linear)), false
}
