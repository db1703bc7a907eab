package transaction

// inviteServer is RFC 3261 §17.2.1 with RFC 6026 §7.1. It begins in Proceeding.
func inviteServer(s state, e event, reliable bool) (state, effect) {
	switch s {
	case proceeding:
		switch e {
		case gotRequest:
			// "If a request retransmission is received while in the "Proceeding" state, the most recent provisional response
			// that was received from the TU MUST be passed to the transport layer for retransmission."
			return proceeding, resend
		case send1xx:
			// "The TU passes any number of provisional responses to the server transaction. So long as the server
			// transaction is in the "Proceeding" state, each of these MUST be passed to the transport layer".
			return proceeding, resend | stopRetry
		case send2xx:
			// RFC 6026 §7.1: "If, while in the "Proceeding" state, the TU passes a 2xx response to the server transaction,
			// the server transaction MUST pass this response to the transport layer for transmission. … The server
			// transaction MUST then transition to the "Accepted" state."
			return accepted, resend | stopRetry | startLimit
		case send3xx:
			// "If the TU passes a response with status code from 300 to 699 to the server transaction, the response MUST be
			// passed to the transport layer for transmission, and the state machine MUST enter the "Completed" state. For
			// unreliable transports, timer G is set to fire in T1 seconds, and is not set to fire for reliable transports. …
			// timer H MUST be set to fire in 64*T1 seconds for all transports."
			if reliable {
				return completed, resend | stopRetry | startLimit
			}
			return completed, resend | startRetry | startLimit
		}
	case completed:
		switch e {
		case gotRequest:
			// "while in the "Completed" state, if a request retransmission is received, the server SHOULD pass the response
			// to the transport layer for retransmission."
			return completed, resend
		case retryFires:
			// "If timer G fires, the response is passed to the transport layer once more for retransmission, and timer G is
			// set to fire in MIN(2*T1, T2) seconds."
			return completed, resend | startRetry
		case gotAck:
			// "If an ACK is received while the server transaction is in the "Completed" state, the server transaction MUST
			// transition to the "Confirmed" state. As Timer G is ignored in this state, any retransmissions of the response
			// will cease." Timer I is T4, "zero seconds for reliable transports".
			if reliable {
				return terminated, stopRetry | stopLimit
			}
			return confirmed, stopRetry | startLimit
		case limitFires:
			// "If timer H fires while in the "Completed" state, it implies that the ACK was never received. In this case, the
			// server transaction MUST transition to the "Terminated" state".
			return terminated, stopRetry | timeout
		}
	case accepted:
		switch e {
		case gotRequest:
			// RFC 6026 §7.1: "any retransmissions of the INVITE received will match this transaction state machine and will
			// be absorbed by the machine without changing its state."
			return accepted, 0
		case gotAck:
			// "Any ACKs received from the network while in the "Accepted" state MUST be passed directly to the TU and not
			// absorbed."
			return accepted, up
		case send2xx:
			// "The server transaction MUST NOT generate 2xx retransmissions on its own. Any retransmission of the 2xx
			// response passed from the TU to the transaction while in the "Accepted" state MUST be passed to the transport
			// layer for transmission."
			return accepted, resend
		case limitFires:
			// "When Timer L fires and the state machine is in the "Accepted" state, the machine MUST transition to the
			// "Terminated" state."
			return terminated, 0
		}
	case confirmed:
		// "The purpose of the "Confirmed" state is to absorb any additional ACK messages that arrive … Once timer I fires, the
		// server MUST transition to the "Terminated" state."
		if e == limitFires {
			return terminated, 0
		}
	}
	// RFC 6026 §8.8 leaves a server transaction where it is on a transport error; the TU is told by Respond.
	return s, 0
}
