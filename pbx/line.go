package pbx

import (
	"context"

	"ringback/media"
)

// Line is the way to the phones: SIP in production (pbx/line), a script in tests.
type Line interface {
	// Contacts are the phones of an extension that may be called now, best q first; unreachable ones are left out.
	Contacts(extension string) []Contact
	// Dial offers the call to one contact and blocks until it has answered, failed, or ctx is done.
	// When ctx is done first it returns at once with the cause (an Outcome) and the line sees to the rest: CANCEL with
	// the cause's Reason, or ACK and BYE if the phone answers too late. An answered leg outlives ctx.
	Dial(ctx context.Context, inv Invitation) (*Leg, Outcome)
	// Message sends a MESSAGE (RFC 3428) to one contact and blocks for its final response.
	Message(ctx context.Context, to Contact, m Message) Outcome
}

// Invitation is what a phone is called with.
type Invitation struct {
	CallID      string // of the Call, for logs; the SIP Call-ID is the line's own
	To          Contact
	From        Identity
	Codecs      []media.Codec  // to offer, preferred first; nil: the line's defaults. Filtered by the extension's codecs
	Progress    func(Progress) // called in order, from the line's goroutines, never after Dial returned; must not block
	AlertInfo   string         // Alert-Info to send, set by features only
	AnswerAfter int            // seconds; <0: ring normally. 0 answers at once (intercom), set by features only
	MaxForwards int            // what is left for the new request
	Via         []Diversion    // the numbers by which the call came here, oldest first: History-Info and Diversion
}

// Diversion is one step by which a call was sent on, for History-Info (RFC 7044) and Diversion (RFC 5806).
type Diversion struct {
	From   string // number that was called
	To     string // number that is called instead
	Reason string // "unconditional", "user-busy", "no-answer", "unavailable", "do-not-disturb", "time-of-day", "follow-me", "deflection" (RFC 5806 §4)
	Status int    // SIP status that the call had there, for Reason in History-Info: 302, 486, 408 … (RFC 7044 §10.2)
	Hidden bool   // the diverting subscriber hides his number
}

// Progress is news of a leg that rings.
type Progress struct {
	Status int           // 180, 181, 183 …
	Early  *Leg          // leg with early media, nil if this news brought none
	Codecs []media.Codec // towards a caller: early media in these codecs, preferred first; nil: no SDP
}

// Message is an instant message (RFC 3428).
type Message struct {
	From        Identity
	To          string
	ContentType string
	Body        []byte // at most 64 KiB
}

// Signalling is the protocol side of a leg, implemented by a Line. Methods do not block (they queue or send a
// datagram), may be called from any goroutine, and do nothing on a leg that has ended.
type Signalling interface {
	// Progress tells an incoming leg that is not answered yet. The line keeps one To-tag and one set of 100rel state,
	// and drops what would repeat the last news.
	Progress(Progress)
	// Answer accepts an incoming leg (200). prefer lists what the other side speaks, preferred first; an SDP answer
	// that was given already stays as it is. It fails if no codec can be agreed; the leg is then still unanswered.
	Answer(prefer []media.Codec) error
	// Refuse ends an incoming leg that is not answered: Outcome.Status goes out, with its Reason and Error-Info.
	Refuse(Outcome)
	// Hangup ends the leg in whatever state it is: BYE, CANCEL or a final response.
	Hangup(Outcome)
	// Info sends an INFO with a body in the dialog.
	Info(contentType string, body []byte)
	// TakesInfo reports whether the phone takes INFO, as far as its Allow says so: true where it has not said.
	TakesInfo() bool
	// Renegotiate asks the phone by re-INVITE for one of these codecs.
	Renegotiate(codecs []media.Codec)
	// Automaton says that a machine answers: the Contact of the responses to come has automaton and
	// +sip.rendering="no" (RFC 3840 §9, RFC 4235 §5.2).
	Automaton()
	// Focus says that the other end is a conference: the same has isfocus (RFC 4579 §4).
	Focus()
	// Port is the leg's audio, nil before any offer or answer.
	Port() media.Port
	// Offered are the codecs that the remote end said it can do, preferred first; nil if it has not said.
	Offered() []media.Codec
}

// Exchange is what a Line tells of. *Switchboard implements it. Methods do not block.
type Exchange interface {
	// Incoming is a new call from an authenticated party. The line sees to the 100.
	Incoming(leg *Leg, dialled string, maxForwards int)
	// Ended says that a leg is over, by the phone's doing or the network's: BYE, CANCEL, failure, timeout.
	// It comes exactly once a leg that was Incoming or came out of Dial, also after Hangup and Refuse.
	Ended(leg *Leg, o Outcome)
	// Held says whether the phone has put the other side on hold.
	Held(leg *Leg, held bool)
	// Info is an INFO with a body from the phone (already answered 200). key is the key that it tells of
	// (application/dtmf-relay, application/dtmf): 0-9, *, #, A-D; 0 if none.
	Info(leg *Leg, contentType string, body []byte, key byte)
	// Message is an instant message from an authenticated party; reply is called once, from any goroutine.
	Message(m Message, reply func(Outcome))
	// Mismatch says that the leg renegotiated to codecs its bridge cannot carry any more.
	Mismatch(leg *Leg)
}

// State is what phones may watch by SUBSCRIBE (RFC 6665). A Line reads it when somebody subscribes, and when it is told that there
// is something new. It answers from memory.
type State interface {
	// Messages is how many messages the mailbox of an extension has; false if it has none.
	Messages(extension string) (MessageCount, bool)
	// Conference is who is in the conference of a room, nobody if it has none now; false if there is no such room.
	Conference(room string) (ConferenceInfo, bool)
}
