package media

import "sync/atomic"

// announcement is a sound that a room hears.
type announcement struct {
	engine *Engine
	sound  Sound
	done   func(whole bool)
	state  atomic.Uint32 // as of a playing
}

// Play implements Room.
func (r *room) Play(s Sound, done func(whole bool)) {
	a := &announcement{engine: r.engine, sound: s, done: done}
	r.mu.Lock()
	taken := !r.closed && len(r.sounds) < MaxSounds
	if taken {
		r.sounds = append(r.sounds, a)
	}
	r.mu.Unlock()
	if !taken {
		a.cut()
	}
}

// sound reads the next frame of what is played, nil if nothing is.
func (r *room) sound(dst []int16) []int16 {
	for {
		r.mu.Lock()
		var a *announcement
		if len(r.sounds) > 0 {
			a = r.sounds[0]
		}
		r.mu.Unlock()
		if a == nil {
			return nil
		}
		if a.read(dst) {
			return dst
		}
		r.mu.Lock()
		if len(r.sounds) > 0 && r.sounds[0] == a {
			r.sounds = append(r.sounds[:0], r.sounds[1:]...)
		}
		r.mu.Unlock()
	}
}

// read reports false once there is nothing more, and tells of it.
func (a *announcement) read(dst []int16) bool {
	if !a.state.CompareAndSwap(resting, reading) {
		return false
	}
	more, whole := a.frame(dst)
	if more && a.state.CompareAndSwap(reading, resting) {
		return true
	}
	a.tell(a.state.Swap(over) == reading && whole)
	return false
}

// frame says also whether a sound that gave nothing has come to its end: it may have panicked.
func (a *announcement) frame(dst []int16) (more, ended bool) {
	defer a.engine.survive("sound")
	more = a.sound.Frame(dst)
	return more, !more
}

// cut ends it from any goroutine, with any lock.
func (a *announcement) cut() {
	if a.state.Swap(over) == resting {
		a.tell(false)
	}
}

func (a *announcement) tell(whole bool) {
	if a.done != nil {
		go func() {
			defer a.engine.survive("end of a sound")
			a.done(whole)
		}()
	}
}
