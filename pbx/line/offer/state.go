package offer

// State says which offer waits for an answer.
type State uint8

// The states of offer/answer. RFC 3264 §4: "At any time, either agent MAY generate a new offer that updates the
// session. However, it MUST NOT generate a new offer if it has received an offer which it has not yet answered or
// rejected. Furthermore, it MUST NOT generate a new offer if it has generated a prior offer for which it has not yet
// received an answer or a rejection."
const (
	Idle     State = iota // nothing waits
	Sent                  // we have offered
	Received              // the phone has offered
)

func (s State) String() string {
	return [...]string{"idle", "offer sent", "offer received"}[min(int(s), 2)]
}

// event is what happens to an offer.
type event uint8

const (
	weOffer event = iota
	theyOffer
	weAnswer
	theyAnswer
	reject // of the offer that waits, by whoever got it
)

// next is the whole state machine. An error's status is what a request with that SDP is refused with.
func (s State) next(e event) (State, *Error) {
	switch s {
	case Idle:
		switch e {
		case weOffer:
			return Sent, nil
		case theyOffer:
			return Received, nil
		case weAnswer:
			return s, &Error{500, "no offer to answer"}
		case theyAnswer: // a further answer to an offer of ours; Session knows whether there was one
			return Idle, nil
		}
	case Sent:
		switch e {
		case weOffer:
			return s, &Error{491, "our own offer still waits for its answer"}
		case theyOffer, weAnswer:
			// RFC 3261 §14.2: "A UAS that receives an INVITE on a dialog while an INVITE it had sent on that dialog is
			// in progress MUST return a 491". RFC 3311 §5.2 says the same of UPDATE.
			return s, &Error{491, "glare: our own offer still waits for its answer"}
		case theyAnswer:
			return Idle, nil
		}
	case Received:
		switch e {
		case weOffer:
			return s, &Error{491, "an offer of the remote end still waits for our answer"}
		case theyOffer:
			// RFC 3311 §5.2: "If an UPDATE is received that contains an offer, and the UAS has received a previous
			// offer which it has not answered, it MUST return a 500 response … Retry-After between 0 and 10 seconds".
			return s, &Error{500, "the previous offer is not answered yet"}
		case weAnswer:
			return Idle, nil
		case theyAnswer:
			return s, &Error{500, "an answer came where we owe one"}
		}
	}
	return Idle, nil // reject
}
