// Package registrar keeps the bindings of extensions to contacts: RFC 3261 §10, Path (RFC 3327), GRUU (RFC 5627), and of
// RFC 5626 that an instance with a reg-id is one binding wherever it comes from.
//
// All of it is in memory; what a 200 promises is in the journal first. The changes of one extension are made one
// after the other: each is worked out on what is committed, journalled, and shown only when the journal has it. So a
// failed commit leaves nothing behind, and a phone's next REGISTER sees the end of the one before.
//
// Every method may be called from any goroutine. Locks are held for memory only, never over the journal, a response or
// a callback. But for Remove, nothing blocks.
package registrar

import (
	"errors"
	"iter"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// ErrNotFound says that there is no such binding.
var ErrNotFound = errors.New("no such binding")

// Options say how a Registrar works. Journal and Secret are required; other zero values mean the default.
type Options struct {
	Journal   pbx.Journal
	Directory pbx.Directory // asked again just before a change, so that a deleted extension cannot come back; nil: not asked
	Secret    []byte        // key of temp-gruus, at least 16 bytes, the same after a restart
	Domain    string        // host of the GRUUs; "": the host of To

	Min     time.Duration // shortest time granted, below it 423; default 60 s
	Max     time.Duration // longest time granted; default 1 h
	Default time.Duration // if the phone names none; default 1 h

	RefuseFull bool   // at ext.MaxContacts refuse a new contact (403) instead of dropping the oldest
	Server     string // Server header of responses; "" leaves it out

	// OnChange is told the bindings of an extension after each change, in order per extension.
	OnChange func(extension string, all []pbx.Binding)
	// OnReachable is told when a binding is found (un)reachable.
	OnReachable func(id string, reachable bool)
}

// Info is a binding as shown to people.
type Info struct {
	ID string `json:"id"`
	pbx.Binding
	Reachable bool          `json:"reachable"`
	Asked     bool          `json:"asked"`  // it has been qualified since its last REGISTER or restart
	RTT       time.Duration `json:"rtt_ns"` // of the newest answer, 0 if none
}

// Slots is the number of parts that Qualify divides all bindings into.
const Slots = 64

// Registrar holds the bindings. Make it with New.
type Registrar struct{ o Options }

// New makes an empty Registrar. It fails if an option makes no sense.
func New(o Options) (*Registrar, error) { return &Registrar{o: o}, nil }

// Register answers a REGISTER that came from ext (its credentials have been checked). The response goes out later,
// from the journal's goroutine, if something has to be stored.
func (r *Registrar) Register(tx *transaction.Server, ext *pbx.Extension) {
	r.Process(tx.Request, tx.From, ext, func(res *sip.Response) { _ = tx.Respond(res) })
}

// Process is Register without a transaction: respond is called once.
func (r *Registrar) Process(req *sip.Request, from wire.Hop, ext *pbx.Extension, respond func(*sip.Response)) {
}

// Restore takes what the journal kept, at start, before anything else is called. Expired bindings are left out; those
// over a stream are unreachable until their phone is back.
func (r *Registrar) Restore(all []pbx.Binding) {}

// Contacts are the phones of an extension that may be called now, best q first, the newest first among equals.
// Expired and unreachable ones are left out; one that was not asked yet counts as reachable.
// Of several flows of one instance (RFC 5626) there is the newest only.
func (r *Registrar) Contacts(extension string) []pbx.Contact { return nil }

// Binding is a binding by its ID, with the way to it: where its REGISTER came from. Requests to it carry
// Binding.Path as Route. false if it has gone or expired.
func (r *Registrar) Binding(id string) (pbx.Binding, wire.Hop, bool) {
	return pbx.Binding{}, wire.Hop{}, false
}

// Resolve finds the bindings a GRUU of ours stands for, newest first; none if it is none, or not valid any more
// (RFC 5627 §5.1). extension is whose it is. The host is not looked at.
func (r *Registrar) Resolve(uri *sip.Uri) (extension string, ids []string) { return "", nil }

// Mark notes what a qualifying OPTIONS or a call found.
func (r *Registrar) Mark(id string, reachable bool, rtt time.Duration) {}

// ConnClosed makes the bindings that came by a stream connection unreachable until their phone registers again.
func (r *Registrar) ConnClosed(hop wire.Hop) {}

// Registered reports whether a binding came from that address. It is cheap: made to be asked for every message.
func (r *Registrar) Registered(source netip.AddrPort) bool { return false }

// Qualify visits the bindings of one slot (0 to Slots-1), about an equal part of all: to ask every phone once
// an interval, visit the next slot each interval/Slots. No lock is held in visit.
func (r *Registrar) Qualify(slot int, visit func(id string, b pbx.Binding, hop wire.Hop)) {}

// All yields every binding that has not expired, in no order.
func (r *Registrar) All() iter.Seq[Info] { return func(func(Info) bool) {} }

// List is the bindings of one extension.
func (r *Registrar) List(extension string) []Info { return nil }

// Len is the number of bindings.
func (r *Registrar) Len() int { return 0 }

// Remove takes a binding out and returns when the journal has it. ErrNotFound if there is none of that ID.
func (r *Registrar) Remove(id string) error { return ErrNotFound }

// Drop takes out all bindings of an extension that was deleted or disabled. They are gone when it returns.
func (r *Registrar) Drop(extension string) {}

// Close stops the timer. What is under way at the journal still finishes.
func (r *Registrar) Close() {}
