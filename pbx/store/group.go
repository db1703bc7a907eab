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
	return groups.list(s, after, limit), nil
}

// GetGroup returns a copy of one ring group, or ErrNotFound.
func (s *Store) GetGroup(_ context.Context, number string) (pbx.Group, error) {
	return groups.get(s, number)
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
	err := groups.save(ctx, s, &g, replace, func(d *draft, old *pbx.Group) error {
		mark := newMarker(by)
		mark.group(old, &g)
		v := validator{d: &d.directory}
		return v.group(&g)
	})
	if err != nil {
		return pbx.Group{}, err
	}
	return g, nil
}

// DeleteGroup removes a ring group. Errors: ErrNotFound, *ValidationError when a rule names it.
func (s *Store) DeleteGroup(ctx context.Context, number string) error {
	return groups.remove(ctx, s, number, func(d *draft) error {
		if where := d.usesOfGroup(number); len(where) > 0 {
			return invalid("number", "Ring group %s is used by %s: change that first.", number, some(where))
		}
		return nil
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
		if err := groups.put(tx, d, &next); err != nil {
			return err
		}
	}
	return nil
}
