// Package offer is SDP offer/answer (RFC 3264) for one leg with one audio stream: what the PBX offers, what it
// answers, and what is then agreed. It is pure: descriptions in, descriptions and a media.Agreement out; no I/O,
// no clock, no goroutine. A Session belongs to one dialog and is not safe for concurrent use: whoever owns the leg
// holds its lock around every call.
//
// The order of calls:
//
//	we call:      Offer, (Accept of a 18x or 2xx)                 Rollback when the request fails
//	we are called: Peek (INVITE arrives), … Answer(nil, prefer)   Rollback when it is refused; Repeat in later 18x/200
//	re-INVITE, UPDATE of the phone: Answer(offer, prefer)
//	re-INVITE without SDP: Offer goes into the 200, Accept takes what the ACK brings
//	session refresh of ours: Refresh, Accept
package offer

import (
	"net/netip"

	"ringback/media"
)

// Local is our end of the audio stream. It does not change during the life of a Session.
type Local struct {
	RTP       netip.AddrPort // where we receive RTP; its address family is that of every description we write
	RTCP      netip.AddrPort // where we receive RTCP; written as a=rtcp (RFC 3605) unless it is RTP's port + 1
	Mux       bool           // offer and accept rtcp-mux (RFC 5761)
	SessionID uint64         // of the o= line, constant for the dialog
	User      string         // of the o= line, "" is "-"
	Name      string         // of the s= line, "" is "-"
}

// State says which offer waits for an answer.
type State uint8

// The states of offer/answer (RFC 3264 §4: one offer at a time).
const (
	Idle     State = iota // nothing waits
	Sent                  // we have offered
	Received              // the phone has offered (Peek)
)

func (s State) String() string { return [...]string{"idle", "offer sent", "offer received"}[min(int(s), 2)] }

// Error says with what status a request is refused for its SDP (400, 488), or for coming at a wrong time (RFC 3311
// §5.2: 491 while our own offer waits, 500 while the phone's does). Text is fit for a Warning header or a log.
type Error struct {
	Status int
	Text   string
}

func (e *Error) Error() string { return e.Text }

// Session is the offer/answer state of one dialog.
type Session struct {
	local Local
}

// New makes a Session in which nothing has been offered.
func New(l Local) *Session { return &Session{local: l} }

// Offer returns our offer of these codecs, preferred first; nil means the defaults. It is the first offer or a
// re-offer; telephone-event is added for every clock rate. In another state than Idle it returns nil.
func (s *Session) Offer(codecs []media.Codec) []byte { return nil }

// Refresh returns our description as it is, as an offer (RFC 4028 session refresh): Accept takes the answer.
// Nil in another state than Idle, or before anything was described.
func (s *Session) Refresh() []byte { return nil }

// Accept takes the answer to our offer. In state Idle it takes a further answer to our last offer (another
// branch's, or a 200 that differs from an unreliable 183), which replaces the one before.
// Errors are *Error; the state is then as after Rollback.
func (s *Session) Accept(answer []byte) error { return nil }

// Peek takes the phone's offer without answering it and returns its codecs, preferred first: the state is
// then Received until Answer or Rollback. Errors are *Error and change nothing.
func (s *Session) Peek(offer []byte) ([]media.Codec, error) { return nil, nil }

// Answer answers the phone's offer: the one given, or with nil the one of Peek. prefer lists what the other side
// speaks, preferred first; nil means the defaults in the phone's order.
// Errors are *Error; a peeked offer then still waits, so that Answer can be tried again with other codecs.
func (s *Session) Answer(offer []byte, prefer []media.Codec) ([]byte, error) { return nil, nil }

// Rollback forgets the offer that waits, whoever made it (RFC 3261 §14.1: the session stays as it was).
func (s *Session) Rollback() {}

// Repeat returns our description as last sent, byte for byte, for a repeated 18x or 200; nil before the first.
// To refresh a session by re-INVITE, which is an offer, take Refresh.
func (s *Session) Repeat() []byte { return nil }

// Agreement is what both have agreed on; zero before the first answer.
func (s *Session) Agreement() media.Agreement { return media.Agreement{} }

// Offered are the codecs of the phone's newest description, preferred first, with telephone-event and CN.
func (s *Session) Offered() []media.Codec { return nil }

// Held reports whether the phone has put us on hold: sendonly, inactive or no address (RFC 3264 §8.4).
func (s *Session) Held() bool { return false }

// Pending says which offer waits for its answer.
func (s *Session) Pending() State { return Idle }
