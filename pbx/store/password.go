package store

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// HA1MD5 is hex MD5(number:realm:password), RFC 7616 §3.4.2.
func HA1MD5(number, realm, password string) string {
	sum := md5.Sum([]byte(number + ":" + realm + ":" + password))
	return hex.EncodeToString(sum[:])
}

// HA1SHA256 is the same with SHA-256 (RFC 8760).
func HA1SHA256(number, realm, password string) string {
	sum := sha256.Sum256([]byte(number + ":" + realm + ":" + password))
	return hex.EncodeToString(sum[:])
}

// plain are 32 characters that nobody takes for each other when reading them off a page.
const plain = "abcdefghjkmnpqrstuvwxyz23456789A"

// GeneratePassword makes a password of 20 characters, 100 random bits, without look-alikes.
func GeneratePassword() string { return generate(20) }

func generate(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	for i := range b {
		b[i] = plain[b[i]&31]
	}
	return string(b)
}

// argon2id with the smaller parameters that OWASP recommends: a PBX is a small machine.
const (
	argonMemory = 19 << 10 // KiB
	argonTime   = 2
)

func hashPassword(password string) string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, 1, 32)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, argonMemory, argonTime,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

func verifyPassword(hash, password string) bool {
	var version, memory, passes int
	var rest string
	if _, err := fmt.Sscanf(hash, "$argon2id$v=%d$m=%d,t=%d,p=1$%s", &version, &memory, &passes, &rest); err != nil {
		return false
	}
	if version != argon2.Version || memory < 8 || memory > 1<<20 || passes < 1 || passes > 100 || len(rest) < 23 || rest[22] != '$' {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(rest[:22])
	if err != nil {
		return false
	}
	want, err := base64.RawStdEncoding.DecodeString(rest[23:])
	if err != nil || len(want) < 16 {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, uint32(passes), uint32(memory), 1, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}
