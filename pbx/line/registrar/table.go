package registrar

import (
	"hash/fnv"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"ringback/pbx"
	"ringback/pbx/line/wire"
)

// binding is a pbx.Binding with what belongs to this process. A refresh makes a new one; only what is
// guarded by the shard's mu changes in place.
type binding struct {
	pbx.Binding
	id  string
	key string // normal form of Contact
	hop wire.Hop

	reach reach         // guarded by shard.mu
	rtt   time.Duration // guarded by shard.mu
}

type reach uint8

const (
	unasked reach = iota
	reachable
	unreachable
)

func (b *binding) live(now time.Time) bool { return b.Expires.After(now) }

// aor is an address of record: an extension and its bindings, best first. The slice is replaced, never changed.
type aor struct {
	number   string
	bindings []*binding
	expires  time.Time // the earliest of the bindings
	epoch    int       // counts Drops
	busy     bool      // an op is being carried out
	waiting  []op
}

type shard struct {
	mu      sync.RWMutex
	aors    map[string]*aor
	expires time.Time // no binding of the shard expires earlier; zero: none is there
}

func (r *Registrar) shard(number string) *shard {
	h := uint32(2166136261) // FNV-1a
	for i := range len(number) {
		h = (h ^ uint32(number[i])) * 16777619
	}
	return &r.shards[h%Slots]
}

// op is one change of an extension's bindings. change is pure and gets what is committed; what it returns is
// committed unless it is the same slice. done is called with no lock held, with what is committed then.
type op struct {
	change func(now []*binding) ([]*binding, *refusal)
	done   func(all []*binding, bad *refusal)
	always bool // commit what is the same, too
}

const maxWaiting = 32 // ops of one extension; a phone has one REGISTER under way at a time (RFC 3261 §10.2)

// submit carries out o once all ops of that extension before it are done. false: too many wait.
func (r *Registrar) submit(number string, o op) bool {
	s := r.shard(number)
	s.mu.Lock()
	a := s.aors[number]
	if a == nil {
		a = &aor{number: number}
		s.aors[number] = a
	}
	if a.busy {
		full := len(a.waiting) >= maxWaiting
		if !full {
			a.waiting = append(a.waiting, o)
		}
		s.mu.Unlock()
		return !full
	}
	a.busy = true
	s.mu.Unlock()
	r.run(s, a, o)
	return true
}

// run carries out o and the ops that wait behind it, up to the first that has to wait for the journal.
func (r *Registrar) run(s *shard, a *aor, o op) {
	for {
		s.mu.RLock()
		old, epoch := a.bindings, a.epoch
		s.mu.RUnlock()
		next, bad := o.change(old)
		if bad == nil && (o.always || !slices.Equal(old, next)) {
			all := values(next)
			r.o.Journal.Bindings(a.number, all, func(err error) {
				var back []string
				committed := false
				if err == nil {
					back, committed = r.commit(s, a, next, epoch)
				}
				switch {
				case err != nil:
					o.done(old, &refusal{status: 500, phrase: "Registration Not Stored", err: err})
				case !committed:
					o.done(nil, &refusal{status: 403})
				default:
					if r.o.OnChange != nil {
						r.o.OnChange(a.number, all)
					}
					o.done(next, nil)
					r.back(back)
					r.added(old, next)
				}
				if o, ok := s.next(a); ok {
					r.run(s, a, o)
				}
			})
			return
		}
		o.done(old, bad)
		var ok bool
		if o, ok = s.next(a); !ok {
			return
		}
	}
}

// added tells of the bindings that were not there before.
func (r *Registrar) added(old, next []*binding) {
	if r.o.OnAdded == nil {
		return
	}
	for _, b := range next {
		if !slices.ContainsFunc(old, func(was *binding) bool { return was.id == b.id }) {
			r.o.OnAdded(b.id)
		}
	}
}

// back tells of the bindings that are reachable again.
func (r *Registrar) back(ids []string) {
	if r.o.OnReachable == nil {
		return
	}
	for _, id := range ids {
		r.o.OnReachable(id, true)
	}
}

