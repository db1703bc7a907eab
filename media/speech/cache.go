package speech

import (
	"container/list"
	"errors"
	"io/fs"
	"sync"

	"ringback/media/wav"
)

// cache keeps what was decoded, in at most room bytes: what was not asked for the longest goes first. A sound that is being
// played lives on without it.
type cache struct {
	room int

	mu      sync.Mutex
	entries map[string]*entry // by place: of a file that has changed, only the last version stays
	recent  list.List         // of *entry, the last one asked for in front
	used    int
}

// entry is one file. recording and err belong to whoever went through once.
type entry struct {
	version
	once      sync.Once
	recording *recording
	err       error

	in   *list.Element // cache.recent, nil once it is not there; guarded by cache.mu
	cost int           // the same
}

// overhead is what an entry takes besides its recording, about.
const overhead = 512

// get gives what read gives for a version, which is called once for all who ask at the same time.
func (c *cache) get(v version, read func() (*recording, error)) (*recording, error) {
	e := c.entry(v)
	e.once.Do(func() {
		e.recording, e.err = read()
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case e.in == nil:
		case e.err != nil && !lasts(e.err):
			c.drop(e)
		default:
			more := e.recording.bytes()
			e.cost += more
			c.used += more
			c.shrink()
		}
	})
	return e.recording, e.err
}

// lasts reports whether an error will be the same as long as the file is: that there was no descriptor or no memory, or that
// the disk was away, may be over in a moment.
func lasts(err error) bool {
	var refused wav.Refused
	return errors.As(err, &refused) || errors.Is(err, fs.ErrNotExist)
}

func (c *cache) entry(v version) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := v.place()
	e := c.entries[key]
	if e != nil && e.size == v.size && e.changed.Equal(v.changed) {
		c.recent.MoveToFront(e.in)
		return e
	}
	if e != nil {
		c.drop(e)
	}
	if c.entries == nil {
		c.entries = map[string]*entry{}
	}
	e = &entry{version: v, cost: overhead}
	e.in = c.recent.PushFront(e)
	c.entries[key] = e
	c.used += e.cost
	c.shrink()
	return e
}

// shrink keeps at least the entry asked for last.
func (c *cache) shrink() {
	for c.used > c.room && c.recent.Len() > 1 {
		c.drop(c.recent.Back().Value.(*entry))
	}
}

func (c *cache) drop(e *entry) {
	c.recent.Remove(e.in)
	delete(c.entries, e.version.place())
	c.used -= e.cost
	e.in = nil
}

// forget lets a file be read again, whatever its version.
func (c *cache) forget(v version) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[v.place()]; e != nil {
		c.drop(e)
	}
}
