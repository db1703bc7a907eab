package transaction

import "sync"

const shards = 64

// table is a sharded map, so that readers of different sources do not wait for each other.
type table[T comparable] [shards]struct {
	sync.Mutex
	m map[key]T
}

func (t *table[T]) get(k key) (T, bool) {
	s := &t[k.a%shards]
	s.Lock()
	defer s.Unlock()
	v, ok := s.m[k]
	return v, ok
}

// add enters v unless there is one under k already; that one is given back.
func (t *table[T]) add(k key, v T) (old T, taken bool) {
	s := &t[k.a%shards]
	s.Lock()
	defer s.Unlock()
	if old, taken = s.m[k]; taken {
		return old, true
	}
	if s.m == nil {
		s.m = map[key]T{}
	}
	s.m[k] = v
	return v, false
}

// remove takes v out if it is still the one under k.
func (t *table[T]) remove(k key, v T) {
	s := &t[k.a%shards]
	s.Lock()
	defer s.Unlock()
	if s.m[k] == v {
		delete(s.m, k)
		if len(s.m) == 0 {
			s.m = nil // a map does not shrink
		}
	}
}

func (t *table[T]) all() (vs []T) {
	for i := range t {
		s := &t[i]
		s.Lock()
		for _, v := range s.m {
			vs = append(vs, v)
		}
		s.Unlock()
	}
	return vs
}

func (t *table[T]) clear() {
	for i := range t {
		s := &t[i]
		s.Lock()
		s.m = nil
		s.Unlock()
	}
}
