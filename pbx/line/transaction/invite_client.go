package transaction

// inviteClient is RFC 3261 §17.1.1.2 with RFC 6026 §7.2.
func inviteClient(s state, e event, reliable bool) (state, effect) {
	switch s {
	case calling:
		switch e {
		case retryFires:
			// "When timer A fires, the client transaction MUST retransmit the request by passing it to the transport
			// layer, and MUST reset the timer with a value of 2*T1."
			return calling, resend | startRetry
		case limitFires:
			// "If the client transaction is still in the "Calling" state when timer B fires, the client transaction SHOULD
			// inform the TU that a timeout has occurred. The client transaction MUST NOT generate an ACK."
			return terminated, timeout | stopRetry
		case got1xx:
			// "If the client transaction receives a provisional response while in the "Calling" state, it transitions to
			// the "Proceeding" state. In the "Proceeding" state, the client transaction SHOULD NOT retransmit the request
			// any longer. Furthermore, the provisional response MUST be passed to the TU."
			return proceeding, up | stopRetry | stopLimit
		}
	case proceeding:
		switch e {
		case got1xx:
			// "Any further provisional responses MUST be passed up to the TU while in the "Proceeding" state."
			return proceeding, up
		case limitFires:
			// §9.1, after CANCEL: "If there is no final response for the original request in 64*T1 seconds, the client
			// SHOULD then consider the original transaction cancelled and SHOULD destroy the client transaction".
			return terminated, timeout
		}
	case completed:
		switch e {
		case got3xx:
			// "Any retransmissions of the final response that are received while in the "Completed" state MUST cause the
			// ACK to be re-passed to the transport layer for retransmission, but the newly received response MUST NOT be
			// passed up to the TU."
			return completed, ack
		case limitFires, noTransport:
			// "If timer D fires while the client transaction is in the "Completed" state, the client transaction MUST move
			// to the terminated state." The TU has its final response, so it is not told of a lost ACK.
			return terminated, stopLimit
		}
		return completed, 0
	case accepted:
		switch e {
		case got2xx:
			// RFC 6026 §7.2: "If a 2xx response is received while in the "Accepted" state, the client transaction MUST
			// remain in the "Accepted" state. The 2xx response MUST be passed to the TU. The client transaction MUST NOT
			// generate an ACK to the 2xx response".
			return accepted, up
		case limitFires:
			// "When this timer [M] fires and the client is in the "Accepted" state, the client MUST transition to the
			// "Terminated" state."
			return terminated, 0
		}
		return accepted, 0
	}
	if s == calling || s == proceeding {
		switch e {
		case got2xx:
			// RFC 6026 §8.4: "When in either the "Calling" or "Proceeding" states, reception of a 2xx response MUST cause
			// the client transaction to enter the "Accepted" state, and the response MUST be passed up to the TU."
			return accepted, up | stopRetry | startLimit
		case got3xx:
			// "When in either the "Calling" or "Proceeding" states, reception of a response with status code from 300-699
			// MUST cause the client transaction to transition to "Completed". The client transaction MUST pass the received
			// response up to the TU, and the client transaction MUST generate an ACK request". Timer D is "zero seconds for
			// reliable transports".
			if reliable {
				return terminated, ack | up | stopRetry | stopLimit
			}
			return completed, ack | up | stopRetry | startLimit
		case noTransport:
			// §17.1.4: "The client transaction SHOULD inform the TU that a transport failure has occurred, and the client
			// transaction SHOULD transition directly to the "Terminated" state."
			return terminated, failed | stopRetry | stopLimit
		}
	}
	return s, 0
}
