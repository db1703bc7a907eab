package pbx

import (
	"strings"
	"sync"
)

// Recent is whom extensions called last, and who called them: what "redial" and "return last call" go by. Its methods
// may be called from any goroutine. It holds at most two entries for each extension that has ever called or been called.
type Recent struct {
	mu      sync.Mutex
	dialled map[string]string
	callers map[string]Identity
}

// NewRecent knows nothing yet.
func NewRecent() *Recent {
	return &Recent{dialled: make(map[string]string), callers: make(map[string]Identity)}
}

// Dialled notes that an extension called a number.
func (r *Recent) Dialled(extension, number string) {
	number = strings.Clone(number) // which may be part of a whole message
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dialled[extension] = number
}

// LastDialled is the number that the extension called last, "" if it has called none.
func (r *Recent) LastDialled(extension string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dialled[extension]
}

// Called notes that a call from somebody was offered to an extension.
func (r *Recent) Called(extension string, from Identity) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.callers[extension] = from
}

// LastCaller is who called the extension last; false if nobody has. He may have hidden his number.
func (r *Recent) LastCaller(extension string) (Identity, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	from, ok := r.callers[extension]
	return from, ok
}

// Forget drops what is known of an extension that is no more: whoever gets its number next is somebody else.
func (r *Recent) Forget(extension string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.dialled, extension)
	delete(r.callers, extension)
}
