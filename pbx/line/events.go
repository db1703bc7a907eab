package line

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/subscription"
)

// packages are the event packages that phones may subscribe to (RFC 6665 §7), in the order of Allow-Events. Another one is a file and
// a line here.
var packages = []*eventPackage{&messageSummary, &conferenceState}

// eventPackage is one of them. Its functions are called on any goroutine, with the subscription's lock held: they answer from
// memory.
type eventPackage struct {
	name        string // of Event
	contentType string // of NOTIFY
	rules       subscription.Rules
	// admit says what an extension watches that subscribes to this number: the resource, or else the status that the SUBSCRIBE
	// is answered by.
	admit func(l *Line, ext *pbx.Extension, number string) (resource string, status int)
	// body is all of a resource's state as it is now; nil if there is no such resource any more, or not for this watcher.
	body func(l *Line, v view) []byte
	// gone is what is said once of a resource that is not there any more; nil: nothing.
	gone func(l *Line, v view) []byte

	typeHeader sip.Header // Content-Type, never changed
}

func newPackage(p eventPackage) eventPackage {
	p.typeHeader = sip.NewHeader("Content-Type", p.contentType)
	return p
}

// view is for whom a body is made.
type view struct {
	resource string
	who      string // extension that watches it
	domain   string // of the addresses that occur
	version  uint32 // how many were made for this subscription before
}

// packageNamed compares byte by byte (RFC 6665 §8.2.1).
func (l *Line) packageNamed(name string) *eventPackage {
	if l.o.State == nil {
		return nil
	}
	for _, p := range packages {
		if p.name == name {
			return p
		}
	}
	return nil
}

// eventNames is Allow-Events (RFC 6665 §8.2.2).
func eventNames(o Options) string {
	if o.State == nil {
		return ""
	}
	names := make([]string, len(packages))
	for i, p := range packages {
		names[i] = p.name
	}
	return strings.Join(names, ", ")
}
