package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"ringback/pbx"
)

// loadDirectory fills memory with what plans are made from. A document that cannot be read is said in the log and
// stays in the database until it is replaced; what it belongs to is treated so that calls still come through.
func (s *Store) loadDirectory(ctx context.Context) error {
	d := &directory{owners: map[string]string{}, office: new(pbx.Office)}
	if err := s.loadExtensions(ctx, d); err != nil {
		return err
	}
	if err := first(groups.load(ctx, s, d), rooms.load(ctx, s, d), menus.load(ctx, s, d), mailboxes.load(ctx, s, d), hours.load(ctx, s, d)); err != nil {
		return err
	}
	if err := document(s.Setting(settingOffice), d.office); err != nil {
		d.office = new(pbx.Office)
		s.damaged("settings", settingOffice, "there are no rules and classes of the office, and the feature codes are the usual ones", err)
	}
	s.settings.Delete(settingOffice) // it is in the directory
	s.directory.Store(d)
	return nil
}

// damaged says what of the database cannot be read, and what follows.
func (s *Store) damaged(table, row, so string, err error) {
	s.log.Error("a document in the database is damaged: until it is set again "+so, "table", table, "row", row, "error", err)
}

func (s *Store) loadExtensions(ctx context.Context, d *directory) error {
	var n int
	if err := s.sql.QueryRowContext(ctx, "SELECT count(*) FROM extensions").Scan(&n); err != nil {
		return err
	}
	rows, err := s.sql.QueryContext(ctx, `SELECT number, name, enabled, max_contacts, ring_seconds, codecs, numbers, services, realm, ha1_md5, ha1_sha256
		FROM extensions ORDER BY number`)
	if err != nil {
		return err
	}
	defer rows.Close()
	d.extensions = make(map[string]*pbx.Extension, n)
	l := extensionLoader{s: s, d: d, codecs: map[string][]string{"": nil}}
	for rows.Next() {
		if err := l.next(rows); err != nil {
			return err
		}
	}
	if l.foreign > 0 {
		s.log.Warn("the digest realm was changed: these extensions' phones are refused until their passwords are set again, or the old realm is back",
			"realm", s.realm, "extensions", l.foreign)
	}
	return rows.Err()
}

type extensionLoader struct {
	s       *Store
	d       *directory
	codecs  map[string][]string // most extensions share one list
	foreign int                 // of another realm
}

func (l *extensionLoader) next(rows *sql.Rows) error {
	var e pbx.Extension
	var codecs, numbers, services, realm string
	var ring int
	if err := rows.Scan(&e.Number, &e.Name, &e.Enabled, &e.MaxContacts, &ring, &codecs, &numbers, &services, &realm, &e.HA1MD5, &e.HA1SHA256); err != nil {
		return err
	}
	names, ok := l.codecs[codecs]
	if !ok {
		names = strings.Fields(codecs)
		l.codecs[codecs] = names
	}
	e.Ring, e.Codecs = time.Duration(ring)*time.Second, names
	for _, n := range strings.Fields(numbers) {
		if owner, taken := l.d.owners[n]; taken {
			l.s.log.Error("two extensions have the same further number; the first keeps it", "number", n, "first", owner, "second", e.Number)
			continue
		}
		l.d.owners[n] = e.Number
		e.Numbers = append(e.Numbers, n)
	}
	if err := document(services, &e.Services); err != nil {
		e.Services = damagedServices()
		l.s.damaged("extensions", e.Number, "the extension simply rings, and calls beyond the PBX are refused to it", err)
	}
	l.d.extensions[e.Number] = &e
	if realm != l.s.realm {
		l.foreign++
	}
	return nil
}
