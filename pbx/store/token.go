package store

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
)

type tokenHash [sha256.Size]byte

// Token is a bearer token of the REST API; of the token itself only the SHA-256 is kept.
type Token struct {
	Name    string
	Scope   string // what it may do; "admin" is everything
	Created time.Time

	hash   tokenHash
	used   atomic.Int64 // µs
	stored int64        // used, as the database has it; the housekeeper's
}

// LastUsed is when the token was last accepted, zero if never. It is written to disk once in a while.
func (t *Token) LastUsed() time.Time { return moment(t.used.Load()) }

// ScopeAdmin allows everything.
const ScopeAdmin = "admin"

// CreateToken makes a token and returns it in clear, for the only time. Errors: *ValidationError, ErrExists.
func (s *Store) CreateToken(ctx context.Context, name, scope string) (string, error) {
	secret := "rb_" + generate(32)
	return secret, s.addToken(ctx, name, scope, secret, false)
}

// SetToken stores a token that was chosen elsewhere (RINGBACK_API_TOKEN) in place of the one of that name.
func (s *Store) SetToken(ctx context.Context, name, scope, secret string) error {
	if len(secret) < 16 || len(secret) > 256 || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return invalid("token", "A token has 16 to 256 printable characters and no space.")
	}
	return s.addToken(ctx, name, scope, secret, true)
}

func (s *Store) addToken(ctx context.Context, name, scope, secret string, replace bool) error {
	if err := first(checkName(name), checkName(scope)); err != nil {
		return err
	}
	t := &Token{Name: name, Scope: scope, Created: time.Now().UTC(), hash: sha256.Sum256([]byte(secret))}
	s.write.Lock()
	defer s.write.Unlock()
	next := maps.Clone(*s.tokens.Load())
	if replace {
		if old := next[t.hash]; old != nil && old.Name == name && old.Scope == scope {
			return nil
		}
		maps.DeleteFunc(next, func(_ tokenHash, old *Token) bool { return old.Name == name })
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if replace {
			if err := tx.Exec("DELETE FROM tokens WHERE name = ?", name).Error; err != nil {
				return err
			}
		}
		return tx.Exec("INSERT INTO tokens (name, sha256, scope, created, last_used) VALUES (?, ?, ?, ?, 0)",
			t.Name, hex.EncodeToString(t.hash[:]), t.Scope, t.Created.UnixMicro()).Error
	})
	if err != nil {
		return known("token "+quoted(name), err)
	}
	next[t.hash] = t
	s.tokens.Store(&next)
	return nil
}

// Tokens lists the tokens by name.
func (s *Store) Tokens() []*Token {
	return slices.SortedFunc(maps.Values(*s.tokens.Load()), func(a, b *Token) int { return strings.Compare(a.Name, b.Name) })
}

// RevokeToken makes a token worthless at once, or returns ErrNotFound.
func (s *Store) RevokeToken(ctx context.Context, name string) error {
	s.write.Lock()
	defer s.write.Unlock()
	result := s.db.WithContext(ctx).Exec("DELETE FROM tokens WHERE name = ?", name)
	if result.Error == nil && result.RowsAffected == 0 {
		result.Error = gorm.ErrRecordNotFound
	}
	if result.Error != nil {
		return known("token "+quoted(name), result.Error)
	}
	next := maps.Clone(*s.tokens.Load())
	maps.DeleteFunc(next, func(_ tokenHash, t *Token) bool { return t.Name == name })
	s.tokens.Store(&next)
	return nil
}

// CheckToken returns the token that a client presented, from memory. What is looked up is a hash that the client
// cannot steer, so the time tells nothing of the stored ones.
func (s *Store) CheckToken(secret string) (*Token, bool) {
	hash := tokenHash(sha256.Sum256([]byte(secret)))
	t := (*s.tokens.Load())[hash]
	if t == nil || subtle.ConstantTimeCompare(t.hash[:], hash[:]) != 1 {
		return nil, false
	}
	t.used.Store(time.Now().UnixMicro())
	return t, true
}

func (s *Store) storeTokenUse() {
	for _, t := range *s.tokens.Load() {
		used := t.used.Load()
		if used == t.stored {
			continue
		}
		s.write.Lock()
		_, err := s.sql.Exec("UPDATE tokens SET last_used = ? WHERE sha256 = ?", used, hex.EncodeToString(t.hash[:]))
		s.write.Unlock()
		if err != nil {
			s.log.Error("the last use of a token could not be stored", "token", t.Name, "error", err)
			return
		}
		t.stored = used
	}
}
