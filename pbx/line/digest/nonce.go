package digest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"sync"
	"sync/atomic"
	"time"
)

type counter = atomic.Uint64

const (
	macLen   = 16
	nonceLen = (8 + macLen) * 4 / 3 // base64 without padding
)

// issuer makes nonces without remembering them: a stamp (nanoseconds, never given twice, hence an identity and
// a time in one) and its HMAC under a key of this process. After a restart every nonce is new, so none can be replayed.
type issuer struct {
	start time.Time
	last  atomic.Int64
	macs  sync.Pool // hash.Hash
}

func newIssuer() issuer {
	var key [32]byte
	rand.Read(key[:])
	return issuer{
		start: time.Now(),
		macs:  sync.Pool{New: func() any { return hmac.New(sha256.New, key[:]) }},
	}
}

// now is the time in nanoseconds since 1970, on the monotonic clock.
func (i *issuer) now() int64 { return i.start.UnixNano() + int64(time.Since(i.start)) }

func (i *issuer) issue() string {
	var b [8 + macLen]byte
	binary.BigEndian.PutUint64(b[:], uint64(i.stamp()))
	i.mac(b[8:], b[:8])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (i *issuer) stamp() int64 {
	now := i.now()
	for {
		last := i.last.Load()
		s := max(now, last+1)
		if i.last.CompareAndSwap(last, s) {
			return s
		}
	}
}

// open returns the stamp of a nonce of ours.
func (i *issuer) open(nonce string) (stamp int64, ok bool) {
	if len(nonce) != nonceLen {
		return 0, false
	}
	var text [nonceLen]byte
	var b [8 + macLen]byte
	copy(text[:], nonce)
	if _, err := base64.RawURLEncoding.Decode(b[:], text[:]); err != nil {
		return 0, false
	}
	var want [macLen]byte
	i.mac(want[:], b[:8])
	if !hmac.Equal(want[:], b[8:]) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(b[:8])), true
}

func (i *issuer) mac(out, stamp []byte) {
	h := i.macs.Get().(hash.Hash)
	h.Reset()
	h.Write(stamp)
	var sum [sha256.Size]byte
	copy(out, h.Sum(sum[:0]))
	i.macs.Put(h)
}
