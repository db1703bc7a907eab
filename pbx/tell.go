package pbx

import "ringback/media"

// notice is a prompt that a connected party hears in place of the one it talks to. Switchboard.mu guards it.
type notice struct {
	prompt string
	sound  media.Sound // nobody has heard it yet
	played bool        // it has begun
}

// telling is what legs of a bridge are to be told.
type telling struct {
	prompt string
	legs   []*Leg
}

// maxTelling bounds what waits to be told in a bridge.
const maxTelling = 8

// tellSoon has connected parties, of one bridge, be told something, after what they were to be told before. It does not wait: where a
// prompt comes from may be a disk, which may hang.
func (s *Switchboard) tellSoon(prompt string, legs ...*Leg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := legs[0].bridge
	if b == nil || len(b.telling) == maxTelling {
		return
	}
	b.telling = append(b.telling, telling{prompt, legs})
	if len(b.telling) == 1 {
		go s.tellAll(b)
	}
}

// tellAll tells what is to be told in a bridge. One goroutine at a time does.
func (s *Switchboard) tellAll(b *Bridge) {
	for {
		s.mu.Lock()
		next := b.telling[0]
		s.mu.Unlock()
		s.tell(next.prompt, next.legs...)
		s.mu.Lock()
		b.telling = b.telling[1:]
		last := len(b.telling) == 0
		s.mu.Unlock()
		if last {
			return
		}
	}
}

// tell has connected parties hear a prompt, instead of each other and of what they were being told; then the call goes on. A party
// whose phone is on hold hears it when it comes back. Without such a prompt nothing happens.
// It waits for the prompt.
func (s *Switchboard) tell(prompt string, legs ...*Leg) {
	defer s.survive()
	sounds := make([]media.Sound, len(legs))
	for i := range sounds {
		if sounds[i] = s.prompt(prompt); sounds[i] == nil {
			return
		}
	}
	var one *Leg
	s.mu.Lock()
	for i, leg := range legs {
		if leg.bridge != nil && !leg.ended {
			leg.notice, one = &notice{prompt: prompt, sound: sounds[i]}, leg
		}
	}
	s.mu.Unlock()
	if one != nil {
		s.settle(one, false)
	}
}

// told is what the party is being told now, nil if nothing; begin says that it has to begin. The caller holds s.mu.
func (l *Leg) told() (n *notice, begin bool) {
	if l.notice == nil || l.held {
		return nil, false
	}
	begin, l.notice.played = !l.notice.played, true
	return l.notice, begin
}

// play has a party hear what it is told, and then what it heard before.
func (s *Switchboard) play(leg *Leg, n *notice) {
	done := func(bool) {
		s.mu.Lock()
		over := leg.notice == n
		if over {
			leg.notice = nil
		}
		s.mu.Unlock()
		if over {
			s.settle(leg, false)
		}
	}
	if port := leg.Port(); port != nil {
		port.Play(n.sound, done)
	} else {
		done(false)
	}
}
