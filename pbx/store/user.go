package store

import (
	"context"
	"errors"
	"runtime/debug"
	"time"
)

// AdminUser is the user that a new data directory has.
const AdminUser = "admin"

// EnsureAdmin creates the admin with a generated password if there is none, and returns that password, to be shown
// once; "" if the admin existed.
func (s *Store) EnsureAdmin(ctx context.Context) (password string, err error) {
	var n int64
	if err := s.db.WithContext(ctx).Raw("SELECT count(*) FROM users WHERE name = ?", AdminUser).Scan(&n).Error; err != nil || n > 0 {
		return "", known("user admin", err)
	}
	password = GeneratePassword()
	if err := s.SetUserPassword(ctx, AdminUser, password); err != nil {
		return "", err
	}
	return password, nil
}

// SetUserPassword creates a user or changes the password. Errors: *ValidationError.
func (s *Store) SetUserPassword(ctx context.Context, name, password string) error {
	if err := first(checkName(name), checkPassword(password)); err != nil {
		return err
	}
	var hash string
	if err := s.hash(ctx, func() { hash = hashPassword(password) }); err != nil {
		return err
	}
	s.write.Lock()
	defer s.write.Unlock()
	now := time.Now().UnixMicro()
	return known("user "+quoted(name), s.db.WithContext(ctx).Exec(`INSERT INTO users (name, password, created, updated) VALUES (?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET password = excluded.password, updated = excluded.updated`, name, hash, now, now).Error)
}

// VerifyUser reports whether the password is the user's, in the same time for users that do not exist. It takes some
// 30 ms of CPU and 19 MiB; at most one is checked at a time, the others wait or give up with their context.
func (s *Store) VerifyUser(ctx context.Context, name, password string) (bool, error) {
	if len(password) > 128 {
		return false, nil
	}
	var hash string
	if err := s.db.WithContext(ctx).Raw("SELECT password FROM users WHERE name = ?", name).Scan(&hash).Error; err != nil {
		return false, known("user "+quoted(name), err)
	}
	exists := hash != ""
	if !exists {
		hash = nobody
	}
	var ok bool
	if err := s.hash(ctx, func() { ok = verifyPassword(hash, password) }); err != nil {
		return false, err
	}
	return ok && exists, nil
}

// nobody's password is unknown.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func (s *Store) hash(ctx context.Context, f func()) error {
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
		f()
		debug.FreeOSMemory() // the 19 MiB: as much as all else, and rarely needed
		return nil
	case <-ctx.Done():
		return errors.Join(ErrOverload, context.Cause(ctx))
	}
}
