package registrar

import (
	"iter"
	"net/netip"
	"strings"
	"time"

	"ringback/pbx"
	"ringback/pbx/line/wire"
)

// Info is a binding as shown to people.
type Info struct {
	ID string `json:"id"`
	pbx.Binding
	Reachable bool          `json:"reachable"`
	Asked     bool          `json:"asked"`  // it has been qualified since its last REGISTER or restart
	RTT       time.Duration `json:"rtt_ns"` // of the newest answer, 0 if none
}

// bindings are what is committed of an extension. The slice is not to be changed.
func (r *Registrar) bindings(extension string) []*binding {
	s := r.shard(extension)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if a := s.aors[extension]; a != nil {
		return a.bindings
	}
	return nil
}

// extensionOf is the extension that a binding's ID is of.
func extensionOf(id string) string {
	if i := strings.LastIndexByte(id, '-'); i >= 0 {
		return id[:i]
	}
	return ""
}

// Contacts are the phones of an extension that may be called now, best q first, the newest first among equals.
// Expired and unreachable ones are left out; one that was not asked yet counts as reachable.
// Of several flows of one instance (RFC 5626) there is the newest only.
func (r *Registrar) Contacts(extension string) []pbx.Contact {
	now := time.Now()
	s := r.shard(extension)
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.aors[extension]
	if a == nil || len(a.bindings) == 0 {
		return nil
	}
	out := make([]pbx.Contact, 0, len(a.bindings))
	for i, b := range a.bindings {
		if b.reach == unreachable || !b.live(now) || b.RegID > 0 && newerFlow(a.bindings, i, now) {
			continue
		}
		out = append(out, pbx.Contact{Extension: extension, Number: extension, ID: b.id, URI: b.Contact, Q: b.Q})
	}
	return out
}

// newerFlow reports whether another usable flow of the same instance was refreshed later than bs[i].
func newerFlow(bs []*binding, i int, now time.Time) bool {
	for j, b := range bs {
		if j != i && b.RegID > 0 && strings.EqualFold(b.Instance, bs[i].Instance) && b.reach != unreachable && b.live(now) &&
			(b.Updated.After(bs[i].Updated) || j < i && b.Updated.Equal(bs[i].Updated)) {
			return true
		}
	}
	return false
}

// Binding is a binding by its ID, with the way to it: where its REGISTER came from. Requests to it carry
// Binding.Path as Route. false if it has gone or expired.
func (r *Registrar) Binding(id string) (pbx.Binding, wire.Hop, bool) {
	for _, b := range r.bindings(extensionOf(id)) {
		if b.id == id && b.live(time.Now()) {
			return b.Binding, b.hop, true
		}
	}
	return pbx.Binding{}, wire.Hop{}, false
}

// Mark notes what a qualifying OPTIONS or a call found. rtt is 0 if unknown.
func (r *Registrar) Mark(id string, ok bool, rtt time.Duration) {
	number := extensionOf(id)
	s := r.shard(number)
	changed := false
	s.mu.Lock()
	if a := s.aors[number]; a != nil {
		for _, b := range a.bindings {
			if b.id == id {
				changed = (b.reach == unreachable) == ok
				if b.reach = reachable; !ok {
					b.reach = unreachable
				}
				if rtt > 0 {
					b.rtt = rtt
				}
			}
		}
	}
	s.mu.Unlock()
	if changed && r.o.OnReachable != nil {
		r.o.OnReachable(id, ok)
	}
}

// ConnClosed makes the bindings that came by a stream connection unreachable until their phone registers again.
func (r *Registrar) ConnClosed(hop wire.Hop) {
	if hop.Conn == 0 {
		return
	}
	for _, number := range r.sources.extensions(hop.Remote) {
		for _, b := range r.bindings(number) {
			if b.hop.Conn == hop.Conn {
				r.Mark(b.id, false, 0)
			}
		}
	}
}

// Registered reports whether a binding came from that address. It is cheap: made to be asked for every message.
func (r *Registrar) Registered(source netip.AddrPort) bool {
	source = unmapped(source)
	r.sources.mu.RLock()
	defer r.sources.mu.RUnlock()
	return len(r.sources.ports[source]) > 0
}

// RegisteredFrom is Registered for any port of the address.
func (r *Registrar) RegisteredFrom(source netip.Addr) bool {
	source = source.Unmap()
	r.sources.mu.RLock()
	defer r.sources.mu.RUnlock()
	return r.sources.addrs[source] > 0
}

// Qualify visits the bindings of one slot (0 to Slots-1), about an equal part of all: to ask every phone once
// an interval, visit the next slot each interval/Slots. No lock is held in visit.
func (r *Registrar) Qualify(slot int, visit func(id string, b pbx.Binding, hop wire.Hop)) {
	now := time.Now()
	for _, b := range r.slot(slot) {
		if b.live(now) {
			visit(b.id, b.Binding, b.hop)
		}
	}
}

func (r *Registrar) slot(i int) (all []*binding) {
	s := &r.shards[i]
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, a := range s.aors {
		all = append(all, a.bindings...)
	}
	return all
}

// All yields every binding that has not expired, in no order. Each is as it is when its turn comes.
func (r *Registrar) All() iter.Seq[Info] {
	return func(yield func(Info) bool) {
		now := time.Now()
		for i := range r.shards {
			for _, b := range r.slot(i) {
				if b.live(now) && !yield(r.info(b)) {
					return
				}
			}
		}
	}
}

// List is the bindings of one extension, best first.
func (r *Registrar) List(extension string) (out []Info) {
	now := time.Now()
	for _, b := range r.bindings(extension) {
		if b.live(now) {
			out = append(out, r.info(b))
		}
	}
	return out
}

func (r *Registrar) info(b *binding) Info {
	s := r.shard(b.Extension)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return Info{ID: b.id, Binding: b.Binding, Reachable: b.reach != unreachable, Asked: b.reach != unasked, RTT: b.rtt}
}

// Len is the number of bindings; one that has expired counts for up to a second longer.
func (r *Registrar) Len() int { return int(r.count.Load()) }
