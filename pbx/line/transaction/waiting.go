package transaction

import (
	"net/netip"
	"slices"
	"sync"

	"ringback/pbx/line/wire"
)

// waiting are the clients over streams that nothing has come for yet, by where they went, so that the end of a
// connection finds its own without looking at all others.
type waiting struct {
	mu sync.Mutex
	at map[stream][]*client
}

type stream struct {
	transport string
	remote    netip.AddrPort
}

func streamOf(to wire.Hop) stream { return stream{to.Transport, to.Remote} }

func (w *waiting) add(c *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.at == nil {
		w.at = map[stream][]*client{}
	}
	w.at[streamOf(c.to)] = append(w.at[streamOf(c.to)], c)
}

func (w *waiting) remove(c *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := streamOf(c.to)
	cs := w.at[s]
	i := slices.Index(cs, c)
	if i < 0 {
		return
	}
	last := len(cs) - 1
	cs[i], cs[last] = cs[last], nil
	if last == 0 {
		delete(w.at, s)
		return
	}
	w.at[s] = cs[:last]
}

// on are the clients that went over the connection hop, or over whichever there was to its far end.
func (w *waiting) on(hop wire.Hop) (cs []*client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.at[streamOf(hop)] {
		if c.to.Conn == 0 || c.to.Conn == hop.Conn {
			cs = append(cs, c)
		}
	}
	return cs
}
