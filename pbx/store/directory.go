package store

import (
	"maps"
	"slices"
	"strings"

	"ringback/pbx"
)

// directory is one state of all that plans are made from. It never changes: a change makes the next one.
type directory struct {
	extensions map[string]*pbx.Extension
	owners     map[string]string // further number → extension
	groups     map[string]*pbx.Group
	rooms      map[string]*pbx.Room
	menus      map[string]*pbx.Menu
	mailboxes  map[string]*pbx.Mailbox
	hours      map[string]*pbx.Hours
	office     *pbx.Office
}

var _ pbx.OfficeDirectory = (*directory)(nil)

// Extension implements pbx.Directory.
func (d *directory) Extension(number string) *pbx.Extension { return d.extensions[number] }

// Owner implements pbx.OfficeDirectory.
func (d *directory) Owner(number string) *pbx.Extension {
	if e := d.extensions[number]; e != nil {
		return e
	}
	if owner, ok := d.owners[number]; ok {
		return d.extensions[owner]
	}
	return nil
}

// Group implements pbx.OfficeDirectory.
func (d *directory) Group(number string) *pbx.Group { return d.groups[number] }

// Room implements pbx.OfficeDirectory.
func (d *directory) Room(number string) *pbx.Room { return d.rooms[number] }

// Menu implements pbx.OfficeDirectory.
func (d *directory) Menu(number string) *pbx.Menu { return d.menus[number] }

// Mailbox implements pbx.OfficeDirectory.
func (d *directory) Mailbox(number string) *pbx.Mailbox { return d.mailboxes[number] }

// Begins implements pbx.OfficeDirectory. It is for keys that people press, not for every call.
func (d *directory) Begins(digits string) bool {
	for number := range d.extensions {
		if len(number) > len(digits) && strings.HasPrefix(number, digits) {
			return true
		}
	}
	for number := range d.owners {
		if len(number) > len(digits) && strings.HasPrefix(number, digits) {
			return true
		}
	}
	return false
}

// Hours implements pbx.OfficeDirectory.
func (d *directory) Hours(name string) *pbx.Hours { return d.hours[name] }

// Office implements pbx.OfficeDirectory.
func (d *directory) Office() *pbx.Office { return d.office }

// holder says what has a number, "" if nothing has.
func (d *directory) holder(number string) string {
	if d.extensions[number] != nil {
		return "extension " + number
	}
	if owner, ok := d.owners[number]; ok {
		return "a further number of extension " + owner
	}
	if d.groups[number] != nil {
		return "ring group " + number
	}
	if d.rooms[number] != nil {
		return "conference room " + number
	}
	if d.menus[number] != nil {
		return "menu " + number
	}
	return ""
}

// draft is the next directory while it is being made, from one that others read.
type draft struct {
	directory
	changes []Change
	own     struct{ extensions, owners, groups, rooms, menus, mailboxes, hours bool } // maps that were copied already
}

func copied[V any](m *map[string]V, own *bool) {
	if !*own {
		*m, *own = maps.Clone(*m), true
	}
}

// put is an extension that was created or changed.
func (d *draft) put(e *pbx.Extension) { d.replace(e.Number, e) }

// remove is an extension that was deleted.
func (d *draft) remove(number string) { d.replace(number, nil) }

func (d *draft) replace(number string, after *pbx.Extension) {
	copied(&d.extensions, &d.own.extensions)
	before := d.extensions[number]
	if after == nil {
		delete(d.extensions, number)
	} else {
		d.extensions[number] = after
	}
	if was, is := numbersOf(before), numbersOf(after); !slices.Equal(was, is) {
		copied(&d.owners, &d.own.owners)
		for _, n := range was {
			delete(d.owners, n)
		}
		for _, n := range is {
			d.owners[n] = number
		}
	}
	d.changes = append(d.changes, Change{Number: number, Before: before, After: after})
}

func numbersOf(e *pbx.Extension) []string {
	if e == nil {
		return nil
	}
	return e.Numbers
}

// change makes one change: do writes it to the database and puts it into the draft. Then it is there for everybody,
// and those who listen are told. After an error nothing has changed. what names what is changed, for errors.
func (s *Store) change(what string, do func(d *draft) error) error {
	s.write.Lock()
	locked := true
	defer func() { // also when do panics
		if locked {
			s.write.Unlock()
		}
	}()
	before := s.directory.Load()
	d := &draft{directory: *before}
	if err := do(d); err != nil {
		if v, ok := err.(*ValidationError); ok {
			return v
		}
		return known(what, err)
	}
	next := d.directory
	s.directory.Store(&next)
	if len(d.changes) > 0 {
		s.listeners.Lock() // taken before write is given up, so that changes are told in order
	}
	locked = false
	s.write.Unlock()
	s.tell(d.changes)
	if d.own.mailboxes {
		s.tellNumbers(&s.listeners.mailboxes, differing(before.mailboxes, next.mailboxes))
	}
	if d.own.rooms {
		s.tellNumbers(&s.listeners.rooms, differing(before.rooms, next.rooms))
	}
	return nil
}

// OnMailbox has f called with the number of each mailbox that was added, changed or taken away, on the goroutine that made the change
// and before its method returns. f may wait for the disk and may call the store.
func (s *Store) OnMailbox(f func(number string)) { s.listen(&s.listeners.mailboxes, f) }

// OnRoom is the same of conference rooms.
func (s *Store) OnRoom(f func(number string)) { s.listen(&s.listeners.rooms, f) }

func (s *Store) listen(list *[]func(string), f func(string)) {
	s.listeners.Lock()
	defer s.listeners.Unlock()
	*list = append(*list, f)
}

func (s *Store) tellNumbers(list *[]func(string), numbers []string) {
	s.listeners.Lock()
	tell := *list // only ever appended to
	s.listeners.Unlock()
	for _, number := range numbers {
		for _, f := range tell {
			f(number)
		}
	}
}

// differing are the names under which two directories have not the same, in order.
func differing[T any](before, after map[string]*T) (names []string) {
	for name, v := range before {
		if after[name] != v {
			names = append(names, name)
		}
	}
	for name := range after {
		if before[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// tell tells of changes, if there are any. The lock of listeners is held, and given up.
func (s *Store) tell(changes []Change) {
	if len(changes) == 0 {
		return
	}
	defer s.listeners.Unlock()
	for _, c := range changes {
		for _, f := range s.listeners.f {
			f(c)
		}
	}
}
