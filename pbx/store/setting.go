package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strconv"
)

// Names of settings that the store itself knows.
const (
	SettingRealm      = "realm"
	SettingGRUUSecret = "gruu_secret"
)

// Setting returns a stored setting, "" if it was never set. It answers from memory.
func (s *Store) Setting(name string) string {
	v, _ := s.settings.Load(name)
	text, _ := v.(string)
	return text
}

// SettingInt returns a setting as a number, or fallback if it is not one.
func (s *Store) SettingInt(name string, fallback int) int {
	if n, err := strconv.Atoi(s.Setting(name)); err == nil {
		return n
	}
	return fallback
}

// SetSetting stores a setting; it is on disk when SetSetting returns.
func (s *Store) SetSetting(ctx context.Context, name, value string) error {
	s.write.Lock()
	defer s.write.Unlock()
	return s.setSetting(ctx, name, value)
}

func (s *Store) setSetting(ctx context.Context, name, value string) error {
	const upsert = "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
	if err := s.db.WithContext(ctx).Exec(upsert, name, value).Error; err != nil {
		return known("setting "+quoted(name), err)
	}
	s.settings.Store(name, value)
	return nil
}

// Secret returns n random bytes that stay the same for the life of the data directory, made at the first call.
func (s *Store) Secret(ctx context.Context, name string, n int) ([]byte, error) {
	s.write.Lock()
	defer s.write.Unlock()
	if b, err := hex.DecodeString(s.Setting(name)); err == nil && len(b) == n {
		return b, nil
	}
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b, s.setSetting(ctx, name, hex.EncodeToString(b))
}
