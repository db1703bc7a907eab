package line

import (
	"fmt"
	"slices"
	"sync"

	"ringback/pbx"
)

// exchange notes what a line tells, and may do something about it.
type exchange struct {
	mu       sync.Mutex
	events   []string
	legs     []*pbx.Leg
	outcomes []pbx.Outcome
	ended    map[*pbx.Leg]int
	panics   int64
	incoming func(leg *pbx.Leg)
	message  func(m pbx.Message, reply func(pbx.Outcome))
}

func (x *exchange) note(format string, a ...any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.events = append(x.events, fmt.Sprintf(format, a...))
}

func (x *exchange) Incoming(leg *pbx.Leg, dialled string, hops int) {
	x.note("incoming %s from %s hops %d", dialled, leg.Party.Number, hops)
	x.mu.Lock()
	x.legs = append(x.legs, leg)
	f := x.incoming
	x.expectEnd(leg)
	x.mu.Unlock()
	if f != nil {
		f(leg)
	}
}

func (x *exchange) expectEnd(leg *pbx.Leg) {
	if x.ended == nil {
		x.ended = map[*pbx.Leg]int{}
	}
	x.ended[leg] += 0
}

func (x *exchange) Ended(leg *pbx.Leg, o pbx.Outcome) {
	x.note("ended %s cause %d", o, o.Cause)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.expectEnd(leg)
	x.ended[leg]++
	x.outcomes = append(x.outcomes, o)
}

func (x *exchange) ends() map[string]int {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := map[string]int{}
	for leg, n := range x.ended {
		all[leg.ID] = n
	}
	return all
}

func (x *exchange) Held(_ *pbx.Leg, held bool) { x.note("held %v", held) }
func (x *exchange) Info(_ *pbx.Leg, contentType string, body []byte, key byte) {
	if key == 0 {
		x.note("info %s %q", contentType, body)
	} else {
		x.note("info %s %q key %c", contentType, body, key)
	}
}
func (x *exchange) Message(m pbx.Message, reply func(pbx.Outcome)) {
	x.note("message from %s to %s %s %q", m.From.Number, m.To, m.ContentType, m.Body)
	if x.message != nil {
		x.message(m, reply)
		return
	}
	reply(pbx.Outcome{Kind: pbx.Answered, Status: 200})
}
func (x *exchange) Mismatch(*pbx.Leg) { x.note("mismatch") }

func (x *exchange) log() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.events)
}
