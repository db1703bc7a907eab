package transaction

// The state machines are functions event × state → state, effects: inviteClient, nonInviteClient, inviteServer,
// nonInviteServer. Each transaction has two timers: retry, for what is sent again (Timers A, E, G), and limit, which ends
// the state it is in (B, F, H, D, K, I, J, L, M).

type state uint8

const (
	calling    state = iota // INVITE client
	trying                  // non-INVITE
	proceeding              // all
	completed               // all
	accepted                // INVITE (RFC 6026)
	confirmed               // INVITE server
	terminated
)

func (s state) String() string {
	return [...]string{"Calling", "Trying", "Proceeding", "Completed", "Accepted", "Confirmed", "Terminated"}[s]
}

type event uint8

const (
	retryFires event = iota
	limitFires
	noTransport // sending failed

	got1xx // client
	got2xx
	got3xx // to 6xx

	gotRequest // server: a retransmission
	gotAck
	send1xx
	send2xx
	send3xx // to 6xx
)

func (e event) String() string {
	return [...]string{"retry", "limit", "transport error", "1xx", "2xx", "3xx-6xx", "request", "ACK", "send 1xx", "send 2xx", "send 3xx-6xx"}[e]
}

// effect is a set of things to do, in the order of the constants.
type effect uint16

const (
	stopRetry  effect = 1 << iota
	stopLimit         //
	startRetry        // again after the next interval
	startLimit        // with the time of the new state
	resend            // the request (client), the last response (server)
	ack               // client: (re)send the ACK of a final response that is not 2xx
	up                // client: the response goes to the user; server: the ACK does
	timeout           // the user is told
	failed            // the user is told of a transport error
)

func (e effect) has(x effect) bool { return e&x != 0 }

func classify(code int) event {
	switch {
	case code < 200:
		return got1xx
	case code < 300:
		return got2xx
	}
	return got3xx
}
