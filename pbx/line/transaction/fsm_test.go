package transaction

import "testing"

type machine func(state, event, bool) (state, effect)

type row struct {
	s    state
	e    event
	next state
	fx   effect
}

// check runs every state × event × transport: what is not in the table changes nothing and does nothing.
func check(t *testing.T, m machine, states []state, unreliable, reliable []row) {
	t.Helper()
	for rel, rows := range map[bool][]row{false: unreliable, true: reliable} {
		want := map[[2]uint8]row{}
		for _, r := range unreliable { // the same, unless the reliable table says otherwise
			want[[2]uint8{uint8(r.s), uint8(r.e)}] = r
		}
		for _, r := range rows {
			want[[2]uint8{uint8(r.s), uint8(r.e)}] = r
		}
		for _, s := range states {
			for e := retryFires; e <= send3xx; e++ {
				w, ok := want[[2]uint8{uint8(s), uint8(e)}]
				if !ok {
					w = row{s, e, s, 0}
				}
				if next, fx := m(s, e, rel); next != w.next || fx != w.fx {
					t.Errorf("reliable %v: %v × %v → %v %b, want %v %b", rel, s, e, next, fx, w.next, w.fx)
				}
			}
		}
	}
}

func TestInviteClientMachine(t *testing.T) {
	check(t, inviteClient, []state{calling, proceeding, completed, accepted, terminated}, []row{
		{calling, retryFires, calling, resend | startRetry},                   // Timer A
		{calling, limitFires, terminated, timeout | stopRetry},                // Timer B
		{calling, noTransport, terminated, failed | stopRetry | stopLimit},    // §17.1.4
		{calling, got1xx, proceeding, up | stopRetry | stopLimit},             //
		{calling, got2xx, accepted, up | stopRetry | startLimit},              // Timer M
		{calling, got3xx, completed, up | ack | stopRetry | startLimit},       // Timer D
		{proceeding, got1xx, proceeding, up},                                  //
		{proceeding, got2xx, accepted, up | stopRetry | startLimit},           //
		{proceeding, got3xx, completed, up | ack | stopRetry | startLimit},    //
		{proceeding, limitFires, terminated, timeout},                         // 64*T1 after CANCEL
		{proceeding, noTransport, terminated, failed | stopRetry | stopLimit}, //
		{completed, got3xx, completed, ack},                                   //
		{completed, limitFires, terminated, stopLimit},                        // Timer D
		{completed, noTransport, terminated, stopLimit},                       //
		{accepted, got2xx, accepted, up},                                      //
		{accepted, limitFires, terminated, 0},                                 // Timer M
	}, []row{
		{calling, got3xx, terminated, up | ack | stopRetry | stopLimit}, // Timer D is zero
		{proceeding, got3xx, terminated, up | ack | stopRetry | stopLimit},
	})
}

func TestNonInviteClientMachine(t *testing.T) {
	check(t, nonInviteClient, []state{trying, proceeding, completed, terminated}, []row{
		{trying, retryFires, trying, resend | startRetry},     // Timer E
		{trying, limitFires, terminated, timeout | stopRetry}, // Timer F
		{trying, noTransport, terminated, failed | stopRetry | stopLimit},
		{trying, got1xx, proceeding, up},
		{trying, got2xx, completed, up | stopRetry | startLimit}, // Timer K
		{trying, got3xx, completed, up | stopRetry | startLimit},
		{proceeding, retryFires, proceeding, resend | startRetry},
		{proceeding, limitFires, terminated, timeout | stopRetry},
		{proceeding, noTransport, terminated, failed | stopRetry | stopLimit},
		{proceeding, got1xx, proceeding, up},
		{proceeding, got2xx, completed, up | stopRetry | startLimit},
		{proceeding, got3xx, completed, up | stopRetry | startLimit},
		{completed, limitFires, terminated, 0}, // Timer K
	}, []row{
		{trying, got2xx, terminated, up | stopRetry | stopLimit}, // Timer K is zero
		{trying, got3xx, terminated, up | stopRetry | stopLimit},
		{proceeding, got2xx, terminated, up | stopRetry | stopLimit},
		{proceeding, got3xx, terminated, up | stopRetry | stopLimit},
	})
}

func TestInviteServerMachine(t *testing.T) {
	check(t, inviteServer, []state{proceeding, completed, accepted, confirmed, terminated}, []row{
		{proceeding, gotRequest, proceeding, resend},
		{proceeding, send1xx, proceeding, resend | stopRetry},
		{proceeding, send2xx, accepted, resend | stopRetry | startLimit},   // Timer L
		{proceeding, send3xx, completed, resend | startRetry | startLimit}, // Timers G, H
		{completed, gotRequest, completed, resend},
		{completed, retryFires, completed, resend | startRetry},  // Timer G
		{completed, gotAck, confirmed, stopRetry | startLimit},   // Timer I
		{completed, limitFires, terminated, stopRetry | timeout}, // Timer H
		{accepted, gotAck, accepted, up},
		{accepted, send2xx, accepted, resend},
		{accepted, limitFires, terminated, 0},  // Timer L
		{confirmed, limitFires, terminated, 0}, // Timer I
	}, []row{
		{proceeding, send3xx, completed, resend | stopRetry | startLimit}, // no Timer G
		{completed, gotAck, terminated, stopRetry | stopLimit},            // Timer I is zero
	})
}

func TestNonInviteServerMachine(t *testing.T) {
	check(t, nonInviteServer, []state{trying, proceeding, completed, terminated}, []row{
		{trying, send1xx, proceeding, resend},
		{trying, send2xx, completed, resend | startLimit}, // Timer J
		{trying, send3xx, completed, resend | startLimit},
		{trying, limitFires, terminated, timeout}, // ours
		{proceeding, gotRequest, proceeding, resend},
		{proceeding, send1xx, proceeding, resend},
		{proceeding, send2xx, completed, resend | startLimit},
		{proceeding, send3xx, completed, resend | startLimit},
		{proceeding, limitFires, terminated, timeout}, // ours
		{completed, gotRequest, completed, resend},
		{completed, limitFires, terminated, 0}, // Timer J
	}, []row{
		{trying, send2xx, terminated, resend | stopLimit}, // Timer J is zero
		{trying, send3xx, terminated, resend | stopLimit},
		{proceeding, send2xx, terminated, resend | stopLimit},
		{proceeding, send3xx, terminated, resend | stopLimit},
	})
}
