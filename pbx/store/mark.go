package store

import (
	"encoding/json"
	"time"

	"ringback/pbx"
)

// marker notes who changed what: in each section that has changed it puts Set.
type marker struct {
	by    pbx.Set
	force bool // also over what the change itself marked
}

func newMarker(by pbx.Set) marker {
	m := marker{by, by.By != ""}
	if m.by.At.IsZero() {
		m.by.At = time.Now().Truncate(time.Second)
	}
	m.by.At = m.by.At.UTC()
	return m
}

// mark compares a section with what it was. set is its Set.
func mark[T any](m marker, old, now *T, set func(*T) *pbx.Set) {
	was, is := set(old), set(now)
	if sameBut(old, now, set) {
		if m.force || *is == (pbx.Set{}) {
			*is = *was
		}
		return
	}
	if m.force || *is == (pbx.Set{}) || is.By == was.By && is.At.Equal(was.At) {
		*is = m.by
	}
}

// sameBut reports whether two sections are the same but for their Set.
func sameBut[T any](a, b *T, set func(*T) *pbx.Set) bool {
	x, y := *a, *b
	*set(&x), *set(&y) = pbx.Set{}, pbx.Set{}
	return same(&x, &y)
}

// same reports whether two values make the same document.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func setOfForward(f *pbx.Forward) *pbx.Set { return &f.Set }
func setOfSwitch(s *pbx.Switch) *pbx.Set   { return &s.Set }
func setOfFindMe(f *pbx.FindMe) *pbx.Set   { return &f.Set }
func setOfClosed(c *pbx.Closed) *pbx.Set   { return &c.Set }

func (m marker) services(old, now *pbx.Services) {
	mark(m, &old.Voicemail, &now.Voicemail, func(v *pbx.Voicemail) *pbx.Set { return &v.Set })
	mark(m, &old.Record, &now.Record, func(r *pbx.RecordPolicy) *pbx.Set { return &r.Set })
	mark(m, &old.Always, &now.Always, setOfForward)
	mark(m, &old.Busy, &now.Busy, setOfForward)
	mark(m, &old.NoAnswer, &now.NoAnswer, setOfForward)
	mark(m, &old.Unreachable, &now.Unreachable, setOfForward)
	mark(m, &old.DoNotDisturb, &now.DoNotDisturb, setOfSwitch)
	mark(m, &old.OneCall, &now.OneCall, setOfSwitch)
	mark(m, &old.HideNumber, &now.HideNumber, setOfSwitch)
	mark(m, &old.FindMe, &now.FindMe, setOfFindMe)
	mark(m, &old.Closed, &now.Closed, setOfClosed)
	m.rules(old.Incoming, now.Incoming)
	m.rules(old.Outgoing, now.Outgoing)
}

// rules marks those that were not there before, wherever in the list.
func (m marker) rules(old, now []pbx.Rule) {
	key := func(r pbx.Rule) string {
		r.Set = pbx.Set{}
		text, _ := json.Marshal(&r)
		return string(text)
	}
	known := make(map[string]pbx.Set, len(old))
	for _, r := range old {
		known[key(r)] = r.Set
	}
	for i := range now {
		r := &now[i]
		was, there := known[key(*r)]
		switch {
		case there && (m.force || r.Set == (pbx.Set{})):
			r.Set = was
		case !there && (m.force || r.Set == (pbx.Set{}) || m.inherited(r.Set, old)):
			r.Set = m.by
		}
	}
}

// inherited reports whether a changed rule still has the mark of one that was there.
func (m marker) inherited(set pbx.Set, old []pbx.Rule) bool {
	for _, r := range old {
		if r.Set.By == set.By && r.Set.At.Equal(set.At) {
			return true
		}
	}
	return false
}

func (m marker) group(old, now *pbx.Group) {
	mark(m, &old.Closed, &now.Closed, setOfClosed)
	mark(m, old, now, func(g *pbx.Group) *pbx.Set { return &g.Set })
}

func (m marker) room(old, now *pbx.Room) {
	mark(m, old, now, func(r *pbx.Room) *pbx.Set { return &r.Set })
}

func (m marker) mailbox(old, now *pbx.Mailbox) {
	mark(m, old, now, func(b *pbx.Mailbox) *pbx.Set { return &b.Set })
}

func (m marker) menu(old, now *pbx.Menu) {
	mark(m, old, now, func(n *pbx.Menu) *pbx.Set { return &n.Set })
}

// hours marks a change of Mode.
func (m marker) hours(old, now *pbx.Hours) {
	type mode struct {
		Mode string
		Set  pbx.Set
	}
	was, is := mode{old.Mode, old.Set}, mode{now.Mode, now.Set}
	mark(m, &was, &is, func(x *mode) *pbx.Set { return &x.Set })
	now.Set = is.Set
}
