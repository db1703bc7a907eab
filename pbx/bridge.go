package pbx

import (
	"errors"

	"ringback/media"
)

// Bridge is who talks to whom. Two legs relay. Its fields are guarded by Switchboard.mu.
type Bridge struct {
	call *Call // whose record it belongs to
	legs []*Leg
}

// join puts the two legs in one bridge of call c. The caller holds s.mu.
func (s *Switchboard) join(c *Call, a, b *Leg) {
	bridge := &Bridge{call: c, legs: []*Leg{a, b}}
	a.bridge, b.bridge = bridge, bridge
}

// peer is the other leg of a two-party bridge, nil if leg is in none. It takes s.mu.
func (s *Switchboard) peer(leg *Leg) *Leg {
	s.mu.Lock()
	defer s.mu.Unlock()
	if leg.bridge == nil {
		return nil
	}
	for _, other := range leg.bridge.legs {
		if other != leg {
			return other
		}
	}
	return nil
}

// connect makes two legs hear each other. Where their codecs cannot be brought together, the second is asked
// by re-INVITE for one that the first has; its new answer connects them.
func (s *Switchboard) connect(a, b *Leg) {
	pa, pb := a.Port(), b.Port()
	if pa == nil || pb == nil {
		return
	}
	if err := pa.Connect(pb); errors.Is(err, media.ErrNoCommonCodec) {
		b.Renegotiate(codecsOf(a))
	}
}

// Held implements Exchange.
func (s *Switchboard) Held(leg *Leg, held bool) {
	s.mu.Lock()
	leg.held = held
	s.mu.Unlock()
}

// Info implements Exchange: what one phone says by INFO goes to the one it talks to.
func (s *Switchboard) Info(leg *Leg, contentType string, body []byte) {
	if peer := s.peer(leg); peer != nil {
		peer.Info(contentType, body)
	}
}

// Mismatch implements Exchange: the two are connected anew, or where their codecs cannot be brought together, the other
// leg is asked for those that leg has now.
func (s *Switchboard) Mismatch(leg *Leg) {
	if peer := s.peer(leg); peer != nil {
		s.connect(leg, peer)
	}
}
