package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"ringback/pbx"
)

// Extension is an extension as an administrator sees it. Passwords are kept as digest hashes only.
type Extension struct {
	Number      string
	Name        string
	Enabled     bool
	MaxContacts int
	RingSeconds int
	Codecs      []string
	Numbers     []string // further numbers that reach it
	Created     time.Time
	Updated     time.Time
	// WrongRealm: the password was hashed for another digest realm, so phones are refused until it is set again.
	WrongRealm bool
}

// NewExtension is what an extension is created from. Zero values mean: Name = Number, MaxContacts 10, RingSeconds 25,
// the PBX's codecs, a generated password.
type NewExtension struct {
	Number      string
	Name        string
	Password    string // "": generated
	Disabled    bool
	MaxContacts int
	RingSeconds int
	Codecs      []string
	Numbers     []string
}

// ExtensionUpdate changes what is not nil.
type ExtensionUpdate struct {
	Name        *string
	Password    *string // "": generated
	Enabled     *bool
	MaxContacts *int
	RingSeconds *int
	Codecs      *[]string // empty: the PBX's defaults
	Numbers     *[]string
}

// Defaults of a new extension.
const (
	DefaultMaxContacts = 10
	DefaultRingSeconds = 25
)

// Change tells of an extension that was created, updated or deleted.
type Change struct {
	Number string
	Before *pbx.Extension // nil: created
	After  *pbx.Extension // nil: deleted
}

// extensionRow is the table, but for the services.
type extensionRow struct {
	Number      string `gorm:"primaryKey"`
	Name        string
	Enabled     bool
	MaxContacts int
	RingSeconds int
	Codecs      string
	Numbers     string
	Realm       string
	HA1MD5      string `gorm:"column:ha1_md5"`
	HA1SHA256   string `gorm:"column:ha1_sha256"`
	Created     int64
	Updated     int64
}

func (extensionRow) TableName() string { return "extensions" }

func (r *extensionRow) extension(realm string) Extension {
	return Extension{r.Number, r.Name, r.Enabled, r.MaxContacts, r.RingSeconds, strings.Fields(r.Codecs), strings.Fields(r.Numbers),
		moment(r.Created), moment(r.Updated), r.Realm != realm}
}

// snapshot is the extension for the directory, with the services it had before.
func (r *extensionRow) snapshot(before *pbx.Extension) *pbx.Extension {
	e := &pbx.Extension{Number: r.Number, Name: r.Name, Enabled: r.Enabled, MaxContacts: r.MaxContacts,
		Ring: time.Duration(r.RingSeconds) * time.Second, Codecs: strings.Fields(r.Codecs), HA1MD5: r.HA1MD5, HA1SHA256: r.HA1SHA256}
	if r.Numbers != "" {
		e.Numbers = strings.Fields(r.Numbers)
	}
	if before != nil {
		e.Services = before.Services
	}
	return e
}

func (r *extensionRow) setPassword(realm, password string) {
	r.Realm, r.HA1MD5, r.HA1SHA256 = realm, HA1MD5(r.Number, realm, password), HA1SHA256(r.Number, realm, password)
}

// CreateExtension adds an extension and returns it with its password, which is not to be had again.
// Errors: *ValidationError, ErrExists.
func (s *Store) CreateExtension(ctx context.Context, n NewExtension) (Extension, string, error) {
	row, password, err := n.row(s.realm)
	if err != nil {
		return Extension{}, "", err
	}
	err = s.change("extension "+quoted(n.Number), func(d *draft) error {
		if err := s.add(d, &row); err != nil {
			return err
		}
		return s.db.WithContext(ctx).Create(&row).Error
	})
	if err != nil {
		return Extension{}, "", err
	}
	return row.extension(s.realm), password, nil
}

// CreateExtensions adds many extensions, all or none, and returns their passwords in order. It is much faster than
// one at a time. Errors: *ValidationError, ErrExists.
func (s *Store) CreateExtensions(ctx context.Context, list []NewExtension) (passwords []string, err error) {
	rows := make([]extensionRow, len(list))
	passwords = make([]string, len(list))
	for i, n := range list {
		if rows[i], passwords[i], err = n.row(s.realm); err != nil {
			return nil, fmt.Errorf("extension %s: %w", quoted(n.Number), err)
		}
	}
	err = s.change("extensions", func(d *draft) error {
		for i := range rows {
			if err := s.add(d, &rows[i]); err != nil {
				return fmt.Errorf("extension %s: %w", quoted(rows[i].Number), err)
			}
		}
		return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return tx.CreateInBatches(rows, 100).Error })
	})
	if err != nil {
		return nil, err
	}
	return passwords, nil
}

// add puts a new extension into the draft if its numbers are free.
func (s *Store) add(d *draft, row *extensionRow) error {
	if d.extensions[row.Number] != nil {
		return ErrExists
	}
	if err := s.checkFree(&d.directory, "number", row.Number); err != nil {
		return err
	}
	e := row.snapshot(nil)
	if err := s.checkFurther(&d.directory, e, nil); err != nil {
		return err
	}
	d.put(e)
	return nil
}

