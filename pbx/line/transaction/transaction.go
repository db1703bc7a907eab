// Package transaction is the transaction layer of RFC 3261 §17 with RFC 6026: client and server transactions, their
// timers, matching, merged requests. Messages of one source are handled in the order they came.
//
// The state machines are pure (event × state → state, effects). The Layer around them sends, and keeps the time
// with one timer wheel. What a finished transaction keeps until its timers are over is the bytes of its last response.
//
// Callbacks come on the goroutine that read the message, or the wheel's, with no lock held; they must not block.
package transaction

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

// User is the transaction user (RFC 3261 §5) for everything that arrives.
type User interface {
	// Request is a new request: no retransmission, not merged, not CANCEL, no ACK. It was not answered yet.
	Request(tx *Server)
	// Ack is the ACK of a 2xx, or one that matches nothing (RFC 3261 §17.1.1.2).
	Ack(req *sip.Request, from wire.Hop)
	// Cancel is a CANCEL for tx, which has no final response yet. The layer has answered the CANCEL 200;
	// the user answers tx 487. It may come while Request is still under way on another goroutine: see Server.Cancelled.
	Cancel(tx *Server, cancel *sip.Request)
	// Stray is a response that matches no client transaction, such as a 2xx that comes after Timer M.
	Stray(res *sip.Response, from wire.Hop)
}

// ClientUser is told what became of a request. Calls of one transaction are in order, never concurrent.
type ClientUser interface {
	// Response is a 1xx, a final response, or for INVITE each further 2xx (RFC 6026: retransmitted or forked).
	Response(tx *Client, res *sip.Response)
	// Failed comes instead of a final response: ErrTimeout (Timer B or F) or a transport error.
	Failed(tx *Client, err error)
}

// Timers are RFC 3261 table 4. The zero value means the defaults: 500 ms, 4 s, 5 s.
type Timers struct{ T1, T2, T4 time.Duration }