// next takes the next op, or ends a's being busy.
func (s *shard) next(a *aor) (op, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(a.waiting) > 0 {
		o := a.waiting[0]
		a.waiting = a.waiting[1:]
		return o, true
	}
	a.waiting, a.busy = nil, false
	if len(a.bindings) == 0 {
		delete(s.aors, a.number)
	}
	return op{}, false
}

// commit shows the new bindings, and gives those of which it is not known any more that they cannot be reached. false: the extension was
// dropped meanwhile.
func (r *Registrar) commit(s *shard, a *aor, next []*binding, epoch int) (back []string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.epoch != epoch {
		return nil, false
	}
	for _, old := range a.bindings {
		for _, b := range next {
			if b.id == old.id && b != old {
				b.rtt = old.rtt
				if old.reach == unreachable {
					back = append(back, b.id)
				}
			}
		}
	}
	r.place(s, a, next)
	return back, true
}

// place puts next into a, with s.mu held.
func (r *Registrar) place(s *shard, a *aor, next []*binding) {
	r.sources.replace(a.number, a.bindings, next)
	r.count.Add(int64(len(next) - len(a.bindings)))
	a.bindings = next
	a.expires = time.Time{}
	for _, b := range next {
		a.expires = earlier(a.expires, b.Expires)
	}
	s.expires = earlier(s.expires, a.expires)
	r.arm()
}

// earlier is the earlier of two times of which zero means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func values(bs []*binding) []pbx.Binding {
	all := make([]pbx.Binding, len(bs))
	for i, b := range bs {
		all[i] = b.Binding
	}
	return all
}

// identity makes the ID of a binding, the same after a restart: of its instance and reg-id if it has both (RFC 5626
// §6), otherwise of its URI and instance.
func identity(number, key, instance string, regID int) string {
	h := fnv.New128a()
	if regID > 0 {
		key = strconv.Itoa(regID)
	}
	h.Write([]byte(key))
	h.Write([]byte{' '})
	h.Write([]byte(strings.ToLower(instance)))
	const digits = "0123456789abcdefghjkmnpqrstvwxyz"
	var sum [16]byte
	h.Sum(sum[:0])
	id := make([]byte, 0, len(number)+14)
	id = append(append(id, number...), '-')
	for i := range 13 {
		id = append(id, digits[sum[i]&31])
	}
	return string(id)
}

// sources knows the addresses that bindings came from.
type sources struct {
	mu    sync.RWMutex
	ports map[netip.AddrPort][]string // extensions, one each binding
	addrs map[netip.Addr]int
}

func (s *sources) init() {
	s.ports = map[netip.AddrPort][]string{}
	s.addrs = map[netip.Addr]int{}
}

func (s *sources) replace(number string, old, next []*binding) {
	if len(old) == 1 && len(next) == 1 && old[0].hop.Remote == next[0].hop.Remote && old[0].away() == next[0].away() {
		return // a refresh
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range next {
		if !b.away() {
			at := unmapped(b.hop.Remote)
			s.ports[at] = append(s.ports[at], number)
			s.addrs[at.Addr()]++
		}
	}
	for _, b := range old {
		if b.away() {
			continue
		}
		at := unmapped(b.hop.Remote)
		list := s.ports[at]
		if i := slices.Index(list, number); i >= 0 {
			list = slices.Delete(list, i, i+1)
		}
		if s.ports[at] = list; len(list) == 0 {
			delete(s.ports, at)
		}
		if s.addrs[at.Addr()]--; s.addrs[at.Addr()] <= 0 {
			delete(s.addrs, at.Addr())
		}
	}
}

// away says that the stream connection of a restored binding is gone.
func (b *binding) away() bool { return b.hop.Reliable() && b.hop.Conn == 0 }

func (s *sources) extensions(at netip.AddrPort) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.ports[unmapped(at)])
}

func unmapped(at netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}
