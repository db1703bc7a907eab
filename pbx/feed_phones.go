package pbx

import (
	"slices"
	"sync"
)

// PhoneFeed publishes which phones came and went. It finds out by comparing; refreshes are no events. Methods may be called from any
// goroutine, and do not wait.
type PhoneFeed struct {
	feed *Feed

	mu    sync.Mutex
	known map[string][]string // URIs of the contacts, by extension
}

// NewPhoneFeed knows of no phones.
func NewPhoneFeed(f *Feed) *PhoneFeed { return &PhoneFeed{feed: f, known: make(map[string][]string)} }

// Known says that a phone is registered since before, which is no event.
func (p *PhoneFeed) Known(b Binding) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.known[b.Extension], b.Contact) {
		p.known[b.Extension] = append(p.known[b.Extension], b.Contact)
	}
}

// Changed takes the bindings that an extension has now.
func (p *PhoneFeed) Changed(extension string, all []Binding) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.known[extension]
	is := func(contact string) func(Binding) bool { return func(b Binding) bool { return b.Contact == contact } }
	for _, contact := range old {
		if !slices.ContainsFunc(all, is(contact)) {
			p.feed.Publish(Event{Type: RegistrationRemoved, Extension: extension, Data: Binding{Extension: extension, Contact: contact}})
		}
	}
	same := len(old) == len(all)
	for _, b := range all {
		if !slices.Contains(old, b.Contact) {
			same = false
			p.feed.Publish(Event{Type: RegistrationAdded, Extension: extension, Data: b})
		}
	}
	switch {
	case len(all) == 0:
		delete(p.known, extension)
	case !same:
		contacts := make([]string, len(all))
		for i, b := range all {
			contacts[i] = b.Contact
		}
		p.known[extension] = contacts
	}
}
