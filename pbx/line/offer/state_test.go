package offer

import "testing"

// TestStates is the whole machine: every event in every state.
func TestStates(t *testing.T) {
	const refused = 0
	type cell struct {
		next   State
		status int
	}
	want := map[State]map[event]cell{
		Idle: {
			weOffer:    {Sent, refused},
			theyOffer:  {Received, refused},
			weAnswer:   {Idle, 500},
			theyAnswer: {Idle, refused},
			reject:     {Idle, refused},
		},
		Sent: {
			weOffer:    {Sent, 491},
			theyOffer:  {Sent, 491},
			weAnswer:   {Sent, 491},
			theyAnswer: {Idle, refused},
			reject:     {Idle, refused},
		},
		Received: {
			weOffer:    {Received, 491},
			theyOffer:  {Received, 500},
			weAnswer:   {Idle, refused},
			theyAnswer: {Received, 500},
			reject:     {Idle, refused},
		},
	}
	for s := Idle; s <= Received; s++ {
		for e := weOffer; e <= reject; e++ {
			next, err := s.next(e)
			status := 0
			if err != nil {
				status = err.Status
			}
			if w := want[s][e]; next != w.next || status != w.status {
				t.Errorf("%v, event %d: %v, status %d; want %v, %d", s, e, next, status, w.next, w.status)
			}
		}
	}
}
