package media

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// retryTaken is how long a port that another program has is left alone.
const retryTaken = int64(30 * time.Second)

// ports are the pairs of the engine's range. Sockets stay open and registered with their loop between calls, because opening
// and closing four of them costs more than a whole call's signalling. What comes to an idle one is read at once and dropped,
// so nothing waits in it for the next stream.
type ports struct {
	mu       sync.Mutex
	families []*family
	sockets  int // open
	limit    int // of sockets
	closed   bool

	exhausted uint64
}

// family is the range at one bound address.
type family struct {
	bind      netip.Addr
	advertise netip.Addr // zero: that of the route
	min       uint16
	sockets   int // open
	limit     int // of sockets; leaves an eighth of all for each other family
	inUse     int

	pairs []pair
	fresh queue // never bound
	idle  queue // bound, in the order in which they were closed
	taken queue // by other programs, in the order in which they were tried
}

// pair is an even port for RTP and the next one for RTCP.
type pair struct {
	family    *family
	port      uint16
	rtp, rtcp *socket // nil until bound
	stream    *Stream // who has it
	ready     int64   // when it may be used, or tried again
	next      *pair   // in the queue that it is in
}

type queue struct {
	head, tail *pair
	len        int
}

func (q *queue) push(p *pair) {
	if q.tail == nil {
		q.head = p
	} else {
		q.tail.next = p
	}
	q.tail = p
	q.len++
}

func (q *queue) pop() *pair {
	p := q.head
	if q.head = p.next; q.head == nil {
		q.tail = nil
	}
	p.next = nil
	q.len--
	return p
}

// newFamily lists the range from a random port on.
func newFamily(bind netip.Addr, low, high uint16, sockets int) *family {
	f := &family{bind: bind, min: low, limit: sockets}
	f.pairs = make([]pair, (int(high)-int(low)+1)/2)
	first := rand.IntN(len(f.pairs))
	for i := range f.pairs {
		f.pairs[i] = pair{family: f, port: low + uint16(2*i)}
	}
	for i := range f.pairs {
		f.fresh.push(&f.pairs[(first+i)%len(f.pairs)])
	}
	return f
}

// take finds a pair for a stream: one that has rested, otherwise one that was never bound.
func (t *ports) take(e *Engine, f *family, s *Stream, now int64) (*pair, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, ErrClosed
	}
	p, err := t.find(e, f, now)
	if err != nil {
		t.exhausted++
		return nil, err
	}
	p.stream, s.pair = s, p
	f.inUse++
	return p, nil
}

func (t *ports) find(e *Engine, f *family, now int64) (*pair, error) {
	if p := f.idle.head; p != nil && p.ready <= now {
		return f.idle.pop(), nil
	}
	if f.sockets+2 > f.limit || t.sockets+2 > t.limit {
		return nil, ErrNoPorts
	}
	for f.taken.head != nil && f.taken.head.ready <= now {
		f.fresh.push(f.taken.pop())
	}
	for f.fresh.head != nil {
		p := f.fresh.pop()
		err := e.bind(p)
		if err == nil {
			f.sockets += 2
			t.sockets += 2
			return p, nil
		}
		if outOfFiles(err) {
			f.fresh.push(p)
			return nil, fmt.Errorf("%w: %w", ErrNoPorts, err)
		}
		p.ready = now + retryTaken
		f.taken.push(p)
	}
	return nil, ErrNoPorts
}

func outOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) ||
		errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.ENOSPC)
}

// release lets a pair rest.
func (t *ports) release(p *pair, ready int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.stream = nil
	p.ready = ready
	p.family.inUse--
	p.family.idle.push(p)
}

// ours says whether a port of the range is bound by the engine.
func (t *ports) ours(f *family, port uint16) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := (int(port) - int(f.min)) / 2
	return port >= f.min && i < len(f.pairs) && f.pairs[i].rtp != nil
}

// open lists the streams that were not closed.
func (t *ports) open() (streams []*Stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.families {
		for i := range f.pairs {
			if s := f.pairs[i].stream; s != nil {
				streams = append(streams, s)
			}
		}
	}
	return streams
}

// shut lets no stream be opened any more.
func (t *ports) shut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}

func (t *ports) closeSockets() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.families {
		for i := range f.pairs {
			if p := &f.pairs[i]; p.rtp != nil {
				p.rtp.close()
				p.rtcp.close()
			}
		}
		f.sockets = 0
	}
}

func (t *ports) count(st *EngineStats, now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	st.Exhausted = t.exhausted
	for _, f := range t.families {
		resting := 0
		for p := f.idle.head; p != nil; p = p.next {
			if p.ready > now {
				resting++
			}
		}
		st.PortsInUse += f.inUse
		st.PortsResting += resting
		st.PortsTaken += f.taken.len
		st.PortsFree += f.idle.len - resting + min(f.fresh.len, max(f.limit-f.sockets, 0)/2)
		st.Sockets += f.sockets
	}
}
