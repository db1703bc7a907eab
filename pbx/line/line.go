// Package line is the PBX's way to the phones: SIP, from the transaction layer up. A Line takes the calls of
// authenticated extensions, calls their phones, keeps the dialogs, and answers by itself whatever a phone asks inside a
// dialog; it tells a pbx.Exchange of the rest. Each party's connection is a leg with a dialog, an offer/answer session
// and a media stream of its own: nothing of one leg's signalling is ever passed to another. Phones may subscribe to what
// a pbx.State knows (RFC 6665); each subscription is a watch with a dialog of its own.
//
// Everything runs to completion on the goroutine that brought it: a message's reader, the timer wheel, or a caller
// of a pbx.Signalling method. A leg's state is guarded by its mutex; calls to the Exchange leave in order, one at a
// time, after the mutex was let go (see leg.enter). Only news for subscriptions has a goroutine (see notifier), which
// ends with Close.
package line

import (
	"fmt"
	"hash/maphash"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// Line implements pbx.Line and transaction.User.
type Line struct {
	o     Options
	log   *slog.Logger
	tx    *transaction.Layer
	stock stock // headers that are always the same

	draining atomic.Bool
	closed   atomic.Bool
	counters counters

	legs    [shards]shard // by our tag
	invites sync.Map      // *transaction.Server → *leg: INVITEs without a final response, for CANCEL
	sweep   sweeper       // OPTIONS to the phones
	events  notifier      // subscriptions, and lamps of phones that have none

	mu     sync.Mutex
	routes map[routeKey]sender // our address towards a remote one, where the listener has no address of its own
}

const shards = 32

// shard is a part of the table of legs.
type shard struct {
	sync.RWMutex
	legs map[string]*leg
}

type counters struct {
	panics, legs atomic.Int64
}

// Stats are counters of a Line.
type Stats struct {
	Legs          int64 // dialogs of calls that live, early ones included
	Subscriptions int64 // those that live, and those whose last NOTIFY was not answered yet
	Panics        int64 // handlers that panicked; each ended one call or subscription
}

var seed = maphash.MakeSeed()

// New makes a Line. Messages go into Receive; Start begins to ask the phones whether they are there.
func New(o Options) *Line {
	o.defaults()
	l := &Line{o: o, log: o.Log, routes: make(map[routeKey]sender)}
	for i := range l.legs {
		l.legs[i].legs = make(map[string]*leg)
	}
	l.stock = newStock(o)
	l.tx = transaction.New(transaction.Options{
		Send: o.Send, User: l, Timers: o.Timers, SentBy: l.sentBy, Max: o.MaxTx, Shed: l.shed, Server: o.Product, Log: o.Log,
	})
	l.events.start(l)
	return l
}

// SetExchange is for wiring, where line and exchange need each other: before the first message.
func (l *Line) SetExchange(x pbx.Exchange) { l.o.Exchange = x }

// Receive is the wire.Receiver.
func (l *Line) Receive(m sip.Message, from wire.Hop) { l.tx.Receive(m, from) }

// Closed is for wire.Options.Closed: a stream connection has ended.
func (l *Line) Closed(hop wire.Hop) {
	l.o.Registrar.ConnClosed(hop)
	l.tx.Closed(hop)
}

// Start begins to qualify phones.
func (l *Line) Start() { l.startQualify() }

// Drain makes new calls and subscriptions be refused with 503 from now on; those that are up go on.
func (l *Line) Drain() { l.draining.Store(true) }

// HangupAll ends every leg and every subscription.
func (l *Line) HangupAll(o pbx.Outcome) {
	l.events.endAll(l.o.DrainRetry)
	for i := range l.legs {
		s := &l.legs[i]
		s.RLock()
		all := make([]*leg, 0, len(s.legs))
		for _, g := range s.legs {
			all = append(all, g)
		}
		s.RUnlock()
		for _, g := range all {
			g.Hangup(o)
		}
	}
}

// Close ends all transactions and timers. Legs and subscriptions that live are forgotten; HangupAll first ends them in order.
func (l *Line) Close() {
	l.closed.Store(true)
	l.stopQualify()
	l.events.close()
	l.tx.Close()
}

// Stats may be read at any time.
func (l *Line) Stats() Stats {
	return Stats{Legs: l.counters.legs.Load(), Subscriptions: l.events.count(), Panics: l.counters.panics.Load()}
}

func (l *Line) shard(tag string) *shard { return &l.legs[maphash.String(seed, tag)%shards] }

func (l *Line) add(g *leg) {
	s := l.shard(g.tag)
	s.Lock()
	s.legs[g.tag] = g
	s.Unlock()
	l.counters.legs.Add(1)
}

func (l *Line) remove(g *leg) {
	s := l.shard(g.tag)
	s.Lock()
	_, ok := s.legs[g.tag]
	delete(s.legs, g.tag)
	s.Unlock()
	if ok {
		l.counters.legs.Add(-1)
	}
}

func (l *Line) find(tag string) *leg {
	s := l.shard(tag)
	s.RLock()
	defer s.RUnlock()
	return s.legs[tag]
}

// shed says which new requests give way when the transaction table is nearly full: by default those of strangers.
func (l *Line) shed(req *sip.Request, from wire.Hop) bool {
	if l.o.Shed != nil {
		return l.o.Shed(req, from)
	}
	return !l.o.Registrar.Registered(from.Remote)
}

// panicked counts and logs a recovered panic.
func (l *Line) panicked(p any) {
	l.counters.panics.Add(1)
	l.log.Error("panic in a handler", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
}
