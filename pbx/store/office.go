package store

import (
	"context"
	"reflect"

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

// Room implements pbx.OfficeDirectory.
func (s *Store) Room(number string) *pbx.Room { return s.directory.Load().Room(number) }

// Menu implements pbx.OfficeDirectory.
func (s *Store) Menu(number string) *pbx.Menu { return s.directory.Load().Menu(number) }

// Mailbox implements pbx.OfficeDirectory.
func (s *Store) Mailbox(number string) *pbx.Mailbox { return s.directory.Load().Mailbox(number) }

// Begins implements pbx.OfficeDirectory.
func (s *Store) Begins(digits string) bool { return s.directory.Load().Begins(digits) }

// Hours implements pbx.OfficeDirectory.
func (s *Store) Hours(name string) *pbx.Hours { return s.directory.Load().Hours(name) }

// Office implements pbx.OfficeDirectory.
func (s *Store) Office() *pbx.Office { return s.directory.Load().Office() }

// settingOffice is the row of settings that holds the office.
const settingOffice = "office"

const putOffice = "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"

// GetOffice returns a copy of what holds for all extensions.
func (s *Store) GetOffice(context.Context) (pbx.Office, error) { return clone(*s.Office()), nil }

// checkCovered refuses codes by which a number in use could not be called any more: a code with its argument may be one.
func (s *Store) checkCovered(d *directory, next *pbx.Office) error {
	if s.opts.IsCode == nil || reflect.DeepEqual(next.Codes, d.office.Codes) {
		return nil
	}
	covered := ""
	look := func(number string) {
		if s.opts.IsCode(next, number) && (covered == "" || number < covered) {
			covered = number
		}
	}
	for number := range d.extensions {
		look(number)
	}
	for number := range d.owners {
		look(number)
	}
	for number := range d.groups {
		look(number)
	}
	for number := range d.rooms {
		look(number)
	}
	for number := range d.menus {
		look(number)
	}
	if covered != "" {
		return invalid("codes", "%s, %s, could not be called: it would be a feature code.", covered, d.holder(covered))
	}
	return nil
}

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
		if err := s.checkCovered(&d.directory, &draft); err != nil {
			return err
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
