package pbx

import (
	"errors"
	"slices"

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
// by re-INVITE for one that the first has; its new answer connects them. It reports whether they are connected now.
func (s *Switchboard) connect(a, b *Leg) bool {
	pa, pb := a.Port(), b.Port()
	if pa == nil || pb == nil {
		return false
	}
	err := pa.Connect(pb)
	if errors.Is(err, media.ErrNoCommonCodec) {
		b.Renegotiate(codecsOf(a))
	}
	return err == nil
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
// leg is asked for those that leg has now. So it is where they share a codec, but not the one that the other sends.
func (s *Switchboard) Mismatch(leg *Leg) {
	peer := s.peer(leg)
	if peer == nil {
		return
	}
	if mine := codecsOf(leg); s.connect(leg, peer) && !carried(codecsOf(peer), mine) {
		peer.Renegotiate(mine)
	}
}

// carried reports whether what a leg sends, the first of its codecs, can be brought to one that has these.
func carried(from, to []media.Codec) bool {
	for _, c := range from {
		if c.IsEvent() || c.IsComfortNoise() {
			continue
		}
		return slices.ContainsFunc(to, func(d media.Codec) bool { return c.Same(d) || c.Linear() && d.Linear() })
	}
	return true
}
