package store

import (
	"context"

	"gorm.io/gorm"

	"ringback/pbx"
)

// kind is a sort of things that are kept as documents under a number or name: where, and what people call them.
type kind[T any] struct {
	what  string // "ring group", in errors
	field string // in errors of encode
	table string
	key   string // its column
	apart bool   // numbers are not dialled: they may be those of extensions and others
	all   func(*directory) *map[string]*T
	own   func(*draft) *bool // whether the draft has a map of its own
	name  func(*T) *string   // what it is kept under
	// damaged is how one is treated that cannot be read, told in the log as so.
	damaged func(name string) T
	so      string
}

var (
	groups = kind[pbx.Group]{what: "ring group", field: "group", table: "ring_groups", key: "number",
		all:     func(d *directory) *map[string]*pbx.Group { return &d.groups },
		own:     func(d *draft) *bool { return &d.own.groups },
		name:    func(g *pbx.Group) *string { return &g.Number },
		damaged: func(number string) pbx.Group { return pbx.Group{Name: number, Strategy: pbx.RingAll} },
		so:      "the group is switched off and has no members"}
	rooms = kind[pbx.Room]{what: "conference room", field: "room", table: "rooms", key: "number",
		all:     func(d *directory) *map[string]*pbx.Room { return &d.rooms },
		own:     func(d *draft) *bool { return &d.own.rooms },
		name:    func(r *pbx.Room) *string { return &r.Number },
		damaged: func(number string) pbx.Room { return pbx.Room{Name: number} }, // it may have had a PIN
		so:      "the conference room is switched off"}
	menus = kind[pbx.Menu]{what: "menu", field: "menu", table: "menus", key: "number",
		all:     func(d *directory) *map[string]*pbx.Menu { return &d.menus },
		own:     func(d *draft) *bool { return &d.own.menus },
		name:    func(m *pbx.Menu) *string { return &m.Number },
		damaged: func(number string) pbx.Menu { return pbx.Menu{Name: number} },
		so:      "the menu is switched off"}
	mailboxes = kind[pbx.Mailbox]{what: "mailbox", field: "mailbox", table: "mailboxes", key: "number", apart: true,
		all:     func(d *directory) *map[string]*pbx.Mailbox { return &d.mailboxes },
		own:     func(d *draft) *bool { return &d.own.mailboxes },
		name:    func(m *pbx.Mailbox) *string { return &m.Number },
		damaged: func(number string) pbx.Mailbox { return pbx.Mailbox{Name: number} }, // it may have had a PIN
		so:      "the mailbox is switched off"}
	hours = kind[pbx.Hours]{what: "hours", field: "hours", table: "hours", key: "name",
		all:     func(d *directory) *map[string]*pbx.Hours { return &d.hours },
		own:     func(d *draft) *bool { return &d.own.hours },
		name:    func(h *pbx.Hours) *string { return &h.Name },
		damaged: func(string) pbx.Hours { return pbx.Hours{Mode: "day"} },
		so:      "it is always open"}
)

// in is the one of that name in a directory; nil if there is none.
func (k *kind[T]) in(d *directory, name string) *T { return (*k.all(d))[name] }

// list returns copies of up to limit of them (0: all) in order, those after a name only.
func (k *kind[T]) list(s *Store, after string, limit int) []T {
	return listed(*k.all(s.directory.Load()), after, limit)
}

// get returns a copy of one, or ErrNotFound.
func (k *kind[T]) get(s *Store, name string) (none T, err error) {
	if v := k.in(s.directory.Load(), name); v != nil {
		return clone(*v), nil
	}
	return none, known(k.what+" "+quoted(name), ErrNotFound)
}

// save adds what has a number, or replaces it as a whole. check sees what was there before, the zero value if nothing was, and
// says what is wrong with the new one, which it may change.
func (k *kind[T]) save(ctx context.Context, s *Store, v *T, replace bool, check func(d *draft, old *T) error) error {
	number := *k.name(v)
	return s.change(k.what+" "+quoted(number), func(d *draft) error {
		old := k.in(&d.directory, number)
		switch {
		case replace && old == nil:
			return ErrNotFound
		case !replace && old != nil:
			return ErrExists
		case !replace && !k.apart:
			if err := s.checkFree(&d.directory, "number", number); err != nil {
				return err
			}
		}
		if old == nil {
			old = new(T)
		}
		if err := check(d, old); err != nil {
			return err
		}
		return k.put(s.db.WithContext(ctx), d, v)
	})
}

// put writes one to the database and into the draft.
func (k *kind[T]) put(tx *gorm.DB, d *draft, v *T) error {
	text, err := encode(k.field, v)
	if err != nil {
		return err
	}
	name := *k.name(v)
	err = tx.Exec("INSERT INTO "+k.table+" ("+k.key+", document) VALUES (?, ?) ON CONFLICT ("+k.key+") DO UPDATE SET document = excluded.document", name, text).Error
	if err != nil {
		return err
	}
	copied(k.all(&d.directory), k.own(d))
	(*k.all(&d.directory))[name] = decoded[T](text)
	return nil
}

// remove takes one out. check, if there is one, says what stands against it.
func (k *kind[T]) remove(ctx context.Context, s *Store, name string, check func(*draft) error) error {
	return s.change(k.what+" "+quoted(name), func(d *draft) error {
		if k.in(&d.directory, name) == nil {
			return ErrNotFound
		}
		if check != nil {
			if err := check(d); err != nil {
				return err
			}
		}
		return k.drop(s.db.WithContext(ctx), d, name)
	})
}

// drop takes one out of the database and the draft, if it is there.
func (k *kind[T]) drop(tx *gorm.DB, d *draft, name string) error {
	if k.in(&d.directory, name) == nil {
		return nil
	}
	copied(k.all(&d.directory), k.own(d))
	delete(*k.all(&d.directory), name)
	return tx.Exec("DELETE FROM "+k.table+" WHERE "+k.key+" = ?", name).Error
}

// load reads all of them from the database.
func (k *kind[T]) load(ctx context.Context, s *Store, d *directory) error {
	rows, err := s.sql.QueryContext(ctx, "SELECT "+k.key+", document FROM "+k.table)
	if err != nil {
		return err
	}
	defer rows.Close()
	all := make(map[string]*T)
	*k.all(d) = all
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return err
		}
		v := new(T)
		if err := document(text, v); err != nil {
			*v = k.damaged(name)
			s.damaged(k.table, name, k.so, err)
		}
		*k.name(v) = name
		all[name] = v
	}
	return rows.Err()
}
