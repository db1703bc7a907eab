package store

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"ringback/pbx"
)

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
