package pbx

import (
	"context"
	"time"
)

// messageWait bounds how long a MESSAGE waits for its phones: longer than Timer F (RFC 3261 §17.1.2.2).
const messageWait = 33 * time.Second

// Message implements Exchange: the message goes to all phones of the extension; the sender is told of the first
// that took it, or else of the best failure (RFC 3428 §8).
func (s *Switchboard) Message(m Message, reply func(Outcome)) {
	if e := s.directory.Extension(m.To); e == nil || !e.Enabled {
		reply(NotFound)
		return
	}
	contacts := s.line.Contacts(m.To)
	if len(contacts) == 0 {
		reply(NotRegistered)
		return
	}
	s.mu.Lock()
	draining := s.draining
	if !draining {
		s.plans.Add(1)
	}
	s.mu.Unlock()
	if draining {
		reply(GoingDown)
		return
	}
	select {
	case s.messages <- struct{}{}:
	default:
		s.plans.Done()
		reply(Outcome{Kind: Failed, By: System, Status: 503, RetryAfter: 5 * time.Second})
		return
	}
	go func() {
		defer s.plans.Done()
		defer func() { <-s.messages }()
		ctx, cancel := context.WithTimeoutCause(s.base, messageWait, RangOut)
		defer cancel()
		results := make(chan Outcome, len(contacts))
		for _, to := range contacts {
			go func() { results <- s.message(ctx, to, m) }()
		}
		best := Outcome{}
		for i := range contacts {
			o := <-results
			if o.OK() {
				reply(o)
				for range contacts[i+1:] { // the others get it too; their phones are waited for
					<-results
				}
				return
			}
			if i == 0 {
				best = o
			} else {
				best = better(best, o)
			}
		}
		reply(best.forCaller())
	}()
}

// message sends m to one phone. A defect on the way is a failure of that one.
func (s *Switchboard) message(ctx context.Context, to Contact, m Message) (o Outcome) {
	defer func() {
		if p := recover(); p != nil {
			s.counters.panics.Add(1)
			o = panicked(p)
		}
	}()
	return s.line.Message(ctx, to, m)
}
