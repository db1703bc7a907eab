package registrar

import (
	"net/netip"
	"strings"
	"sync"
	"unique"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/wire"
)

// restored makes a binding of what the journal kept. false if it is not one of ours.
func restored(v pbx.Binding) (*binding, bool) {
	remote, err := netip.ParseAddrPort(v.Source)
	if err != nil || v.Extension == "" {
		return nil, false
	}
	var u sip.Uri
	if wire.ParseURI(v.Contact, &u) != "" {
		return nil, false
	}
	local, _ := netip.ParseAddrPort(v.Listener) // zero: chosen by transport and family
	v.UserAgent = unique.Make(v.UserAgent).Value()
	v.Transport = unique.Make(v.Transport).Value()
	v.Listener = unique.Make(v.Listener).Value()
	b := &binding{
		Binding: v,
		key:     normal(&u),
		hop:     wire.Hop{Transport: v.Transport, Remote: remote, Local: local},
	}
	b.id = identity(v.Extension, b.key, v.Instance, v.RegID)
	if b.away() {
		b.reach = unreachable
	}
	return b, true
}

// methodLists shares the lists of methods, of which phones have few different ones, in a bounded table.
type methodLists struct {
	mu sync.Mutex
	by map[string][]string
}

func (m *methodLists) of(v string) []string {
	if v == "" || len(v) > 512 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if list, ok := m.by[v]; ok {
		return list
	}
	var list []string
	for one := range strings.SplitSeq(v, ",") {
		if one = strings.TrimSpace(one); one != "" && len(one) <= 32 && len(list) < maxMethods {
			list = append(list, strings.Clone(one))
		}
	}
	if len(m.by) >= 256 || m.by == nil {
		m.by = map[string][]string{}
	}
	m.by[strings.Clone(v)] = list
	return list
}
