package store

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"ringback/pbx"
)

var (
	_ pbx.OfficeDirectory = (*Store)(nil)
	_ pbx.Settings        = (*Store)(nil)
)

// Snapshot is all that plans are made from as it is now. It does not change any more, so that what is read from it
// belongs together.
func (s *Store) Snapshot() pbx.OfficeDirectory { return s.directory.Load() }

// Extension implements pbx.Directory.
func (s *Store) Extension(number string) *pbx.Extension { return s.directory.Load().Extension(number) }

// Owner implements pbx.OfficeDirectory.
func (s *Store) Owner(number string) *pbx.Extension { return s.directory.Load().Owner(number) }

// Group implements pbx.OfficeDirectory.
func (s *Store) Group(number string) *pbx.Group { return s.directory.Load().Group(number) }

// Hours implements pbx.OfficeDirectory.
func (s *Store) Hours(name string) *pbx.Hours { return s.directory.Load().Hours(name) }

// Office implements pbx.OfficeDirectory.
func (s *Store) Office() *pbx.Office { return s.directory.Load().Office() }

// settingOffice is the row of settings that holds the office.
const settingOffice = "office"

const putOffice = "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"

// GetOffice returns a copy of what holds for all extensions.
func (s *Store) GetOffice(context.Context) (pbx.Office, error) { return clone(*s.Office()), nil }

// ChangeOffice lets change work on a copy of the office, checks it and makes it the one that holds. change must not
// call the store. by is who does it: it becomes the Set of rules that are new or changed.
// Errors: *ValidationError, also when codes collide (Options.CheckCodes), and what change returns.
func (s *Store) ChangeOffice(ctx context.Context, by pbx.Set, change func(*pbx.Office) error) (pbx.Office, error) {
	var next *pbx.Office
	err := s.change("office", func(d *draft) error {
		draft := clone(*d.office)
		if err := change(&draft); err != nil {
			return err
		}
		mark := newMarker(by)
		mark.rules(d.office.Incoming, draft.Incoming)
		mark.rules(d.office.Outgoing, draft.Outgoing)
		v := validator{d: &d.directory}
		if err := v.office(&draft); err != nil {
			return err
		}
		if check := s.opts.CheckCodes; check != nil {
			if err := check(&draft, func(number string) bool { return d.holder(number) != "" }); err != nil {
				return asInvalid("codes", err)
			}
		}
		text, err := encode("office", &draft)
		if err != nil {
			return err
		}
		if err := s.db.WithContext(ctx).Exec(putOffice, settingOffice, text).Error; err != nil {
			return err
		}
		d.office = decoded[pbx.Office](text)
		next = d.office
		return nil
	})
	if err != nil {
		return pbx.Office{}, err
	}
	return clone(*next), nil
}

// ListGroups returns up to limit ring groups (0: all) in the order of their numbers, those after a number only. They
// are copies.
func (s *Store) ListGroups(_ context.Context, after string, limit int) ([]pbx.Group, error) {
	return listed(s.directory.Load().groups, after, limit), nil
}

// GetGroup returns a copy of one ring group, or ErrNotFound.
func (s *Store) GetGroup(_ context.Context, number string) (pbx.Group, error) {
	if g := s.Group(number); g != nil {
		return clone(*g), nil
	}
	return pbx.Group{}, known("ring group "+quoted(number), ErrNotFound)
}

// CreateGroup adds a ring group. What is left out means: Name = Number, all members ring, for 25 s. by is who does it.
// Errors: *ValidationError, ErrExists.
func (s *Store) CreateGroup(ctx context.Context, by pbx.Set, g pbx.Group) (pbx.Group, error) {
	return s.saveGroup(ctx, by, g, false)
}

// ReplaceGroup changes the ring group of g.Number as a whole. Errors: *ValidationError, ErrNotFound.
func (s *Store) ReplaceGroup(ctx context.Context, by pbx.Set, g pbx.Group) (pbx.Group, error) {
	return s.saveGroup(ctx, by, g, true)
}

func (s *Store) saveGroup(ctx context.Context, by pbx.Set, g pbx.Group, replace bool) (pbx.Group, error) {
	g = clone(g)
	fillGroup(&g)
	err := s.change("ring group "+quoted(g.Number), func(d *draft) error {
		old := d.groups[g.Number]
		switch {
		case replace && old == nil:
			return ErrNotFound
		case !replace && old != nil:
			return ErrExists
		case !replace:
			if err := s.checkFree(&d.directory, "number", g.Number); err != nil {
				return err
			}
			old = new(pbx.Group)
		}
		mark := newMarker(by)
		mark.group(old, &g)
		v := validator{d: &d.directory}
		if err := v.group(&g); err != nil {
			return err
		}
		return s.storeGroup(s.db.WithContext(ctx), d, &g)
	})
	if err != nil {
		return pbx.Group{}, err
	}
	return g, nil
}

const putGroup = "INSERT INTO ring_groups (number, document) VALUES (?, ?) ON CONFLICT (number) DO UPDATE SET document = excluded.document"

func (s *Store) storeGroup(tx *gorm.DB, d *draft, g *pbx.Group) error {
	text, err := encode("group", g)
	if err != nil {
		return err
	}
	if err := tx.Exec(putGroup, g.Number, text).Error; err != nil {
		return err
	}
	d.putGroup(decoded[pbx.Group](text))
	return nil
}

