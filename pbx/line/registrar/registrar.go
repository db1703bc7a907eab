// Package registrar keeps the bindings of extensions to contacts: RFC 3261 §10, Path (RFC 3327), GRUU (RFC 5627), and of
// RFC 5626 that an instance with a reg-id is one binding wherever it comes from. (It does not claim outbound.)
//
// All of it is in memory; what a 200 promises is in the journal first. The changes of one extension are made one
// after the other: each is worked out on what is committed, journalled, and shown only when the journal has it. So a
// failed commit leaves nothing behind, and a phone's next REGISTER sees the end of the one before.
//
// Every method may be called from any goroutine. Locks are held for memory only, never over the journal, a response or
// a callback. But for Remove, nothing blocks.
package registrar

import (
	"crypto/cipher"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// Errors of Remove. The journal's own error comes as it is.
var (
	ErrNotFound = errors.New("no such binding")
	ErrBusy     = errors.New("too many changes of this extension are waiting for the journal")
)

// Options say how a Registrar works. Journal and Secret are required; other zero values mean the default.
type Options struct {
	Journal   pbx.Journal
	Directory pbx.Directory // asked again just before a change, so that a deleted extension cannot come back; nil: not asked
	Secret    []byte        // key of temp-gruus, at least 16 bytes, the same after a restart

	Min     time.Duration // shortest time granted, below it 423; default 60 s
	Max     time.Duration // longest time granted; default 1 h
	Default time.Duration // if the phone names none; default Max, at most 1 h

	RefuseFull bool   // at ext.MaxContacts refuse a new contact (403) instead of dropping the oldest
	Server     string // Server header of responses; "" leaves it out

	// OnChange is told the bindings of an extension after each change, in order per extension. It must neither
	// block nor change all.
	OnChange func(extension string, all []pbx.Binding)
	// OnAdded is told of each new binding, once its 200 has been given; not of one that is refreshed. It must not block.
	OnAdded func(id string)
	// OnReachable is told when a binding is found unreachable, and when it is reachable again: where that is because its phone has
	// registered, once the 200 has been given. It must not block.
	OnReachable func(id string, reachable bool)
}

// Slots is the number of parts that Qualify divides all bindings into.
const Slots = 64

// Registrar holds the bindings. Make it with New.
type Registrar struct {
	o       Options
	rules   atomic.Pointer[Rules]
	gruus   cipher.AEAD
	shards  [Slots]shard
	sources sources
	methods methodLists
	count   atomic.Int64

	timer struct {
		sync.Mutex
		*time.Timer
		closed bool
	}
}

// New makes an empty Registrar. It fails if an option makes no sense.
func New(o Options) (*Registrar, error) {
	if o.Journal == nil {
		return nil, errors.New("registrar: no journal")
	}
	if len(o.Secret) < 16 {
		return nil, errors.New("registrar: the secret has less than 16 bytes")
	}
	r := &Registrar{o: o, gruus: newGRUUs(o.Secret)}
	if err := r.SetRules(Rules{o.Min, o.Max, o.Default, o.RefuseFull}); err != nil {
		return nil, err
	}
	for i := range r.shards {
		r.shards[i].aors = map[string]*aor{}
	}
	r.sources.init()
	return r, nil
}

// Register answers a REGISTER that came from ext (its credentials have been checked). The response goes out later,
// from the journal's goroutine, if something has to be stored.
func (r *Registrar) Register(tx *transaction.Server, ext *pbx.Extension) {
	// A response that cannot be sent is the transaction's affair: the phone will ask again.
	r.Process(tx.Request, tx.From, ext, func(res *sip.Response) { _ = tx.Respond(res) })
}

// Process is Register without a transaction. respond is called once, on this goroutine or the journal's.
func (r *Registrar) Process(req *sip.Request, from wire.Hop, ext *pbx.Extension, respond func(*sip.Response)) {
	q, bad := r.read(req, from, ext)
	if bad != nil {
		respond(r.refuse(req, bad))
		return
	}
	ok := r.submit(ext.Number, op{
		change: func(now []*binding) ([]*binding, *refusal) {
			if !r.exists(ext.Number) {
				return nil, &refusal{status: 403}
			}
			return r.update(now, q, time.Now())
		},
		done: func(all []*binding, bad *refusal) {
			if bad != nil {
				respond(r.refuse(req, bad))
				return
			}
			respond(r.accept(req, q, all))
		},
	})
	if !ok {
		respond(r.refuse(req, &refusal{status: 503, retryAfter: 2}))
	}
}

// exists reports whether an extension may have bindings.
func (r *Registrar) exists(number string) bool {
	if r.o.Directory == nil {
		return true
	}
	e := r.o.Directory.Extension(number)
	return e != nil && e.Enabled
}

// Close stops the timer. What is under way at the journal still finishes.
func (r *Registrar) Close() {
	r.timer.Lock()
	defer r.timer.Unlock()
	r.timer.closed = true
	if r.timer.Timer != nil {
		r.timer.Stop()
	}
}
