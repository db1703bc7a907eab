package registrar

import (
	"time"

	"ringback/pbx"
)

// coarse is how late an expiry may be journalled and told. Reads look at the time themselves.
const coarse = time.Second

// arm starts the timer if it does not run.
func (r *Registrar) arm() {
	r.timer.Lock()
	defer r.timer.Unlock()
	if r.timer.Timer == nil && !r.timer.closed {
		r.timer.Timer = time.AfterFunc(coarse, r.sweep)
	}
}

// sweep takes out what has expired, and looks again later while there is anything.
func (r *Registrar) sweep() {
	now := time.Now()
	for i := range r.shards {
		for _, number := range r.shards[i].due(now) {
			r.expire(number)
		}
	}
	r.timer.Lock()
	defer r.timer.Unlock()
	switch {
	case r.timer.closed:
	case r.count.Load() == 0:
		r.timer.Timer = nil
	default:
		r.timer.Reset(coarse)
	}
}

// due lists the extensions with expired bindings.
func (s *shard) due(now time.Time) (numbers []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expires.IsZero() || s.expires.After(now) {
		return nil
	}
	s.expires = time.Time{}
	for number, a := range s.aors {
		if len(a.bindings) > 0 && !a.expires.After(now) {
			numbers = append(numbers, number)
		}
		s.expires = earlier(s.expires, a.expires)
	}
	return numbers
}

func (r *Registrar) expire(number string) {
	// If too many ops wait, or the journal fails, the next sweep tries again; nobody sees an expired binding until then.
	r.submit(number, op{
		change: func(now []*binding) ([]*binding, *refusal) { return unexpired(now, time.Now()), nil },
		done:   func([]*binding, *refusal) {},
	})
}

func unexpired(bs []*binding, now time.Time) []*binding {
	for i, b := range bs {
		if !b.live(now) {
			out := append(make([]*binding, 0, len(bs)), bs[:i]...)
			for _, b := range bs[i+1:] {
				if b.live(now) {
					out = append(out, b)
				}
			}
			return out
		}
	}
	return bs
}

// Remove takes a binding out and returns when the journal has it: nil, ErrNotFound, ErrBusy, or the journal's error,
// after which the binding is still there.
func (r *Registrar) Remove(id string) error {
	number := extensionOf(id)
	if _, _, ok := r.Binding(id); !ok {
		return ErrNotFound
	}
	result := make(chan error, 1)
	ok := r.submit(number, op{
		change: func(now []*binding) ([]*binding, *refusal) {
			for i, b := range now {
				if b.id == id {
					return append(append(make([]*binding, 0, len(now)), now[:i]...), now[i+1:]...), nil
				}
			}
			return now, &refusal{err: ErrNotFound}
		},
		done: func(_ []*binding, bad *refusal) {
			if bad == nil || bad.err == nil { // dropped meanwhile: gone as well
				result <- nil
			} else {
				result <- bad.err
			}
		},
	})
	if !ok {
		return ErrBusy
	}
	return <-result
}

// Drop takes out all bindings of an extension that was deleted or disabled. They are gone when it returns; the
// journal follows. REGISTERs of it that are under way are refused.
func (r *Registrar) Drop(extension string) {
	s := r.shard(extension)
	s.mu.Lock()
	a := s.aors[extension]
	if a == nil {
		s.mu.Unlock()
		return
	}
	if len(a.bindings) == 0 && !a.busy {
		s.mu.Unlock()
		return
	}
	a.epoch++
	r.place(s, a, nil)
	clear := op{
		change: func([]*binding) ([]*binding, *refusal) { return nil, nil },
		done:   func([]*binding, *refusal) {},
		always: true, // what is under way may reach the journal, though it will not be shown
	}
	refused, idle := a.waiting, !a.busy
	if idle {
		a.busy = true
	} else {
		a.waiting = []op{clear}
	}
	s.mu.Unlock()

	for _, o := range refused {
		o.done(nil, &refusal{status: 403})
	}
	if idle {
		r.run(s, a, clear)
	}
}

// Restore takes what the journal kept, at start, before anything else is called. Expired bindings are left out; those
// over a stream are unreachable until their phone is back.
func (r *Registrar) Restore(all []pbx.Binding) {
	now := time.Now()
	by := map[string][]*binding{}
	stale := map[string]bool{}
	for _, v := range all {
		b, ok := restored(v)
		if !ok || !b.live(now) || !r.exists(v.Extension) {
			stale[v.Extension] = true
			continue
		}
		by[v.Extension] = append(by[v.Extension], b)
	}
	for number, bs := range by {
		s := r.shard(number)
		s.mu.Lock()
		a := &aor{number: number}
		s.aors[number] = a
		order(bs)
		r.place(s, a, bs)
		s.mu.Unlock()
	}
	for number := range stale {
		r.submit(number, op{
			change: func(now []*binding) ([]*binding, *refusal) { return now, nil },
			done:   func([]*binding, *refusal) {},
			always: true,
		})
	}
}
