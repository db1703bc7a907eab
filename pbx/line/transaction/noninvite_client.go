package transaction

// nonInviteClient is RFC 3261 §17.1.2.2.
func nonInviteClient(s state, e event, reliable bool) (state, effect) {
	switch s {
	case trying, proceeding:
		switch e {
		case retryFires:
			// "If timer E fires while still in this [Trying] state, the timer is reset, but this time with a value of
			// MIN(2*T1, T2). … If Timer E fires while in the "Proceeding" state, the request MUST be passed to the transport
			// layer for retransmission, and Timer E MUST be reset with a value of T2 seconds."
			return s, resend | startRetry
		case limitFires:
			// "If Timer F fires while the client transaction is still in the "Trying" state, the client transaction SHOULD
			// inform the TU about the timeout, and then it SHOULD enter the "Terminated" state." Likewise in Proceeding.
			return terminated, timeout | stopRetry
		case got1xx:
			// "If a provisional response is received while in the "Trying" state, the response MUST be passed to the TU, and
			// then the client transaction SHOULD move to the "Proceeding" state."
			return proceeding, up
		case got2xx, got3xx:
			// "If a final response (status codes 200-699) is received while in the "Trying" state, the response MUST be
			// passed to the TU, and the client transaction MUST transition to the "Completed" state." Timer K is T4 "for
			// unreliable transports, and zero seconds for reliable transports".
			if reliable {
				return terminated, up | stopRetry | stopLimit
			}
			return completed, up | stopRetry | startLimit
		case noTransport:
			return terminated, failed | stopRetry | stopLimit // §17.1.4
		}
	case completed:
		// "The "Completed" state exists to buffer any additional response retransmissions that may be received … If Timer K
		// fires while in this state, the client transaction MUST transition to the "Terminated" state."
		if e == limitFires {
			return terminated, 0
		}
	}
	return s, 0
}
