package pbx

import (
	"slices"
	"strings"
	"time"

	"ringback/media"
)

// CallInfo is a call that is up, as people see it.
type CallInfo struct {
	ID       string
	From, To Identity // To.Name is empty until somebody has answered
	Dialled  string
	State    string // "routing", "ringing", "answered", "ending"
	Started  time.Time
	Answered time.Time // zero until then
	Codec    string
	Contact  string // URI of the phone that answered
	Held     bool   // one of the parties holds the other
	Recorded bool   // it is being recorded now

	FromPhone, ToPhone Quality // so far: the caller's leg, and the one that it talks to
}

// Calls lists the calls that are up, oldest first.
func (s *Switchboard) Calls() []CallInfo {
	s.mu.Lock()
	list, legs := make([]CallInfo, 0, len(s.calls)), make([][2]*Leg, 0, len(s.calls))
	for _, c := range s.calls {
		list, legs = append(list, c.info()), append(legs, c.legs())
	}
	s.mu.Unlock()
	for i, both := range legs {
		caller, other := both[0].stats(), both[1].stats()
		list[i].Codec, list[i].FromPhone, list[i].ToPhone = caller.Codec, QualityOf(caller), QualityOf(other)
	}
	slices.SortFunc(list, func(a, b CallInfo) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// info is c as people see it. The caller holds s.mu.
func (c *Call) info() CallInfo {
	i := CallInfo{ID: c.ID, From: c.From, To: Identity{Number: c.Dialled}, Dialled: c.Dialled,
		Started: c.record.Started, Answered: c.record.Answered, Contact: c.record.Contact, State: "routing"}
	i.Recorded = c.taping != nil && c.taping.running
	switch {
	case c.state == answered:
		i.State = "answered"
	case c.state == over:
		i.State = "ending"
	case !c.record.Rang.IsZero():
		i.State = "ringing"
	}
	if c.record.By != "" {
		i.To.Number = c.record.By
	}
	if c.caller != nil && c.caller.bridge != nil {
		for _, leg := range c.caller.bridge.legs {
			i.Held = i.Held || leg.held
			if leg != c.caller {
				i.To = leg.Party
			}
		}
	}
	return i
}

// legs are the caller's and the one that it talks to, nil for none. The caller holds s.mu.
func (c *Call) legs() (both [2]*Leg) {
	both[0] = c.caller
	if c.caller != nil && c.caller.bridge != nil {
		for _, leg := range c.caller.bridge.legs {
			if leg != c.caller {
				both[1] = leg
			}
		}
	}
	return both
}

// stats are those of a leg's audio until now.
func (l *Leg) stats() media.Stats {
	if l == nil {
		return media.Stats{}
	}
	if port := l.Port(); port != nil {
		return port.Stats()
	}
	return media.Stats{}
}

// HangupCall ends a call in whatever state it is, for reason o. It reports whether there was such a call.
func (s *Switchboard) HangupCall(id string, o Outcome) bool {
	s.mu.Lock()
	c := s.calls[id]
	var caller *Leg
	var rest []*Leg
	wasRouting := false
	if c != nil {
		caller, wasRouting = c.caller, c.state == routing
		if caller != nil && caller.bridge != nil {
			for _, leg := range caller.bridge.legs {
				if leg != caller {
					rest = append(rest, leg)
				}
			}
		}
		c.concludeLocked(o)
	}
	s.mu.Unlock()
	if c == nil {
		return false
	}
	c.abandon(o)
	if caller != nil {
		if wasRouting {
			caller.Refuse(o.forCaller())
		} else {
			caller.Hangup(o)
		}
	}
	for _, leg := range rest {
		leg.Hangup(o)
	}
	return true
}

// Stats counts calls since the start.
type Stats struct {
	Active     int
	Started    uint64
	Outcomes   map[string]uint64 // by Kind in words, calls that are over
	Panics     uint64            // defects that ended a call or a message, and no more
	Unrecorded uint64            // answers that could not be journalled at once
}

// Stats may be called at any time.
func (s *Switchboard) Stats() Stats {
	s.mu.Lock()
	active := len(s.calls)
	s.mu.Unlock()
	st := Stats{Active: active, Started: s.counters.started.Load(), Outcomes: make(map[string]uint64, len(kindNames)),
		Panics: s.counters.panics.Load(), Unrecorded: s.counters.unrecorded.Load()}
	for k := range s.counters.outcomes {
		st.Outcomes[Kind(k).String()] = s.counters.outcomes[k].Load()
	}
	return st
}
