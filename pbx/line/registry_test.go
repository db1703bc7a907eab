package line

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/digest"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// directory has every number from 1000 to 1999; 1500 may use A-law only.
type directory struct{}

func (directory) Extension(n string) *pbx.Extension {
	if len(n) != 4 || n[0] != '1' {
		return nil
	}
	e := &pbx.Extension{Number: n, Name: "Phone " + n, Enabled: true}
	if n == "1500" {
		e.Codecs = []string{"PCMA"}
	}
	return e
}

// guard lets in whoever says who he is.
type guard struct{}

func (guard) Check(req *sip.Request, from wire.Hop) digest.Result {
	if h := req.GetHeader("Authorization"); h != nil {
		if n, ok := strings.CutPrefix(h.Value(), "Test "); ok {
			return digest.Result{OK: true, Extension: directory{}.Extension(n)}
		}
	}
	res := wire.NewResponse(req, 401, "Unauthorized", "guard")
	res.AppendHeader(sip.NewHeader("WWW-Authenticate", "Test"))
	return digest.Result{Response: res}
}

type entry struct {
	b   pbx.Binding
	hop wire.Hop
}

// registry is a registrar whose bindings the test sets.
type registry struct {
	mu       sync.Mutex
	bindings map[string]entry
	marks    []string
	seen     []string // REGISTERs
}

func (r *registry) Register(tx *transaction.Server, ext *pbx.Extension) {
	r.mu.Lock()
	r.seen = append(r.seen, ext.Number)
	r.mu.Unlock()
	_ = tx.Respond(wire.NewResponse(tx.Request, 200, "OK", "registrar"))
}

func (r *registry) Contacts(n string) (all []pbx.Contact) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, e := range r.bindings {
		if e.b.Extension == n {
			all = append(all, pbx.Contact{Extension: n, Number: n, ID: id, URI: e.b.Contact, Q: 1000})
		}
	}
	return all
}

func (r *registry) Binding(id string) (pbx.Binding, wire.Hop, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.bindings[id]
	return e.b, e.hop, ok
}

func (r *registry) Mark(id string, reachable bool, _ time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marks = append(r.marks, id+" "+strconv.FormatBool(reachable))
}

func (r *registry) marked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.marks)
}

func (r *registry) ConnClosed(wire.Hop)            {}
func (r *registry) Registered(netip.AddrPort) bool { return false }

// Resolve knows the GRUU of one phone that is there, of one that is not, and no other.
func (r *registry) Resolve(u *sip.Uri) (string, []string) {
	switch gr, _ := u.UriParams.Get("gr"); gr {
	case "there":
		return "1001", []string{"b1"}
	case "gone":
		return "1001", nil
	}
	return "", nil
}

func (r *registry) Qualify(slot int, visit func(string, pbx.Binding, wire.Hop)) {
	if slot != 0 {
		return
	}
	r.mu.Lock()
	all := make(map[string]entry)
	for id, e := range r.bindings {
		all[id] = e
	}
	r.mu.Unlock()
	for id, e := range all {
		visit(id, e.b, e.hop)
	}
}
