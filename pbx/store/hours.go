package store

import (
	"context"

	"ringback/pbx"
)

// ListHours returns up to limit opening hours (0: all) in the order of their names, those after a name only. They are
// copies.
func (s *Store) ListHours(_ context.Context, after string, limit int) ([]pbx.Hours, error) {
	return hours.list(s, after, limit), nil
}

// GetHours returns a copy of opening hours, or ErrNotFound.
func (s *Store) GetHours(_ context.Context, name string) (pbx.Hours, error) {
	return hours.get(s, name)
}

// CreateHours adds opening hours. Errors: *ValidationError, ErrExists.
func (s *Store) CreateHours(ctx context.Context, by pbx.Set, h pbx.Hours) (pbx.Hours, error) {
	return s.saveHours(ctx, by, h.Name, func(old *pbx.Hours) (*pbx.Hours, error) {
		if old != nil {
			return nil, ErrExists
		}
		return &h, checkHoursName(h.Name)
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
		return hours.put(s.db.WithContext(ctx), d, &saved)
	})
	if err != nil {
		return pbx.Hours{}, err
	}
	return saved, nil
}

// DeleteHours removes opening hours. Errors: ErrNotFound, *ValidationError when they are in use.
func (s *Store) DeleteHours(ctx context.Context, name string) error {
	return hours.remove(ctx, s, name, func(d *draft) error {
		if where := d.usesOfHours(name); len(where) > 0 {
			return invalid("name", "The hours %s are used by %s: change that first.", quoted(name), some(where))
		}
		return nil
	})
}
