package registrar

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// A temp-gruu (RFC 5627 §3.1.2) hides whose it is. It is not stored: its user part is sealed with a key that is the
// same after a restart and says extension, instance and Call-ID. It stands for the bindings of that instance
// while they were made under that Call-ID (§5.1: a new Call-ID makes all earlier temp-gruus invalid).

const tempPrefix = "tgruu."

func newGRUUs(secret []byte) cipher.AEAD {
	key := sha256.Sum256(append([]byte("ringback temp-gruu\x00"), secret...))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key is 32 bytes long
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // the block is AES
	}
	return aead
}

var base64url = base64.RawURLEncoding

func (r *Registrar) tempGRUU(extension, instance, callID string) string {
	b := make([]byte, 16, 16+len(extension))
	binary.BigEndian.PutUint64(b, hash64(strings.ToLower(instance)))
	binary.BigEndian.PutUint64(b[8:], hash64(callID))
	b = append(b, extension...)
	return tempPrefix + base64url.EncodeToString(r.gruus.Seal(nil, nil, b, nil))
}

// openTemp returns what a temp-gruu was made of.
func (r *Registrar) openTemp(user string) (extension string, instance, callID uint64, ok bool) {
	text, ok := strings.CutPrefix(user, tempPrefix)
	if !ok || len(text) > 512 {
		return "", 0, 0, false
	}
	sealed, err := base64url.DecodeString(text)
	if err != nil {
		return "", 0, 0, false
	}
	b, err := r.gruus.Open(nil, nil, sealed, nil)
	if err != nil || len(b) < 16 {
		return "", 0, 0, false
	}
	return string(b[16:]), binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), true
}

func hash64(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// ownGRUU reports whether a contact is a GRUU of the extension itself.
func (r *Registrar) ownGRUU(u *sip.Uri, extension string) bool {
	if !hasParam(u, "gr") {
		return false
	}
	if strings.HasPrefix(u.User, tempPrefix) {
		e, _, _, ok := r.openTemp(u.User)
		return ok && e == extension
	}
	return plain(u.User) == extension
}

func hasParam(u *sip.Uri, name string) bool {
	_, ok := param(u, name)
	return ok
}

func param(u *sip.Uri, name string) (string, bool) {
	for _, p := range u.UriParams {
		if is(p.K, name) {
			return p.V, true
		}
	}
	return "", false
}

// Resolve finds the bindings a GRUU of ours stands for, newest first; none if it is none, or not valid any more
// (RFC 5627 §5.1). extension is whose it is. The host is not looked at.
func (r *Registrar) Resolve(uri *sip.Uri) (extension string, ids []string) {
	gr, ok := param(uri, "gr")
	if !ok {
		return "", nil
	}
	var match func(b *binding) bool
	if gr == "" {
		e, instance, callID, ok := r.openTemp(uri.User)
		if !ok {
			return "", nil
		}
		extension = e
		match = func(b *binding) bool {
			return hash64(strings.ToLower(b.Instance)) == instance && hash64(b.CallID) == callID
		}
	} else {
		gr = plain(gr)
		extension = plain(uri.User)
		match = func(b *binding) bool { return strings.EqualFold(b.Instance, gr) }
	}
	now := time.Now()
	var newest time.Time
	for _, b := range r.bindings(extension) {
		if b.Instance == "" || !b.live(now) || !match(b) {
			continue
		}
		if b.Updated.After(newest) {
			newest = b.Updated
			ids = append([]string{b.id}, ids...)
		} else {
			ids = append(ids, b.id)
		}
	}
	return extension, ids
}