// DeleteGroup removes a ring group. Errors: ErrNotFound, *ValidationError when a rule names it.
func (s *Store) DeleteGroup(ctx context.Context, number string) error {
	return s.change("ring group "+quoted(number), func(d *draft) error {
		if d.groups[number] == nil {
			return ErrNotFound
		}
		if where := d.usesOfGroup(number); len(where) > 0 {
			return invalid("number", "Ring group %s is used by %s: change that first.", number, some(where))
		}
		d.removeGroup(number)
		return s.db.WithContext(ctx).Exec("DELETE FROM ring_groups WHERE number = ?", number).Error
	})
}

// leaveGroups takes an extension out of all groups.
func (s *Store) leaveGroups(tx *gorm.DB, d *draft, extension string) error {
	for _, g := range s.directory.Load().groups {
		if !slices.Contains(g.Members, extension) {
			continue
		}
		next := clone(*g)
		next.Members = slices.DeleteFunc(next.Members, func(m string) bool { return m == extension })
		if err := s.storeGroup(tx, d, &next); err != nil {
			return err
		}
	}
	return nil
}

// ListHours returns up to limit opening hours (0: all) in the order of their names, those after a name only. They are
// copies.
func (s *Store) ListHours(_ context.Context, after string, limit int) ([]pbx.Hours, error) {
	return listed(s.directory.Load().hours, after, limit), nil
}

// GetHours returns a copy of opening hours, or ErrNotFound.
func (s *Store) GetHours(_ context.Context, name string) (pbx.Hours, error) {
	if h := s.Hours(name); h != nil {
		return clone(*h), nil
	}
	return pbx.Hours{}, known("hours "+quoted(name), ErrNotFound)
}

// CreateHours adds opening hours. Errors: *ValidationError, ErrExists.
func (s *Store) CreateHours(ctx context.Context, by pbx.Set, h pbx.Hours) (pbx.Hours, error) {
	return s.saveHours(ctx, by, h.Name, func(old *pbx.Hours) (*pbx.Hours, error) {
		if old != nil {
			return nil, ErrExists
		}
		return &h, nil
	})
}

// ReplaceHours changes the opening hours of h.Name as a whole, also their Mode. Errors: *ValidationError, ErrNotFound.
func (s *Store) ReplaceHours(ctx context.Context, by pbx.Set, h pbx.Hours) (pbx.Hours, error) {
	return s.saveHours(ctx, by, h.Name, func(old *pbx.Hours) (*pbx.Hours, error) {
		if old == nil {
			return nil, ErrNotFound
		}
		return &h, nil
	})
}

// SwitchHours implements pbx.Settings. Errors: *ValidationError, ErrNotFound.
func (s *Store) SwitchHours(ctx context.Context, name, mode string, by pbx.Set) error {
	_, err := s.saveHours(ctx, by, name, func(old *pbx.Hours) (*pbx.Hours, error) {
		if old == nil {
			return nil, ErrNotFound
		}
		h := *old
		h.Mode = mode
		return &h, nil
	})
	return err
}

const putHours = "INSERT INTO hours (name, document) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET document = excluded.document"

func (s *Store) saveHours(ctx context.Context, by pbx.Set, name string, next func(old *pbx.Hours) (*pbx.Hours, error)) (pbx.Hours, error) {
	var saved pbx.Hours
	err := s.change("hours "+quoted(name), func(d *draft) error {
		old := d.hours[name]
		h, err := next(old)
		if err != nil {
			return err
		}
		saved = clone(*h)
		if old == nil {
			old = new(pbx.Hours)
		}
		mark := newMarker(by)
		mark.hours(old, &saved)
		v := validator{d: &d.directory}
		if err := v.hours(&saved); err != nil {
			return err
		}
		text, err := encode("hours", &saved)
		if err != nil {
			return err
		}
		if err := s.db.WithContext(ctx).Exec(putHours, saved.Name, text).Error; err != nil {
			return err
		}
		d.putHours(decoded[pbx.Hours](text))
		return nil
	})
	if err != nil {
		return pbx.Hours{}, err
	}
	return saved, nil
}

// DeleteHours removes opening hours. Errors: ErrNotFound, *ValidationError when they are in use.
func (s *Store) DeleteHours(ctx context.Context, name string) error {
	return s.change("hours "+quoted(name), func(d *draft) error {
		if d.hours[name] == nil {
			return ErrNotFound
		}
		if where := d.usesOfHours(name); len(where) > 0 {
			return invalid("name", "The hours %s are used by %s: change that first.", quoted(name), some(where))
		}
		d.removeHours(name)
		return s.db.WithContext(ctx).Exec("DELETE FROM hours WHERE name = ?", name).Error
	})
}

// listed are copies of what a map holds, in order.
func listed[V any](m map[string]*V, after string, limit int) []V {
	keys := make([]string, 0, len(m))
	for k := range m {
		if k > after {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	if limit > 0 && len(keys) > limit {
		keys = keys[:limit]
	}
	list := make([]V, len(keys))
	for i, k := range keys {
		list[i] = clone(*m[k])
	}
	return list
}

// some of a list for a sentence.
func some(list []string) string {
	const most = 5
	if len(list) > most {
		return strings.Join(list[:most], ", ") + " and others"
	}
	return strings.Join(list, ", ")
}
