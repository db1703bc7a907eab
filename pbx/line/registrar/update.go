package registrar

import (
	"slices"
	"strings"
	"time"
	"unique"
)

// update carries out a REGISTER on an extension's bindings (RFC 3261 §10.3 steps 6 and 7), all of it or nothing. It
// returns the same slice if there is nothing to store.
func (r *Registrar) update(old []*binding, q *request, now time.Time) ([]*binding, *refusal) {
	if q.star {
		for _, b := range old {
			if b.live(now) && q.late(b) {
				return nil, outOfOrder
			}
		}
		return nil, nil
	}
	if len(q.contacts) == 0 {
		return old, nil
	}
	next := make([]*binding, 0, len(old)+len(q.contacts))
	next = append(next, unexpired(old, now)...)
	fresh := 0 // bindings this request has made or refreshed are next[len(next)-fresh:]
	added := false
	for i := range q.contacts {
		c := &q.contacts[i]
		at := q.find(next, len(next)-fresh, c)
		var was *binding
		if at >= 0 {
			was = next[at]
			if at >= len(next)-fresh {
				fresh-- // named twice in one request: the last one counts
			} else if q.late(was) {
				return nil, outOfOrder
			}
			next = slices.Delete(next, at, at+1)
		}
		if c.granted > 0 {
			next = append(next, r.bind(q, c, was, now))
			fresh++
			added = added || was == nil
		}
	}
	if bad := r.limit(q, &next, fresh, added); bad != nil {
		return nil, bad
	}
	if len(next) == len(old) && fresh == 0 {
		return old, nil // only contacts that were not there were removed
	}
	order(next)
	return next, nil
}

var outOfOrder = &refusal{status: 500, phrase: "CSeq Out of Order"}

// late reports whether q is older than what made b: "If ... the CSeq value is not higher ... the update MUST be
// aborted and the request fails."
func (q *request) late(b *binding) bool { return q.callID == b.CallID && q.cseq <= b.CSeq }

// find is the binding that a contact is about, -1 if none. Those from fresh on are this request's own. In turn:
//
//   - the flow of that instance and reg-id (RFC 5626 §6);
//   - the same URI (RFC 3261 §10.3 step 7), except that two phones which both say who they are, and come from different
//     addresses, are two: private addresses are alike behind any number of NATs;
//   - for a phone with an instance and no reg-id whose URI has changed, its old binding. RFC 3261 would let that stay until
//     it expires, and ring where the phone was.
func (q *request) find(bs []*binding, fresh int, c *contact) int {
	if c.regID > 0 {
		for i, b := range bs {
			if b.RegID == c.regID && strings.EqualFold(b.Instance, c.instance) {
				return i
			}
		}
	}
	for i, b := range bs {
		if b.key != c.key {
			continue
		}
		flows := b.RegID > 0 && c.regID > 0
		if strings.EqualFold(b.Instance, c.instance) && !flows || b.Instance == "" || c.instance == "" ||
			!flows && b.hop.Remote.Addr() == q.from.Remote.Addr() {
			return i
		}
	}
	if c.instance == "" || c.regID > 0 || c.granted == 0 {
		return -1
	}
	for i, b := range bs[:fresh] {
		if b.RegID == 0 && strings.EqualFold(b.Instance, c.instance) && !q.names(b.key) {
			return i
		}
	}
	return -1
}

func (q *request) names(key string) bool {
	for i := range q.contacts {
		if q.contacts[i].key == key {
			return true
		}
	}
	return false
}

// bind makes the binding of a contact, with what it can share with the one it replaces.
func (r *Registrar) bind(q *request, c *contact, was *binding, now time.Time) *binding {
	b := &binding{hop: q.from}
	v := &b.Binding
	v.Extension, v.Transport = q.ext.Number, q.from.Transport
	v.Q, v.RegID, v.CSeq = c.q, c.regID, q.cseq
	v.Registered, v.Updated, v.Expires = now, now, now.Add(c.granted)
	v.Path = q.path
	if v.Methods = c.methods; v.Methods == nil {
		v.Methods = q.methods
	}
	if was == nil {
		was = &binding{}
	} else {
		v.Registered = was.Registered
	}
	v.Contact = kept(was.Contact, c.uri)
	b.key = kept(was.key, c.key)
	v.Instance = kept(was.Instance, c.instance)
	v.CallID = kept(was.CallID, q.callID)
	if v.UserAgent = q.userAgent; v.UserAgent != was.UserAgent {
		v.UserAgent = unique.Make(q.userAgent).Value()
	} else {
		v.UserAgent = was.UserAgent
	}
	if v.Source = was.Source; was.hop.Remote != b.hop.Remote {
		v.Source = b.hop.Remote.String()
	}
	if v.Listener = was.Listener; was.hop.Local != b.hop.Local {
		v.Listener = unique.Make(b.hop.Local.String()).Value()
	}
	if b.id = was.id; b.id == "" || was.key != b.key || was.Instance != v.Instance || was.RegID != v.RegID {
		b.id = identity(v.Extension, b.key, v.Instance, v.RegID)
	}
	if q.gruu && v.Instance != "" {
		v.TempGRUU = r.tempGRUU(v.Extension, v.Instance, v.CallID)
	}
	return b
}

// kept is s, as the string that is there already if it is the same, else a copy that holds no message in memory.
func kept(was, s string) string {
	if was == s {
		return was
	}
	return strings.Clone(s)
}

// limit keeps to ext.MaxContacts: the bindings that were refreshed least recently make room, or the request is refused.
func (r *Registrar) limit(q *request, next *[]*binding, fresh int, added bool) *refusal {
	limit := q.ext.MaxContacts
	if limit <= 0 {
		limit = maxContacts
	}
	if len(*next) <= limit || fresh == 0 {
		return nil
	}
	if fresh > limit || r.rules.Load().RefuseFull {
		if added {
			return &refusal{status: 403, phrase: "Too Many Phones Registered"}
		}
		return nil // the limit was lowered: nobody is thrown out for refreshing
	}
	for len(*next) > limit {
		oldest := 0
		for i, b := range (*next)[:len(*next)-fresh] {
			if b.Updated.Before((*next)[oldest].Updated) {
				oldest = i
			}
		}
		*next = slices.Delete(*next, oldest, oldest+1)
	}
	return nil
}

// order sorts bindings by q, then the newest first.
func order(bs []*binding) {
	slices.SortStableFunc(bs, func(a, b *binding) int {
		if a.Q != b.Q {
			return b.Q - a.Q
		}
		return b.Updated.Compare(a.Updated)
	})
}
