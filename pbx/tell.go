package pbx

// notice is a prompt that a connected party hears in place of the one it talks to. Switchboard.mu guards it.
type notice struct {
	prompt string
	played bool // it has begun
}

// tell has connected parties hear a prompt, instead of each other and of what they were being told; then the call goes on. A party
// whose phone is on hold hears it when it comes back. Without such a prompt nothing happens.
func (s *Switchboard) tell(prompt string, legs ...*Leg) {
	if s.prompt(prompt) == nil {
		return
	}
	var one *Leg
	s.mu.Lock()
	for _, leg := range legs {
		if leg.bridge != nil && !leg.ended {
			leg.notice, one = &notice{prompt: prompt}, leg
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
	port, sound := leg.Port(), s.prompt(n.prompt)
	if port == nil || sound == nil {
		done(false)
		return
	}
	port.Play(sound, done)
}
