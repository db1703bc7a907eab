package pbx

import (
	"context"
	"time"
)

// usage is what an extension is doing. There is one for each extension that has had a call since the start.
type usage struct {
	calls int       // legs of its phones, and lines that are reserved
	idle  time.Time // since when it has none
}

// take counts a leg of an extension. The caller holds s.mu.
func (s *Switchboard) take(extension string) *usage {
	u := s.usage[extension]
	if u == nil {
		u = new(usage)
		s.usage[extension] = u
	}
	u.calls++
	return u
}

// release is the end of such a leg. The caller holds s.mu.
func (s *Switchboard) release(extension string) {
	if u := s.usage[extension]; u != nil && u.calls > 0 {
		if u.calls--; u.calls == 0 {
			u.idle = time.Now()
		}
	}
}

// OneCall reaches t, the phones of an extension, unless the extension has a call already: then it is Busy. The line is
// reserved in the same step, so of two calls that come at a time one finds it busy.
func OneCall(extension string, t Target) Target { return oneCall{extension, t} }

type oneCall struct {
	extension string
	t         Target
}

func (o oneCall) Reach(ctx context.Context, c *Call) (*Leg, Outcome) {
	s := c.sb
	s.mu.Lock()
	if u := s.usage[o.extension]; u != nil && u.calls > 0 {
		s.mu.Unlock()
		return nil, LineInUse
	}
	line := &reservation{sb: s, extension: o.extension, of: s.take(o.extension)}
	s.mu.Unlock()
	var leg *Leg
	defer func() { // also after a panic
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case line.over:
		case leg == nil || leg.Contact.Extension != o.extension:
			line.give() // who answered may be somebody it has sent the call on to
		case leg.ended || leg.counted != "":
			s.release(o.extension)
		default:
			leg.counted = o.extension // the reservation becomes the leg's
		}
	}()
	leg, out := c.Reach(context.WithValue(ctx, reservationKey{}, line), o.t)
	return leg, out
}

// reservation is the line of an extension while its phones ring. over is guarded by Switchboard.mu.
type reservation struct {
	sb        *Switchboard
	extension string
	of        *usage
	over      bool
}

type reservationKey struct{}

// give ends the reservation. The extension had no call, so it has been idle all the time. The caller holds s.mu.
func (r *reservation) give() {
	if !r.over {
		r.over = true
		r.of.calls--
	}
}

// giveBack ends the reservation of an extension's line, if there is one: none of its phones rings any more, though the call may
// go on where one of them has sent it.
func giveBack(ctx context.Context, extension string) {
	if r, ok := ctx.Value(reservationKey{}).(*reservation); ok && r.extension == extension {
		r.sb.mu.Lock()
		defer r.sb.mu.Unlock()
		r.give()
	}
}

func (o oneCall) Node() Node     { return inner("one call", o, []Target{o.t}) }
func (o oneCall) String() string { return "busy if " + o.extension + " has a call" }
