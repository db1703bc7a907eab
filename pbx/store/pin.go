package store

import (
	"sync"
	"time"
)

// How often the PIN of an extension or a conference room may be wrong in a row, and how long it is locked then.
const (
	maxWrongPINs = 10
	pinLockout   = 15 * time.Minute
)

// wrongPINs counts wrong PINs. It has entries only for those that have a PIN and got it wrong lately.
type wrongPINs struct {
	mu    sync.Mutex
	wrong map[string]wrongPIN
}

type wrongPIN struct {
	times int
	until time.Time // locked, if that is still to come
}

// judge reports whether a PIN that is right, or not, counts.
func (w *wrongPINs) judge(whose string, right bool, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	so := w.wrong[whose]
	if now.Before(so.until) {
		return false
	}
	if right {
		delete(w.wrong, whose)
		return true
	}
	if so.times++; so.times >= maxWrongPINs {
		so = wrongPIN{until: now.Add(pinLockout)}
	}
	if w.wrong == nil {
		w.wrong = make(map[string]wrongPIN)
	}
	w.wrong[whose] = so
	return false
}
