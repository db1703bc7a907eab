package store

import (
	"context"
	"strings"

	"ringback/pbx"
)

const maxMenuKeys = 200

// ListMenus returns up to limit menus (0: all) in the order of their numbers, those after a number only. They are copies.
func (s *Store) ListMenus(_ context.Context, after string, limit int) ([]pbx.Menu, error) {
	return menus.list(s, after, limit), nil
}

// GetMenu returns a copy of one menu, or ErrNotFound.
func (s *Store) GetMenu(_ context.Context, number string) (pbx.Menu, error) {
	return menus.get(s, number)
}

// CreateMenu adds a menu. What is left out means: Name = Number, 5 s, three tries. by is who does it. Errors: *ValidationError, ErrExists.
func (s *Store) CreateMenu(ctx context.Context, by pbx.Set, m pbx.Menu) (pbx.Menu, error) {
	return s.saveMenu(ctx, by, m, false)
}

// ReplaceMenu changes the menu of m.Number as a whole. Errors: *ValidationError, ErrNotFound.
func (s *Store) ReplaceMenu(ctx context.Context, by pbx.Set, m pbx.Menu) (pbx.Menu, error) {
	return s.saveMenu(ctx, by, m, true)
}

func (s *Store) saveMenu(ctx context.Context, by pbx.Set, m pbx.Menu, replace bool) (pbx.Menu, error) {
	m = clone(m)
	fillMenu(&m)
	err := menus.save(ctx, s, &m, replace, func(_ *draft, old *pbx.Menu) error {
		newMarker(by).menu(old, &m)
		return checkMenu(&m)
	})
	if err != nil {
		return pbx.Menu{}, err
	}
	return m, nil
}

// fillMenu puts the defaults in.
func fillMenu(m *pbx.Menu) {
	if m.Name == "" {
		m.Name = m.Number
	}
	if m.Seconds == 0 {
		m.Seconds = pbx.DefaultMenuSeconds
	}
	if m.Tries == 0 {
		m.Tries = pbx.DefaultMenuTries
	}
}

func checkMenu(m *pbx.Menu) error {
	if err := first(checkNumber(m.Number), checkName(m.Name)); err != nil {
		return err
	}
	switch {
	case len(m.Keys) == 0 && !m.DialExtension:
		return invalid("keys", "A menu needs keys, or dial_extension.")
	case len(m.Keys) > maxMenuKeys:
		return invalid("keys", "A menu has at most %d keys.", maxMenuKeys)
	case m.Seconds < 1 || m.Seconds > pbx.MaxMenuSeconds:
		return invalid("seconds", "seconds must be 0 or between 1 and %d.", pbx.MaxMenuSeconds)
	case m.Tries < 1 || m.Tries > pbx.MaxMenuTries:
		return invalid("tries", "tries must be 0 or between 1 and %d.", pbx.MaxMenuTries)
	case len(m.Prompt) > 256 || strings.Trim(m.Prompt, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/,:*#+") != "":
		return invalid("prompt", "%s is not the name of a prompt: that has letters a-z, digits, - and /.", quoted(m.Prompt))
	}
	for keys, number := range m.Keys {
		if keys == "" || len(keys) > 8 || strings.Trim(keys, "0123456789*ABCD") != "" {
			return invalid("keys", "A caller types 1 to 8 digits or *, and not %s.", quoted(keys))
		}
		if number == "" {
			return invalid("keys", "The key %s needs a number.", keys)
		}
		if err := checkTarget("keys", number); err != nil {
			return err
		}
	}
	return first(checkTarget("timeout", m.Timeout), checkTarget("invalid", m.Invalid), checkSet("set", m.Set))
}

// DeleteMenu removes a menu. Callers who are in it stay. Errors: ErrNotFound.
func (s *Store) DeleteMenu(ctx context.Context, number string) error {
	return menus.remove(ctx, s, number, nil)
}
