package transaction

// nonInviteServer is RFC 3261 §17.2.2.
func nonInviteServer(s state, e event, reliable bool) (state, effect) {
	switch s {
	case trying, proceeding:
		switch e {
		case gotRequest:
			// "Once in the "Trying" state, any further request retransmissions are discarded." "If a retransmission of the
			// request is received while in the "Proceeding" state, the most recently sent provisional response MUST be passed
			// to the transport layer for retransmission."
			if s == trying {
				return trying, 0
			}
			return proceeding, resend
		case send1xx:
			// "While in the "Trying" state, if the TU passes a provisional response to the server transaction, the server
			// transaction MUST enter the "Proceeding" state. The response MUST be passed to the transport layer".
			return proceeding, resend
		case send2xx, send3xx:
			// "If the TU passes a final response (status codes 200-699) to the server while in the "Proceeding" state, the
			// transaction MUST enter the "Completed" state, and the response MUST be passed to the transport layer". Timer J
			// is 64*T1 seconds "for unreliable transports, and zero seconds for reliable transports".
			if reliable {
				return terminated, resend | stopLimit
			}
			return completed, resend | startLimit
		case limitFires:
			// Not in the RFC: the user has not answered in the time in which the client gives up (Timer F), and must not be
			// able to keep the transaction for ever.
			return terminated, timeout
		}
	case completed:
		switch e {
		case gotRequest:
			// "While in the "Completed" state, the server transaction MUST pass the final response to the transport layer for
			// retransmission whenever a retransmission of the request is received."
			return completed, resend
		case limitFires:
			// "The server transaction remains in this state until Timer J fires, at which point it MUST transition to the
			// "Terminated" state."
			return terminated, 0
		}
	}
	return s, 0
}
