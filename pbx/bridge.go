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

	telling []telling // the first is being told

	// What settle has to do.
	settling bool // somebody is at it
	again    bool // something has changed since it was last begun
	codecs   *Leg // who has other codecs now, or was on hold until now; nil: nobody
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

// Info implements Exchange: a key goes to whoever of the PBX listens to it, everything else to the phone that this one talks to.
func (s *Switchboard) Info(leg *Leg, contentType string, body []byte, key byte) {
	p := pressed{key, contentType, body}
	if key != 0 {
		s.key(leg, key)
		s.mu.Lock()
		codes := leg.codes
		s.mu.Unlock()
		if codes != nil && codes.press(p) {
			return
		}
	}
	if peer := s.peer(leg); peer != nil {
		peer.pass(p)
	}
}

// Mismatch implements Exchange: the two are connected anew, once neither is on hold.
func (s *Switchboard) Mismatch(leg *Leg) { s.settle(leg, true) }

// reconnect connects two after leg has come to other codecs. Where they cannot be brought together with its peer's, the peer
// is asked for those that leg has now; and so it is where they share a codec, but not the one that the peer sends.
func (s *Switchboard) reconnect(leg, peer *Leg) {
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
