package pbx

import "slices"

// conferenceKey is what a member's key does: 1 mutes himself, a moderator's 2 locks, 3 removes who came last, 4 mutes the others,
// 5 begins or ends a recording; any other says what there is. It returns the prompt that tells him of it.
func (s *Switchboard) conferenceKey(c *conference, m *member, key byte) (prompt string) {
	s.mu.Lock()
	prompt, changed := s.pressedIn(c, m, key)
	s.mu.Unlock()
	if changed {
		s.conferenceChanged(c.room.Number)
	}
	return prompt
}

// pressedIn says whether others may see what the key has changed. The caller holds s.mu.
func (s *Switchboard) pressedIn(c *conference, m *member, key byte) (prompt string, changed bool) {
	if key == '1' {
		m.muted = !m.muted
		return pick(m.muted, promptConfMuted, promptConfUnmuted), true
	}
	if !m.moderator {
		return promptConfMenu, false
	}
	switch key {
	case '2':
		c.locked = !c.locked
		return pick(c.locked, promptConfLock, promptConfUnlock), true
	case '3':
		for _, other := range slices.Backward(c.members) {
			if other != m && other.stays() {
				other.remove(memberRemoved)
				break
			}
		}
		return "", false // until he has gone
	case '4':
		return pick(c.muteOthers(), promptConfAllMuted, promptConfAllOpen), true
	case '5':
		return s.recordKey(c, m), false // until it has begun or ended
	}
	return promptConfModMenu, false
}

// muteOthers mutes all who are no moderators, or lets them be heard if they are muted already; it reports which. The caller
// holds s.mu.
func (c *conference) muteOthers() (muted bool) {
	for _, other := range c.members {
		muted = muted || !other.moderator && !other.muted
	}
	for _, other := range c.members {
		if !other.moderator {
			other.muted = muted
		}
	}
	c.tell()
	return muted
}

func pick(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}
