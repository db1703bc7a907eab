package pbx

// InUse is how many calls each extension has that has any.
func (s *Switchboard) InUse() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	busy := make(map[string]int)
	for extension, u := range s.usage {
		if u.calls != 0 {
			busy[extension] = u.calls
		}
	}
	return busy
}

// Spoken is spoken.
var Spoken = spoken
