package line

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ringback/pbx/line/subscription"
)

// maxWatches bounds the subscriptions of one extension.
const maxWatches = 64

// topic is something that subscriptions are about.
type topic struct {
	pkg      *eventPackage
	resource string
}

// notifier keeps the subscriptions, and brings news to them. What is told to it waits in a set, so that it is kept once however often
// it is told, until the notifier's own goroutine makes NOTIFYs of it: whoever tells may hold any lock. A watch may be locked while
// the notifier's locks are taken, never the other way round.
type notifier struct {
	line  *Line
	lamps lamps

	complained atomic.Int64 // when it was logged last that there are too many, Unix nanoseconds

	mu      sync.RWMutex
	watches map[string]*watch // by our tag
	topics  map[topic]map[*watch]struct{}
	owners  map[string]map[*watch]struct{} // by extension

	news struct {
		sync.Mutex
		topics map[topic]struct{}
		phones map[string]struct{} // bindings that are new
		wake   chan struct{}
		quit   chan struct{}
		done   chan struct{} // nil: not running
	}
}

func (n *notifier) start(l *Line) {
	n.line = l
	n.lamps.line, n.lamps.all = l, map[string]*lamp{}
	n.watches = map[string]*watch{}
	n.topics = map[topic]map[*watch]struct{}{}
	n.owners = map[string]map[*watch]struct{}{}
	if l.o.State == nil {
		return
	}
	n.news.topics, n.news.phones = map[topic]struct{}{}, map[string]struct{}{}
	n.news.wake, n.news.quit, n.news.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	go n.run(n.news.quit, n.news.done)
}

func (n *notifier) close() {
	n.news.Lock()
	done, quit := n.news.done, n.news.quit
	n.news.done = nil
	n.news.Unlock()
	if done != nil {
		close(quit)
		<-done
	}
}

// MailboxChanged says that a mailbox has other messages, is new, or is gone. It returns at once and may be called from any
// goroutine, with any lock held.
func (l *Line) MailboxChanged(number string) { l.events.tell(topic{&messageSummary, number}) }

// ConferenceChanged says that the conference of a room, or the room, is not what it was. It returns at once and may be called from
// any goroutine, with any lock held.
func (l *Line) ConferenceChanged(room string) { l.events.tell(topic{&conferenceState, room}) }

// BindingAdded says that a phone has registered that was not (registrar.Options.OnAdded), or can be reached again: it is told of
// its messages if it has not subscribed to them. It returns at once and may be called from any goroutine.
func (l *Line) BindingAdded(id string) {
	n := &l.events
	n.news.Lock()
	defer n.news.Unlock()
	if n.news.done != nil {
		n.news.phones[id] = struct{}{}
		n.ring()
	}
}

// Forget ends the subscriptions of an extension that was deleted or disabled.
func (l *Line) Forget(extension string) {
	n := &l.events
	n.mu.RLock()
	all := slices.Collect(maps.Keys(n.owners[extension]))
	n.mu.RUnlock()
	for _, w := range all {
		w.end(subscription.Rejected, 0)
	}
}

func (n *notifier) tell(t topic) {
	n.news.Lock()
	defer n.news.Unlock()
	if n.news.done != nil {
		n.news.topics[t] = struct{}{}
		n.ring()
	}
}

func (n *notifier) ring() {
	select {
	case n.news.wake <- struct{}{}:
	default:
	}
}

func (n *notifier) run(quit <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	for {
		select {
		case <-n.news.wake:
		case <-quit:
			return
		}
		n.news.Lock()
		topics, phones := n.news.topics, n.news.phones
		n.news.topics, n.news.phones = map[topic]struct{}{}, map[string]struct{}{}
		n.news.Unlock()
		for t := range topics {
			n.line.safely(func() { n.spread(t) })
		}
		for id := range phones {
			n.line.safely(func() { n.lamps.added(id) })
		}
	}
}

// spread brings news of a topic to whoever watches it.
func (n *notifier) spread(t topic) {
	for _, w := range n.watching(t) {
		w.changed()
	}
	if t.pkg == &messageSummary {
		n.lamps.changed(t.resource)
	}
}

func (n *notifier) watching(t topic) []*watch {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return slices.Collect(maps.Keys(n.topics[t]))
}

func (n *notifier) find(tag string) *watch {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.watches[tag]
}

func (n *notifier) count() int64 {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return int64(len(n.watches))
}

// add takes a subscription in; false if there are too many. At an extension's bound a phone that has been restarted, and subscribes
// to what it was subscribed to, takes its own place.
func (n *notifier) add(w *watch) bool {
	old, ok := n.insert(w, nil)
	if old != nil { // its lock is not to be taken with n.mu held
		old.enter(old.forget)
		_, ok = n.insert(w, old)
	}
	return ok
}

func (n *notifier) insert(w, forgotten *watch) (old *watch, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.watches) >= n.line.o.MaxSub {
		return nil, false
	}
	t := topic{w.pkg, w.resource}
	if len(n.owners[w.who]) >= maxWatches {
		if forgotten == nil {
			for o := range n.topics[t] {
				if o.who == w.who && o.event.Value() == w.event.Value() && o.from == w.from {
					return o, false
				}
			}
		}
		return nil, false
	}
	n.watches[w.tag] = w
	put(n.topics, t, w)
	put(n.owners, w.who, w)
	return nil, true
}

func (n *notifier) remove(w *watch) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.watches[w.tag] != w {
		return
	}
	delete(n.watches, w.tag)
	drop(n.topics, topic{w.pkg, w.resource}, w)
	drop(n.owners, w.who, w)
}

// complain reports whether it is to be logged that there are too many: not more than once a minute, as phones try again and again.
func (n *notifier) complain() bool {
	now, last := time.Now().UnixNano(), n.complained.Load()
	return now-last >= int64(time.Minute) && n.complained.CompareAndSwap(last, now)
}

func put[K comparable](m map[K]map[*watch]struct{}, k K, w *watch) {
	if m[k] == nil {
		m[k] = map[*watch]struct{}{}
	}
	m[k][w] = struct{}{}
}

func drop[K comparable](m map[K]map[*watch]struct{}, k K, w *watch) {
	delete(m[k], w)
	if len(m[k]) == 0 {
		delete(m, k)
	}
}

// endAll ends every subscription, as the PBX goes down: "probation", for the phones that subscribe again at once would find nobody
// (RFC 6665 §4.1.3). They come back after the time in which a restart is done, each at a time of its own.
func (n *notifier) endAll(retry time.Duration) {
	n.mu.RLock()
	all := slices.Collect(maps.Values(n.watches))
	n.mu.RUnlock()
	for _, w := range all {
		w.end(subscription.Probation, retry+rand.N(retry+1))
	}
}