// row checks everything and fills in what was left out.
func (n NewExtension) row(realm string) (row extensionRow, password string, err error) {
	if n.Name == "" {
		n.Name = n.Number
	}
	if n.MaxContacts == 0 {
		n.MaxContacts = DefaultMaxContacts
	}
	if n.RingSeconds == 0 {
		n.RingSeconds = DefaultRingSeconds
	}
	if n.Password == "" {
		n.Password = GeneratePassword()
	}
	codecs, err := checkCodecs(n.Codecs)
	numbers, wrong := checkNumbers(n.Numbers)
	if err = first(checkNumber(n.Number), wrong, checkName(n.Name), checkPassword(n.Password), checkContacts(n.MaxContacts), checkRing(n.RingSeconds), err); err != nil {
		return row, "", err
	}
	now := time.Now().UnixMicro()
	row = extensionRow{Number: n.Number, Name: n.Name, Enabled: !n.Disabled, MaxContacts: n.MaxContacts, RingSeconds: n.RingSeconds,
		Codecs: strings.Join(codecs, " "), Numbers: numbers, Created: now, Updated: now}
	row.setPassword(realm, n.Password)
	return row, n.Password, nil
}

// GetExtension returns one extension, or ErrNotFound.
func (s *Store) GetExtension(ctx context.Context, number string) (Extension, error) {
	var row extensionRow
	if err := s.db.WithContext(ctx).Take(&row, "number = ?", number).Error; err != nil {
		return Extension{}, known("extension "+quoted(number), err)
	}
	return row.extension(s.realm), nil
}

// ListExtensions returns up to limit extensions (0: all) in the order of their numbers, those after a number only.
func (s *Store) ListExtensions(ctx context.Context, after string, limit int) ([]Extension, error) {
	q := s.db.WithContext(ctx).Order("number").Where("number > ?", after)
	if limit > 0 {
		q = q.Limit(limit)
	}
	var rows []extensionRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, known("extensions", err)
	}
	list := make([]Extension, len(rows))
	for i := range rows {
		list[i] = rows[i].extension(s.realm)
	}
	return list, nil
}

// CountExtensions answers from memory.
func (s *Store) CountExtensions() int { return len(s.directory.Load().extensions) }

// UpdateExtension changes an extension. The password is returned when one was generated.
// Errors: *ValidationError, ErrNotFound.
func (s *Store) UpdateExtension(ctx context.Context, number string, u ExtensionUpdate) (Extension, string, error) {
	var row extensionRow
	var generated string
	err := s.change("extension "+quoted(number), func(d *draft) error {
		if err := s.db.WithContext(ctx).Take(&row, "number = ?", number).Error; err != nil {
			return err
		}
		var err error
		if generated, err = u.apply(&row, s.realm); err != nil {
			return err
		}
		row.Updated = time.Now().UnixMicro()
		before := d.extensions[number]
		after := row.snapshot(before)
		if u.Numbers != nil {
			if err := s.checkFurther(&d.directory, after, before); err != nil {
				return err
			}
		}
		d.put(after)
		return s.db.WithContext(ctx).Save(&row).Error
	})
	if err != nil {
		return Extension{}, "", err
	}
	return row.extension(s.realm), generated, nil
}

func (u *ExtensionUpdate) apply(row *extensionRow, realm string) (generated string, err error) {
	if u.Name != nil {
		row.Name, err = *u.Name, first(err, checkName(*u.Name))
	}
	if u.Enabled != nil {
		row.Enabled = *u.Enabled
	}
	if u.MaxContacts != nil {
		row.MaxContacts, err = *u.MaxContacts, first(err, checkContacts(*u.MaxContacts))
	}
	if u.RingSeconds != nil {
		row.RingSeconds, err = *u.RingSeconds, first(err, checkRing(*u.RingSeconds))
	}
	if u.Codecs != nil {
		codecs, bad := checkCodecs(*u.Codecs)
		row.Codecs, err = strings.Join(codecs, " "), first(err, bad)
	}
	if u.Numbers != nil {
		numbers, bad := checkNumbers(*u.Numbers)
		row.Numbers, err = numbers, first(err, bad)
	}
	if u.Password != nil {
		password := *u.Password
		if password == "" {
			generated = GeneratePassword()
			password = generated
		}
		err = first(err, checkPassword(password))
		row.setPassword(realm, password)
	}
	return generated, err
}

// DeleteExtension removes an extension with its further numbers, its services, its mailbox and its stored bindings, and takes it
// out of the ring groups. What else names it (forwards, rules) stays: the number may come back. Errors: ErrNotFound,
// *ValidationError when its mailbox keeps the messages of another extension, too: whoever gets the number next must not hear them.
func (s *Store) DeleteExtension(ctx context.Context, number string) error {
	err := s.change("extension "+quoted(number), func(d *draft) error {
		if d.extensions[number] == nil {
			return ErrNotFound
		}
		d.remove(number)
		if where := d.usesOfMailbox(number); len(where) > 0 {
			return invalid("number", "Mailbox %s is used by %s, too: change that first.", number, some(where))
		}
		return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			if err := first(s.leaveGroups(tx, d, number), mailboxes.drop(tx, d, number)); err != nil {
				return err
			}
			for _, q := range [...]string{"DELETE FROM extensions WHERE number = ?", "DELETE FROM bindings WHERE extension = ?"} {
				if err := tx.Exec(q, number).Error; err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err == nil { // whoever gets the number next must not inherit what the journal still holds
		s.journal.Bindings(number, nil, func(error) {})
	}
	return err
}

// OnChange has f called after each change of an extension, one at a time and in order, on the goroutine that made the
// change. f must not block, nor change extensions itself.
func (s *Store) OnChange(f func(Change)) {
	s.listeners.Lock()
	defer s.listeners.Unlock()
	s.listeners.f = append(s.listeners.f, f)
}

func quoted(s string) string { return fmt.Sprintf("%.40q", s) }

func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
