package transaction

import (
	"encoding/hex"
	"hash/maphash"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

const cookie = "z9hG4bK"

// key stands for what RFC 3261 §17.1.3 and §17.2.3 match by: two hashes of it with seeds nobody knows, which is as good as
// the text at a tenth of the memory.
type key struct{ a, b uint64 }

type hasher struct{ a, b maphash.Seed }

func newHasher() hasher { return hasher{maphash.MakeSeed(), maphash.MakeSeed()} }

func (h hasher) key(b []byte) key { return key{maphash.Bytes(h.a, b), maphash.Bytes(h.b, b)} }

func field(b []byte, s string) []byte { return append(append(b, s...), 0) }

// server is the key of the server transaction that req belongs to, as if its method were method. A retransmission, ACK or
// CANCEL comes by the transport of the request; the same by another is a new attempt, and is answered there.
func (h hasher) server(req *sip.Request, via *sip.ViaHeader, method sip.RequestMethod, transport string) key {
	var buf [384]byte
	b := field(field(buf[:0], string(method)), transport)
	branch, _ := via.Params.Get("branch")
	b = field(b, branch)
	// §17.2.3: "the sent-by value in the top Via of the request is equal": two clients may choose the same branch.
	b = field(b, strings.ToLower(via.Host))
	b = strconv.AppendUint(b, uint64(via.Port), 10)
	// A retransmission, an ACK and a CANCEL have the same Call-ID and CSeq number, too; there are clients that choose the same
	// branch again.
	b = field(append(b, 0), string(*req.CallID()))
	b = strconv.AppendUint(b, uint64(req.CSeq().SeqNo), 10)
	if strings.HasPrefix(branch, cookie) && len(branch) > len(cookie) {
		return h.key(b)
	}
	// A client of RFC 2543: "the INVITE request matches a transaction if the Request-URI, To tag, From tag, Call-ID, CSeq,
	// and top Via header match". For INVITE the To tag is left out, because the ACK has the response's there.
	b = field(append(b, 0), req.Recipient.String())
	b = field(b, tag(req.From().Params))
	if method != sip.INVITE {
		b = field(b, tag(req.To().Params))
	}
	return h.key(b)
}

// merged is the key under which the same request that came another way is found (§8.2.2.2).
func (h hasher) merged(req *sip.Request) key {
	var buf [256]byte
	b := field(buf[:0], "merged")
	b = field(b, string(*req.CallID()))
	b = field(b, tag(req.From().Params))
	b = field(b, string(req.Method))
	return h.key(strconv.AppendUint(b, uint64(req.CSeq().SeqNo), 10))
}

// client is the key of one of our own requests; the branch alone is unique but for CANCEL.
func (h hasher) client(branch string, method sip.RequestMethod) key {
	var buf [128]byte
	return h.key(field(field(buf[:0], branch), string(method)))
}

func tag(ps sip.HeaderParams) string {
	t, _ := ps.Get("tag")
	return t
}

// newBranch is the cookie and 96 random bits (§8.1.1.7).
func newBranch() string {
	var b [len(cookie) + 24]byte
	var r [12]byte
	x, y := rand.Uint64(), rand.Uint32()
	for i := range 8 {
		r[i] = byte(x >> (8 * i))
	}
	for i := range 4 {
		r[8+i] = byte(y >> (8 * i))
	}
	copy(b[:], cookie)
	hex.Encode(b[len(cookie):], r[:])
	return string(b[:])
}
